"""Average linkage in mini-batches, as the paper clusters points whose distance matrix does not fit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from geomflow.core import memory
from geomflow.core.errors import InputError, MissingExtraError
from geomflow.core.seeds import generator
from geomflow.kernels.fubini_study import geodesic_distance, unit_features

if TYPE_CHECKING:
    from geomflow.variety.points import Points

#: Bytes a pair of points of one mini-batch: its distance, scikit-learn's copies and its indices of pairs.
PAIR = 32


def batched_labels(points: Points | Any, batches: int, clusters: int, seed: int = 0) -> np.ndarray:
    """The cluster of each point, 0 … clusters − 1, by clustering mini-batches and merging; (P,).

    Halverson and Ruehle, section 3.1: the points are divided into mini-batches at random (by `seed`), nearly equal;
    each is clustered by scikit-learn's average linkage in the Fubini–Study distance (3.2); then clusters are merged,
    C_i = ∪_b C_i^(b), eq. (3.3): C_i^(b) is, among the clusters of mini-batch b that are left, the one whose largest
    distance to the points of C_i^(1) is smallest, i = 0, 1, ... in turn. The result depends on the random order; with
    one mini-batch it is average linkage itself. `projective_linkage` is exact for all points at once, in sin²d.

    `points`: sampled points, or homogeneous coordinates (P, N). Memory is some 32 bytes a pair of a mini-batch, stated
    before it is taken. Raises MemoryLimitError with the size of mini-batches that fits; InputError where a mini-batch
    has fewer points than clusters, so that one would be empty, and for numbers that are not whole; MissingExtraError
    without scikit-learn.
    """
    features = unit_features(points)
    _check(len(features), batches, clusters)
    coordinates = np.ascontiguousarray(features).view(complex)
    parts = np.array_split(generator(seed).permutation(len(features)), batches)
    first = _linked(coordinates[parts[0]], clusters)
    labels = np.empty(len(features), np.int64)
    labels[parts[0]] = first
    for part in parts[1:]:
        own = _linked(coordinates[part], clusters)
        farthest = _largest(geodesic_distance(coordinates[parts[0]], coordinates[part]), first, own)
        labels[part] = _partners(farthest)[own]
    return labels


def cohesion(points: Points | Any, labels: np.ndarray) -> float:
    """The mean distance of two different points of one cluster over that of any two: 1 for clusters that know nothing.

    Distances are Fubini–Study, (3.2); memory is a block of rows. Raises InputError if no cluster has two points.
    """
    coordinates = np.ascontiguousarray(unit_features(points)).view(complex)
    inside = pairs = whole = 0.0
    for cluster in np.unique(labels):
        members = coordinates[labels == cluster]
        inside += _total(members)
        pairs += len(members) * (len(members) - 1.0)
    if not pairs:
        raise InputError(f"no cluster of these {len(coordinates)} points has two of them: take fewer clusters.")
    whole = _total(coordinates)
    return float(inside / pairs / (whole / (len(coordinates) * (len(coordinates) - 1.0))))


def _total(points: np.ndarray) -> float:
    """The sum of all distances, in blocks."""
    return sum(float(geodesic_distance(points[s : s + 512], points).sum()) for s in range(0, len(points), 512))


def _check(points: int, batches: int, clusters: int) -> None:
    for what, number in (("mini-batches", batches), ("clusters", clusters)):
        if isinstance(number, bool) or not isinstance(number, int | np.integer) or number < 1:
            raise InputError(f"the number of {what} is a whole number >= 1, and it is {number!r}.")
    least, most = points // batches, -(-points // batches)
    if clusters > least:
        raise InputError(f"{points:,} points in {batches:,} mini-batches leave {least:,} points in one, and of "
                         f"{clusters:,} clusters one would be empty: take at most {max(least, 1):,} clusters, or at "
                         f"most {max(points // clusters, 1):,} mini-batches.")
    fits = max(int(np.sqrt(memory.available() / PAIR)), 1)
    memory.require(PAIR * most**2, f"clustering mini-batches of {most:,} points",
                   f"take at least {-(-points // fits):,} mini-batches, of at most {fits:,} points")


def _linked(points: np.ndarray, clusters: int) -> np.ndarray:
    """The labels of average linkage in one mini-batch."""
    try:
        from sklearn.cluster import AgglomerativeClustering
    except ImportError:
        raise MissingExtraError.of("scikit-learn", "study") from None
    if len(points) == 1:
        return np.zeros(1, np.int64)
    method = AgglomerativeClustering(int(clusters), metric="precomputed", linkage="average")
    return method.fit(geodesic_distance(points, points)).labels_


def _largest(distances: np.ndarray, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """The largest distance of each cluster of rows to each of columns."""
    for labels in (rows, columns):
        order = np.argsort(labels, kind="stable")
        starts = np.searchsorted(labels[order], np.arange(labels.max() + 1))
        distances = np.maximum.reduceat(distances[order], starts, axis=0).T
    return distances


def _partners(farthest: np.ndarray) -> np.ndarray:
    """For each column the row that takes it: rows choose in turn the nearest column that is left."""
    taken, partner = farthest.copy(), np.empty(farthest.shape[1], np.int64)
    for row in range(len(farthest)):
        column = int(np.argmin(taken[row]))
        partner[column] = row
        taken[:, column] = np.inf
    return partner
