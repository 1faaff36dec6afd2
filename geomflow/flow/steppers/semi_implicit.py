"""Linearly implicit steps whose implicit part has constant coefficients and is solved by FFT."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar

from geomflow.core.errors import InputError
from geomflow.flow.cursor import Cursor
from geomflow.flow.problem import Implicit
from geomflow.flow.steppers.rosenbrock import ROS34PW2, RosenbrockTableau, TransformedTableau
from geomflow.flow.steppers.stepper import Stepper


@dataclass(frozen=True)
class SemiImplicit(Stepper):
    """Rosenbrock–W method: solves with 1 − γ dt L only, for the fourth-order flows.

    Any L keeps the order, because the whole rate enters each stage; L only has to be strong enough (see the tableaux
    in `rosenbrock`). Unlike additive (IMEX) Runge–Kutta methods, whose growth factor is unbounded as soon as L is not
    the exact linearisation, stiff modes stay damped. Each stage costs one rate and one solve.
    """

    tableau: RosenbrockTableau = ROS34PW2

    name: ClassVar[str] = "semi-implicit"

    @property
    def order(self) -> int:  # type: ignore[override]
        """Order of the tableau."""
        return self.tableau.order

    @property
    def estimate_order(self) -> int | None:  # type: ignore[override]
        """Order of the embedded method."""
        return self.tableau.estimate_order

    @property
    def rows(self) -> tuple[str, ...]:
        """The transformed stages U_i."""
        return tuple(f"u{i}" for i in range(len(self.tableau.b)))

    def check(self, cursor: Cursor) -> None:
        """The problem must bring an operator L."""
        if cursor.problem.implicit is None:
            raise InputError("this flow has no implicit part for the stepper 'semi-implicit': use 'rkc' or 'scipy'.")

    def attempt(self, cursor: Cursor, t_new: float) -> None:
        """One step; the first stage uses the cursor's rate."""
        method, stages = _transformed(self.tableau), self.rows
        implicit = cursor.problem.implicit
        assert implicit is not None
        implicit.prepare(cursor.y)
        cursor.rate()
        for i in range(len(stages)):
            self._stage(cursor, t_new, i, method, implicit)
        cursor.work.combine("new", {"y": 1.0, **_terms(method.b, stages)})
        cursor.work.combine("error", _terms(method.error, stages))

    def _stage(self, cursor: Cursor, t_new: float, i: int, method: TransformedTableau, implicit: Implicit) -> None:
        """U_i into its row; "new" and "error" serve as work arrays."""
        work, stages, dt = cursor.work, self.rows, t_new - cursor.t
        step = self.tableau.gamma * dt
        source = "rate"
        if i > 0:
            work.combine("new", {"y": 1.0, **_terms(method.a[i], stages)})
            t = t_new if method.c[i] == 1 else cursor.t + method.c[i] * dt
            cursor.evaluate(t, "new", "error")
            source = "error"
        couplings = tuple(self.tableau.gamma * value for value in method.couplings[i])
        work.combine(stages[i], {source: step, **_terms(couplings, stages)})
        implicit.solve(work[stages[i]], step, work[stages[i]])


_transformed = lru_cache(RosenbrockTableau.transformed)


def _terms(weights: tuple[float, ...], stages: tuple[str, ...]) -> dict[str, float]:
    return {stage: weight for stage, weight in zip(stages, weights, strict=False) if weight != 0}
