from . import catalogue as catalogue, functionals as functionals
from .ansatz import Ansatz as Ansatz, Circle as Circle, Interval as Interval, Span as Span
from .chart import Chart as Chart, ComplexChart as ComplexChart
from .exact import is_zero as is_zero
from .kahler import HermitianForm as HermitianForm, KahlerMetric as KahlerMetric
from .metric import Metric as Metric
from .parse import parse as parse
from .toric import Toric as Toric
