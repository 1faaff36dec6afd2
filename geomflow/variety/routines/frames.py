"""First and second derivatives of the homogeneous coordinates along a hypersurface."""

from __future__ import annotations

import numpy as np
from numba import njit

from geomflow.variety.routines.polynomial import gradient, hessian


@njit(cache=True, nogil=True, error_model="numpy")
def local_coordinates(size, patch, elim, out):
    """The coordinates outside patch and elim, ascending."""
    for p in range(elim.size):
        a = 0
        for i in range(size):
            free = i != elim[p]
            for f in range(patch.shape[1]):
                free = free and patch[p, f] != i
            if free:
                out[p, a] = i
                a += 1


@njit(cache=True, nogil=True, error_model="numpy")
def slopes(z, good, elim, table, out):
    """out[p, a] = ∂z_elim/∂x^a = −(∂Q/∂x_a)/(∂Q/∂z_elim)."""
    start, variable, exponent, coefficient = table
    slope = np.empty(z.shape[1], np.complex128)
    for p in range(z.shape[0]):
        gradient(z[p], start, variable, exponent, coefficient, slope)
        for a in range(good.shape[1]):
            out[p, a] = -slope[good[p, a]] / slope[elim[p]]


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
def bends(z, good, elim, slope, table, out):
    """out[p, a, c] = ∂²z_elim/∂x^a∂x^c = −J_a^i J_c^j ∂_i∂_jQ / (∂Q/∂z_elim)."""
    start, variable, exponent, coefficient = table
    size, n = z.shape[1], good.shape[1]
    second = np.empty((size, size), np.complex128)
    first = np.empty(size, np.complex128)
    for p in range(z.shape[0]):
        gradient(z[p], start, variable, exponent, coefficient, first)
        hessian(z[p], start, variable, exponent, coefficient, second)
        e = elim[p]
        for a in range(n):
            for c in range(n):
                i, j = good[p, a], good[p, c]
                total = second[i, j] + second[i, e] * slope[p, c] + second[e, j] * slope[p, a]
                total += second[e, e] * slope[p, a] * slope[p, c]
                out[p, a, c] = -total / first[e]
