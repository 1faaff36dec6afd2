"""Loops over points: determinant, inverse and pivots of packed Hermitian matrices, and sizes of their changes."""

from __future__ import annotations

import numpy as np
from numba import njit

_OPTIONS = {"cache": True, "nogil": True, "error_model": "numpy"}


@njit(**_OPTIONS)
def spread(packed, n, out):
    """out (n, n) = the Hermitian matrix of one packed row."""
    place, half = n, n * (n - 1) // 2
    for a in range(n):
        out[a, a] = packed[a]
        for b in range(a + 1, n):
            out[a, b] = complex(packed[place], packed[place + half])
            out[b, a] = complex(packed[place], -packed[place + half])
            place += 1


@njit(**_OPTIONS)
def gather(matrix, n, out):
    """One packed row = the Hermitian matrix (n, n)."""
    place, half = n, n * (n - 1) // 2
    for a in range(n):
        out[a] = matrix[a, a].real
        for b in range(a + 1, n):
            out[place], out[place + half] = matrix[a, b].real, matrix[a, b].imag
            place += 1


@njit(**_OPTIONS)
def invert(packed, n, logarithm, inverse, pivots):
    """log det, packed inverse and the pivots of elimination at each point; NaN where a pivot is not positive."""
    a, b = np.empty((n, n), np.complex128), np.empty((n, n), np.complex128)
    for p in range(packed.shape[0]):
        spread(packed[p], n, a)
        b[:] = 0.0
        logarithm[p] = 0.0
        for k in range(n):
            b[k, k] = 1.0
        for k in range(n):
            pivots[p, k] = pivot = a[k, k].real
            logarithm[p] += np.log(pivot) if pivot > 0 else np.nan
            for i in range(n):
                if i != k:
                    factor = a[i, k] / pivot
                    for j in range(n):
                        a[i, j] -= factor * a[k, j]
                        b[i, j] -= factor * b[k, j]
        for k in range(n):
            for j in range(n):
                b[k, j] /= a[k, k].real
        gather(b, n, inverse[p])


@njit(**_OPTIONS)
def sizes(inverse, change, n, out):
    """out[p] = √tr(g⁻¹ δg g⁻¹ δg), the Frobenius norm of the change δg relative to g."""
    a, b, product = np.empty((n, n), np.complex128), np.empty((n, n), np.complex128), np.empty((n, n), np.complex128)
    for p in range(inverse.shape[0]):
        spread(inverse[p], n, a)
        spread(change[p], n, b)
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
