"""The tree that agglomerative clustering leaves: a linkage, and labels for any number of clusters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np

from geomflow.core.errors import InputError
from geomflow.kernels.clustering import routines


@final
@dataclass(frozen=True, eq=False)
class Dendrogram:
    """Merges by ascending mean dissimilarity, in the format of `scipy.cluster.hierarchy.linkage`.

    Row m of `linkage` (points − 1, 4): the two nodes that merge m joins (points are nodes 0, 1, …; merge m makes node
    points + m), their mean dissimilarity, and the number of points of the new cluster.
    """

    linkage: np.ndarray

    @property
    def points(self) -> int:
        """The number of points."""
        return len(self.linkage) + 1

    @property
    def heights(self) -> np.ndarray:
        """The mean dissimilarities at which clusters merge, ascending, (points − 1,)."""
        return self.linkage[:, 2]

    def labels(self, clusters: int) -> np.ndarray:
        """The cluster of each point, 0 … clusters − 1 by first member, when so many are left; (points,).

        Raises InputError unless 1 <= clusters <= points.
        """
        whole = isinstance(clusters, int | np.integer) and not isinstance(clusters, bool)
        if not (whole and 1 <= clusters <= self.points):
            raise InputError(f"the number of clusters is a whole number from 1 to {self.points}, not {clusters!r}.")
        left, right = self.linkage[:, 0].astype(np.int64), self.linkage[:, 1].astype(np.int64)
        roots = np.empty(2 * self.points - 1, np.int64)
        routines.cut(left, right, self.points - int(clusters), roots)
        _, first, inverse = np.unique(roots[: self.points], return_index=True, return_inverse=True)
        return np.argsort(np.argsort(first))[inverse]

    def __repr__(self) -> str:
        top = f" up to {self.heights[-1]:.3g}" if self.points > 1 else ""
        return f"{self.points:,} points merged{top}"


def dendrogram(left: np.ndarray, right: np.ndarray, height: np.ndarray) -> Dendrogram:
    """Merges in any order that makes parts before wholes, sorted by height and renumbered."""
    count = len(left)
    points, height = count + 1, np.maximum(height, 0.0)
    routines.lift(left, right, height)
    order = np.argsort(height, kind="stable")
    node = np.arange(2 * points - 1)
    node[points + order] = points + np.arange(count)
    pairs = np.sort(np.stack([node[left], node[right]], axis=1)[order], axis=1)
    size = np.ones(2 * points - 1)
    routines.count_members(pairs, size)
    return Dendrogram(np.column_stack([pairs, height[order], size[points:]]))
