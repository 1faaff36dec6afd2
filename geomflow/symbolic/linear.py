"""Determinants and inverses over a ring, block by block, by shared minors or by elimination."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import numpy as np

from geomflow.core.errors import InputError
from geomflow.symbolic.ring import E, Ring

LARGEST_MINORS = 5
"""Blocks up to this size are inverted by minors, which share; larger ones by elimination."""

Minor = Callable[[tuple[int, ...], tuple[int, ...]], Any]


def blocks(ring: Ring[E], matrix: np.ndarray) -> list[list[int]]:
    """The index sets that the nonzero pattern of the matrix connects, in order."""
    remaining, result = list(range(len(matrix))), []
    while remaining:
        component, frontier = set(), [remaining[0]]
        while frontier:
            i = frontier.pop()
            component.add(i)
            linked = (j for j in remaining if not (ring.vanishes(matrix[i, j]) and ring.vanishes(matrix[j, i])))
            frontier.extend(j for j in linked if j not in component)
        remaining = [i for i in remaining if i not in component]
        result.append(sorted(component))
    return result


def minors(ring: Ring[E], matrix: np.ndarray) -> Minor:
    """The function (rows, columns) -> minor, by expansion along the first row, each minor once."""

    @cache
    def minor(rows: tuple[int, ...], columns: tuple[int, ...]) -> Any:
        if not rows:
            return ring.one
        row, rest = rows[0], rows[1:]
        pairs = []
        for k, column in enumerate(columns):
            entry = matrix[row, column]
            if not ring.vanishes(entry):
                below = minor(rest, columns[:k] + columns[k + 1 :])
                pairs.append((-entry if k % 2 else entry, below))
        return ring.dot(pairs)

    return minor


def determinant(ring: Ring[E], matrix: np.ndarray) -> E:
    """The determinant of a symmetric or Hermitian matrix."""
    result = ring.one
    for block in blocks(ring, matrix):
        part = matrix[np.ix_(block, block)]
        everything = tuple(range(len(block)))
        small = len(block) <= LARGEST_MINORS
        value = minors(ring, part)(everything, everything) if small else _eliminate(ring, part)[1]
        result = result * ring.real(value)
    return result


def inverse(ring: Ring[E], matrix: np.ndarray, mirror: Callable[[Any], Any] | None = lambda entry: entry) -> np.ndarray:
    """The inverse of a matrix; `mirror` gives the (j, i) entry from the (i, j) one, None if they are unrelated.

    Raises InputError if the determinant is seen to vanish.
    """
    result = ring.array(matrix.shape)
    for block in blocks(ring, matrix):
        part = matrix[np.ix_(block, block)]
        small = len(block) <= LARGEST_MINORS
        result[np.ix_(block, block)] = _by_minors(ring, part, mirror) if small else _eliminate(ring, part)[0]
    return result


def _by_minors(ring: Ring[E], matrix: np.ndarray, mirror: Callable[[Any], Any] | None) -> np.ndarray:
    everything = tuple(range(len(matrix)))
    minor = minors(ring, matrix)
    det = ring.real(minor(everything, everything)) if mirror else minor(everything, everything)
    if ring.vanishes(det):
        raise _degenerate()
    scale = ring.one / det
    result = ring.array(matrix.shape)
    for i in everything:
        for j in everything[i if mirror else 0 :]:
            cofactor = minor(_without(everything, j), _without(everything, i))
            if not ring.vanishes(cofactor):
                result[i, j] = (-cofactor if (i + j) % 2 else cofactor) * scale
                if mirror and j > i:
                    result[j, i] = mirror(result[i, j])
    return result


def _eliminate(ring: Ring[E], matrix: np.ndarray) -> tuple[np.ndarray, Any]:
    """The inverse and the determinant by Gauss–Jordan elimination."""
    n, det = len(matrix), ring.one
    identity = ring.array((n, n))
    np.fill_diagonal(identity, ring.one)
    work = np.concatenate([matrix, identity], axis=1)
    for i in range(n):
        pivot = next((r for r in range(i, n) if not ring.vanishes(work[r, i])), None)
        if pivot is None:
            raise _degenerate()
        if pivot != i:
            work[[i, pivot]] = work[[pivot, i]]
            det = -det
        det = det * work[i, i]
        scale = ring.one / work[i, i]
        work[i] = [ring.zero if ring.vanishes(x) else x * scale for x in work[i]]
        for r in range(n):
            if r != i and not ring.vanishes(work[r, i]):
                factor = work[r, i]
                work[r] = [x if ring.vanishes(y) else x - factor * y for x, y in zip(work[r], work[i], strict=True)]
    return work[:, n:], det


def _without(indices: Sequence[int], removed: int) -> tuple[int, ...]:
    return tuple(i for i in indices if i != removed)


def _degenerate() -> InputError:
    return InputError("the metric is degenerate: its determinant is 0; check the components")
