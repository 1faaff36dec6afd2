"""Dormand and Prince's embedded pair of orders 5 and 4."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from geomflow.flow.steppers.tableau import RungeKutta, Tableau

_TABLEAU = Tableau(
    c=(0, 1 / 5, 3 / 10, 4 / 5, 8 / 9, 1, 1),
    a=(
        (),
        (1 / 5,),
        (3 / 40, 9 / 40),
        (44 / 45, -56 / 15, 32 / 9),
        (19372 / 6561, -25360 / 2187, 64448 / 6561, -212 / 729),
        (9017 / 3168, -355 / 33, 46732 / 5247, 49 / 176, -5103 / 18656),
        (35 / 384, 0, 500 / 1113, 125 / 192, -2187 / 6784, 11 / 84),
    ),
    b=(35 / 384, 0, 500 / 1113, 125 / 192, -2187 / 6784, 11 / 84, 0),
    embedded=(5179 / 57600, 0, 7571 / 16695, 393 / 640, -92097 / 339200, 187 / 2100, 1 / 40),
    stability=3.306,
    imaginary=0.997,
)


@dataclass(frozen=True)
class RK45(RungeKutta):
    """Adaptive fifth-order method, six rates a step, for problems that are not stiff.

    Dormand and Prince, J. Comput. Appl. Math. 6 (1980) 19.
    """

    name: ClassVar[str] = "rk45"
    order: ClassVar[int] = 5
    estimate_order: ClassVar[int | None] = 4
    rate_known: ClassVar[bool] = True
    tableau: ClassVar[Tableau] = _TABLEAU
