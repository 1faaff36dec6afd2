"""Clusters of points by average linkage: in O(points) memory, or in mini-batches as the paper does it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, final

import numpy as np

from geomflow.core import memory
from geomflow.core.errors import InputError, MissingExtraError, ShapeError
from geomflow.core.numbers import generator, require_unmasked, whole
from geomflow.kernels.agglomeration import Agglomeration, count_members, cut, lift
from geomflow.kernels.blocks import finite_rows, real_points
from geomflow.kernels.projective import geodesic_distance, unit_features
from geomflow.variety.points import Points

if TYPE_CHECKING:
    from geomflow.kernels.kernel import Kernel


def projective_linkage(points: Points | np.ndarray) -> Dendrogram:
    """Average-linkage clustering in sin²d, d the Fubini–Study distance (3.2) of Halverson and Ruehle.

    In a product of projective spaces the dissimilarity is the sum of sin²d over the factors. The mean of sin²d over two
    clusters is 1 − ⟨P_A, P_B⟩ with P the mean of z z†/|z|², so that nothing quadratic in the number of points is
    stored; heights are exact to 1e-15. Time is quadratic: seconds for 10,000 points. Raises ShapeError, NotFiniteError,
    and InputError for a point without direction.

    Parameters
    ----------
    points : (p, N) array or points
        Homogeneous coordinates, real or complex.
    """
    coordinates = _homogeneous(points)
    variety = getattr(points, "variety", None)
    blocks = [slice(None)] if variety is None else list(variety.ambient.blocks)
    channels = sum(coordinates[:, b].shape[1] ** 2 for b in blocks)
    _require(len(coordinates), channels)
    features = np.concatenate([projectors(coordinates[:, b]) for b in blocks])
    return _linkage(features, np.full(len(coordinates), 0.5 * len(blocks)))


def euclidean_linkage(points: Any) -> Dendrogram:
    """Average-linkage clustering in the squared Euclidean distance.

    The mean of |x − y|² over two clusters is |x̄ − ȳ|² + the two mean squares about x̄ and ȳ: from means alone.
    Heights are exact to 1e-15 of the squared size of the cloud. Raises ShapeError and NotFiniteError.

    Parameters
    ----------
    points : (p, d) array
        Points.
    """
    cloud = real_points(points)
    _require(len(cloud), cloud.shape[1])
    cloud = cloud - cloud.mean(axis=0)
    return _linkage(np.sqrt(2.0) * cloud.T, np.einsum("pi,pi->p", cloud, cloud))


def projectors(coordinates: np.ndarray) -> np.ndarray:
    """z z†/|z|² as real columns (channels, p) whose dot products are |z·w̄|²/|z|²|w|²."""
    unit = coordinates / np.linalg.norm(coordinates, axis=1, keepdims=True)
    rows = [(unit[:, i] * unit[:, i].conj()).real for i in range(unit.shape[1])]
    for i in range(unit.shape[1]):
        for j in range(i):
            entry = np.sqrt(2.0) * unit[:, i] * unit[:, j].conj()
            rows += [entry.real, entry.imag] if np.iscomplexobj(unit) else [entry]
    return np.stack(rows)


def _linkage(features: np.ndarray, offsets: np.ndarray) -> Dendrogram:
    padding = np.zeros((-len(features) % 4, features.shape[1]))
    return dendrogram(*Agglomeration(np.concatenate([features, padding]), offsets).run())


def _homogeneous(points: Points | np.ndarray) -> np.ndarray:
    """Finite homogeneous coordinates, each row of largest modulus one."""
    require_unmasked(points, "the array of points")
    z = np.asarray(getattr(points, "coordinates", points))
    z = z.astype(complex if np.iscomplexobj(z) else float)
    if z.ndim != 2 or 0 in z.shape:
        raise ShapeError(f"homogeneous coordinates have shape (points, N), and the shape {z.shape} was given.")
    size = np.abs(finite_rows(z)).max(axis=1)
    if not size.all():
        raise InputError(f"point {int(np.argmin(size))} of {len(z)} has all coordinates zero and no direction.")
    return z / size[:, None]


def _require(points: int, channels: int) -> None:
    memory.require(4 * 8 * points * (channels + 4), f"clustering {points:,} points", "take fewer points")


@final
@dataclass(frozen=True, eq=False)
class Dendrogram:
    """Merges by ascending mean dissimilarity, in the format of `scipy.cluster.hierarchy.linkage`.

    Points are nodes 0, 1, …; merge m makes node points + m.

    Parameters
    ----------
    linkage : (points − 1, 4) array
        Row m: the two nodes that merge m joins, their mean dissimilarity, the number of points of the new cluster.
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

        Parameters
        ----------
        clusters : int
            How many are left.
        """
        whole = isinstance(clusters, int | np.integer) and not isinstance(clusters, bool)
        if not (whole and 1 <= clusters <= self.points):
            raise InputError(f"the number of clusters is a whole number from 1 to {self.points}, not {clusters!r}.")
        left, right = self.linkage[:, 0].astype(np.int64), self.linkage[:, 1].astype(np.int64)
        roots = np.empty(2 * self.points - 1, np.int64)
        cut(left, right, self.points - int(clusters), roots)
        _, first, inverse = np.unique(roots[: self.points], return_index=True, return_inverse=True)
        return np.argsort(np.argsort(first))[inverse]

    def __repr__(self) -> str:
        top = f" up to {self.heights[-1]:.3g}" if self.points > 1 else ""
        return f"{self.points:,} points merged{top}"


def dendrogram(left: np.ndarray, right: np.ndarray, height: np.ndarray) -> Dendrogram:
    """Merges in any order that makes parts before wholes, sorted by height and renumbered."""
    count = len(left)
    points, height = count + 1, np.maximum(height, 0.0)
    lift(left, right, height)
    order = np.argsort(height, kind="stable")
    node = np.arange(2 * points - 1)
    node[points + order] = points + np.arange(count)
    pairs = np.sort(np.stack([node[left], node[right]], axis=1)[order], axis=1)
    size = np.ones(2 * points - 1)
    count_members(pairs, size)
    return Dendrogram(np.column_stack([pairs, height[order], size[points:]]))


#: Bytes a pair of points of one mini-batch: its distance, scikit-learn's copies and its indices of pairs.
PAIR = 32


def batched_labels(points: Points | Any, batches: int, clusters: int, seed: int = 0) -> np.ndarray:
    """The cluster of each point, 0 … clusters − 1, by clustering mini-batches and merging; (P,).

    Halverson and Ruehle, section 3.1: the points are divided into mini-batches at random (by `seed`), nearly equal;
    each is clustered by scikit-learn's average linkage in the Fubini–Study distance (3.2); then clusters are merged,
    C_i = ∪_b C_i^(b), eq. (3.3): C_i^(b) is, among the clusters of mini-batch b that are left, the one whose largest
    distance to the points of C_i^(1) is smallest, i = 0, 1, ... in turn. The result depends on the random order; with
    one mini-batch it is average linkage itself. `projective_linkage` is exact for all points at once, in sin²d.

    Memory is some 32 bytes a pair of a mini-batch, stated before it is taken. Raises MemoryLimitError with the size of
    mini-batches that fits; InputError where a mini-batch has fewer points than clusters, so that one would be empty,
    and for numbers that are not whole; MissingExtraError without scikit-learn.

    Parameters
    ----------
    points : (P, N) array or points
        Homogeneous coordinates.
    batches : int
        Mini-batches.
    clusters : int
        Clusters of each mini-batch, and in the end.
    seed : int
        What divides the points.
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

    Parameters
    ----------
    points : (P, N) array or points
        Homogeneous coordinates.
    labels : (P,) int array
        The cluster of each point.
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
        whole(number, f"the number of {what}", 1)
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


def dropped_mass(kernel: Kernel, points: Any, labels: np.ndarray) -> float:
    """The share of Σ_pq K(x_p, x_q) between points of different clusters, matrix-free: what a block kernel drops.

    Pairs p = q count. Raises ShapeError for another number of labels.

    Parameters
    ----------
    kernel : Kernel
        K.
    points : (p, d) array or points
        Points.
    labels : (p,) int array
        The cluster of each point, as `Dendrogram.labels` gives them.
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
