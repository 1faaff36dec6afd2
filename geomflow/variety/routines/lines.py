"""Random lines meet a hypersurface: points in their patch, polished to machine precision, with |Ω|² and density."""

from __future__ import annotations

import numpy as np
from numba import njit

from geomflow.variety.routines.polynomial import gradient, value

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


#: Newton steps at most from a root, or from a given point, onto the hypersurface.
POLISH = 3
_SETTLED = 1e-16  # a Newton step below this moves no coordinate that is not tiny


@njit(cache=True, nogil=True, error_model="numpy")
def restrict(base, direction, first, last, degree, table, c, z):
    """The coefficients c of t ↦ Q(base + t direction), from values at roots of 1."""
    start, variable, exponent, coefficient = table
    count = degree + 1
    for i in range(z.size):
        z[i] = base[i]
    for m in range(count):
        c[m] = 0.0
    for s in range(count):
        angle = 2 * np.pi * s / count
        t = complex(np.cos(angle), np.sin(angle))
        for i in range(first, last):
            z[i] = base[i] + t * direction[i]
        sample = value(z, start, variable, exponent, coefficient) / count
        for m in range(count):
            turn = -angle * m
            c[m] += sample * complex(np.cos(turn), np.sin(turn))


@njit(cache=True, nogil=True, error_model="numpy")
def settle(z, table, bounds, degrees, polish, patch, slope):
    """Scale z to its patch, polish it onto Q = 0, and return (coordinate to eliminate, |Ω|², |∂Q|² at unit norm).

    patch[f] receives the largest coordinate of factor f, `slope` the gradient ∂Q at the polished point; without steps
    of `polish` the point stays where it is.
    """
    start, variable, exponent, coefficient = table
    for f in range(bounds.size - 1):
        scale_to_patch(z, bounds[f], bounds[f + 1], patch, f)
    residual = gradient(z, start, variable, exponent, coefficient, slope)
    elim = eliminated(slope, patch)
    for _ in range(polish):
        if abs(residual) < _SETTLED * abs(slope[elim]):
            break
        before = z[elim]
        z[elim] -= residual / slope[elim]
        tried = gradient(z, start, variable, exponent, coefficient, slope)
        if not abs(tried) < abs(residual):
            z[elim] = before
            residual = gradient(z, start, variable, exponent, coefficient, slope)
            break
        residual = tried
    omega2 = 1.0 / (slope[elim].real ** 2 + slope[elim].imag ** 2)
    return elim, omega2, slope_norm(z, slope, bounds, degrees)


@njit(cache=True, nogil=True, error_model="numpy")
def scale_to_patch(z, first, last, patch, f):
    """Divide factor f by its largest coordinate, which becomes exactly one."""
    best = first
    size = -1.0
    for i in range(first, last):
        squared = z[i].real ** 2 + z[i].imag ** 2
        if squared > size:
            size, best = squared, i
    scale = 1.0 / z[best]
    for i in range(first, last):
        z[i] *= scale
    z[best] = 1.0
    patch[f] = best


@njit(cache=True, nogil=True, error_model="numpy")
def eliminated(slope, patch):
    """The coordinate outside the patch whose derivative of Q is largest."""
    best = -1
    size = -1.0
    for i in range(slope.size):
        free = True
        for f in range(patch.size):
            free = free and patch[f] != i
        squared = slope[i].real ** 2 + slope[i].imag ** 2
        if free and squared > size:
            size, best = squared, i
    return best


@njit(cache=True, nogil=True, error_model="numpy")
def slope_norm(z, slope, bounds, degrees):
    """|∂Q|² at the representative with |z_i| = 1 in every factor: Π_j |z_j|^{−2 d_j} Σ_i |z_i|² |∂_i Q|²."""
    total = 0.0
    scale = 1.0
    for f in range(bounds.size - 1):
        norm = 0.0
        square = 0.0
        for i in range(bounds[f], bounds[f + 1]):
            norm += z[i].real ** 2 + z[i].imag ** 2
            square += slope[i].real ** 2 + slope[i].imag ** 2
        total += norm * square
        for _ in range(degrees[f]):
            scale *= norm
    return total / scale


@njit(cache=True, nogil=True, error_model="numpy")
def meet(base, direction, factor, table, bounds, degrees, out):
    """All intersections of the lines (base, direction) in their `factor`; returns how many points were written.

    `out` = (points, patch, elim, |Ω|², |∂Q|² at unit norm, line). A line whose roots are not found has no points there.
    """
    points, patch, elim, omega2, density, number = out
    top = degrees.max()
    c = np.empty(top + 1, np.complex128)
    roots = np.empty(top, np.complex128)
    z = np.empty(base.shape[1], np.complex128)
    slope = np.empty_like(z)
    count = 0
    for line in range(base.shape[0]):
        f = factor[line]
        first, last, degree = bounds[f], bounds[f + 1], degrees[f]
        restrict(base[line], direction[line], first, last, degree, table, c, z)
        if not aberth(c, degree, roots):
            continue
        for r in range(degree):
            for i in range(z.size):
                inside = first <= i < last
                points[count, i] = base[line, i] + (roots[r] * direction[line, i] if inside else 0.0)
            elim[count], omega2[count], density[count] = settle(points[count], table, bounds, degrees, POLISH,
                                                                patch[count], slope)
            number[count] = line
            count += 1
    return count


@njit(cache=True, nogil=True, error_model="numpy")
def settle_all(z, table, bounds, degrees, polish, out):
    """Patch, polish and measure given points in place; `out` = (patch, elim, |Ω|², |∂Q|² at unit norm)."""
    patch, elim, omega2, density = out
    slope = np.empty(z.shape[1], np.complex128)
    for p in range(z.shape[0]):
        elim[p], omega2[p], density[p] = settle(z[p], table, bounds, degrees, polish, patch[p], slope)
