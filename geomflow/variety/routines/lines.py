"""Random lines meet a hypersurface: points in their patch, polished to machine precision, with |Ω|² and density."""

from __future__ import annotations

import numpy as np
from numba import njit

from geomflow.variety.routines.polynomial import PART, Table, gradient, value

_OPTIONS = {"cache": True, "nogil": True, "error_model": "numpy", "no_cfunc_wrapper": True}
_TOLERANCE = 1e-13
_SWEEPS = 60
_ROUNDING = 20 * 2.3e-16  # of the sum of a polynomial's terms in size, for each degree: what rounding leaves at a root

#: Newton steps at most from a root, or from a given point, onto the hypersurface.
POLISH = 3
_SETTLED = 1e-16  # a Newton step below this moves no coordinate that is not tiny


def meet(
    base: np.ndarray, direction: np.ndarray, factor: np.ndarray, table: Table, bounds: np.ndarray, degrees: np.ndarray,
    out: tuple[np.ndarray, ...],
) -> int:
    """All intersections of the lines (base, direction) in their `factor`; returns how many points were written.

    `out` = (points, patch, elim, |Ω|², |∂Q|² at unit norm, line). A line whose roots are not found has no points there.
    """
    points, *measures, number = out
    top = int(degrees.max())
    turns = np.exp(2j * np.pi / (degrees[:, None] + 1) * np.arange(top + 1))
    starts = np.exp(2j * np.pi / degrees[:, None] * np.arange(top) + 0.4j)
    count: int = crossings(base, direction, factor, table, bounds, degrees, turns, starts, points, number)
    settle_all(points[:count], table, bounds, degrees, POLISH, tuple(measure[:count] for measure in measures))
    return count


@njit(**PART)
def _size(z):
    """|Re z| + |Im z|."""
    return abs(z.real) + abs(z.imag)


@njit(**PART)
def _squared(z):
    """|z|²."""
    return z.real * z.real + z.imag * z.imag


@njit(**PART)
def _reciprocal(z):
    scale = 1.0 / (z.real * z.real + z.imag * z.imag)
    return complex(z.real * scale, -z.imag * scale)


@njit(**PART)
def _restrict(base, direction, first, last, turns, count, table, w, c, z):
    """The coefficients c of t ↦ Q(base + t direction), from values at the roots of 1 in `turns`."""
    for i in range(z.size):
        z[i] = base[i]
    for m in range(count):
        c[m] = 0.0
    for s in range(count):
        for i in range(first, last):
            z[i] = base[i] + turns[s] * direction[i]
        sample = value(z, table, w) * (1.0 / count)
        for m in range(count):
            c[m] += sample * np.conj(turns[s * m % count])


@njit(**PART)
def _roots(c, degree, starts, roots):
    """The roots of Σ_{m<=degree} c[m] t^m into `roots`; returns False if the sweeps did not suffice.

    Aberth (1973): t_i -= N_i / (1 − N_i Σ_{j≠i} 1/(t_i − t_j)), N_i the Newton step, each root as soon as it is known.
    Roots close to each other never settle to the last digits: they are known where the polynomial is zero to rounding.
    """
    radius = (abs(c[0]) / abs(c[degree])) ** (1.0 / degree)
    for i in range(degree):
        roots[i] = radius * starts[i]
    largest = np.inf
    sweep = 0
    while largest > 0.0 and sweep < _SWEEPS:
        sweep += 1
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
            largest = max(largest, _size(step) - _TOLERANCE * _size(t))
    known = largest < np.inf
    if known and largest > 0.0:
        for i in range(degree):
            p, size = c[degree], abs(c[degree])
            for m in range(degree - 1, -1, -1):
                p = p * roots[i] + c[m]
                size = size * abs(roots[i]) + abs(c[m])
            known = known and abs(p) <= _ROUNDING * degree * size
    return known


