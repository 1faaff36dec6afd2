"""A discrete batch of the points of a grid, on which the functional derivative of a kernel flow is summed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, final

import numpy as np

from geomflow.core.errors import InputError
from geomflow.core.numbers import require_unmasked
from geomflow.core.seeds import generator

if TYPE_CHECKING:
    from geomflow.field.grid import Grid


@final
@dataclass(frozen=True, eq=False)
class Batch:
    """Points x' of a grid over which the functional derivative of a kernel flow is summed, Halverson and Ruehle, (2.8).

    ∫ dx' becomes (volume / |B|) Σ_{x' ∈ B}: all points together are the integral over the grid, and fewer estimate it
    without bias. `points` is a number of points, drawn with `seed` without repetition, or their indices in C order.
    The batch is the same at all times.

    Raises InputError for a batch that is empty, repeats a point or does not lie on the grid.
    """

    points: int | Sequence[int] | np.ndarray
    seed: Any = 0

    def indices(self, grid: Grid) -> np.ndarray:
        """The flat indices of the points, increasing, (|B|,)."""
        if isinstance(self.points, int | np.integer) and not isinstance(self.points, bool):
            if not 1 <= self.points <= grid.size:
                raise InputError(f"a batch has 1 to {grid.size} points of {grid!r}, and {self.points} were asked for.")
            return np.sort(generator(self.seed).choice(grid.size, int(self.points), replace=False))
        return _listed(self.points, grid)

    def weights(self, grid: Grid) -> np.ndarray:
        """size / |B| at the points of the batch and zero elsewhere, of the grid's shape."""
        chosen = self.indices(grid)
        weights = np.zeros(grid.size)
        weights[chosen] = grid.size / len(chosen)
        return weights.reshape(grid.shape)


def _listed(points: Any, grid: Grid) -> np.ndarray:
    require_unmasked(points, "the batch")
    given = np.asarray(points)
    if given.ndim != 1 or given.size == 0 or given.dtype.kind not in "iu":
        raise InputError("a batch is a number of points or a list of their indices in the grid's C order.")
    chosen = np.unique(given)
    if len(chosen) < given.size:
        raise InputError(f"the batch names {given.size} points of which {given.size - len(chosen)} are repeated.")
    if chosen[0] < 0 or chosen[-1] >= grid.size:
        raise InputError(f"the batch holds the index {chosen[-1] if chosen[-1] >= grid.size else chosen[0]}, and the "
                         f"points of {grid!r} are numbered from 0 to {grid.size - 1}.")
    return chosen
