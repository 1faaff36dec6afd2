"""Random lines meet a hypersurface: points in their patch, polished to machine precision, with |Ω|² and density."""

from __future__ import annotations

import numpy as np
from numba import njit

from geomflow.codegen.building import Array, Row, Value, instructions, loop, when, where
from geomflow.codegen.instructions import abs as size_of
from geomflow.codegen.instructions import sqrt
from geomflow.variety.routines.numbers import Changing, Complex, Line, Variable, counter, real
from geomflow.variety.routines.polynomial import OPTIONS, Table, Terms, room

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
    found, room_for_roots = np.zeros(1, np.int64), np.empty((3, max(base.shape[1], top + 1)), np.complex128)
    _run_crossings((base, direction, factor, *table, bounds, degrees, turns, starts, room_for_roots,
                    room(base, table, 1), points, number, found))
    count = int(found[0])
    settle_all(points[:count], table, bounds, degrees, POLISH, tuple(measure[:count] for measure in measures))
    return count


def settle_all(
    z: np.ndarray, table: Table, bounds: np.ndarray, degrees: np.ndarray, polish: int, out: tuple[np.ndarray, ...]
) -> None:
    """Scale points to their patch, polish them onto Q = 0, in place, and measure them.

    `out` = (patch, the coordinate to eliminate, |Ω|², |∂Q|² at unit norm); patch[p, f] is the largest coordinate of
    factor f. There are at most so many Newton steps as `polish` says, as long as they help.
    """
    _run_settling((z, *table, bounds, degrees, room(z, table, 2), polish, *out))


@njit(**OPTIONS)
def _run_crossings(arguments):
    _crossings(arguments)


@njit(**OPTIONS)
def _run_settling(arguments):
    _settling(arguments)


# Code


def _size(z: Complex) -> Value:
    """|Re z| + |Im z|."""
    return size_of(z.real) + size_of(z.imag)


def _restrict(base: Line, direction: Line, ends: tuple[Value, Value], turns: Line, count: Value, terms: Terms,
              rows: tuple[Line, Line, Line]) -> None:
    """The coefficients c of t ↦ Q(base + t direction), from values at the roots of 1 in `turns`."""
    w, c, z = rows
    for i in loop(terms.size):
        z[i] = base[i]
    for m in loop(count):
        c[m] = real(0.0)
    for s in loop(count):
        for i in loop(*ends):
            z[i] = base[i] + turns[s] * direction[i]
        sample = terms.value(z, w).times(1.0 / count)
        for m in loop(count):
            c[m] += sample * turns[s * m % count].conjugate()


def _roots(c: Line, degree: Value, starts: Line, roots: Line) -> Value:
    """The roots of Σ_{m<=degree} c[m] t^m into `roots`; returns whether the sweeps sufficed.

    Aberth (1973): t_i -= N_i / (1 − N_i Σ_{j≠i} 1/(t_i − t_j)), N_i the Newton step, each root as soon as it is known.
    Roots close to each other never settle to the last digits: they are known where the polynomial is zero to rounding.
    """
    radius = sqrt(c[0].squared() / c[degree].squared()) ** (1.0 / degree)
    for i in loop(degree):
        roots[i] = starts[i].times(radius)
    largest = Variable(np.inf)
    for _ in loop(_SWEEPS):
        with when(largest.now > 0.0):
            largest.now = 0.0
            for i in loop(degree):
                t = roots[i]
                step = _step(c, degree, roots, i)
                roots[i] = t - step
                more = _size(step) - _TOLERANCE * _size(t)
                largest.now = where(largest.now > more, largest.now, more)
    known = counter(where(largest.now < np.inf, 1, 0))
    with when((known.now > 0) & (largest.now > 0.0)):
        for i in loop(degree):
            known.now = where(_vanishes(c, degree, roots[i]), known.now, 0)
    return known.now > 0


def _step(c: Line, degree: Value, roots: Line, i: Value) -> Complex:
    """N_i / (1 − N_i Σ_{j≠i} 1/(t_i − t_j))."""
    t = roots[i]
    p, dp = Changing(c[degree]), Changing(real(0.0))
    for n in loop(degree):
        dp.now = dp.now * t + p.now
        p.now = p.now * t + c[degree - 1 - n]
    repulsion = Changing(real(0.0))
    for begin, end in ((0, i), (i + 1, degree)):
        for j in loop(begin, end):
            repulsion.now += (t - roots[j]).reciprocal()
    return p.now * (dp.now - p.now * repulsion.now).reciprocal()


def _vanishes(c: Line, degree: Value, t: Complex) -> Value:
    """Whether the polynomial is zero to rounding at t."""
    p, size = Changing(c[degree]), Variable(_modulus(c[degree]))
    for n in loop(degree):
        number = c[degree - 1 - n]
        p.now = p.now * t + number
        size.now = size.now * _modulus(t) + _modulus(number)
    return size.now * (_ROUNDING * degree) >= _modulus(p.now)


def _modulus(z: Complex) -> Value:
    return sqrt(z.squared())


