"""Maps of [0, π] that stretch the neighbourhoods of places, as arsinh does: points are as far apart as places are away.

Φ(S) = S + Σ_i a_i ∫_0^S (w_i² + 4 sin²((S − S_i)/2))^{−½} dS and its mirror images, Y = π Φ/Φ(π). Next to S_i the
distance of points is ∝ w_i, and farther away ∝ |S − S_i|: all scales between w_i and 1 have alike many. Y is analytic,
even about both ends, and S keeps all digits as a distance from the nearer of them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import final

import numpy as np
from scipy.special import ellipkinc

from geomflow.field.bases.polynomials import Angles

NEWTON = 20

SHARE = 2.0
"""a_i/2 of a narrow place: the larger it is, the more points are at narrow places, and the fewer elsewhere."""

TABLE = 64
"""Places on either side of each, from which the inverse starts."""


@final
@dataclass(frozen=True, eq=False)
class Grading:
    """The map with places S_i of widths w_i, a_i = 4 max(0, 1 − w_i).

    Parameters
    ----------
    places, widths : (M,) arrays
        S_i in [0, π] and w_i > 0.
    """

    places: np.ndarray
    widths: np.ndarray

    def speed(self, shares: np.ndarray) -> np.ndarray:
        """dS/dY at any S."""
        return np.asarray(self._whole / np.pi / self._density(shares))

    def positions(self, eta: Angles) -> Angles:
        """S at any Y.

        Parameters
        ----------
        eta : Angles
            Y.
        """
        found = np.empty_like(eta.near)
        for far, side in ((False, self), (True, self.mirrored)):
            chosen = eta.far == far
            found[chosen] = side._inverse(eta.near[chosen] * self._whole / np.pi)
        beyond = found > np.pi / 2
        return Angles(np.where(beyond, np.pi - found, found), np.where(beyond, ~eta.far, eta.far))

    @cached_property
    def mirrored(self) -> Grading:
        """The map seen from the other end."""
        return Grading(np.pi - self.places, self.widths)

    def _density(self, shares: np.ndarray) -> np.ndarray:
        """dΦ/dS."""
        found = np.ones_like(shares)
        for place, width, share in self._drawn:
            for sign in (-1, 1):
                found = found + share / np.sqrt(width**2 + 4 * np.sin((shares + sign * place) / 2) ** 2)
        return found

    def _integral(self, shares: np.ndarray) -> np.ndarray:
        """Φ, by Legendre's integral of the first kind."""
        found = shares.copy()
        for place, width, share in self._drawn:
            for sign in (-1, 1):
                ends = ((shares + sign * place) / 2, sign * place / 2)
                found += share * np.subtract(*(2 * ellipkinc(end, -4 / width**2) / width for end in ends))
        return found

    @cached_property
    def _drawn(self) -> list[tuple[float, float, float]]:
        """S_i, w_i and a_i/2 of the narrow places."""
        return [(place, width, SHARE * (1 - width)) for place, width in
                zip(self.places.tolist(), self.widths.tolist(), strict=True) if width < 1]

    @cached_property
    def _whole(self) -> float:
        return float(self._integral(np.array([np.pi]))[0])

    def _inverse(self, values: np.ndarray) -> np.ndarray:
        return inverse(self._integral, self._density, self._table, values)

    @cached_property
    def _table(self) -> np.ndarray:
        """Places from 0 to π, close to each other where the map is steep."""
        away = np.linspace(0, 1, TABLE)
        near = [place + sign * width * np.sinh(away * np.arcsinh(np.pi / width))
                for place, width, _ in self._drawn for sign in (-1, 1)]
        return np.unique(np.clip(np.concatenate([np.linspace(0, np.pi, TABLE), *near]), 0, np.pi))


Function = Callable[[np.ndarray], np.ndarray]


def inverse(function: Function, slope: Function, table: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Where an increasing function on [0, π] has values, by Newton's method from a table of places."""
    found = np.interp(values, function(table), table)
    for _ in range(NEWTON):
        found = np.clip(found - (function(found) - values) / slope(found), 0, np.pi)
    return np.asarray(found)
