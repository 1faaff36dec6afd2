"""Trigonometric polynomials to 40 digits, at many angles at once: numbers are whole ones over 2^144."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import mpmath
import numpy as np

DIGITS, BITS = 40, 144


class Polynomial(NamedTuple):
    """Σ c_k cos kX + s_k sin kX, the coefficients in fixed point."""

    cosines: np.ndarray
    sines: np.ndarray

    @classmethod
    def of(cls, cosines: Iterable[Any], sines: Iterable[Any]) -> Polynomial:
        """From floats or numbers of mpmath."""
        return cls(to_fixed(cosines), to_fixed(sines))

    def integral(self) -> Polynomial:
        """∫_0^X of all but c_0, which gives c_0 X besides."""
        numbers = np.arange(1, len(self.cosines)).astype(object)
        cosines, sines = (np.concatenate([[0], row[1:] // numbers]) for row in (-self.sines, self.cosines))
        cosines[0] = -int(cosines.sum())
        return Polynomial(cosines, sines)


def to_fixed(numbers: Iterable[Any]) -> np.ndarray:
    """Floats or numbers of mpmath as whole ones."""
    return np.array([int(mpmath.ldexp(mpmath.mpf(number), BITS)) for number in numbers], dtype=object)


def to_mpmath(numbers: np.ndarray) -> list[Any]:
    """Whole numbers as those of mpmath."""
    return [mpmath.ldexp(mpmath.mpf(int(number)), -BITS) for number in numbers]


def quotient(above: np.ndarray, below: np.ndarray) -> np.ndarray:
    """Of fixed points."""
    return np.asarray((above << BITS) // below)


def values(polynomials: Sequence[Polynomial], angles: np.ndarray) -> list[np.ndarray]:
    """Each at each of the angles, all in fixed point."""
    count = len(polynomials[0].cosines)
    cosines, sines = _turns(angles, count)
    return [(p.cosines @ cosines + p.sines @ sines) >> BITS for p in polynomials]


def _turns(angles: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """cos kX and sin kX, k = 0, 1, …, by rotations."""
    turns = to_mpmath(angles)
    cosine, sine = to_fixed([mpmath.cos(x) for x in turns]), to_fixed([mpmath.sin(x) for x in turns])
    cosines, sines = np.empty((2, count, len(angles)), dtype=object)
    cosines[0], sines[0] = 1 << BITS, 0
    for k in range(1, count):
        cosines[k] = (cosines[k - 1] * cosine - sines[k - 1] * sine) >> BITS
        sines[k] = (sines[k - 1] * cosine + cosines[k - 1] * sine) >> BITS
    return cosines, sines