@instructions
def _crossings(
    base: Array, direction: Array, factor: Array, left: Array, right: Array, monomial: Array, coefficient: Array,
    bounds: Array, degrees: Array, turns: Array, starts: Array, rows: Array, products: Array, points: Array,
    number: Array, found: Array,
) -> None:
    """Where lines meet Q = 0, and the number of the line of each point; how many points there are in found[0]."""
    terms = Terms(base.shape[1], left, right, monomial, coefficient)
    w, (c, roots, z) = Line.of(products), (Line.of(rows, n) for n in range(3))
    count = counter(0)
    for line in loop(base.shape[0]):
        f = factor[line]
        ends, degree = (bounds[f], bounds[f + 1]), degrees[f]
        begin, along = Line.of(base, line), Line.of(direction, line)
        _restrict(begin, along, ends, Line.of(turns, f), degree + 1, terms, (w, c, z))
        with when(_roots(c, degree, Line.of(starts, f), roots)):
            for r in loop(degree):
                here = Line.of(points, count.now)
                for i in loop(terms.size):
                    here[i] = begin[i]
                for i in loop(*ends):
                    here[i] = begin[i] + roots[r] * along[i]
                number[count.now] = line
                count.now += 1
    found[0] = count.now


def _scaled_to_patch(z: Line, first: Value, last: Value) -> Value:
    """Divide the coordinates of a factor by the largest, which becomes exactly one; returns its place."""
    best, size = counter(first), Variable(-1.0)
    for i in loop(first, last):
        _larger(i, z[i].squared(), best, size)
    scale = z[best.now].reciprocal()
    for i in loop(first, last):
        z[i] *= scale
    z[best.now] = real(1.0)
    return best.now


def _larger(i: Value, number: Value, best: Variable, size: Variable) -> None:
    """Take i for the best where its number is larger."""
    better = number > size.now
    best.now, size.now = where(better, i, best.now), where(better, number, size.now)


def _eliminated(slope: Line, size: Value, patch: Row, factors: Value) -> Value:
    """The coordinate outside the patch whose derivative of Q is largest."""
    best, largest = counter(-1), Variable(-1.0)
    for i in loop(size):
        squared = Variable(slope[i].squared())
        for f in loop(factors):
            squared.now = where(patch[f] == i, -1.0, squared.now)
        _larger(i, squared.now, best, largest)
    return best.now


def _polish(z: Line, terms: Terms, patch: Row, factors: Value, most: Value, rows: tuple[Line, Line]) -> Value:
    """Newton steps of one coordinate onto Q = 0, as long as they help; returns it, with ∂Q where z is then.

    Without steps the point stays where it is.
    """
    w, slope = rows
    going, left, elim = counter(1), counter(most), counter(0)
    least, before = Variable(np.inf), Changing(real(0.0))
    for step in loop(most + 2):  # one more where the last step is taken back
        with when(going.now > 0):
            residual = terms.gradient(z, w, slope)
            size = residual.squared()
            with when(step < 1):
                elim.now = _eliminated(slope, terms.size, patch, factors)
            e = elim.now
            helped = (step < 1) | (size < least.now)
            steep = slope[e]
            more = helped & (left.now > step) & (size >= _SETTLED**2 * steep.squared())
            going.now = where(more, 1, where(helped, 0, 1))
            moved = z[e] - residual * steep.reciprocal()
            kept = before.now
            before.now = z[e]
            least.now = where(helped, size, np.inf)
            left.now = where(helped, left.now, 0)
            z[e] = _chosen(more, moved, _chosen(helped, z[e], kept))
    return elim.now


def _chosen(condition: Value, x: Complex, y: Complex) -> Complex:
    return Complex(where(condition, x.real, y.real), where(condition, x.imag, y.imag))


def _slope_norm(z: Line, slope: Line, bounds: Array, degrees: Array) -> Value:
    """|∂Q|² at the representative with |z_i| = 1 in every factor: Π_j |z_j|^{−2 d_j} Σ_i |z_i|² |∂_i Q|²."""
    total, scale = Variable(0.0), Variable(1.0)
    for f in loop(degrees.shape[0]):
        norm, square = Variable(0.0), Variable(0.0)
        for i in loop(bounds[f], bounds[f + 1]):
            norm.now += z[i].squared()
            square.now += slope[i].squared()
        total.now += norm.now * square.now
        for _ in loop(degrees[f]):
            scale.now *= norm.now
    return total.now / scale.now


@instructions
def _settling(
    z: Array, left: Array, right: Array, monomial: Array, coefficient: Array, bounds: Array, degrees: Array,
    rows: Array, most: Value, patch: Array, elim: Array, omega2: Array, density: Array,
) -> None:
    """As `settle_all`."""
    terms = Terms(z.shape[1], left, right, monomial, coefficient)
    w, slope = Line.of(rows), Line.of(rows, 1)
    for p in loop(z.shape[0]):
        here, places = Line.of(z, p), patch.row(p)
        for f in loop(degrees.shape[0]):
            places[f] = _scaled_to_patch(here, bounds[f], bounds[f + 1])
        e = _polish(here, terms, places, degrees.shape[0], most, (w, slope))
        elim[p] = e
        omega2[p] = 1.0 / slope[e].squared()
        density[p] = _slope_norm(here, slope, bounds, degrees)
