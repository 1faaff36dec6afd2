"""Analytic maps t(y) of a circle to itself by their density dt/dy = C exp(−Σ κ_i B_i), with bumps at places.

B_i = (e^{ν (cos(y − y_i) − 1)} − e^{−2ν})/(1 − e^{−2ν}), one at its centre and zero opposite to it. ν is the square of
the number of places, so that many do not fill the gaps between them.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
from scipy.optimize import root

from geomflow.core.errors import InputError
from geomflow.field.bases.clustering import exponential

FINE = 512
"""Points by which the density is integrated."""

TABLE, NEWTON, STEPS = 256, 12, 8
"""Places from which the inverse starts, its steps, and steps by which strengths are raised."""

@dataclass(frozen=True, eq=False)
class Winding:
    """The map with bumps at y = `centres` of strengths κ, t(0) = 0 and t(2π) = 2π."""

    centres: np.ndarray
    strengths: np.ndarray

    @property
    def _sharpness(self) -> tuple[float, float]:
        """ν and e^{−2ν}."""
        sharp = float(max(len(self.centres), 1) ** 2)
        return sharp, float(np.exp(-2 * sharp))

    def _exponent(self, y: np.ndarray) -> np.ndarray:
        sharp, least = self._sharpness
        bumps = (np.exp(sharp * (np.cos(y[:, None] - self.centres) - 1)) - least) / (1 - least)
        return np.asarray(bumps @ self.strengths)

    @cached_property
    def _coefficients(self) -> np.ndarray:
        """c_k with exp(−Σ κ_i B_i) = Re Σ_k c_k e^{iky}."""
        found = np.fft.rfft(np.exp(-self._exponent(2 * np.pi * np.arange(FINE) / FINE))) / FINE
        found[1:] *= 2
        return found[: FINE // 2]

    @property
    def _mean(self) -> float:
        return float(self._coefficients[0].real)

    def slope(self, y: np.ndarray) -> np.ndarray:
        """dt/dy, of mean 1."""
        return np.exp(-self._exponent(y)) / self._mean

    def logarithm(self, y: np.ndarray, order: int) -> np.ndarray:
        """Taylor coefficients of log dt/dy in y, (order + 1, points)."""
        (sharp, least), found = self._sharpness, np.zeros((order + 1, len(y)))
        for centre, strength in zip(self.centres, self.strengths, strict=True):
            cosine, factor = np.empty_like(found), 1.0
            for k in range(order + 1):
                cosine[k] = np.cos(y - centre + k * np.pi / 2) / factor
                factor *= k + 1
            cosine[0] -= 1
            found -= strength / (1 - least) * exponential(sharp * cosine)
        found[0] += self.strengths.sum() * least / (1 - least) - np.log(self._mean)
        return found

    def positions(self, y: np.ndarray) -> np.ndarray:
        """t at y in [0, 2π]."""
        waves = self._coefficients[1:] / self._mean
        kept = np.flatnonzero(np.abs(waves) > 1e-18)
        numbers = kept + 1
        terms = waves[kept] / (1j * numbers)
        return y + (np.expm1(1j * np.outer(y, numbers)) @ terms).real

    def inverse(self, t: np.ndarray) -> np.ndarray:
        """y at t in [0, 2π], by Newton's method."""
        table = np.linspace(0, 2 * np.pi, TABLE)
        found = np.interp(t, self.positions(table), table)
        for _ in range(NEWTON):
            found = np.clip(found - (self.positions(found) - t) / self.slope(found), 0, 2 * np.pi)
        return found


@lru_cache(maxsize=64)
def winding(places: tuple[tuple[float, float], ...]) -> Winding:
    """The map whose bumps are at the angles t of `places`, pairs (t, κ).

    Their centres in y follow while the strengths are raised. Raises InputError where they cannot be found.
    """
    wanted, strengths = np.array(places, dtype=float).reshape(-1, 2).T
    ahead = np.ones_like(wanted)  # of an angle before the wanted one, so that differences of it have a size

    def missed(ahead: np.ndarray, share: float) -> np.ndarray:
        centres = wanted + ahead - 1
        return Winding(centres, share * strengths).positions(centres) - wanted

    for share in np.arange(1, STEPS + 1) / STEPS if places else ():
        found = root(missed, ahead, args=(share,), tol=1e-13)
        if np.abs(missed(found.x, share)).max() > 1e-10:
            raise InputError(f"no map draws nodes to all of the places {places}; take weaker ones, or fewer")
        ahead = found.x
    return Winding(wanted + ahead - 1, strengths)
