"""Periodic halos for peers that have none: an array with a rim, and the slice copies that refill it.

The copies are part of what is timed: without them the peer would not compute a periodic right-hand side.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np


def interior(array: np.ndarray, width: int, dim: int) -> np.ndarray:
    """The view without the rim; the last `dim` axes are the grid's."""
    inner: tuple[Any, ...] = (..., *(slice(width, -width),) * dim)
    return array[inner]


def refiller(array: np.ndarray, width: int, reach: int, dim: int) -> Callable[[], None]:
    """A call that fills the innermost `reach` layers of the rim of `width` with the periodic images."""
    copies = [copy for axis in range(dim) for copy in _axis_copies(array, width, reach, axis - dim)]

    def refill() -> None:
        for target, source in copies:
            target[...] = source

    return refill


def _axis_copies(array: np.ndarray, width: int, reach: int, axis: int) -> list[tuple[np.ndarray, np.ndarray]]:
    n = array.shape[axis] - 2 * width

    def layers(start: int) -> np.ndarray:
        rim: tuple[Any, ...] = (..., slice(start, start + reach), *(slice(None),) * (-axis - 1))
        return array[rim]

    return [(layers(width - reach), layers(width + n - reach)), (layers(width + n), layers(width))]
