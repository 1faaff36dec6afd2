"""Levenberg–Marquardt for E_F over linear coefficients of P."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from scipy.linalg import qr

from geomflow.core.errors import NotFiniteError
from geomflow.core.hermitian import multiplicity, pack, unpack
from geomflow.fits.density import Density
from geomflow.variety.errors import KahlerConeError
from geomflow.variety.ratiojets import log_volume, sensitivity

_STEPS = 40
_CUTOFF = 1e-14
_TRIES = 12


@dataclass(frozen=True, eq=False)
class Residual:
    """E_F = Σ_p μ_p F(v_p) as a function of the coefficients; v normalised to mean one."""

    features: np.ndarray
    log_omega2: np.ndarray
    mass: np.ndarray
    level: int
    functional: Density

    def gram(self, coefficients: np.ndarray) -> np.ndarray:
        """(P, n+1, n+1)."""
        return unpack(self.features @ coefficients)

    def ratio(self, gram: np.ndarray) -> np.ndarray | None:
        """v, or None where the metric is not positive at some point."""
        log_v = log_volume(gram, self.level) - self.log_omega2
        if not np.all(np.isfinite(log_v)):
            return None
        v = np.exp(log_v - log_v.max())
        return v / (self.mass @ v)

    def energy(self, v: np.ndarray) -> float:
        """E_F − F(1)."""
        return float(self.mass @ (self.functional.evaluate(v)[0] - self.functional.evaluate(np.ones(1))[0]))

    def sigma(self, v: np.ndarray) -> float:
        """σ on these points."""
        return float(self.mass @ np.abs(v - 1))

    def linear(self, gram: np.ndarray, v: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Rows J and r with E_F ≈ const + ½ |J δ + r|²: r = √(μ/F'') F', J = √(μF'') ∂v."""
        dual = pack(sensitivity(gram)) * multiplicity(gram.shape[-1])
        slope = np.matmul(dual[:, None, :], self.features)[:, 0]
        slope = v[:, None] * (slope - (self.mass * v) @ slope)
        _, first, second = self.functional.evaluate(v)
        first = first - self.mass @ first
        scale = np.sqrt(self.mass * np.maximum(second, 1e-3 * second.max()))
        return scale[:, None] * slope, self.mass * first / scale


@dataclass
class History:
    """E_F and σ on the fitted points after every accepted step."""

    energy: list[float] = field(default_factory=list)
    sigma: list[float] = field(default_factory=list)


def minimise(
    residual: Residual,
    start: np.ndarray,
    *,
    tick: Callable[[float], None] = lambda sigma: None,
    tolerance: float = 1e-3,
) -> tuple[np.ndarray, History]:
    """The coefficients of least E_F from `start`; stops when a step gains less than `tolerance` of E_F.

    Raises `KahlerConeError` where the start is not positive, or where no step stays positive.
    """
    coefficients = start
    gram = residual.gram(coefficients)
    v = residual.ratio(gram)
    if v is None:
        raise KahlerConeError("the fit starts outside the Kähler cone: P or g is not positive at some fitted point")
    history = History([residual.energy(v)], [residual.sigma(v)])
    damping = 0.0
    for _ in range(_STEPS if len(start) > 1 else 0):  # a single form has only its scale, which changes nothing
        system = _Step.of(*residual.linear(gram, v))
        tried = _accepted(residual, coefficients, system, history.energy[-1], damping)
        if tried is None:
            break
        coefficients, gram, v, damping = tried
        history.energy.append(residual.energy(v))
        history.sigma.append(residual.sigma(v))
        tick(history.sigma[-1])
        if history.energy[-1] > (1 - tolerance) * history.energy[-2]:
            break
    return coefficients, history


def _accepted(
    residual: Residual, coefficients: np.ndarray, system: _Step, energy: float, damping: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray, float] | None:
    """The first damped step that lowers E_F inside the cone, or None; `KahlerConeError` where all steps leave it."""
    inside = False
    for _ in range(_TRIES):
        tried = coefficients + system.solve(damping)
        gram = residual.gram(tried)
        v = residual.ratio(gram)
        inside = inside or v is not None
        if v is not None and residual.energy(v) < energy:
            return tried, gram, v, damping / 100 if damping > 1e-12 else 0.0
        damping = max(30 * damping, 1e-10)
    if not inside:
        raise KahlerConeError(
            f"the fit leaves the Kähler cone: {_TRIES} damped steps from E_F = {energy:.3g} all make P or g not "
            f"positive at one of the {len(residual.mass)} fitted points; take more points or a lower degree"
        )
    return None


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
