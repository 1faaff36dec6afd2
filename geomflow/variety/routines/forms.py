"""Hermitian forms on monomials and their derivatives along a variety, a bundle of points at a time.

Every point carries a frame F (rows, partials): row r of the jet of a monomial s is Σ_q F[r, q] ∂_q s; the partials q
are s, ∂_i s and, at order two, ∂_i∂_j s for i <= j. Row 0 is the value s.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from geomflow.variety.routines.bundles import LANES, conjugate, load, spread, store

_OPTIONS = {"cache": True, "nogil": True, "error_model": "numpy", "no_cfunc_wrapper": True}
_PART = {"inline": "always"}


def features(
    z: np.ndarray, frame: np.ndarray, index: np.ndarray, exponents: np.ndarray,
    group: np.ndarray, left: np.ndarray, right: np.ndarray, entry: np.ndarray, out: np.ndarray,
) -> None:
    """out[p, f, α] = component f of Σ over the pairs of group α of c u_m ū_n† + its adjoint.

    Components: the diagonal, then for each r < s the real and the imaginary part. Pairs are sorted by group, and are
    summed soonest where those with one left monomial stand together.
    """
    rows = frame.shape[1]
    top, room, u = _room(z, frame, exponents)
    sums = np.empty((rows + rows * (rows + 1) // 2) * 2 * LANES)
    _features(z, frame.reshape(len(z), -1), index, exponents, top, room, u, sums, group, left, right, entry, out)


def section_jets(
    z: np.ndarray, frame: np.ndarray, index: np.ndarray, exponents: np.ndarray, out: np.ndarray
) -> None:
    """out[p, row, m]: the jets of all monomials at all points."""
    top, room, u = _room(z, frame, exponents)
    _section_jets(z, frame.reshape(len(z), -1), index, exponents, top, room, u, out)


def _room(z: np.ndarray, frame: np.ndarray, exponents: np.ndarray) -> tuple[int, Any, np.ndarray]:
    """The highest power, room for coordinates, frames, powers and partials of a bundle, and for all jets there."""
    rows, width = frame.shape[1:]
    top = int(exponents.max())
    counts = z.shape[1], rows * width, z.shape[1] * (top + 1), width
    room = tuple(np.empty(count * 2 * LANES) for count in counts), np.empty(width, np.int64)
    return top, room, np.empty(len(exponents) * rows * 2 * LANES)


@njit(**_PART)
def _gathered(values, first, bundles):
    """Bundle k = values[p, k] for the points p from `first` on; the last stands for those missing."""
    for lane in range(LANES):
        p = min(first + lane, values.shape[0] - 1)
        for k in range(values.shape[1]):
            place = 2 * k * LANES + lane
            bundles[place], bundles[place + LANES] = values[p, k].real, values[p, k].imag


@njit(**_PART)
def _partials(m, index, top, powers, alive, partials):
    """Bundle k = ∂_q z^m for the partials q = alive[k] that are not zero; returns how many they are."""
    count = 0
    for q in range(index.shape[0]):
        i, j = index[q, 0], index[q, 1]
        factor = 1 if i < 0 else m[i]
        factor *= 1 if j < 0 else m[j] - (i == j)
        if factor != 0:
            value = spread(float(factor), 0.0)
            for v in range(m.size):
                e = m[v] - (v == i) - (v == j)
                if e > 0:
                    value = value * load(powers, v * (top + 1) + e)
            store(partials, count, value)
            alive[count] = q
            count += 1
    return count


@njit(**_PART)
def _jets(z, frame, index, first, exponents, top, room, u):
    """Bundle m rows + r of u: row r of the jet of monomial m, for the points from `first` on."""
    (x, f, powers, partials), alive = room
    width = index.shape[0]
    rows = frame.shape[1] // width
    _gathered(z, first, x)
    _gathered(frame, first, f)
    for v in range(z.shape[1]):
        power = spread(1.0, 0.0)
        for e in range(top + 1):
            store(powers, v * (top + 1) + e, power)
            power = power * load(x, v)
    for m in range(exponents.shape[0]):
        count = _partials(exponents[m], index, top, powers, alive, partials)
        store(u, m * rows, load(f, 0) * load(partials, 0))
        for r in range(1, rows):
            total = spread(0.0, 0.0)
            for k in range(1, count):
                total = total + load(f, r * width + alive[k]) * load(partials, k)
            store(u, m * rows + r, total)


@njit(**_OPTIONS)
def _features(z, frame, index, exponents, top, room, u, sums, group, left, right, entry, out):
    """As `features`; `sums` holds Σ c̄ u_n for the pairs of one u_m, and the sums of one group."""
    rows = frame.shape[1] // index.shape[0]
    size = rows * (rows + 1) // 2
    for first in range(0, z.shape[0], LANES):
        _jets(z, frame, index, first, exponents, top, room, u)
        for k in range(rows + size):
            store(sums, k, spread(0.0, 0.0))
        for c in range(group.size):
            m, n = left[c], right[c]
            factor = spread(entry[c].real, -entry[c].imag)
            for r in range(rows):
                store(sums, r, load(sums, r) + factor * load(u, n * rows + r))
            ends = c + 1 == group.size or group[c + 1] != group[c]
            if ends or left[c + 1] != m:
                place = rows
                for r in range(rows):
                    a, b = load(u, m * rows + r), load(sums, r)
                    for s in range(r, rows):
                        other, own = conjugate(load(sums, s)), conjugate(load(u, m * rows + s))
                        store(sums, place, load(sums, place) + a * other + b * own)
                        place += 1
                for r in range(rows):
                    store(sums, r, spread(0.0, 0.0))
            if ends:
                _written(sums, rows, min(LANES, z.shape[0] - first), out[first:, :, group[c]])
                for k in range(rows, rows + size):
                    store(sums, k, spread(0.0, 0.0))


@njit(**_PART)
def _written(sums, rows, lanes, out):
    """The sums of a group as its components at the points of a bundle."""
    for lane in range(lanes):
        place, beside = 2 * rows * LANES + lane, rows
        for r in range(rows):
            out[lane, r] = sums[place]
            place += 2 * LANES
            for _ in range(r + 1, rows):
                out[lane, beside], out[lane, beside + 1] = sums[place], sums[place + LANES]
                beside += 2
                place += 2 * LANES


@njit(**_OPTIONS)
def _section_jets(z, frame, index, exponents, top, room, u, out):
    """As `section_jets`."""
    rows = frame.shape[1] // index.shape[0]
    for first in range(0, z.shape[0], LANES):
        _jets(z, frame, index, first, exponents, top, room, u)
        for lane in range(min(LANES, z.shape[0] - first)):
            for r in range(rows):
                for m in range(exponents.shape[0]):
                    place = 2 * (m * rows + r) * LANES + lane
                    out[first + lane, r, m] = complex(u[place], u[place + LANES])