@njit(**_OPTIONS)
def crossings(base, direction, factor, table, bounds, degrees, turns, starts, points, number):
    """Where lines meet Q = 0, and the number of the line of each point; returns how many points there are."""
    top, size = turns.shape[1], base.shape[1]
    c = np.empty(top, np.complex128)
    roots = np.empty(top, np.complex128)
    z = np.empty(size, np.complex128)
    w = np.empty(size + 1 + table[0].size, np.complex128)
    count = 0
    for line in range(base.shape[0]):
        f = factor[line]
        first, last, degree = bounds[f], bounds[f + 1], degrees[f]
        _restrict(base[line], direction[line], first, last, turns[f], degree + 1, table, w, c, z)
        if _roots(c, degree, starts[f], roots):
            for r in range(degree):
                for i in range(size):
                    inside = first <= i < last
                    points[count, i] = base[line, i] + (roots[r] * direction[line, i] if inside else 0.0)
                number[count] = line
                count += 1
    return count


@njit(**PART)
def _scale_to_patch(z, first, last):
    """Divide the coordinates of a factor by the largest, which becomes exactly one; returns its place."""
    best = first
    size = -1.0
    for i in range(first, last):
        squared = _squared(z[i])
        if squared > size:
            size, best = squared, i
    scale = _reciprocal(z[best])
    for i in range(first, last):
        z[i] *= scale
    z[best] = 1.0
    return best


@njit(**PART)
def _eliminated(slope, size, patch):
    """The coordinate outside the patch whose derivative of Q is largest."""
    best = -1
    largest = -1.0
    for i in range(size):
        squared = _squared(slope[i])
        for f in range(patch.size):
            if patch[f] == i:
                squared = -1.0
        if squared > largest:
            largest, best = squared, i
    return best


@njit(**PART)
def _polish(z, table, patch, polish, w, slope):
    """Newton steps of one coordinate onto Q = 0, as long as they help; returns it, with ∂Q where z is then in `slope`.

    Without steps of `polish` the point stays where it is.
    """
    step, elim, least, before = 0, -1, np.inf, 0.0j
    while True:
        residual = gradient(z, table, w, slope)
        if step == 0:
            elim = _eliminated(slope, z.size, patch)
        elif not abs(residual) < least:
            z[elim] = before
            polish, least = 0, np.inf
            continue
        if step >= polish or abs(residual) < _SETTLED * abs(slope[elim]):
            break
        least, before = abs(residual), z[elim]
        z[elim] -= residual * _reciprocal(slope[elim])
        step += 1
    return elim


@njit(**PART)
def _slope_norm(z, slope, bounds, degrees):
    """|∂Q|² at the representative with |z_i| = 1 in every factor: Π_j |z_j|^{−2 d_j} Σ_i |z_i|² |∂_i Q|²."""
    total = 0.0
    scale = 1.0
    for f in range(bounds.size - 1):
        norm = 0.0
        square = 0.0
        for i in range(bounds[f], bounds[f + 1]):
            norm += _squared(z[i])
            square += _squared(slope[i])
        total += norm * square
        for _ in range(degrees[f]):
            scale *= norm
    return total / scale


@njit(**_OPTIONS)
def settle_all(z, table, bounds, degrees, polish, out):
    """Scale points to their patch, polish them onto Q = 0, in place, and measure them.

    `out` = (patch, the coordinate to eliminate, |Ω|², |∂Q|² at unit norm); patch[p, f] is the largest coordinate of
    factor f.
    """
    patch, elim, omega2, density = out
    w = np.empty(z.shape[1] + 1 + table[0].size, np.complex128)
    slope = np.empty(z.shape[1] + 1 + table[0].size, np.complex128)
    for p in range(z.shape[0]):
        for f in range(bounds.size - 1):
            patch[p, f] = _scale_to_patch(z[p], bounds[f], bounds[f + 1])
        e = _polish(z[p], table, patch[p], polish, w, slope)
        elim[p] = e
        omega2[p] = 1.0 / _squared(slope[e])
        density[p] = _slope_norm(z[p], slope, bounds, degrees)
