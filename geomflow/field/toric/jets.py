"""Functions of two variables with their derivatives up to the second, for exact quotients and products of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, final

import numpy as np


@final
@dataclass(frozen=True)
class Jet:
    """f, f_1, f_2, f_11, f_12, f_22 at places.

    Parameters
    ----------
    parts : (6, N) array
        In this order.
    """

    parts: np.ndarray

    @classmethod
    def affine(cls, values: np.ndarray, slopes: tuple[float, float]) -> Jet:
        """Of an affine function.

        Parameters
        ----------
        values : (N,) array
            f.
        slopes : pair
            f_1 and f_2.
        """
        parts = np.zeros((6, len(values)))
        parts[0], parts[1], parts[2] = values, *slopes
        return cls(parts)

    def __add__(self, other: Any) -> Jet:
        if isinstance(other, Jet):
            return Jet(self.parts + other.parts)
        parts = self.parts.copy()
        parts[0] += other
        return Jet(parts)

    __radd__ = __add__

    def __neg__(self) -> Jet:
        return Jet(-self.parts)

    def __sub__(self, other: Any) -> Jet:
        return self.__add__(-other)

    def __mul__(self, other: Any) -> Jet:
        if not isinstance(other, Jet):
            return Jet(self.parts * other)
        f, g = self.parts, other.parts
        return Jet(np.stack([
            f[0] * g[0],
            f[1] * g[0] + f[0] * g[1],
            f[2] * g[0] + f[0] * g[2],
            f[3] * g[0] + 2 * f[1] * g[1] + f[0] * g[3],
            f[4] * g[0] + f[1] * g[2] + f[2] * g[1] + f[0] * g[4],
            f[5] * g[0] + 2 * f[2] * g[2] + f[0] * g[5],
        ]))  # fmt: skip

    __rmul__ = __mul__

    def __truediv__(self, other: Jet) -> Jet:
        return self * other.inverse()

    def inverse(self) -> Jet:
        """1/f."""
        f = self.parts
        r = 1 / f[0]
        first, second = -(r**2), 2 * r**3
        return Jet(np.stack([
            r, first * f[1], first * f[2],
            second * f[1] ** 2 + first * f[3],
            second * f[1] * f[2] + first * f[4],
            second * f[2] ** 2 + first * f[5],
        ]))  # fmt: skip
