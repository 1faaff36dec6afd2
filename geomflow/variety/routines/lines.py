"""Random lines meet a hypersurface: points in their patch, polished to machine precision, with |Ω|² and density."""

from __future__ import annotations

import numpy as np
from numba import njit

from geomflow.variety.routines.polynomial import gradient, value
from geomflow.variety.routines.roots import aberth

_POLISH = 3
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
def settle(z, table, bounds, patch, slope):
    """Scale z to its patch, polish it onto Q = 0, and return (coordinate to eliminate, |Q|).

    patch[f] receives the largest coordinate of factor f, `slope` the gradient ∂Q at the polished point.
    """
    start, variable, exponent, coefficient = table
    for f in range(bounds.size - 1):
        scale_to_patch(z, bounds[f], bounds[f + 1], patch, f)
    residual = gradient(z, start, variable, exponent, coefficient, slope)
    elim = eliminated(slope, patch)
    for _ in range(_POLISH):
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
    return elim, abs(residual)


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
    top = 0
    for d in degrees:
        top = max(top, d)
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
                z[i] = base[line, i] + (roots[r] * direction[line, i] if inside else 0.0)
            chosen, _ = settle(z, table, bounds, patch[count], slope)
            for i in range(z.size):
                points[count, i] = z[i]
            elim[count] = chosen
            omega2[count] = 1.0 / (slope[chosen].real ** 2 + slope[chosen].imag ** 2)
            density[count] = slope_norm(z, slope, bounds, degrees)
            number[count] = line
            count += 1
    return count


@njit(cache=True, nogil=True, error_model="numpy")
def settle_all(z, table, bounds, degrees, out):
    """Patch, polish and measure given points in place; `out` = (patch, elim, |Ω|², |∂Q|² at unit norm)."""
    patch, elim, omega2, density = out
    slope = np.empty(z.shape[1], np.complex128)
    for p in range(z.shape[0]):
        elim[p], _ = settle(z[p], table, bounds, patch[p], slope)
        omega2[p] = 1.0 / (slope[elim[p]].real ** 2 + slope[elim[p]].imag ** 2)
        density[p] = slope_norm(z[p], slope, bounds, degrees)
