"""Euler's method: the iteration of a map, and the plainest of integrators."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from geomflow.flow.control.control import Control
from geomflow.flow.control.fixed import FixedStep
from geomflow.flow.steppers.tableau import RungeKutta, Tableau

_TABLEAU = Tableau(c=(0,), a=((),), b=(1,), embedded=(), stability=2.0)


@dataclass(frozen=True)
class Euler(RungeKutta):
    """y + dt·f(t, y) in steps of one length, dt; with dt = 1 the iteration y_{k+1} = y_k + f(k, y_k) itself.

    Meant for what is discrete by nature, such as optimisers; for a flow take a method of higher order.
    """

    dt: float = 1.0

    name: ClassVar[str] = "euler"
    order: ClassVar[int] = 1
    tableau: ClassVar[Tableau] = _TABLEAU

    def control(self, rtol: float, atol: float) -> Control:
        """Steps of length dt; the tolerances have no say."""
        return FixedStep(self.dt)
