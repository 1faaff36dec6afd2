"""Average linkage from mean projectors against scipy on the dissimilarity matrix, labels, and dropped kernel mass."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from scipy.cluster import hierarchy
from scipy.spatial.distance import pdist, squareform

import geomflow.variety as gv
from geomflow.core import memory
from geomflow.core.errors import InputError, MemoryLimitError, MissingExtraError, NotFiniteError, ShapeError
from geomflow.kernels import agglomeration as agglomerate
from geomflow.kernels import (
    batched_labels,
    cohesion,
    dropped_mass,
    euclidean_linkage,
    geodesic_distance,
    projective_linkage,
)
from geomflow.kernels.gaussian import GaussianKernel


def complex_points(count, coordinates=5, seed=0):
    rng = np.random.default_rng(seed)
    return rng.standard_normal((count, coordinates)) + 1j * rng.standard_normal((count, coordinates))


def sine_squares(z):
    """sin²d of all pairs, (p, p)."""
    unit = z / np.linalg.norm(z, axis=1, keepdims=True)
    squares = 1 - np.abs(unit @ unit.conj().T) ** 2
    squares = np.maximum((squares + squares.T) / 2, 0)
    np.fill_diagonal(squares, 0)
    return squares


def by_scipy(squares):
    return hierarchy.linkage(squareform(squares, checks=False), "average")


@pytest.mark.parametrize("coordinates", [2, 3, 5])
def test_projective_linkage_is_scipys(coordinates):
    z = complex_points(400, coordinates)
    np.testing.assert_allclose(projective_linkage(z).linkage, by_scipy(sine_squares(z)), rtol=0, atol=1e-14)


def test_real_projective_points():
    z = complex_points(200, 4).real
    np.testing.assert_allclose(projective_linkage(z).linkage, by_scipy(sine_squares(z)), rtol=0, atol=1e-14)


@pytest.mark.slow
def test_euclidean_linkage_is_scipys_in_the_squared_distance():
    x = np.random.default_rng(3).standard_normal((400, 3)) + 100
    expected = hierarchy.linkage(pdist(x, "sqeuclidean"), "average")
    np.testing.assert_allclose(euclidean_linkage(x).linkage, expected, rtol=0, atol=1e-11)


@pytest.mark.parametrize("threshold", [0, 10**6])
def test_chains_and_reciprocal_merges_give_one_tree(threshold, monkeypatch):
    z = complex_points(300)
    expected = projective_linkage(z).linkage
    monkeypatch.setattr(agglomerate, "_YIELD", threshold)
    np.testing.assert_allclose(projective_linkage(z).linkage, expected, rtol=0, atol=1e-14)


def test_points_of_a_quintic():
    points = gv.Fermat(5).sample(300, seed=1)
    np.testing.assert_allclose(
        projective_linkage(points).linkage, by_scipy(sine_squares(points.coordinates)), rtol=0, atol=1e-14
    )


def test_in_a_product_the_factors_add():
    points = gv.Bicubic().sample(200, seed=1)
    squares = sum(sine_squares(points.coordinates[:, b]) for b in points.variety.ambient.blocks)
    np.testing.assert_allclose(projective_linkage(points).linkage, by_scipy(squares), rtol=0, atol=1e-14)


def test_scale_and_phase_of_homogeneous_coordinates_do_not_matter():
    z = complex_points(100)
    factors = np.exp(1j * np.arange(100)) * 10.0 ** np.linspace(-200, 200, 100)
    scaled = projective_linkage(factors[:, None] * z)
    np.testing.assert_allclose(scaled.heights, projective_linkage(z).heights, rtol=0, atol=1e-14)


def test_labels_are_those_of_the_cut_tree():
    z = complex_points(250)
    tree = projective_linkage(z)
    for clusters in (1, 2, 7, 100, 249, 250):
        labels = tree.labels(clusters)
        expected = hierarchy.cut_tree(tree.linkage, clusters)[:, 0]
        assert labels.max() + 1 == clusters
        assert len(set(zip(labels.tolist(), expected.tolist()))) == clusters
        assert (np.diff([np.argmax(labels == c) for c in range(clusters)]) > 0).all()
    assert hierarchy.is_valid_linkage(tree.linkage)


def test_repeated_points_merge_at_zero():
    z = np.repeat(complex_points(10), 30, axis=0)
    tree = projective_linkage(z)
    assert np.all(tree.heights[:290] < 1e-14)
    assert np.all(tree.heights[290:] > 1e-3)
    np.testing.assert_array_equal(tree.labels(10), np.repeat(np.arange(10), 30))


def test_the_tree_does_not_depend_on_the_number_of_threads(monkeypatch):
    z = complex_points(500)
    first = projective_linkage(z).linkage
    monkeypatch.setenv("GEOMFLOW_THREADS", "1")
    np.testing.assert_array_equal(projective_linkage(z).linkage, first)


def test_one_and_two_points():
    assert projective_linkage(complex_points(1)).labels(1).tolist() == [0]
    assert euclidean_linkage([[0.0], [2.0]]).heights.tolist() == [4.0]


def test_dropped_mass():
    x = np.random.default_rng(0).standard_normal((60, 2))
    kernel, labels = GaussianKernel(0.7), euclidean_linkage(x).labels(5)
    matrix = kernel.matrix(x)
    expected = 1 - matrix[labels[:, None] == labels].sum() / matrix.sum()
    assert dropped_mass(kernel, x, labels) == pytest.approx(expected, rel=1e-12)
    assert dropped_mass(kernel, x, np.zeros(60)) == pytest.approx(0, abs=1e-14)
    with pytest.raises(ShapeError, match="60 points"):
        dropped_mass(kernel, x, labels[:-1])


def test_input_that_cannot_be_used(monkeypatch):
    z = complex_points(5)
    with pytest.raises(ShapeError):
        projective_linkage(z[0])
    with pytest.raises(NotFiniteError, match="point 2 of 5"):
        projective_linkage(np.where(np.arange(5)[:, None] == 2, np.nan, z))
    with pytest.raises(InputError, match="point 1 of 5 has all coordinates zero"):
        projective_linkage(z * (np.arange(5) != 1)[:, None])
    with pytest.raises(InputError, match="from 1 to 5"):
        projective_linkage(z).labels(6)
    monkeypatch.setattr(memory, "available", lambda: 100)
    with pytest.raises(MemoryLimitError, match="clustering 5 points"):
        projective_linkage(z)


def joined_by_hand(points, batches, clusters, seed):
    """Eq. (3.3) and its merge rule, cluster by cluster and point by point."""
    from sklearn.cluster import AgglomerativeClustering

    d = geodesic_distance(points, points)
    parts = np.array_split(np.random.default_rng(seed).permutation(len(points)), batches)
    method = AgglomerativeClustering(clusters, metric="precomputed", linkage="average")
    own = [[part[method.fit(d[np.ix_(part, part)]).labels_ == c] for c in range(clusters)] for part in parts]
    joined = []
    for c in range(clusters):
        members = list(own[0][c])
        for batch in own[1:]:
            farthest = [max(d[p, q] for p in own[0][c] for q in other) for other in batch]
            members += list(batch.pop(int(np.argmin(farthest))))
        joined.append({int(p) for p in members})
    return joined


@pytest.mark.parametrize("batches", [1, 2, 5])
def test_mini_batches_join_by_the_smallest_largest_distance(batches):
    points = complex_points(120, seed=4)
    labels = batched_labels(points, batches, 6, seed=3)
    assert [set(np.nonzero(labels == c)[0].tolist()) for c in range(6)] == joined_by_hand(points, batches, 6, 3)


def test_one_mini_batch_is_average_linkage_in_d():
    z = complex_points(150)
    tree = hierarchy.linkage(squareform(geodesic_distance(z, z), checks=False), "average")
    expected, labels = hierarchy.fcluster(tree, 7, "maxclust"), batched_labels(z, 1, 7)
    assert len(set(zip(labels.tolist(), expected.tolist()))) == 7


def test_clusters_know_of_the_distance():
    points = gv.sample_patch(gv.Fermat(5), 600, seed=0, patch=0, elim=1)
    whole, batched = (cohesion(points, batched_labels(points, b, 12, seed=1)) for b in (1, 4))
    at_random = cohesion(points, np.random.default_rng(0).integers(12, size=600))
    assert whole < batched < 0.9 < at_random == pytest.approx(1, abs=0.03)
    d, labels = geodesic_distance(points, points), batched_labels(points, 4, 12, seed=1)
    same = (labels[:, None] == labels) & ~np.eye(600, dtype=bool)
    assert batched == pytest.approx(d[same].mean() / d[~np.eye(600, dtype=bool)].mean(), rel=1e-12)


def test_what_mini_batches_refuse(monkeypatch):
    z = complex_points(50)
    with pytest.raises(InputError, match="leave 5 points in one, and of 6 clusters one would be empty: take at most 5"):
        batched_labels(z, 10, 6)
    with pytest.raises(InputError, match="is 0; give a whole number >= 1"):
        batched_labels(z, 1, 0)
    with pytest.raises(InputError, match="no cluster of these 50 points"):
        cohesion(z, np.arange(50))
    monkeypatch.setitem(sys.modules, "sklearn.cluster", None)
    with pytest.raises(MissingExtraError, match=r"scikit-learn.*geomflow\[study\]"):
        batched_labels(z, 1, 2)


def test_mini_batches_too_large_for_memory_say_what_fits(monkeypatch):
    monkeypatch.setattr(memory, "available", lambda: 32 * 20**2)
    with pytest.raises(MemoryLimitError, match=r"of 50 points.*take at least 3 mini-batches, of at most 20"):
        batched_labels(complex_points(50), 1, 2)
    assert len(batched_labels(complex_points(50), 3, 2)) == 50
