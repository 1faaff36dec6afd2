"""Pairs of projective points within a radius, their Gaussians, and sums over them: compiled loops."""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from geomflow.kernels.fubini_study_routines import GEODESIC, ROWS, TILE, overlaps, sine_square

_OPTIONS = {"cache": True, "forceinline": True, "nogil": True, "error_model": "numpy", "fastmath": {"contract"}}
_SUMS = {**_OPTIONS, "fastmath": {"reassoc", "contract"}}


@njit(**_SUMS)
def _reached(k, start, least):
    """Whether any of TILE overlaps from `start` on is at least `least`."""
    largest = 0.0
    for j in range(TILE):
        largest = max(largest, k[start + j])
    return largest >= least


@njit(**_OPTIONS)
def _gaussian(kind, dims, p, i, q, j, factor):
    """exp(factor · d²) of one pair, from differences: all digits at small distances."""
    square = min(sine_square(dims, p, i, q, j), 1.0)
    if kind == GEODESIC:
        square = math.atan2(math.sqrt(square), math.sqrt(1.0 - square)) ** 2
    return math.exp(factor * square)


@njit(**_OPTIONS)
def within(kind, dims, points, sources, count, least, factor, rows, found):
    """The sources with |⟨p, q⟩|² ≥ `least` of each row of tiles `points`: rows[r] = how many there are up to row r.

    found = (indices, values), filled as far as they reach; returns how many pairs there are, which may be more.
    """
    indices, values = found
    k, kept, hits = np.empty(ROWS * TILE), np.empty((ROWS, count), np.int64), np.empty(ROWS, np.int64)
    total = 0
    for a in range(0, rows.size, ROWS):
        tile, first = points[a // TILE], a % TILE
        hits[:] = 0
        for b in range(sources.shape[0]):
            overlaps(dims, tile, first, sources[b], k)
            for r in range(ROWS):
                if _reached(k, r * TILE, least):
                    for j in range(min(TILE, count - b * TILE)):
                        if k[r * TILE + j] >= least:
                            kept[r, hits[r]] = b * TILE + j
                            hits[r] += 1
        for r in range(min(ROWS, rows.size - a)):
            for h in range(hits[r]):
                if total < indices.size:
                    q = kept[r, h]
                    indices[total] = q
                    values[total] = _gaussian(kind, dims, tile, first + r, sources[q // TILE], q % TILE, factor)
                total += 1
            rows[a + r] = total
    return total


@njit(**_OPTIONS)
def sparse_sum(ends, indices, values, columns, first, out):
    """out[p, c] = Σ values columns[index, c] over the entries of row p, whose numbers end at ends[p]."""
    at = first
    for p in range(ends.size):
        for c in range(columns.shape[1]):
            out[p, c] = 0.0
        for e in range(at, ends[p]):
            value, row = values[e], columns[indices[e]]
            for c in range(columns.shape[1]):
                out[p, c] += value * row[c]
        at = ends[p]
