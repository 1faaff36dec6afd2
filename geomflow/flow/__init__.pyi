import geomflow.core.outcome
import geomflow.io.store

from .blocks import Block as Block
from .bounded_steps import FixedStep as FixedStep, StabilityBound as StabilityBound
from .continuation import Continuation as Continuation, Cut as Cut, Parts as Parts
from .control import ErrorControl as ErrorControl, StepController as StepController, Stepper as Stepper
from .events import Event as Event, TerminalEvent as TerminalEvent
from .implicit import FourierImplicit as FourierImplicit
from .outward import CompleteSoliton as CompleteSoliton
from .problem import Implicit as Implicit, Problem as Problem, Violation as Violation
from .reduced.contraction import Contraction as Contraction
from .reduced.fate import fate as fate
from .reduced.singularity import Singularity as Singularity
from .reduced.surgery import NeckRadius as NeckRadius, Surgery as Surgery
from .reduced.threshold import Threshold as Threshold, threshold as threshold
from .solution import Solution as Solution, load as load
from .solitons import Soliton as Soliton
from .solver import solve as solve
from .steady import Steady as Steady, steady as steady
from .steppers.choose import STEPPERS as STEPPERS
from .steppers.rkc import RKC as RKC
from .steppers.rodas import Rosenbrock as Rosenbrock
from .steppers.rosenbrock import ROS2 as ROS2, ROS34PW2 as ROS34PW2, SemiImplicit as SemiImplicit
from .steppers.runge_kutta import RK4 as RK4, RK23 as RK23, RK45 as RK45
from .steppers.scipy_stiff import ScipyStiff as ScipyStiff
from .thresholds import (
    CurvatureBlowUp as CurvatureBlowUp, CurvatureGrowth as CurvatureGrowth, PositivityLoss as PositivityLoss,
    ClassBoundary as ClassBoundary, ResolutionLoss as ResolutionLoss,
    SteadyState as SteadyState,
)

Outcome = geomflow.core.outcome.Outcome
OutcomeKind = geomflow.core.outcome.OutcomeKind
Store = geomflow.io.store.Store
