"""Levenberg–Marquardt for E_F over linear coefficients of P."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar, final

import numpy as np
from scipy.linalg import qr

from geomflow.core.errors import NotFiniteError
from geomflow.core.hermitian import multiplicity, pack, unpack
from geomflow.core.outcome import Outcome, OutcomeKind
from geomflow.fits.fit import Fit, FitState, Last
from geomflow.fits.loss import Loss
from geomflow.fits.objective import Objective, View
from geomflow.variety.errors import KahlerConeError
from geomflow.variety.jets import log_volume, sensitivity

#: Steps that are enough.
STEPS = 40
_CUTOFF = 1e-14
_TRIES = 12


@final
@dataclass(frozen=True, eq=False)
class FormObjective(Objective):
    """E_F of K = (1/level) log P, P linear in the coefficients; views are taken from its Gram matrices.

    `features` (P, rows², count) are the packed Gram matrices of the functions.
    """

    features: np.ndarray
    log_omega2: np.ndarray
    weights: np.ndarray
    level: int
    loss: Loss

    def gram(self, coefficients: np.ndarray) -> np.ndarray:
        """(P, n+1, n+1)."""
        return unpack(self.features @ coefficients)

    def look(self, coefficients: np.ndarray) -> View:
        """v, E_F and σ."""
        gram = self.gram(coefficients)
        return self.seen_in_logarithms(log_volume(gram, self.level) - self.log_omega2, gram)

    def rows(self, view: View) -> tuple[np.ndarray, np.ndarray]:
        """J = √(wF'') ∂v and r with E_F ≈ const + ½ |J δ + r|²."""
        dual = pack(sensitivity(view.at)) * multiplicity(view.at.shape[-1])
        slope = np.matmul(dual[:, None, :], self.features)[:, 0]
        slope = view.v[:, None] * (slope - (self.weights * view.v) @ slope)
        scale, residual = self.residual(view)
        return scale[:, None] * slope, residual


@final
@dataclass(frozen=True, eq=False)
class LevenbergMarquardt(Fit):
    """Damped least-squares steps to the coefficients of least E_F, from `first`.

    Ends where a step gains less than `tolerance` of E_F. Raises `KahlerConeError` where the start is not positive, or
    where no step stays positive.
    """

    objective: FormObjective
    first: np.ndarray
    tolerance: float = 1e-3

    name: ClassVar[str] = "levenberg-marquardt"

    @cached_property
    def _look(self) -> Last:
        return Last(self.objective.look)

    def start(self) -> FitState:
        """Undamped at first."""
        if not self._look(self.first).least > 0:
            raise KahlerConeError("the fit starts outside the Kähler cone: P or g is not positive at some fitted point")
        return FitState.of(coefficients=self.first, damping=0.0, before=np.inf)

    def step(self, state: FitState) -> FitState | Outcome:
        """The first damped step that lowers E_F inside the cone."""
        here, damping = state["coefficients"], state.number("damping")
        view = self._look(here)
        if len(here) == 1:  # a single form has only its scale, which changes nothing
            return Outcome(OutcomeKind.steady, "there is but one form.", 0.0)
        if view.energy > (1 - self.tolerance) * state.number("before"):
            return Outcome(OutcomeKind.steady, f"the last step gained less than {self.tolerance:g} of E_F.", 0.0)
        system, inside = _Step.of(*self.objective.rows(view)), False
        for _ in range(_TRIES):
            tried = here + system.solve(damping)
            found = self.objective.look(tried)
            inside = inside or found.least > 0
            if found.energy < view.energy:
                self._look.put(tried, found)
                damping = damping / 100 if damping > 1e-12 else 0.0
                return state.moved(coefficients=tried, damping=damping, before=view.energy)
            damping = max(30 * damping, 1e-10)
        if not inside:
            raise KahlerConeError(
                f"the fit leaves the Kähler cone: {_TRIES} damped steps from E_F = {view.energy:.3g} all make P or g "
                f"not positive at one of the {len(view.v)} fitted points; take more points or a lower degree"
            )
        return Outcome(OutcomeKind.steady, f"no step lowers E_F = {view.energy:.3g}.", 0.0)

    def numbers(self, state: FitState) -> Mapping[str, float]:
        """E_F and σ on the fitted points."""
        view = self._look(state["coefficients"])
        return {"energy": view.energy, "sigma": view.sigma}


@dataclass(frozen=True)
class _Step:
    """The damped least-squares step through one SVD: δ = −V s/(s² + λ s_0²) Uᵀ r, columns scaled to one."""

    scale: np.ndarray
    singular: np.ndarray
    right: np.ndarray
    projected: np.ndarray

    @classmethod
    def of(cls, jacobian: np.ndarray, value: np.ndarray) -> _Step:
        scale = np.linalg.norm(jacobian, axis=0)
        scale[scale == 0] = 1
        if not np.isfinite(scale).all():
            raise NotFiniteError("the functional grows beyond double precision at the fitted points: choose one that "
                                 "grows more slowly away from v = 1")
        orthogonal, triangle = qr(jacobian / scale, mode="economic", check_finite=False)
        left, singular, right = np.linalg.svd(triangle)
        return cls(scale, singular, right, left.T @ (orthogonal.T @ value))

    def solve(self, damping: float) -> np.ndarray:
        kept = self.singular > _CUTOFF * self.singular[0]
        factor = np.where(kept, self.singular / (self.singular**2 + damping * self.singular[0] ** 2 + ~kept), 0.0)
        return -(self.right.T @ (factor * self.projected)) / self.scale
