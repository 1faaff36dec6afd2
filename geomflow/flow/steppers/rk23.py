"""Bogacki and Shampine's embedded pair of orders 3 and 2."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from geomflow.flow.steppers.tableau import RungeKutta, Tableau

_TABLEAU = Tableau(
    c=(0, 1 / 2, 3 / 4, 1),
    a=((), (1 / 2,), (0, 3 / 4), (2 / 9, 1 / 3, 4 / 9)),
    b=(2 / 9, 1 / 3, 4 / 9, 0),
    embedded=(7 / 24, 1 / 4, 1 / 3, 1 / 8),
    stability=2.512,
    imaginary=1.732,
)


@dataclass(frozen=True)
class RK23(RungeKutta):
    """Adaptive third-order method, three rates a step, for loose tolerances.

    Bogacki and Shampine, Appl. Math. Lett. 2 (1989) 321.
    """

    name: ClassVar[str] = "rk23"
    order: ClassVar[int] = 3
    estimate_order: ClassVar[int | None] = 2
    rate_known: ClassVar[bool] = True
    tableau: ClassVar[Tableau] = _TABLEAU
