"""The local kernel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, final

import numpy as np

from geomflow.distribute import ON_THREADS, Workers
from geomflow.kernels.kernel import Kernel, checked_grid
from geomflow.kernels.operators import IdentityOperator

if TYPE_CHECKING:
    from geomflow.field.grid import Grid


@final
@dataclass(frozen=True)
class DeltaKernel(Kernel):
    """The identity: δ(x − x') on grids and δ_{x,x'} on point clouds, one where two points are equal and else zero.

    Halverson and Ruehle, eq. (2.13) with Ω = 1; Ω comes by `rescaled`, eq. (2.18).
    """

    def values(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """1 where x_p = y_q in every coordinate, (p, q)."""
        label = _labels(x, y)
        return (label[: len(x), None] == label[None, len(x) :]).astype(float)

    def diagonal(self, x: Any) -> np.ndarray:
        """One at every point."""
        return np.ones(len(self.read(x)))

    def on(self, grid: Grid) -> IdentityOperator:
        """The identity on the grid's functions."""
        return IdentityOperator(checked_grid(grid))

    def _sum(self, x: np.ndarray, y: np.ndarray | None, columns: np.ndarray, block: int | None,
             workers: Workers = ON_THREADS) -> np.ndarray:
        """Sums over equal points, without comparing pairs."""
        label = _labels(x, x if y is None else y)
        size = int(label.max(initial=-1)) + 1
        sums = [np.bincount(label[len(x) :], column, size)[label[: len(x)]] for column in columns]
        return np.array(sums).reshape(len(columns), len(x))


def _labels(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Equal numbers for equal rows of x and y together, (p + q,)."""
    both = np.concatenate([x, y]) + 0.0
    return np.unique(both, axis=0, return_inverse=True)[1].reshape(-1)
