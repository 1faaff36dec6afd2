"""Lists of monomials."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from geomflow.core.memory import require
from geomflow.variety.ambient import Ambient


@lru_cache(maxsize=64)
def monomials(size: int, degree: int) -> np.ndarray:
    """All exponents of total degree `degree` in `size` variables, lexicographically falling: (count, size).

    >>> monomials(2, 2).tolist()
    [[2, 0], [1, 1], [0, 2]]
    """
    if size == 1:
        return _frozen(np.array([[degree]], dtype=np.int64))
    parts = []
    for first in range(degree, -1, -1):
        rest = monomials(size - 1, degree - first)
        parts.append(np.concatenate([np.full((len(rest), 1), first), rest], axis=1))
    return _frozen(np.concatenate(parts))


def number_of_monomials(ambient: Ambient, degrees: Sequence[int]) -> int:
    """How many monomials of multi-degree `degrees` there are: Π C(n_i + k_i, n_i)."""
    return math.prod(math.comb(n + degree, n) for n, degree in zip(ambient.dims, degrees))


def require_monomials(ambient: Ambient, degrees: Sequence[int]) -> None:
    """Raise `MemoryLimitError`, before any is listed, where the monomials of multi-degree `degrees` would not fit."""
    count = number_of_monomials(ambient, degrees)
    shown = degrees[0] if len(degrees) == 1 else tuple(degrees)
    require(32 * count * ambient.size, f"a list of the {count:,} monomials of degree {shown} in {ambient.size} "
                                       "coordinates", "take a lower degree")


def multi_monomials(ambient: Ambient, degrees: Sequence[int]) -> np.ndarray:
    """All exponents of multi-degree `degrees` in the homogeneous coordinates of `ambient`: (count, size).

    Raises `MemoryLimitError` before they are listed.
    """
    require_monomials(ambient, degrees)
    result = np.zeros((1, 0), dtype=np.int64)
    for n, degree in zip(ambient.dims, degrees):
        factor = monomials(n + 1, degree)
        left = np.repeat(result, len(factor), axis=0)
        result = np.concatenate([left, np.tile(factor, (len(result), 1))], axis=1)
    return result


def standard(exponents: np.ndarray, leading: np.ndarray) -> np.ndarray:
    """The rows not divisible by the monomial `leading`: a basis modulo any polynomial with that leading term."""
    result: np.ndarray = exponents[~np.all(exponents >= leading, axis=1)]
    return result


class Places:
    """Rows of exponents to their numbers in a list of monomials, (M, N).

    A monomial that is not in the list is a defect of whoever asks for it: AssertionError, with the first.
    """

    def __init__(self, exponents: np.ndarray) -> None:
        self.exponents = exponents
        self.base = (int(exponents.max()) + 1) ** np.arange(exponents.shape[1], dtype=np.int64)
        self.order = np.argsort(exponents @ self.base)
        self.keys = (exponents @ self.base)[self.order]

    def __call__(self, exponents: np.ndarray) -> np.ndarray:
        """The numbers of the rows, (n,)."""
        near = np.minimum(np.searchsorted(self.keys, exponents @ self.base), len(self.keys) - 1)
        places = self.order[near]
        lost = np.flatnonzero(np.any(self.exponents[places] != exponents, axis=1))
        if lost.size:
            raise AssertionError(f"{lost.size} monomials are not among the {len(self.exponents)} of their degree, the "
                                 f"first {exponents[lost[0]].tolist()}")
        return places


def _frozen(array: np.ndarray) -> np.ndarray:
    array.setflags(write=False)
    return array
