"""Words for places on a grid, used by every error that names one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from geomflow.field.grid import Grid


def coordinates_in_words(names: Sequence[str], point: Iterable[float]) -> str:
    """`(x, y) = (0.25, 0.5)`."""
    values = ", ".join(f"{float(value):.6g}" for value in point)
    if len(names) == 1:
        return f"{names[0]} = {values}"
    return f"({', '.join(names)}) = ({values})"


def place(grid: Grid, index: Sequence[int]) -> str:
    """A grid point in words: its index and its Cartesian coordinates."""
    cell = np.array([i * h for i, h in zip(index, grid.spacing)])
    point = cell @ grid.torus.directions
    numbers = ", ".join(str(int(i)) for i in index)
    return f"grid point ({numbers}), {coordinates_in_words(grid.torus.coordinates, point)}"
