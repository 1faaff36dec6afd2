"""Average linkage of points of projective or Euclidean space in O(points) memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from geomflow.core import memory
from geomflow.core.errors import InputError, NotFiniteError, ShapeError
from geomflow.core.numbers import require_unmasked
from geomflow.kernels.clustering.agglomerate import Agglomeration
from geomflow.kernels.clustering.dendrogram import Dendrogram, dendrogram
from geomflow.kernels.kernel import real_points

if TYPE_CHECKING:
    from geomflow.variety.points import Points


def projective_linkage(points: Points | np.ndarray) -> Dendrogram:
    """Average-linkage clustering in sin²d, d the Fubini–Study distance (3.2) of Halverson and Ruehle.

    `points`: sampled points or homogeneous coordinates (p, N), real or complex; in a product of projective spaces the
    dissimilarity is the sum of sin²d over the factors. The mean of sin²d over two clusters is 1 − ⟨P_A, P_B⟩ with P
    the mean of z z†/|z|², so that nothing quadratic in the number of points is stored; heights are exact to 1e-15.
    Time is quadratic: seconds for 10,000 points.
    Raises ShapeError, NotFiniteError, and InputError for a point without direction.
    """
    coordinates = _homogeneous(points)
    variety = getattr(points, "variety", None)
    blocks = [slice(None)] if variety is None else list(variety.ambient.blocks)
    channels = sum(coordinates[:, b].shape[1] ** 2 for b in blocks)
    _require(len(coordinates), channels)
    features = np.concatenate([projectors(coordinates[:, b]) for b in blocks])
    return _linkage(features, np.full(len(coordinates), 0.5 * len(blocks)))


def euclidean_linkage(points: Any) -> Dendrogram:
    """Average-linkage clustering in the squared Euclidean distance, points (p, d).

    The mean of |x − y|² over two clusters is |x̄ − ȳ|² + the two mean squares about x̄ and ȳ: from means alone.
    Heights are exact to 1e-15 of the squared size of the cloud. Raises ShapeError and NotFiniteError.
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
    size = np.abs(z).max(axis=1)
    if not np.isfinite(size).all():
        row = int(np.argmin(np.isfinite(size)))
        raise NotFiniteError(f"point {row} of {len(z)} is not finite: {z[row]}; remove it.")
    if not size.all():
        raise InputError(f"point {int(np.argmin(size))} of {len(z)} has all coordinates zero and no direction.")
    return z / size[:, None]


def _require(points: int, channels: int) -> None:
    memory.require(4 * 8 * points * (channels + 4), f"clustering {points:,} points", "take fewer points")
