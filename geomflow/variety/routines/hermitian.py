"""Loops over packed Hermitian matrices (`geomflow.core.hermitian`): determinants, inverses, pivots, sizes."""

from __future__ import annotations

import numpy as np
from numba import njit

_OPTIONS = {"cache": True, "forceinline": True, "nogil": True, "error_model": "numpy",
            "fastmath": {"contract", "reassoc", "nsz"}}


@njit(**_OPTIONS)
def spread(packed, n, shift, out):
    """out (n, n) = the Hermitian matrix of one packed row plus `shift` times the identity."""
    place = n
    for a in range(n):
        out[a, a] = shift + packed[a]
        for b in range(a + 1, n):
            out[a, b] = complex(packed[place], packed[place + 1])
            out[b, a] = np.conj(out[a, b])
            place += 2


@njit(**_OPTIONS)
def gather(matrix, n, scale, beside, out):
    """One packed row = `scale` times the Hermitian matrix (n, n), entries beside the diagonal `beside` times that."""
    place = n
    for a in range(n):
        out[a] = scale * matrix[a, a].real
        for b in range(a + 1, n):
            out[place] = beside * scale * matrix[a, b].real
            out[place + 1] = beside * scale * matrix[a, b].imag
            place += 2


@njit(**_OPTIONS)
def invert(matrix, inverse, pivots):
    """The determinant of a Hermitian matrix, its pivots and inverse beside; Gauss–Jordan without exchanges."""
    n = matrix.shape[0]
    inverse[:] = 0
    for a in range(n):
        inverse[a, a] = 1
    determinant = 1.0
    for c in range(n):
        pivot = matrix[c, c].real
        determinant *= pivot
        pivots[c] = pivot
        for j in range(n):
            matrix[c, j] /= pivot
            inverse[c, j] /= pivot
        for r in range(n):
            if r != c:
                factor = matrix[r, c]
                for j in range(n):
                    matrix[r, j] -= factor * matrix[c, j]
                    inverse[r, j] -= factor * inverse[c, j]
    return determinant


@njit(**_OPTIONS)
def determinants(packed, n, value, dual, least):
    """det(1 + H) of packed Hermitian H (P, n²), its derivative by the packed entries, and the least pivot."""
    matrix, inverse = np.empty((n, n), np.complex128), np.empty((n, n), np.complex128)
    pivots = np.empty(n)
    for p in range(packed.shape[0]):
        spread(packed[p], n, 1.0, matrix)
        value[p] = invert(matrix, inverse, pivots)
        least[p] = pivots.min()
        gather(inverse, n, value[p], 2.0, dual[p])


@njit(**_OPTIONS)
def inverses(packed, n, value, inverse, pivots):
    """Determinant, packed inverse and pivots (P, n) of packed Hermitian matrices (P, n²)."""
    matrix, other = np.empty((n, n), np.complex128), np.empty((n, n), np.complex128)
    for p in range(packed.shape[0]):
        spread(packed[p], n, 0.0, matrix)
        value[p] = invert(matrix, other, pivots[p])
        gather(other, n, 1.0, 1.0, inverse[p])


@njit(**_OPTIONS)
def sizes(inverse, change, n, out):
    """out[p] = √tr(g⁻¹ δg g⁻¹ δg), the Frobenius norm of the change δg relative to g."""
    a, b, product = np.empty((n, n), np.complex128), np.empty((n, n), np.complex128), np.empty((n, n), np.complex128)
    for p in range(inverse.shape[0]):
        spread(inverse[p], n, 0.0, a)
        spread(change[p], n, 0.0, b)
        for i in range(n):
            for j in range(n):
                product[i, j] = 0.0
                for k in range(n):
                    product[i, j] += a[i, k] * b[k, j]
        total = 0.0
        for i in range(n):
            for j in range(n):
                total += (product[i, j] * product[j, i]).real
        out[p] = np.sqrt(max(total, 0.0))
