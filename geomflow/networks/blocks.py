"""Blocks of points: large enough for matrix products, small enough for the cache; sums in a fixed order."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from geomflow.core.threads import each, one_thread_products, slices

#: Numbers that one layer holds for a block of points, so that a few layers fit into a second-level cache.
_NUMBERS = 2**16

#: Partial sums held at once.
_GROUP = 64


def point_blocks(points: int, numbers: int) -> list[slice]:
    """Blocks of `points` where each point carries `numbers` numbers a layer."""
    return slices(points, max(16, _NUMBERS // max(numbers, 1)))


def joined(work: Callable[[slice], np.ndarray], blocks: list[slice], out: np.ndarray, axis: int = 0) -> np.ndarray:
    """`out` with the part of each block along `axis` set to work(block)."""
    lead = (slice(None),) * axis

    def fill(block: slice) -> None:
        out[(*lead, block)] = work(block)

    with one_thread_products():
        each(fill, blocks)
    return out


def summed(work: Callable[[slice], np.ndarray], blocks: list[slice], size: int) -> np.ndarray:
    """Σ work(block), (size,): the same number whatever the threads, since it is added up in order."""
    total = np.zeros(size)
    with one_thread_products():
        for start in range(0, len(blocks), _GROUP):
            for part in each(work, blocks[start : start + _GROUP]):
                total += part
    return total
