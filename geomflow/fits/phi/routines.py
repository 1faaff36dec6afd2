"""Compiled loops of the φ-network: its inputs with their derivatives, and determinants of Hermitian matrices."""

from __future__ import annotations

import numpy as np
from numba import njit

_OPTIONS = {"cache": True, "forceinline": True, "nogil": True, "error_model": "numpy",
            "fastmath": {"contract", "reassoc", "nsz"}}


@njit(**_OPTIONS)
def projective(z, frame, bounds, centre, scale, first, second):
    """Re and Im of z_i z̄_j of unit vectors z (P, N) in each factor, minus `centre`, times `scale`, along horizontal
    lifts frame (P, n, N) of the tangents: ∂_a(z_i z̄_j) = e_{a,i} z̄_j and
    ∂_a∂_b̄(z_i z̄_j) = e_{a,i} ē_{b,j} − ⟨e_a, e_b⟩ z_i z̄_j, the product taken in the factor."""
    count, n, _ = frame.shape
    gram = np.empty((n, n), np.complex128)
    for p in range(count):
        place = 0
        for f in range(bounds.size - 1):
            start, stop = bounds[f], bounds[f + 1]
            for a in range(n):
                for b in range(n):
                    gram[a, b] = 0
                    for i in range(start, stop):
                        gram[a, b] += frame[p, a, i] * np.conj(frame[p, b, i])
            for i in range(start, stop):
                for j in range(i, stop):
                    _pair(z[p], frame[p], gram, i, j, p, place, centre, scale, first, second)
                    place += 1 if i == j else 2


@njit(**_OPTIONS)
def _pair(z, frame, gram, i, j, p, place, centre, scale, first, second):
    """The inputs of one pair i <= j: at `place` the real part, next to it the imaginary one."""
    n = gram.shape[0]
    value = z[i] * np.conj(z[j])
    size, other = scale[place], place + 1
    first[0, p, place] = (value.real - centre[place]) * size
    if i != j:
        first[0, p, other] = value.imag * size
    for a in range(n):
        up, down = frame[a, i] * np.conj(z[j]), frame[a, j] * np.conj(z[i])
        slope = 0.5 * size * (up + down)
        first[1 + a, p, place], first[1 + n + a, p, place] = slope.real, slope.imag
        if i != j:
            slope = -0.5j * size * (up - down)
            first[1 + a, p, other], first[1 + n + a, p, other] = slope.real, slope.imag
    row = n
    for a in range(n):
        for b in range(a, n):
            up = frame[a, i] * np.conj(frame[b, j]) - gram[a, b] * value
            down = frame[a, j] * np.conj(frame[b, i]) - gram[a, b] * np.conj(value)
            real, imaginary = 0.5 * size * (up + down), -0.5j * size * (up - down)
            if a == b:
                second[a, p, place] = real.real
                if i != j:
                    second[a, p, other] = imaginary.real
            else:
                second[row, p, place], second[row + 1, p, place] = real.real, real.imag
                if i != j:
                    second[row, p, other], second[row + 1, p, other] = imaginary.real, imaginary.imag
                row += 2


@njit(**_OPTIONS)
def determinants(packed, n, value, dual, least):
    """det(1 + H) of packed Hermitian H (P, n²), its derivative by the packed entries, and the least pivot."""
    matrix = np.empty((n, n), np.complex128)
    inverse = np.empty((n, n), np.complex128)
    for p in range(packed.shape[0]):
        place = n
        for a in range(n):
            matrix[a, a] = 1.0 + packed[p, a]
            for b in range(a + 1, n):
                matrix[a, b] = complex(packed[p, place], packed[p, place + 1])
                matrix[b, a] = np.conj(matrix[a, b])
                place += 2
        value[p], least[p] = _invert(matrix, inverse)
        place = n
        for a in range(n):
            dual[p, a] = value[p] * inverse[a, a].real
            for b in range(a + 1, n):
                dual[p, place] = 2 * value[p] * inverse[a, b].real
                dual[p, place + 1] = 2 * value[p] * inverse[a, b].imag
                place += 2


@njit(**_OPTIONS)
def _invert(matrix, inverse):
    """Determinant and least pivot of a Hermitian matrix, its inverse beside; Gauss–Jordan without exchanges."""
    n = matrix.shape[0]
    inverse[:] = 0
    for a in range(n):
        inverse[a, a] = 1
    determinant, least = 1.0, np.inf
    for c in range(n):
        pivot = matrix[c, c].real
        determinant *= pivot
        least = min(least, pivot)
        for j in range(n):
            matrix[c, j] /= pivot
            inverse[c, j] /= pivot
        for r in range(n):
            if r != c:
                factor = matrix[r, c]
                for j in range(n):
                    matrix[r, j] -= factor * matrix[c, j]
                    inverse[r, j] -= factor * inverse[c, j]
    return determinant, least
