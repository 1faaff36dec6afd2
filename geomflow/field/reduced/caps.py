"""Round caps on necks: the end of dt² + ψ² g_{S^n} at a neck replaced by one that closes smoothly.

With dz = ds/ψ and Q = artanh(−ψ_s), s toward the neck, Q_z is the ratio q = K₀/K₁ of the curvatures of planes along s
and across it: 0 on a cylinder, 1 on a round sphere. A cap blends q from what it is to 1, and is the sphere of q = 1
beyond the neck; then log ψ = −∫ tanh Q dz and s = ∫ ψ dz. So 0 < K₁, q does not fall where q ≤ 1, and K₁ rises toward
the tip, by (log K₁)_z = 2 (1 − q) tanh Q.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.polynomial import chebyshev
from scipy.special import expit

NODES = 96
"""Chebyshev's, along what is blended."""

SMALL = 1e-2
"""Angles up to which log(sin x/x) is summed."""


@final
@dataclass(frozen=True)
class Series:
    """A function on [0, length] by Chebyshev polynomials.

    Parameters
    ----------
    length : float
        Of the interval.
    coefficients : (m,) array
        In 2v/length − 1.
    """

    length: float
    coefficients: np.ndarray

    @classmethod
    def of(cls, length: float, values: np.ndarray) -> Series:
        """From values at `nodes(length, len(values))`."""
        count = len(values)
        table = chebyshev.chebvander(chebyshev.chebpts1(count), count - 1)
        weights = np.full(count, 2 / count)
        weights[0] = 1 / count
        return cls(length, weights * (table.T @ values))

    def __call__(self, v: np.ndarray | float) -> np.ndarray:
        """The value."""
        return np.asarray(chebyshev.chebval(2 * np.asarray(v) / self.length - 1, self.coefficients))

    @property
    def slope(self) -> Series:
        """The derivative."""
        return Series(self.length, 2 / self.length * chebyshev.chebder(self.coefficients))

    @property
    def integral(self) -> Series:
        """That from 0."""
        return Series(self.length, self.length / 2 * chebyshev.chebint(self.coefficients, lbnd=-1))


def nodes(length: float, count: int = NODES) -> np.ndarray:
    """Chebyshev's nodes in (0, length)."""
    return length / 2 * (chebyshev.chebpts1(count) + 1)


@final
@dataclass(frozen=True)
class Cap:
    """A round cap and what is blended between it and the metric as it was.

    Parameters
    ----------
    radius, core : float
        Of the round sphere, and the distance up to which the metric is one, from the tip.
    arc, log : Series
        The arclength of what is blended, from the metric as it was on, and log ψ, both of the old arclength.
    """

    radius: float
    core: float
    arc: Series
    log: Series

    @property
    def length(self) -> float:
        """From the metric as it was to the tip."""
        return float(self.arc(self.arc.length)) + self.core

    def log_ratio(self, distance: np.ndarray) -> np.ndarray:
        """log(ψ/d) at distances d from the tip, up to `length`, (M,)."""
        is_round = distance <= self.core
        inner, outer = np.where(is_round, distance, self.core), np.where(is_round, self.core, distance)
        blended = self.log(self._places(self.length - outer)) - np.log(outer)
        return np.where(is_round, log_sinc(inner / self.radius), blended)

    def volume(self, n: int) -> float:
        """∫ ψ^n ds."""
        v = nodes(self.arc.length)
        blended = Series.of(self.arc.length, np.exp(n * self.log(v)) * self.arc.slope(v)).integral
        angle = self.core / self.radius
        sphere = Series.of(angle, np.sin(nodes(angle)) ** n).integral
        return float(blended(self.arc.length)) + self.radius ** (n + 1) * float(sphere(angle))

    def _places(self, arclength: np.ndarray) -> np.ndarray:
        """The old arclength of the new one, by Newton's method."""
        slope, end = self.arc.slope, self.arc.length
        found = arclength * end / float(self.arc(end))
        for _ in range(50):
            found = np.clip(found - (self.arc(found) - arclength) / slope(found), 0, end)
        return found


def make_cap(radius: Callable[[np.ndarray], np.ndarray], slope: Callable[[np.ndarray], np.ndarray],
             length: float) -> Cap:
    """The cap on a neck, at which a stretch of this length ends.

    Parameters
    ----------
    radius, slope : function
        ψ and ψ_v at v in [0, length], which grows toward the neck; |ψ_v| < 1.
    length : float
        Over which q is blended.
    """
    v = nodes(length)
    psi, q = radius(v), np.arctanh(-slope(v))
    z = Series.of(length, 1 / psi).integral
    whole = float(z(length))
    share = np.clip(z(v) / whole, 1e-9, 1 - 1e-9)
    sigma = expit(1 / (1 - share) - 1 / share)
    rise = sigma * (1 - sigma) * (1 / share**2 + 1 / (1 - share) ** 2) / whole
    gained = Series.of(length, (sigma + rise * q) / psi).integral
    bent = (1 - sigma) * q + gained(v)
    log = Series.of(length, np.tanh(bent) / psi).integral
    own = Series(length, -log.coefficients)
    own.coefficients[0] += float(np.log(radius(np.zeros(1)))[0])
    arc = Series.of(length, np.exp(own(v)) / psi).integral
    tilt = float(gained(length))
    tip = float(np.exp(own(length)) * np.cosh(tilt))
    return Cap(tip, tip * float(np.arctan2(1, np.sinh(tilt))), arc, own)


def ratio_of_curvatures(radius: Callable[[np.ndarray], np.ndarray], slope: Callable[[np.ndarray], np.ndarray],
                        length: float, count: int = 32) -> np.ndarray:
    """q = K₀/K₁ at places of such a stretch, (count,)."""
    v = nodes(length, count)
    return np.asarray(radius(v) * Series.of(length, np.arctanh(-slope(v))).slope(v))


def log_sinc(x: np.ndarray) -> np.ndarray:
    """log(sin x/x) for 0 ≤ x < π, to relative accuracy."""
    small = np.minimum(x, SMALL)
    series = -(small**2) / 6 - small**4 / 180 - small**6 / 2835 - small**8 / 37800
    large = np.maximum(x, SMALL)
    return np.where(x < SMALL, series, np.log(np.sin(large) / large))
