"""Linear combinations of long vectors in one pass over memory, the same numbers for any number of threads."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numba import njit, prange

_BLOCK = 4096  # doubles: one block of the target stays in the first-level cache
_PARALLEL = 1 << 18  # doubles: below this a parallel region costs more than it saves


def _cached(**options: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """`numba.njit`, cached between processes where some directory for the cache can be written."""

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        try:
            return njit(cache=True, **options)(function)
        except RuntimeError:
            return njit(**options)(function)

    return decorate


@_cached(nogil=True)
def _block(work, target, rows, weights, low, high):  # type: ignore[no-untyped-def]
    out = work[target, low:high]
    first = work[rows[0], low:high]
    weight = weights[0]
    for i in range(out.size):
        out[i] = weight * first[i]
    for k in range(1, rows.size):
        term = work[rows[k], low:high]
        weight = weights[k]
        for i in range(out.size):
            out[i] += weight * term[i]


@_cached(nogil=True)
def _serial(work, target, rows, weights):  # type: ignore[no-untyped-def]
    size = work.shape[1]
    for low in range(0, size, _BLOCK):
        _block(work, target, rows, weights, low, min(low + _BLOCK, size))


@_cached(nogil=True, parallel=True)
def _parallel(work, target, rows, weights):  # type: ignore[no-untyped-def]
    size = work.shape[1]
    for block in prange((size + _BLOCK - 1) // _BLOCK):
        _block(work, target, rows, weights, block * _BLOCK, min((block + 1) * _BLOCK, size))


def combine(work: np.ndarray, target: int, rows: np.ndarray, weights: np.ndarray) -> None:
    """Write Σ_k weights[k] · work[rows[k]] to work[target].

    `work` has shape (nrows, size). `target` may be rows[0] and none of the others.
    """
    run = _parallel if work.shape[1] >= _PARALLEL else _serial
    run(work, target, rows, weights)
