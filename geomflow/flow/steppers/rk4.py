"""The classical fourth-order Runge–Kutta method."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from geomflow.flow.control.control import Control
from geomflow.flow.control.stability import StabilityBound
from geomflow.flow.steppers.tableau import RungeKutta, Tableau

_TABLEAU = Tableau(
    c=(0, 1 / 2, 1 / 2, 1),
    a=((), (1 / 2,), (0, 1 / 2), (0, 0, 1)),
    b=(1 / 6, 1 / 3, 1 / 3, 1 / 6),
    embedded=(),
    stability=2.785,
    imaginary=2.828,
)


@dataclass(frozen=True)
class RK4(RungeKutta):
    """Kutta's fourth-order method, four rates a step, without an error estimate.

    Its steps are as long as stability allows (`StabilityBound`) unless `FixedStep(dt)` is given.
    Kutta, Z. Math. Phys. 46 (1901).
    """

    name: ClassVar[str] = "rk4"
    order: ClassVar[int] = 4
    tableau: ClassVar[Tableau] = _TABLEAU

    def control(self, rtol: float, atol: float) -> Control:
        """Steps by the stability limit."""
        return StabilityBound()
