"""Exact geometry: charts, metrics, Kähler potentials, their curvature, and a catalogue of what is known."""

from geomflow.symbolic.chart import Chart, ComplexChart
from geomflow.symbolic.exact import is_zero
from geomflow.symbolic.kahler import HermitianForm, KahlerMetric
from geomflow.symbolic.metric import Metric
from geomflow.symbolic.parse import parse

__all__ = ["Chart", "ComplexChart", "HermitianForm", "KahlerMetric", "Metric", "is_zero", "parse"]
