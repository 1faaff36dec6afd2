"""The iteration of a map, for what is discrete by nature, such as optimisers and fits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from geomflow.core.outcome import Outcome
from geomflow.flow.control.control import Control
from geomflow.flow.control.fixed import FixedStep
from geomflow.flow.cursor import Cursor
from geomflow.flow.steppers.tableau import RungeKutta, Tableau

_TABLEAU = Tableau(c=(0,), a=((),), b=(1,), embedded=(), stability=2.0, imaginary=0.0)


@dataclass(frozen=True)
class Iteration(RungeKutta):
    """y_{k+1} = y_k + f(k, y_k): Euler's method with steps of one, the time being the number of steps.

    A problem that is an iteration by itself is asked for y_{k+1}, to the bit, or for the outcome that it ends with.
    """

    name: ClassVar[str] = "iteration"
    order: ClassVar[int] = 1
    tableau: ClassVar[Tableau] = _TABLEAU
    remedy: ClassVar[str] = "Make the map's increments smaller; those of an optimiser by a smaller learning rate."

    def attempt(self, cursor: Cursor, t_new: float) -> Outcome | None:
        """One application of the map."""
        advance = cursor.problem.advance
        if advance is None:
            return super().attempt(cursor, t_new)
        cursor.evaluations += 1
        return advance(cursor.t, cursor.y, cursor.work["new"])

    def control(self, rtol: float, atol: float) -> Control:
        """Steps of one; the tolerances have no say."""
        return FixedStep(1.0)
