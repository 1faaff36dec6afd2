"""The compiled loop of the φ-network: its inputs with their derivatives."""

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
