"""Orthonormal Legendre polynomials in ξ = cos X, accurate to the poles, and Gauss's nodes and weights.

Angles are held by their distance from the nearer pole, so that sin X and 1 ∓ cos X keep all of their digits.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import scipy.special

NEWTON = 8
"""Steps from asymptotic angles to rounding, for any number of nodes."""


@dataclass(frozen=True, eq=False)
class Angles:
    """Angles X in [0, π]: distances `near` from the nearer pole, `far` where that is X = π."""

    near: np.ndarray
    far: np.ndarray

    @classmethod
    def of(cls, angle: np.ndarray) -> Angles:
        """Given angles."""
        far = angle > np.pi / 2
        return cls(np.where(far, np.pi - angle, angle), far)

    @property
    def value(self) -> np.ndarray:
        """X."""
        return np.where(self.far, np.pi - self.near, self.near)

    @property
    def sin(self) -> np.ndarray:
        """sin X."""
        return np.sin(self.near)

    @property
    def cos(self) -> np.ndarray:
        """ξ = cos X."""
        return np.where(self.far, -1.0, 1.0) * np.cos(self.near)

    @property
    def distance(self) -> np.ndarray:
        """1 − |ξ|."""
        return 2 * np.sin(self.near / 2) ** 2

    @property
    def from_start(self) -> np.ndarray:
        """1 − ξ."""
        return np.where(self.far, 2 - self.distance, self.distance)

    @property
    def from_end(self) -> np.ndarray:
        """1 + ξ."""
        return np.where(self.far, self.distance, 2 - self.distance)


def legendre(count: int, at: Angles) -> np.ndarray:
    """p_k(ξ) = √(k + ½) P_k(ξ) for k < count, (points, count).

    By the recurrence of differences P_{k+1} − P_k, which loses no digits at the poles.
    """
    delta = at.distance
    columns, step = [np.ones_like(delta)], -delta
    for k in range(1, count):
        columns.append(columns[-1] + step)
        step = (k * step - (2 * k + 1) * delta * columns[-1]) / (k + 1)
    numbers = np.arange(count)
    signs = np.where(at.far[:, None] & (numbers % 2 == 1), -1.0, 1.0)
    return np.stack(columns, axis=1) * signs * np.sqrt(numbers + 0.5)


def slopes(count: int) -> np.ndarray:
    """S with p_j' = Σ_k S_kj p_k, (count, count): √((2j + 1)(2k + 1)) for k = j − 1, j − 3, …"""
    k, j = np.indices((count, count))
    return np.where((j > k) & ((j - k) % 2 == 1), np.sqrt((2 * j + 1.0) * (2 * k + 1.0)), 0.0)


def moments(count: int) -> np.ndarray:
    """∫_0^π p_k(cos X) dX, (count,): π ((k − 1)!!/k!!)² √(k + ½) for even k, else zero."""
    k = np.arange(2, count, 2)
    found = np.zeros(count)
    found[::2] = np.pi * np.cumprod([1.0, *((k - 1) / k) ** 2])[:len(found[::2])]
    return found * np.sqrt(np.arange(count) + 0.5)


@lru_cache(maxsize=64)
def gauss(n: int) -> tuple[Angles, np.ndarray]:
    """Gauss's nodes ξ = cos X on [−1, 1] by increasing angle X, and weights, each to its last digits."""
    half = (n + 1) // 2
    near = (4 * np.arange(1, half + 1) - 1) * np.pi / (4 * n + 2)
    for _ in range(NEWTON):
        value, slope = _last(n, near)
        near = near - value / slope
    if n % 2:
        near[-1] = np.pi / 2
    weights = 2 / _last(n, near)[1] ** 2
    far = np.arange(n) >= half
    mirror = slice(n // 2 - 1, None, -1) if n > 1 else slice(0, 0)
    angles = Angles(np.concatenate([near, near[mirror]]), far)
    return angles, np.concatenate([weights, weights[mirror]])


def _last(n: int, angle: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """P_n(cos X) and dP_n/dX = n (P_n cos X − P_{n−1}) / sin X."""
    delta = 2 * np.sin(angle / 2) ** 2
    value, step = np.ones_like(angle), -delta
    for k in range(1, n):
        value = value + step
        step = (k * step - (2 * k + 1) * delta * value) / (k + 1)
    last = value + step
    return last, n * (step - delta * last) / np.sin(angle)


@lru_cache(maxsize=64)
def jacobi(n: int, low: bool, high: bool) -> tuple[Angles, np.ndarray]:
    """Gauss's nodes and weights for (1 − ξ)^α (1 + ξ)^β, α and β 0 where an end is named, else −½."""
    nodes, weights = scipy.special.roots_jacobi(n, 0.0 if low else -0.5, 0.0 if high else -0.5)
    return Angles.of(np.arccos(nodes)), weights
