"""Ansätze: exact metrics with unknown functions of few coordinates, and what flows become on them."""

from geomflow.symbolic.ansatz.ansatz import Ansatz
from geomflow.symbolic.ansatz.domain import Circle, End, Interval, Span
from geomflow.symbolic.ansatz.functional import ReducedFunctional
from geomflow.symbolic.ansatz.reduction import Mean, Reduction
from geomflow.symbolic.ansatz.typed import Typed
from geomflow.symbolic.ansatz.unknowns import Unknown

__all__ = ["Ansatz", "Circle", "End", "Interval", "Mean", "ReducedFunctional", "Reduction", "Span", "Typed",
           "Unknown"]
