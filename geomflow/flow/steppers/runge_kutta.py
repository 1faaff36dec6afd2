"""Explicit Runge–Kutta methods: a method is a tableau and an order."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

from geomflow.core.outcome import Outcome
from geomflow.flow.bounded_steps import FixedStep, StabilityBound
from geomflow.flow.control import StepController, Stepper
from geomflow.flow.cursor import Cursor


@dataclass(frozen=True)
class Tableau:
    """Butcher tableau: stages Y_i = y + dt Σ_j a[i][j] k_j at t + c[i] dt, result y + dt Σ b_i k_i.

    `embedded` are the weights of the embedded method; `stability` is the length of the stability interval on the
    negative real axis, `imaginary` that on the imaginary one.
    """

    c: tuple[float, ...]
    a: tuple[tuple[float, ...], ...]
    b: tuple[float, ...]
    embedded: tuple[float, ...]
    stability: float
    imaginary: float

    @property
    def first_same_as_last(self) -> bool:
        """The last stage is the result, so its rate is the first of the next step."""
        return self.a[-1] == self.b[:-1] and self.b[-1] == 0


class RungeKutta(Stepper, ABC):
    """Explicit Runge–Kutta step from the tableau that a subclass gives."""

    @property
    @abstractmethod
    def tableau(self) -> Tableau:
        """The method's coefficients."""

    @property
    def real_stability(self) -> float:
        """Length of the stability interval on the negative real axis."""
        return self.tableau.stability

    @property
    def imaginary_stability(self) -> float:
        """Length of the stability interval on the imaginary axis."""
        return self.tableau.imaginary

    @property
    def rows(self) -> tuple[str, ...]:
        """The rates of the stages after the first."""
        return tuple(name for name in self._rate_rows()[1:] if name != "new_rate")

    def attempt(self, cursor: Cursor, t_new: float) -> Outcome | None:
        """One step; the first stage is the cursor's rate, shared with monitors and with the step before."""
        tableau, rates = self.tableau, self._rate_rows()
        dt = t_new - cursor.t
        cursor.rate()
        for i in range(1, len(tableau.b)):
            cursor.work.combine("new", {"y": 1.0, **_terms(dt, tableau.a[i], rates)})
            t = t_new if tableau.c[i] == 1 else cursor.t + tableau.c[i] * dt
            cursor.evaluate(t, "new", rates[i])
        if not tableau.first_same_as_last:
            cursor.work.combine("new", {"y": 1.0, **_terms(dt, tableau.b, rates)})
        if tableau.embedded:
            difference = tuple(b - e for b, e in zip(tableau.b, tableau.embedded, strict=True))
            cursor.work.combine("error", _terms(dt, difference, rates))
        return None

    def _rate_rows(self) -> list[str]:
        stages = len(self.tableau.b)
        names = ["rate", *(f"k{i + 1}" for i in range(1, stages))]
        return [*names[:-1], "new_rate"] if self.tableau.first_same_as_last else names


def _terms(dt: float, weights: tuple[float, ...], rates: list[str]) -> dict[str, float]:
    return {rate: dt * weight for rate, weight in zip(rates, weights, strict=False) if weight != 0}


@dataclass(frozen=True)
class RK4(RungeKutta):
    """Kutta's fourth-order method, four rates a step, without an error estimate.

    Its steps are as long as stability allows (`StabilityBound`) unless `FixedStep(dt)` is given.
    Kutta, Z. Math. Phys. 46 (1901).
    """

    name: ClassVar[str] = "rk4"
    order: ClassVar[int] = 4
    tableau: ClassVar[Tableau] = Tableau(
        c=(0, 1 / 2, 1 / 2, 1),
        a=((), (1 / 2,), (0, 1 / 2), (0, 0, 1)),
        b=(1 / 6, 1 / 3, 1 / 3, 1 / 6),
        embedded=(),
        stability=2.785,
        imaginary=2.828,
    )

    def control(self, rtol: float, atol: float) -> StepController:
        """Steps by the stability limit."""
        return StabilityBound()


@dataclass(frozen=True)
class RK23(RungeKutta):
    """Adaptive third-order method, three rates a step, for loose tolerances.

    Bogacki and Shampine, Appl. Math. Lett. 2 (1989) 321.
    """

    name: ClassVar[str] = "rk23"
    order: ClassVar[int] = 3
    estimate_order: ClassVar[int | None] = 2
    rate_known: ClassVar[bool] = True
    tableau: ClassVar[Tableau] = Tableau(
        c=(0, 1 / 2, 3 / 4, 1),
        a=((), (1 / 2,), (0, 3 / 4), (2 / 9, 1 / 3, 4 / 9)),
        b=(2 / 9, 1 / 3, 4 / 9, 0),
        embedded=(7 / 24, 1 / 4, 1 / 3, 1 / 8),
        stability=2.512,
        imaginary=1.732,
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
    tableau: ClassVar[Tableau] = Tableau(
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
class Iteration(RungeKutta):
    """y_{k+1} = y_k + f(k, y_k): Euler's method with steps of one, the time being the number of steps.

    A problem that is an iteration by itself is asked for y_{k+1}, to the bit, or for the outcome that it ends with.
    """

    name: ClassVar[str] = "iteration"
    order: ClassVar[int] = 1
    tableau: ClassVar[Tableau] = Tableau(c=(0,), a=((),), b=(1,), embedded=(), stability=2.0, imaginary=0.0)
    remedy: ClassVar[str] = "Make the map's increments smaller; those of an optimiser by a smaller learning rate."

    def attempt(self, cursor: Cursor, t_new: float) -> Outcome | None:
        """One application of the map."""
        advance = cursor.problem.advance
        if advance is None:
            return super().attempt(cursor, t_new)
        cursor.evaluations += 1
        return advance(cursor.t, cursor.y, cursor.work["new"])

    def control(self, rtol: float, atol: float) -> StepController:
        """Steps of one; the tolerances have no say."""
        return FixedStep(1.0)
