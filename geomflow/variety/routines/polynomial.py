"""A polynomial and its derivatives, from a table of its terms, and derivatives of coordinates along a hypersurface.

A table is (start, variable, exponent, coefficient): term t is coefficient[t] · Π z[variable[s]]^exponent[s] over
s = start[t] … start[t+1] − 1. Only the variables that occur are listed, so sparse polynomials are cheap."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True, nogil=True, error_model="numpy", inline="always")
def power(z: complex, exponent: int) -> complex:
    """z^exponent for a whole exponent >= 0."""
    result = 1.0 + 0.0j
    for _ in range(exponent):
        result *= z
    return result


@njit(cache=True, nogil=True, error_model="numpy")
def powers(z, exponent):
    """z_i^e for every i and all e up to the largest exponent, (N, top + 1)."""
    top = 0
    for e in exponent:
        top = max(top, e)
    out = np.empty((z.size, top + 1), np.complex128)
    for i in range(z.size):
        out[i, 0] = 1.0
        for e in range(top):
            out[i, e + 1] = out[i, e] * z[i]
    return out


@njit(cache=True, nogil=True, error_model="numpy")
def value(z, start, variable, exponent, coefficient):
    """Q(z)."""
    power = powers(z, exponent)
    total = 0.0j
    for t in range(coefficient.size):
        term = coefficient[t]
        for s in range(start[t], start[t + 1]):
            term *= power[variable[s], exponent[s]]
        total += term
    return total


@njit(cache=True, nogil=True, error_model="numpy")
def gradient(z, start, variable, exponent, coefficient, out):
    """Q(z), with ∂Q/∂z_i in `out`."""
    power = powers(z, exponent)
    total = 0.0j
    out[:] = 0.0
    for t in range(coefficient.size):
        last = start[t + 1]
        head = coefficient[t]
        for s in range(start[t], last):
            partial = head * exponent[s] * power[variable[s], exponent[s] - 1]
            for r in range(s + 1, last):
                partial *= power[variable[r], exponent[r]]
            out[variable[s]] += partial
            head *= power[variable[s], exponent[s]]
        total += head
    return total


@njit(cache=True, nogil=True, error_model="numpy")
def hessian(z, start, variable, exponent, coefficient, out):
    """∂²Q/∂z_i∂z_j in `out`, shape (N, N)."""
    out[:] = 0.0
    for t in range(coefficient.size):
        first, last = start[t], start[t + 1]
        for s in range(first, last):
            for r in range(first, last):
                if r == s and exponent[s] < 2:
                    continue
                partial = coefficient[t] + 0.0j
                for u in range(first, last):
                    e = exponent[u]
                    lowered = e
                    if u == s:
                        partial *= lowered
                        lowered -= 1
                    if u == r:
                        partial *= lowered
                        lowered -= 1
                    partial *= power(z[variable[u]], lowered)
                out[variable[s], variable[r]] += partial


@njit(cache=True, nogil=True, error_model="numpy")
def gradients(z, start, variable, exponent, coefficient):
    """Q and ∂Q at many points: (n,) and (n, N)."""
    values = np.empty(z.shape[0], np.complex128)
    out = np.empty_like(z)
    for p in range(z.shape[0]):
        values[p] = gradient(z[p], start, variable, exponent, coefficient, out[p])
    return values, out


@njit(cache=True, nogil=True, error_model="numpy")
def hessians(z, start, variable, exponent, coefficient):
    """∂∂Q at many points: (n, N, N)."""
    out = np.empty((z.shape[0], z.shape[1], z.shape[1]), np.complex128)
    for p in range(z.shape[0]):
        hessian(z[p], start, variable, exponent, coefficient, out[p])
    return out


@njit(cache=True, nogil=True, error_model="numpy")
def jacobian(z, good, elim, table, out):
    """out[p, a, i] = ∂z_i/∂x^a."""
    start, variable, exponent, coefficient = table
    slope = np.empty(z.shape[1], np.complex128)
    for p in range(z.shape[0]):
        gradient(z[p], start, variable, exponent, coefficient, slope)
        scale = -1.0 / slope[elim[p]]
        out[p] = 0.0
        for a in range(good.shape[1]):
            out[p, a, good[p, a]] = 1.0
            out[p, a, elim[p]] = slope[good[p, a]] * scale


@njit(cache=True, nogil=True, error_model="numpy")
def bends(z, good, elim, jacobian, table, out):
    """out[p, a, c] = ∂²z_elim/∂x^a∂x^c = −J_a^i J_c^j ∂_i∂_jQ / (∂Q/∂z_elim) with J = `jacobian`."""
    start, variable, exponent, coefficient = table
    size, n = z.shape[1], good.shape[1]
    second = np.empty((size, size), np.complex128)
    first = np.empty(size, np.complex128)
    for p in range(z.shape[0]):
        gradient(z[p], start, variable, exponent, coefficient, first)
        hessian(z[p], start, variable, exponent, coefficient, second)
        e, slope = elim[p], jacobian[p, :, elim[p]]
        for a in range(n):
            for c in range(n):
                i, j = good[p, a], good[p, c]
                total = second[i, j] + second[i, e] * slope[c] + second[e, j] * slope[a]
                total += second[e, e] * slope[a] * slope[c]
                out[p, a, c] = -total / first[e]
