"""Rosenbrock–W methods: linearly implicit steps that keep their order for any operator L, solved by FFT."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar

import numpy as np

from geomflow.core.errors import InputError
from geomflow.flow.control import Stepper
from geomflow.flow.cursor import Cursor
from geomflow.flow.problem import Implicit


@dataclass(frozen=True)
class RosenbrockTableau:
    """k_i = f(y + dt Σ_j alpha_ij k_j) + dt L Σ_{j≤i} gamma_ij k_j, result y + dt Σ b_i k_i; gamma_ii = gamma.

    `alpha` and `couplings` hold the rows below the diagonal; `embedded` the weights of the error estimator.
    """

    order: int
    estimate_order: int
    gamma: float
    alpha: tuple[tuple[float, ...], ...]
    couplings: tuple[tuple[float, ...], ...]
    b: tuple[float, ...]
    embedded: tuple[float, ...]

    def transformed(self) -> TransformedTableau:
        """Coefficients for U = Γ k, which need no product with L (Hairer and Wanner II, section IV.7)."""
        alpha, inverse = _lower(self.alpha), np.linalg.inv(_lower(self.couplings) + self.gamma * np.eye(len(self.b)))
        return TransformedTableau(
            c=tuple(map(float, alpha.sum(axis=1))),
            a=_rows(alpha @ inverse),
            couplings=_rows(np.eye(len(self.b)) / self.gamma - inverse),
            b=tuple(map(float, np.array(self.b) @ inverse)),
            error=tuple(map(float, (np.array(self.b) - np.array(self.embedded)) @ inverse)),
        )


@dataclass(frozen=True)
class TransformedTableau:
    """(1 − γ dt L) U_i = γ dt f(y + Σ_j a_ij U_j) + γ Σ_j couplings_ij U_j, result y + Σ b_i U_i."""

    c: tuple[float, ...]
    a: tuple[tuple[float, ...], ...]
    couplings: tuple[tuple[float, ...], ...]
    b: tuple[float, ...]
    error: tuple[float, ...]


def _lower(rows: tuple[tuple[float, ...], ...]) -> np.ndarray:
    matrix = np.zeros((len(rows), len(rows)))
    for i, row in enumerate(rows):
        matrix[i, : len(row)] = row
    return matrix


def _rows(matrix: np.ndarray) -> tuple[tuple[float, ...], ...]:
    return tuple(tuple(map(float, row[:i])) for i, row in enumerate(matrix))


ROS34PW2 = RosenbrockTableau(
    order=3,
    estimate_order=2,
    gamma=4.3586652150845900e-01,
    alpha=((), (8.7173304301691801e-01,), (8.4457060015369423e-01, -1.1299064236484185e-01), (0.0, 0.0, 1.0)),
    couplings=(
        (),
        (-8.7173304301691801e-01,),
        (-9.0338057013044082e-01, 5.4180672388095326e-02),
        (2.4212380706095346e-01, -1.2232505839045147e00, 5.4526025533510214e-01),
    ),
    b=(2.4212380706095346e-01, -1.2232505839045147e00, 1.5452602553351020e00, 4.3586652150845900e-01),
    embedded=(3.7810903145819369e-01, -9.6042292212423178e-02, 5.0000000000000000e-01, 2.1793326075422950e-01),
)
"""Rang and Angermann, BIT 45 (2005) 761. With θ the ratio of a true eigenvalue to that of L: L-stable for θ = 1; stiff
modes are damped by at least 0.71 a step for 0.1 ≤ θ ≤ 1.5, and grow beyond θ = 1.6."""

ROS2 = RosenbrockTableau(
    order=2,
    estimate_order=1,
    gamma=1 + 1 / math.sqrt(2),
    alpha=((), (1.0,)),
    couplings=((), (-2 - math.sqrt(2),)),
    b=(0.5, 0.5),
    embedded=(1.0, 0.0),
)
"""Verwer, Spee, Blom and Hundsdorfer, SIAM J. Sci. Comput. 20 (1999) 1456. L-stable for θ = 1; stiff modes do not grow
for any 0 ≤ θ ≤ 6.8 and are damped monotonically for θ ≤ 1: for operators L that are a poor stand-in."""


@dataclass(frozen=True)
class SemiImplicit(Stepper):
    """Rosenbrock–W method: solves with 1 − γ dt L only, for the fourth-order flows.

    Any L keeps the order, because the whole rate enters each stage; L only has to be strong enough (see the tableaux
    in `rosenbrock`). Unlike additive (IMEX) Runge–Kutta methods, whose growth factor is unbounded as soon as L is not
    the exact linearisation, stiff modes stay damped. Each stage costs one rate and one solve.

    Parameters
    ----------
    tableau : RosenbrockTableau
        ROS34PW2 (third order) unless given; ROS2 where L is a poor stand-in.
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
        implicit.prepare(cursor.t, cursor.y)
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
