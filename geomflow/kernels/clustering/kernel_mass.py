"""What a kernel loses when points of different clusters no longer see one another."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from geomflow.core.errors import ShapeError
from geomflow.core.numbers import require_unmasked

if TYPE_CHECKING:
    from geomflow.kernels.kernel import Kernel


def dropped_mass(kernel: Kernel, points: Any, labels: np.ndarray) -> float:
    """The share of Σ_pq K(x_p, x_q) between points of different clusters, matrix-free: what a block kernel drops.

    `labels` (p,) as `Dendrogram.labels` gives them; pairs p = q count. Raises ShapeError for another number of labels.
    """
    require_unmasked(labels, "the array of labels")
    read = np.asarray(getattr(points, "coordinates", points))
    labels = np.asarray(labels)
    if labels.shape != (len(read),):
        raise ShapeError(f"labels of shape {labels.shape} were given for {len(read)} points: give one for each.")
    whole = kernel.apply(points, None, np.ones(len(read))).sum()
    order = np.argsort(labels, kind="stable")
    starts = np.nonzero(np.diff(labels[order], prepend=labels[order[0]] - 1))[0]
    inside = sum(kernel.apply(points[part], None, np.ones(len(part))).sum() for part in np.split(order, starts[1:]))
    return float(1.0 - inside / whole)
