"""Sublattices of Z^N: which exponent differences the diagonal symmetries of a polynomial allow."""

from __future__ import annotations

import numpy as np


def echelon(generators: np.ndarray) -> np.ndarray:
    """A basis in Hermite normal form of the lattice spanned by the rows, shape (rank, N).

    >>> echelon(np.array([[5, -5, 0], [0, 5, -5], [5, 0, -5]])).tolist()
    [[5, 0, -5], [0, 5, -5]]
    """
    rows = [list(map(int, row)) for row in generators if np.any(row)]
    basis: list[list[int]] = []
    for column in range(np.shape(generators)[-1]):
        pivot = _clear(rows, column)
        if pivot is None:
            continue
        for done in basis:
            factor = done[column] // pivot[column]
            done[:] = [a - factor * b for a, b in zip(done, pivot)]
        basis.append(pivot)
    return np.array(basis, dtype=np.int64).reshape(len(basis), np.shape(generators)[-1])


def _clear(rows: list[list[int]], column: int) -> list[int] | None:
    """Reduce `rows` until one has a nonzero entry in `column`; take it out (made positive) and return it."""
    while True:
        active = sorted((row for row in rows if row[column]), key=lambda row: abs(row[column]))
        if not active:
            return None
        first = active[0]
        if len(active) == 1:
            rows[:] = [row for row in rows if row is not first and any(row)]
            return first if first[column] > 0 else [-a for a in first]
        for row in active[1:]:
            factor = row[column] // first[column]
            row[:] = [a - factor * b for a, b in zip(row, first)]


def cosets(vectors: np.ndarray, basis: np.ndarray) -> np.ndarray:
    """The normal form of each row of `vectors` modulo the lattice of a Hermite `basis`."""
    reduced = np.array(vectors, dtype=np.int64)
    for row in basis:
        pivot = int(np.nonzero(row)[0][0])
        reduced -= (reduced[:, pivot] // row[pivot])[:, None] * row
    return reduced
