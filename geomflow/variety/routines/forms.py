"""Hermitian forms on monomials and their derivatives along a variety, a bundle of points at a time.

Every point carries a frame F (rows, partials): row r of the jet of a monomial s is Σ_q F[r, q] ∂_q s; the partials q
are s, ∂_i s and, at order two, ∂_i∂_j s for i <= j. Row 0 is the value s.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit

from geomflow.codegen.building import DOUBLE, Array, Value, converted, instructions, loop, when, where
from geomflow.codegen.instructions import minimum
from geomflow.variety.routines.bundles import LANES, Bundles, spread
from geomflow.variety.routines.numbers import Complex, Line, counter
from geomflow.variety.routines.polynomial import OPTIONS


def features(
    z: np.ndarray, frame: np.ndarray, index: np.ndarray, exponents: np.ndarray,
    group: np.ndarray, left: np.ndarray, right: np.ndarray, entry: np.ndarray, out: np.ndarray,
) -> None:
    """out[p, f, α] = component f of Σ over the pairs of group α of c u_m ū_n† + its adjoint.

    Components: the diagonal, then for each r < s the real and the imaginary part. Pairs are sorted by group, and are
    summed soonest where those with one left monomial stand together.
    """
    rows = frame.shape[1]
    sums = np.empty((rows + rows * (rows + 1) // 2) * 2 * LANES)
    _run_features((z, frame.reshape(len(z), -1), index, exponents, *_room(z, frame, exponents), sums,
                   group, left, right, entry, out))


def section_jets(
    z: np.ndarray, frame: np.ndarray, index: np.ndarray, exponents: np.ndarray, out: np.ndarray
) -> None:
    """out[p, row, m]: the jets of all monomials at all points."""
    _run_section_jets((z, frame.reshape(len(z), -1), index, exponents, *_room(z, frame, exponents), out))


def _room(z: np.ndarray, frame: np.ndarray, exponents: np.ndarray) -> tuple[Any, ...]:
    """The highest power, and room for a bundle: coordinates, frames, powers, partials and which they are, all jets."""
    rows, width = frame.shape[1:]
    top = int(exponents.max())
    counts = z.shape[1], rows * width, z.shape[1] * (top + 1), width
    room = (np.empty(count * 2 * LANES) for count in counts)
    return top, *room, np.empty(width, np.int64), np.empty(len(exponents) * rows * 2 * LANES)


@njit(**OPTIONS)
def _run_features(arguments):
    _features(arguments)


@njit(**OPTIONS)
def _run_section_jets(arguments):
    _section_jets(arguments)


# Code


@dataclass(frozen=True)
class _Points:
    """What points bring, and room for the jets at a bundle of them: see `_room`."""

    z: Array
    frame: Array
    index: Array
    exponents: Array
    top: Value
    x: Array
    f: Array
    powers: Array
    partials: Array
    alive: Array
    u: Array

    @property
    def rows(self) -> Value:
        """The rows of a jet."""
        return self.frame.shape[1] // self.index.shape[0]

    @property
    def count(self) -> Value:
        """The points."""
        return self.z.shape[0]

    @property
    def jets(self) -> Bundles:
        """Bundle m rows + r: row r of the jet of monomial m."""
        return Bundles(self.u.begin)

    def write(self, first: Value) -> None:
        """The jets at the points from `first` on."""
        x, f, powers, partials = (Bundles(a.begin) for a in (self.x, self.f, self.powers, self.partials))
        width, rows, u = self.index.shape[0], self.rows, self.jets
        for values, into in ((self.z, x), (self.frame, f)):
            _gather(values, first, into)
        with_one = self.top + 1
        for v in loop(self.z.shape[1]):
            powers[v * with_one] = spread(1.0)
            for e in loop(self.top):
                powers[v * with_one + e + 1] = powers[v * with_one + e] * x[v]
        for m in loop(self.exponents.shape[0]):
            count = self._write_partials(m, powers, partials)
            u[m * rows] = f[0] * partials[0]
            for r in loop(1, rows):
                u[m * rows + r] = spread(0.0)
                for k in loop(1, count):
                    u[m * rows + r] += f[r * width + self.alive[k]] * partials[k]

    def _write_partials(self, m: Value, powers: Bundles, partials: Bundles) -> Value:
        """Bundle k = ∂_q z^m for the partials q = alive[k] that are not zero; returns how many they are."""
        count, exponents = counter(0), self.exponents.row(m)
        for q in loop(self.index.shape[0]):
            i, j = self.index[q, 0], self.index[q, 1]
            outer = where(i < 0, 1, exponents[where(i < 0, 0, i)])
            inner = where(j < 0, 1, exponents[where(j < 0, 0, j)] - where(i == j, 1, 0))
            factor = outer * inner
            with when((factor > 0) | (factor < 0)):
                partials[count.now] = spread(converted(factor, DOUBLE))
                for v in loop(self.z.shape[1]):
                    e = exponents[v] - where(i == v, 1, 0) - where(j == v, 1, 0)
                    with when(e > 0):
                        partials[count.now] *= powers[v * (self.top + 1) + e]
                self.alive[count.now] = q
                count.now += 1
        return count.now


def _gather(values: Array, first: Value, bundles: Bundles) -> None:
    """Bundle k = values[p, k] for the points p from `first` on; the last stands for those missing."""
    for lane in loop(LANES):
        numbers = Line.of(values, minimum(first + lane, values.shape[0] - 1))
        for k in loop(values.shape[1]):
            real, imag = bundles.lane(k, lane)
            real[0], imag[0] = numbers[k].real, numbers[k].imag


@instructions
def _features(
    z: Array, frame: Array, index: Array, exponents: Array, top: Value, x: Array, f: Array, powers: Array,
    partials: Array, alive: Array, u: Array, sums: Array, group: Array, left: Array, right: Array, entry: Array,
    out: Array,
) -> None:
    """As `features`; `sums` holds Σ c̄ u_n for the pairs of one u_m, and the sums of one group."""
    points = _Points(z, frame, index, exponents, top, x, f, powers, partials, alive, u)
    rows, jets, line, factors = points.rows, points.jets, Bundles(sums.begin), Line.of(entry)
    total = line.at(rows)
    for first in loop(0, points.count, LANES):
        points.write(first)
        _clear(line, rows + rows * (rows + 1) // 2)
        for c in loop(group.shape[0]):
            factor = factors[c].conjugate()
            for r in loop(rows):
                line[r] += spread(factor.real, factor.imag) * jets[right[c] * rows + r]
            after = minimum(c + 1, group.shape[0] - 1)
            ends = counter(where((group[after] == group[c]) & (after > c), 0, 1))
            with when((ends.now > 0) | (left[after] < left[c]) | (left[after] > left[c])):
                _add_squares(total, line, jets.at(left[c] * rows), rows)
                _clear(line, rows)
            with when(ends.now > 0):
                _write(total, rows, minimum(LANES, points.count - first), out, first, group[c])
                _clear(total, rows * (rows + 1) // 2)


def _clear(bundles: Bundles, count: Value) -> None:
    for k in loop(count):
        bundles[k] = spread(0.0)


def _add_squares(total: Bundles, line: Bundles, jet: Bundles, rows: Value) -> None:
    """Add u_r s̄_s + s_r ū_s for r <= s, u the jet and s the line."""
    place = counter(0)
    for r in loop(rows):
        a, b = jet[r], line[r]
        for s in loop(r, rows):
            total[place.now] = total[place.now] + a * line[s].conjugate() + b * jet[s].conjugate()
            place.now += 1


def _write(total: Bundles, rows: Value, lanes: Value, out: Array, first: Value, column: Value) -> None:
    """The sums of a group as its components at the points of a bundle."""
    width = out.shape[2]
    for lane in loop(lanes):
        here = out.row(first + lane, 0, column)
        place, beside = counter(0), counter(rows)
        for r in loop(rows):
            here[r * width] = total.lane(place.now, lane)[0][0]
            for s in loop(1, rows - r):
                real, imag = total.lane(place.now + s, lane)
                here[beside.now * width], here[(beside.now + 1) * width] = real[0], imag[0]
                beside.now += 2
            place.now += rows - r


@instructions
def _section_jets(
    z: Array, frame: Array, index: Array, exponents: Array, top: Value, x: Array, f: Array, powers: Array,
    partials: Array, alive: Array, u: Array, out: Array,
) -> None:
    """As `section_jets`."""
    points = _Points(z, frame, index, exponents, top, x, f, powers, partials, alive, u)
    rows = points.rows
    for first in loop(0, points.count, LANES):
        points.write(first)
        for lane in loop(minimum(LANES, points.count - first)):
            for r in loop(rows):
                here = Line.of(out, first + lane, r)
                for m in loop(exponents.shape[0]):
                    real, imag = points.jets.lane(m * rows + r, lane)
                    here[m] = Complex(real[0], imag[0])
