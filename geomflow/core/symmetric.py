"""Symmetric matrices as d(d+1)/2 numbers, in the one order of the package: what is not below the diagonal, row by row.

Components come first in packed arrays, (d(d+1)/2, …), as compiled routines read and write them.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations_with_replacement
from typing import Any

import numpy as np
from numpy.typing import NDArray


def packed_places(dim: int) -> list[tuple[int, int]]:
    """The places (i, j), i <= j, of a symmetric matrix in the order above.

    >>> packed_places(2)
    [(0, 0), (0, 1), (1, 1)]
    """
    return list(combinations_with_replacement(range(dim), 2))


def packed_index(dim: int) -> NDArray[np.int64]:
    """Where each entry is among those in the order above, (d, d).

    >>> packed_index(2).tolist()
    [[0, 1], [1, 2]]
    """
    index = np.empty((dim, dim), np.int64)
    for place, (i, j) in enumerate(packed_places(dim)):
        index[i, j] = index[j, i] = place
    return index


def entries(matrix: NDArray[Any]) -> list[Any]:
    """The entries of one matrix in the order above.

    Parameters
    ----------
    matrix : (d, d) array of whatever kind
        Only the diagonal and what is above it are read.
    """
    return [matrix[place] for place in packed_places(len(matrix))]


def pack(matrix: NDArray[Any]) -> NDArray[Any]:
    """Symmetric matrices (…, d, d) as (d(d+1)/2, …) numbers.

    Parameters
    ----------
    matrix : (..., d, d) array
        Only the diagonal and what is above it are read.

    Examples
    --------
    >>> pack(np.array([[1, 2], [2, 3]])).tolist()
    [1, 2, 3]
    """
    return np.stack([matrix[..., i, j] for i, j in packed_places(matrix.shape[-1])])


def unpack(packed: NDArray[Any], dim: int) -> NDArray[np.float64]:
    """The symmetric matrices (…, d, d) of `pack`.

    Parameters
    ----------
    packed : (d(d+1)/2, ...) real array
        In the order above.
    dim : int
        d.
    """
    matrix = np.empty((*packed.shape[1:], dim, dim))
    for row, (i, j) in zip(packed, packed_places(dim)):
        matrix[..., i, j] = matrix[..., j, i] = row
    return matrix


def multiplicity(dim: int) -> NDArray[np.float64]:
    """How often each packed entry stands in a matrix, (d(d+1)/2,): 1, or, beside the diagonal, 2."""
    return np.array([1.0 if i == j else 2.0 for i, j in packed_places(dim)])


def parity(order: Sequence[int]) -> int:
    """The sign of a permutation."""
    return -1 if sum(a > b for n, a in enumerate(order) for b in order[n + 1 :]) % 2 else 1
