"""Flows: one verb, `solve`; steppers, step controls, events and monitors."""

from __future__ import annotations

from geomflow.core.outcome import Outcome, OutcomeKind
from geomflow.flow.control.control import Control
from geomflow.flow.control.error import ErrorControl
from geomflow.flow.control.fixed import FixedStep
from geomflow.flow.control.stability import StabilityBound
from geomflow.flow.events.curvature import CurvatureBlowUp
from geomflow.flow.events.event import Event
from geomflow.flow.events.positivity import PositivityLoss
from geomflow.flow.events.steady import SteadyState
from geomflow.flow.events.watch import Watch
from geomflow.flow.implicit import FourierImplicit
from geomflow.flow.keeping import load
from geomflow.flow.problem import Implicit, Problem, Violation
from geomflow.flow.solution import Solution
from geomflow.flow.solve import solve
from geomflow.flow.steppers.choose import STEPPERS
from geomflow.flow.steppers.rk4 import RK4
from geomflow.flow.steppers.rk23 import RK23
from geomflow.flow.steppers.rk45 import RK45
from geomflow.flow.steppers.rkc import RKC
from geomflow.flow.steppers.rosenbrock import ROS2, ROS34PW2
from geomflow.flow.steppers.scipy_stiff import ScipyStiff
from geomflow.flow.steppers.semi_implicit import SemiImplicit
from geomflow.flow.steppers.stepper import Stepper
from geomflow.io.store import Store

__all__ = [
    "RK4", "RK23", "RK45", "RKC", "ROS2", "ROS34PW2", "STEPPERS", "Control", "CurvatureBlowUp", "ErrorControl",
    "Event", "FixedStep", "FourierImplicit", "Implicit", "Outcome", "OutcomeKind", "PositivityLoss", "Problem",
    "ScipyStiff", "SemiImplicit", "Solution", "StabilityBound", "SteadyState", "Stepper", "Store", "Violation", "Watch",
    "load", "solve",
]  # fmt: skip
