"""Kernel sums over train points: all pairs or only those inside a cluster, and their values at other points."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, final

import numpy as np

from geomflow.core.errors import InputError, ShapeError
from geomflow.core.threads import each
from geomflow.kernels.blocks import contract, row_blocks
from geomflow.kernels.cutoff import CutOffKernel
from geomflow.kernels.kernel import Kernel
from geomflow.kernels.projective import CoordinateKernel, nearest_rows, unit_features

if TYPE_CHECKING:
    from geomflow.variety.points import Points

#: Matrices of network kernels are kept through a flow if all clusters' together take at most so many bytes.
KEPT = 1 << 28
Sum = Callable[[np.ndarray, Any], np.ndarray]


@final
@dataclass(frozen=True, eq=False)
class CloudSums:
    """(K c)_p = Σ_q K(x_p, x_q) c_q over train points, q in the cluster of p where `labels` (P,) are given.

    With `mean` every sum is divided by Σ_q K(x_p, x_q), zero where that is. At other points the cluster is that of
    the nearest train point. Nothing quadratic in the number of points is kept, except for matrices of network kernels
    up to 256 MB (recomputing them costs more) and the neighbours of a `CutOffKernel`.
    """

    kernel: Kernel
    points: Points
    labels: np.ndarray | None = None
    mean: bool = False

    def __call__(self, columns: np.ndarray, workers: Any = None) -> np.ndarray:
        """The sums of columns (P, c) at the train points, (P, c); `workers` as in `Kernel.apply`."""
        out = np.empty_like(columns)
        for members, total in zip(self._clusters, self._totals, strict=True):
            out[members] = total(columns[members], workers)
        return out * self._scale[:, None] if self.mean else out

    def at(self, points: Points, columns: np.ndarray) -> np.ndarray:
        """The sums at other points in the chart of the train points, (Q, c)."""
        if self.mean:
            columns = np.column_stack([columns, np.ones(len(columns))])
        out = np.zeros((len(points), columns.shape[1]))
        for members, rows in zip(self._clusters, self._homes(points), strict=True):
            if len(rows):
                out[rows] = self.kernel.apply(points[rows], self.points[members], columns[members])
        return out[:, :-1] * _inverse(out[:, -1])[:, None] if self.mean else out

    @cached_property
    def coupling(self) -> float:
        """The largest (Σ_q K(x_p, x_q) − K(x_p, x_p))/K(x_p, x_p) over the train points: what others add to one."""
        own = np.maximum(self.kernel.diagonal(self.points), np.finfo(float).tiny)
        if self.mean:
            own = own * self._scale
        return float((self(np.ones((len(own), 1)))[:, 0] / own - 1).max())

    @cached_property
    def _clusters(self) -> list[np.ndarray]:
        if self.labels is None:
            return [np.arange(len(self.points))]
        order = np.argsort(self.labels, kind="stable")
        return np.split(order, np.nonzero(np.diff(self.labels[order]))[0] + 1)

    @cached_property
    def _totals(self) -> list[Sum]:
        keep = 8 * sum(len(members) ** 2 for members in self._clusters) <= KEPT
        return [_total(self.kernel, self.points[members], keep) for members in self._clusters]

    @cached_property
    def _scale(self) -> np.ndarray:
        sums = np.empty(len(self.points))
        for members, total in zip(self._clusters, self._totals, strict=True):
            sums[members] = total(np.ones((len(members), 1)), None)[:, 0]
        return _inverse(sums)

    def _homes(self, points: Points) -> list[np.ndarray]:
        """For each cluster the numbers of the points whose nearest train point is in it."""
        if self.labels is None:
            return [np.arange(len(points))]
        near = self.labels[nearest_rows(unit_features(points), unit_features(self.points))]
        return [np.nonzero(near == self.labels[members[0]])[0] for members in self._clusters]


def on_points(kernel: Any, points: Points) -> Kernel:
    """`kernel` if it reads points of a variety, else behind their real and imaginary parts; InputError for none."""
    if not isinstance(kernel, Kernel):
        raise InputError(f"a flow on points is driven by a kernel, such as FubiniStudyGaussian(0.1), and {kernel!r} "
                         "is none.")
    try:
        kernel.read(points[:1])
    except InputError:
        return CoordinateKernel(kernel)
    return kernel


def checked_labels(labels: Any, count: int) -> np.ndarray:
    """One cluster for each point, numbers 0, 1, ... all of which occur; ShapeError, InputError for an empty cluster."""
    given = np.asarray(labels)
    if given.shape != (count,) or not np.issubdtype(given.dtype, np.integer):
        raise ShapeError(f"clusters of shape {given.shape} and type {given.dtype} were given for {count} points: give "
                         "the number of its cluster for each, as batched_labels returns them.")
    sizes = np.bincount(given) if given.min() >= 0 else np.zeros(1)
    if not sizes.all():
        empty = int(np.argmin(sizes))
        raise InputError(f"cluster {empty} of {max(int(given.max()) + 1, 1)} is empty: number clusters 0, 1, ... "
                         "without gaps, as np.unique(labels, return_inverse=True)[1] does.")
    return given


def _total(kernel: Kernel, points: Points, keep: bool) -> Sum:
    if isinstance(kernel, CutOffKernel):
        neighbours = kernel.neighbours(points)
        return lambda columns, workers: neighbours(columns)
    if not (keep and isinstance(kernel, CoordinateKernel)):
        return lambda columns, workers: kernel.apply(points, None, columns, workers=workers)
    matrix = kernel.matrix(points)

    def total(columns: np.ndarray, workers: Any) -> np.ndarray:
        rows, out = np.ascontiguousarray(columns.T), np.zeros(columns.shape[::-1])
        each(lambda s: contract(matrix[s], rows, out[:, s]), row_blocks(len(matrix), len(matrix)))
        return out.T

    return total


def _inverse(sums: np.ndarray) -> np.ndarray:
    """1/s, and 0 where the kernel reaches no train point but by rounding."""
    reached = sums > 1e-290
    return np.divide(1.0, sums, out=np.zeros_like(sums), where=reached)
