"""Analytic maps of [−1, 1] to itself, ξ(η), by their density dξ/dη = C exp(−Σ s_i B_i), with bumps at places.

B_i is the mean of e^{ν cos(Y − Y_i)} and its mirror image in η = cos Y, made one at its centre and zero where least.
1 ∓ ξ are integrals of a positive function and keep all of their digits.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
from scipy.optimize import root

from geomflow.core.errors import InputError
from geomflow.field.bases.polynomials import Angles, gauss

SHARPNESS = 1.0
"""ν: bumps are about 1/√κ wide in Y."""

PANEL = 24
"""Gauss's points between neighbours."""

RADIUS, CIRCLE = 0.25, 48
"""Circles of Cauchy's integrals, and points on them."""

TABLE, NEWTON, STEPS = 256, 8, 8
"""Places from which the inverse starts, its steps, and steps by which strengths are raised."""


@dataclass(frozen=True, eq=False)
class Density:
    """The map with bumps at Y = `centres` of `strengths` s."""

    centres: np.ndarray
    strengths: np.ndarray

    def exponent(self, cosine: np.ndarray, sine: np.ndarray) -> np.ndarray:
        """Σ s_i B_i at η = cos Y and sin Y, which may be complex: an entire function of η."""
        found = np.zeros_like(cosine)
        for c, s, strength in zip(np.cos(self.centres), np.sin(self.centres), self.strengths, strict=True):
            bump = np.exp(SHARPNESS * c * (cosine - c)) * np.cosh(SHARPNESS * s * sine) / np.cosh(SHARPNESS * s * s)
            least = np.exp(-SHARPNESS * np.abs(c) * (1 + np.abs(c))) / np.cosh(SHARPNESS * s * s)
            found = found + strength * (bump - least) / (1 - least)
        return found

    def logarithm(self, eta: Angles, order: int) -> np.ndarray:
        """Taylor coefficients of log dξ/dη in η, (order + 1, points), by Cauchy's integrals."""
        turns, k = np.exp(2j * np.pi * np.arange(CIRCLE) / CIRCLE), np.arange(order + 1)
        around = eta.cos[:, None] + RADIUS * turns
        values = -self.exponent(around, np.sqrt(1 - around**2))
        found = np.asarray((values @ turns[:, None] ** -k).real / CIRCLE / RADIUS**k).T
        found[0] += np.log(2 / self._total)
        return found

    def slope(self, eta: Angles) -> np.ndarray:
        """dξ/dη."""
        return 2 / self._total * np.exp(-self.exponent(eta.cos, eta.sin))

    def speed(self, eta: Angles) -> np.ndarray:
        """dX/dY = Q sin Y/sin X, √Q at the poles."""
        slope, sine = self.slope(eta), self.positions(eta).sin
        found = np.sqrt(slope)
        inside = eta.near > 0
        found[inside] = slope[inside] * eta.sin[inside] / sine[inside]
        return found

    @cached_property
    def _halves(self) -> tuple[float, float]:
        """The integrals over η > 0 and over η < 0."""
        inner = np.linspace(0, 1, STEPS)[1:-1]
        return float(self._side(inner, 1)[0][-1]), float(self._side(inner, -1)[0][-1])

    @property
    def _total(self) -> float:
        return sum(self._halves)

    def _side(self, distance: np.ndarray, sign: int) -> tuple[np.ndarray, np.ndarray]:
        """∫ exp(−Σ s_i B_i) dη from the pole η = ±1, and on to the equator, at increasing distances 1 − |η|.

        The first has the whole behind.
        """
        ends = np.concatenate([[0.0], distance, [1.0]])
        nodes, weights = gauss(PANEL)
        away = ends[:-1, None] + np.diff(ends)[:, None] * nodes.from_start / 2
        parts = np.exp(-self.exponent(sign * (1 - away), np.sqrt(away * (2 - away)))) @ weights * np.diff(ends) / 2
        return np.cumsum(parts), np.cumsum(parts[::-1])[::-1][1:]

    def positions(self, eta: Angles) -> Angles:
        """X with cos X = ξ(η)."""
        start, end = np.empty_like(eta.near), np.empty_like(eta.near)
        for sign, near, far, beyond in ((1, start, end, self._halves[1]), (-1, end, start, self._halves[0])):
            places = np.flatnonzero(eta.far == (sign < 0))
            places = places[np.argsort(eta.near[places], kind="stable")]
            sums, rest = self._side(eta.distance[places], sign)
            near[places], far[places] = sums[:-1], rest + beyond
        least = np.minimum(start, end) / self._total
        return Angles(2 * np.arcsin(np.sqrt(least)), end < start)

    def inverse(self, angles: Angles) -> Angles:
        """Y with cos X = ξ(cos Y), by Newton's method in angles."""
        wanted, grid = angles.value, np.linspace(0, np.pi, TABLE)
        found = np.interp(wanted, self.positions(Angles.of(grid)).value, grid)
        for _ in range(NEWTON):
            eta = Angles.of(found)
            here = self.positions(eta)
            found = np.clip(found - (here.value - wanted) / self.speed(eta), 0, np.pi)
        return Angles.of(np.where(angles.near > 0, found, wanted))


@lru_cache(maxsize=64)
def centred(places: tuple[tuple[float, float], ...]) -> Density:
    """The map whose bumps are at the angles X of `places`, pairs (X, κ).

    Their centres in Y follow while the strengths are raised. Raises InputError where they cannot be found.
    """
    wanted, kappa = np.array(places, dtype=float).reshape(-1, 2).T
    strengths = kappa * (1 + np.cos(wanted) ** 2)
    free = (wanted > 0) & (wanted < np.pi)
    centres = wanted.copy()

    def missed(inner: np.ndarray, share: float) -> np.ndarray:
        centres[free] = np.clip(inner, 0, np.pi)
        return Density(centres, share * strengths).positions(Angles.of(centres)).value[free] - wanted[free]

    for share in np.arange(1, STEPS + 1) / STEPS if free.any() else ():
        found = root(missed, centres[free], args=(share,), tol=1e-13)
        if np.abs(missed(found.x, share)).max() > 1e-10:
            raise InputError(f"no map draws nodes to all of the places {places}; take weaker ones, or fewer")
    return Density(centres, strengths)
