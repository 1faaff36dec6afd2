"""All roots of a complex polynomial in one variable, by Aberth's simultaneous iteration."""

from __future__ import annotations

import numpy as np
from numba import njit

_TOLERANCE = 1e-13
_SWEEPS = 60
_ROUNDING = 20 * 2.3e-16  # of the sum of a polynomial's terms in size, for each degree: what rounding leaves at a root


@njit(cache=True, nogil=True, error_model="numpy")
def aberth(c, degree, roots):
    """The roots of Σ_{m<=degree} c[m] t^m into `roots`; returns False if the sweeps did not suffice.

    Aberth (1973): t_i -= N_i / (1 − N_i Σ_{j≠i} 1/(t_i − t_j)), N_i the Newton step, each root as soon as it is known.
    Roots close to each other never settle to the last digits: they are known where the polynomial is zero to rounding.
    """
    radius = (abs(c[0]) / abs(c[degree])) ** (1.0 / degree)
    for i in range(degree):
        angle = 2 * np.pi * i / degree + 0.4
        roots[i] = radius * complex(np.cos(angle), np.sin(angle))
    for _ in range(_SWEEPS):
        largest = 0.0
        for i in range(degree):
            t = roots[i]
            p = c[degree]
            dp = 0.0j
            for m in range(degree - 1, -1, -1):
                dp = dp * t + p
                p = p * t + c[m]
            repulsion = 0.0j
            for j in range(degree):
                if j != i:
                    repulsion += _reciprocal(t - roots[j])
            step = p * _reciprocal(dp - p * repulsion)
            roots[i] = t - step
            largest = max(largest, abs(step.real) + abs(step.imag) - _TOLERANCE * (abs(t.real) + abs(t.imag)))
        if largest <= 0.0:
            return True
        if not largest < np.inf:
            return False
    return vanishing(c, degree, roots)


@njit(cache=True, nogil=True, error_model="numpy")
def vanishing(c, degree, roots):
    """Whether Σ c[m] t^m is zero to rounding at all of the roots."""
    for i in range(degree):
        p, size = c[degree], abs(c[degree])
        for m in range(degree - 1, -1, -1):
            p = p * roots[i] + c[m]
            size = size * abs(roots[i]) + abs(c[m])
        if not abs(p) <= _ROUNDING * degree * size:
            return False
    return True


@njit(cache=True, nogil=True, error_model="numpy", inline="always")
def _reciprocal(z):
    scale = 1.0 / (z.real * z.real + z.imag * z.imag)
    return complex(z.real * scale, -z.imag * scale)
