"""Normal equations: Gram matrices in tiles, and their damped solution."""

from __future__ import annotations

import numpy as np
from scipy.linalg import LinAlgError, cho_factor, cho_solve
from scipy.sparse.linalg import eigsh

from geomflow.core.threads import each, one_thread_products, slices

_TRIES, _TILE, _SMALL = 40, 512, 50


def solved(matrix: np.ndarray, shift: float, target: np.ndarray) -> np.ndarray:
    """(G + λ)⁻¹ b from the upper triangle of G, which is lost; NaN where G is not finite.

    λ is `shift`, or ten times that as often as rounding leaves G + λ not positive.
    """
    diagonal = np.diagonal(matrix).copy()
    for _ in range(_TRIES if np.isfinite(diagonal).all() else 0):
        np.fill_diagonal(matrix, diagonal + shift)
        try:
            return cho_solve(cho_factor(matrix, check_finite=False), target, check_finite=False)
        except LinAlgError:
            shift = max(10 * shift, 1e-16 * float(diagonal.max()))
    return np.full(len(target), np.nan)


def gram(rows: np.ndarray) -> np.ndarray:
    """The upper triangle of A Aᵀ in double precision."""
    return add_gram(rows, np.zeros((len(rows), len(rows))))


def add_gram(rows: np.ndarray, out: np.ndarray) -> np.ndarray:
    """Add the upper triangle of A Aᵀ, in tiles on all threads; the same bits whatever their number."""
    parts = slices(len(rows), _TILE)

    def work(tile: tuple[slice, slice]) -> None:
        out[tile] += rows[tile[0]] @ rows[tile[1]].T

    with one_thread_products():
        each(work, [(a, b) for i, a in enumerate(parts) for b in parts[i:]])
    return out


def symmetric(upper: np.ndarray) -> np.ndarray:
    """The matrix of an upper triangle."""
    return np.triu(upper) + np.triu(upper, 1).T


def largest(matrix: np.ndarray) -> float:
    """The largest eigenvalue of a positive semi-definite matrix, by Lanczos from a fixed vector."""
    if len(matrix) < _SMALL:
        return float(np.linalg.eigvalsh(matrix)[-1])
    return float(eigsh(matrix, 1, v0=np.ones(len(matrix)), return_eigenvectors=False)[0])
