"""Flows: one verb, `solve`; steppers, step controls, events and monitors."""

from __future__ import annotations

from geomflow.core.outcome import Outcome, OutcomeKind
from geomflow.flow.control import ErrorControl, FixedStep, StabilityBound, StepController
from geomflow.flow.events import CurvatureBlowUp, Event, PositivityLoss, SteadyState, TerminalEvent
from geomflow.flow.implicit import FourierImplicit
from geomflow.flow.problem import Implicit, Problem, Violation
from geomflow.flow.solution import Solution, load
from geomflow.flow.solver import solve
from geomflow.flow.steppers.choose import STEPPERS
from geomflow.flow.steppers.rkc import RKC
from geomflow.flow.steppers.rosenbrock import ROS2, ROS34PW2, SemiImplicit
from geomflow.flow.steppers.runge_kutta import RK4, RK23, RK45
from geomflow.flow.steppers.scipy_stiff import ScipyStiff
from geomflow.flow.control import Stepper
from geomflow.io.store import Store

__all__ = [
    "RK4", "RK23", "RK45", "RKC", "ROS2", "ROS34PW2", "STEPPERS", "CurvatureBlowUp", "ErrorControl", "Event",
    "FixedStep", "FourierImplicit", "Implicit", "Outcome", "OutcomeKind", "PositivityLoss", "Problem", "ScipyStiff",
    "SemiImplicit", "Solution", "StabilityBound", "SteadyState", "StepController", "Stepper", "Store", "TerminalEvent",
    "Violation", "load", "solve",
]  # fmt: skip
