"""Explicit Runge–Kutta methods: a method is a tableau and an order."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

from geomflow.core.outcome import Outcome
from geomflow.flow.cursor import Cursor
from geomflow.flow.steppers.stepper import Stepper


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
