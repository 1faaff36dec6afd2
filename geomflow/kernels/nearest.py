"""The kernel that gives every point what its nearest neighbour has."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, final

import numpy as np

from geomflow.core.threads import each
from geomflow.distribute import ON_THREADS, Workers
from geomflow.kernels.blocks import row_blocks
from geomflow.kernels.fubini_study import same_space, unit_features
from geomflow.kernels.kernel import Kernel


@final
@dataclass(frozen=True)
class NearestKernel(Kernel):
    """K(x, y_q) = 1 for the point y_q nearest to x among all y, and else 0: the Delta kernel of the paper.

    Halverson and Ruehle, section 3.2: "updates the metric at a test point with the metric correction computed for the
    closest point in the training set", in the Fubini–Study distance (3.2). On the points themselves it is the identity,
    each being its own nearest; elsewhere it depends on the whole set y and is not symmetric. `DeltaKernel` is the
    identity everywhere: nothing at points that are not in the set. Projective points as in `FubiniStudyGaussian`;
    the first of equally near points is taken, and overlaps that differ by rounding (distances below 1e-8) are equal.
    """

    def read(self, x: Any) -> np.ndarray:
        """Unit vectors as rows re z_0, im z_0, re z_1, ..., (p, 2N)."""
        return unit_features(x)

    def values(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """One at the nearest y of each x, (p, q)."""
        out = np.zeros((len(x), len(y)))
        out[np.arange(len(x)), nearest_rows(x, y)] = 1.0
        return out

    def diagonal(self, x: Any) -> np.ndarray:
        """One at every point."""
        return np.ones(len(self.read(x)))

    def _sum(self, x: np.ndarray, y: np.ndarray | None, columns: np.ndarray, block: int | None,
             workers: Workers = ON_THREADS) -> np.ndarray:
        return columns.copy() if y is None else columns[:, nearest_rows(x, y)]


def nearest_rows(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """The number of the point y of largest |⟨x_p, y_q⟩| for each x, unit features (p, 2N) and (q, 2N); in blocks."""
    same_space(x, y)
    turned = np.empty_like(y)
    turned[:, ::2], turned[:, 1::2] = -y[:, 1::2], y[:, ::2]

    def work(rows: slice) -> np.ndarray:
        overlap = x[rows] @ y.T
        return np.argmax(overlap**2 + (x[rows] @ turned.T) ** 2, axis=1)

    found = each(work, row_blocks(len(x), len(y)))
    return np.concatenate([np.empty(0, np.int64), *found])
