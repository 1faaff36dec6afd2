"""Hermitian matrices as n² real numbers, in the one order of the package, and their determinants.

The order is that of all compiled loops: the diagonal, then real and imaginary part of each entry a < b, row by row:
h_00, …, h_{n−1,n−1}, Re h_01, Im h_01, Re h_02, Im h_02, ….
"""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray


def packed_places(size: int) -> list[tuple[int, int]]:
    """The places (a, b), a ≤ b, of an (n, n) matrix in the order above: the diagonal, then what is above it.

    >>> packed_places(2)
    [(0, 0), (1, 1), (0, 1)]
    """
    return [*((a, a) for a in range(size)), *combinations(range(size), 2)]


def entries(matrix: NDArray[Any]) -> list[Any]:
    """The entries of one matrix in the order above: the diagonal, then each a < b.

    Parameters
    ----------
    matrix : (n, n) array of whatever kind
        Only the diagonal and what is above it are read.
    """
    return [*np.diagonal(matrix), *matrix[np.triu_indices(matrix.shape[0], 1)]]


def pack(matrix: NDArray[Any]) -> NDArray[np.float64]:
    """Hermitian matrices as (..., n²) real numbers.

    Parameters
    ----------
    matrix : (..., n, n) complex array
        Only the diagonal and what is above it are read.

    Examples
    --------
    >>> pack(np.array([[1, 2 + 3j], [2 - 3j, 4]])).tolist()
    [1.0, 4.0, 2.0, 3.0]
    """
    n = matrix.shape[-1]
    beside = matrix[..., *np.triu_indices(n, 1)]
    out = np.empty((*matrix.shape[:-2], n * n))
    out[..., :n] = matrix[..., np.arange(n), np.arange(n)].real
    out[..., n::2], out[..., n + 1 :: 2] = beside.real, beside.imag
    return out


def unpack(packed: NDArray[Any]) -> NDArray[np.complex128]:
    """The Hermitian matrices (..., n, n) of `pack`.

    Parameters
    ----------
    packed : (..., n²) real array
        In the order above.
    """
    n = round(packed.shape[-1] ** 0.5)
    rows, columns = np.triu_indices(n, 1)
    beside = packed[..., n::2] + 1j * packed[..., n + 1 :: 2]
    matrix = np.zeros((*packed.shape[:-1], n, n), complex)
    matrix[..., np.arange(n), np.arange(n)] = packed[..., :n]
    matrix[..., rows, columns], matrix[..., columns, rows] = beside, beside.conj()
    return matrix


def multiplicity(n: int) -> NDArray[np.float64]:
    """How often each packed entry stands in tr(A B) = Σ multiplicity · pack(A) · pack(B), (n²,): 1 or, beside it, 2.

    `pack(W) * multiplicity(n)` is the dual of W: its dot product with a packed H is tr(W H).
    """
    return np.where(np.arange(n * n) < n, 1.0, 2.0)


def orthonormal(n: int) -> NDArray[np.float64]:
    """√multiplicity, (n²,): `pack(A) * orthonormal(n)` are A's components in a basis orthonormal for tr(A B)."""
    return np.sqrt(multiplicity(n))


def log_determinant(matrix: NDArray[Any]) -> NDArray[np.float64]:
    """log det of Hermitian matrices, of shape (...); NaN where one is not positive.

    Parameters
    ----------
    matrix : (..., n, n) complex array
        The matrices.
    """
    result, g = np.zeros(matrix.shape[:-2]), matrix.copy()
    with np.errstate(invalid="ignore", divide="ignore"):
        for a in range(g.shape[-1]):
            pivot = g[..., a, a].real
            result += np.log(np.where(pivot > 0, pivot, np.nan))
            column = g[..., a + 1 :, a] / pivot[..., None]
            g[..., a + 1 :, a + 1 :] -= column[..., :, None] * g[..., None, a, a + 1 :]
    return result
