"""Rosenbrock methods: linearly implicit steps. Those of W type keep their order for any operator L, solved by FFT."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar

import numpy as np

from geomflow.core.differences import derivative_along
from geomflow.core.errors import InputError
from geomflow.flow.control import Stepper
from geomflow.flow.cursor import Cursor


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
            gamma=self.gamma,
            c=tuple(map(float, alpha.sum(axis=1))),
            a=_rows(alpha @ inverse),
            couplings=_rows(np.eye(len(self.b)) / self.gamma - inverse),
            b=tuple(map(float, np.array(self.b) @ inverse)),
            error=tuple(map(float, (np.array(self.b) - np.array(self.embedded)) @ inverse)),
        )


@dataclass(frozen=True)
class TransformedTableau:
    """(1 − γ dt L) U_i = γ dt (f(y + Σ_j a_ij U_j) + d_i dt ∂f/∂t) + γ Σ_j couplings_ij U_j, result y + Σ b_i U_i.

    f is taken at t + c_i dt, ∂f/∂t at t and y; `d` is empty where L need not be the Jacobian, the error Σ error_i U_i.
    """

    gamma: float
    c: tuple[float, ...]
    a: tuple[tuple[float, ...], ...]
    couplings: tuple[tuple[float, ...], ...]
    b: tuple[float, ...]
    error: tuple[float, ...]
    d: tuple[float, ...] = ()


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


_SHIFT = 1e-3
"""Of a step, for differences in time: rounding errs by 1e-13 of the rate there, and what is left out by less."""


class LinearlyImplicit(Stepper, ABC):
    """Steps by the stages of a Rosenbrock method; subclasses say with which tableau, and what solves with 1 − γ dt L.

    Each stage costs one rate and one solve; time derivatives, where the method has them, four rates a step.
    """

    @property
    @abstractmethod
    def method(self) -> TransformedTableau:
        """The coefficients."""

    @abstractmethod
    def solver(self, cursor: Cursor, dt: float) -> Callable[[np.ndarray], None]:
        """What solves (1 − γ dt L) u = b in place, L taken at the start of the step.

        Parameters
        ----------
        cursor : Cursor
            At the start of the step.
        dt : float
            Its length.
        """

    @property
    def rows(self) -> tuple[str, ...]:
        """The transformed stages U_i, and dt ∂f/∂t."""
        return (*self._stages, "slope") if self.method.d else self._stages

    @property
    def _stages(self) -> tuple[str, ...]:
        return tuple(f"u{i}" for i in range(len(self.method.b)))

    def attempt(self, cursor: Cursor, t_new: float) -> None:
        """One step; the first stage uses the cursor's rate."""
        method, stages, dt = self.method, self._stages, t_new - cursor.t
        solve = self.solver(cursor, dt)
        cursor.rate()
        moving = bool(method.d) and not cursor.problem.autonomous
        if moving:
            _differentiate(cursor, dt)
        for i in range(len(stages)):
            drift = {"slope": method.gamma * method.d[i] * dt} if moving and method.d[i] else {}
            self._stage(cursor, t_new, i, drift)
            solve(cursor.work[stages[i]])
        cursor.work.combine("new", {"y": 1.0, **_terms(method.b, stages)})
        cursor.work.combine("error", _terms(method.error, stages))

    def _stage(self, cursor: Cursor, t_new: float, i: int, drift: dict[str, float]) -> None:
        """The right-hand side for U_i into its row; "new" and "error" serve as work arrays."""
        method, work, stages, dt = self.method, cursor.work, self._stages, t_new - cursor.t
        source = "rate"
        if i > 0:
            work.combine("new", {"y": 1.0, **_terms(method.a[i], stages)})
            t = t_new if method.c[i] == 1 else cursor.t + method.c[i] * dt
            cursor.evaluate(t, "new", "error")
            source = "error"
        couplings = tuple(method.gamma * value for value in method.couplings[i])
        work.combine(stages[i], {source: method.gamma * dt, **drift, **_terms(couplings, stages)})


def _differentiate(cursor: Cursor, dt: float) -> None:
    """dt ∂f/∂t at the cursor into the row "slope", by differences at times near by; "error" serves as a work array."""

    def rate(shift: np.ndarray) -> np.ndarray:
        cursor.evaluate(cursor.t + float(shift[0]) * dt, "y", "error")
        return cursor.work["error"].copy()

    cursor.work["slope"][...] = derivative_along(rate, np.zeros(1), np.ones(1), _SHIFT)


@dataclass(frozen=True)
class SemiImplicit(LinearlyImplicit):
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
    def method(self) -> TransformedTableau:
        """The tableau in the variables U."""
        return _transformed(self.tableau)

    def check(self, cursor: Cursor) -> None:
        """The problem must bring an operator L."""
        if cursor.problem.implicit is None:
            raise InputError("this flow has no implicit part for the stepper 'semi-implicit': use 'rkc' or 'scipy'.")

    def solver(self, cursor: Cursor, dt: float) -> Callable[[np.ndarray], None]:
        """That of the problem's operator."""
        implicit = cursor.problem.implicit
        assert implicit is not None
        implicit.prepare(cursor.t, cursor.y)
        return lambda b: implicit.solve(b, self.tableau.gamma * dt, b)


_transformed = lru_cache(RosenbrockTableau.transformed)


def _terms(weights: tuple[float, ...], stages: tuple[str, ...]) -> dict[str, float]:
    return {stage: weight for stage, weight in zip(stages, weights, strict=False) if weight != 0}
