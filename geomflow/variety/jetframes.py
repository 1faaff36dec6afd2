"""Frames: how derivatives along the variety are made of partial derivatives in homogeneous coordinates."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from geomflow.variety import frames

if TYPE_CHECKING:
    from geomflow.variety.points import Points


def partial_index(size: int, order: int) -> np.ndarray:
    """(i, j) of every partial derivative up to `order`; −1: not differentiated. Shape (partials, 2).

    >>> partial_index(2, 2).tolist()
    [[-1, -1], [0, -1], [1, -1], [0, 0], [0, 1], [1, 1]]
    """
    rows = [(-1, -1)] + [(i, -1) for i in range(size)] * (order > 0)
    rows += [(i, j) for i in range(size) for j in range(i, size)] * (order > 1)
    return np.array(rows, dtype=np.int64)


def pairs(n: int) -> list[tuple[int, int]]:
    """The symmetric index pairs a <= c."""
    return [(a, c) for a in range(n) for c in range(a, n)]


def first_order(points: Points) -> np.ndarray:
    """Rows (1, ∂_a): F[p, r, q], shape (P, 1 + n, 1 + N)."""
    count, n, size = points.pullbacks.shape
    frame = np.zeros((count, 1 + n, 1 + size), complex)
    frame[:, 0, 0] = 1
    frame[:, 1:, 1:] = points.pullbacks
    return frame


def second_order(points: Points) -> np.ndarray:
    """Rows (1, ∂_a, ∂_a∂_c for a <= c): shape (P, 1 + n + n(n+1)/2, 1 + N + N(N+1)/2)."""
    jacobian, bend = points.pullbacks, frames.bends(points)
    count, n, size = jacobian.shape
    upper = partial_index(size, 2)[1 + size :]
    frame = np.zeros((count, 1 + n + n * (n + 1) // 2, 1 + size + len(upper)), complex)
    frame[:, : 1 + n, : 1 + size] = first_order(points)
    every = np.arange(count)
    for row, (a, c) in enumerate(pairs(n), start=1 + n):
        frame[every, row, 1 + points.elim] = bend[:, a, c]
        both = jacobian[:, a, upper[:, 0]] * jacobian[:, c, upper[:, 1]]
        swapped = jacobian[:, a, upper[:, 1]] * jacobian[:, c, upper[:, 0]]
        frame[:, row, 1 + size :] = both + np.where(upper[:, 0] != upper[:, 1], swapped, 0)
    return frame
