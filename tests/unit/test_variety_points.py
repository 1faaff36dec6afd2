"""Points: the reference data set, stores, patches, distances, noise."""

from __future__ import annotations

from math import factorial
from pathlib import Path

import numpy as np
import pytest

import geomflow.variety as gv
from geomflow.core.errors import InputError, MemoryLimitError, NotFiniteError, ShapeError, StoreError
from geomflow.variety.errors import OffVarietyError
from geomflow.variety.points import ARRAYS

REFERENCE = Path(__file__).parent.parent / "data" / "quintic_reference_public.npz"


@pytest.fixture(scope="module")
def quintic():
    return gv.Fermat(5)


@pytest.fixture(scope="module")
def cloud(quintic):
    return quintic.sample(3000, seed=4)


def test_reference_data_set(quintic):
    """Points, patches, |Ω|², pull-backs, metrics and weights of an established package, to 1e-12."""
    data = np.load(REFERENCE)
    points = quintic.points(data["points"])
    np.testing.assert_array_equal(points.patch[:, 0], data["patch"])
    np.testing.assert_array_equal(points.elim, data["elim"])
    np.testing.assert_array_equal(points.good, data["good"])
    np.testing.assert_allclose(points.coordinates, data["points"], atol=1e-12)
    np.testing.assert_allclose(points.omega, data["omega"], rtol=1e-12)
    np.testing.assert_allclose(points.omega2, data["omega2"], rtol=1e-12)
    np.testing.assert_allclose(points.pullbacks, data["pullbacks"], atol=1e-12)
    metric = gv.FubiniStudy(quintic).at(points) / np.pi
    np.testing.assert_allclose(metric, data["g_fs_pb"], atol=1e-12)
    np.testing.assert_allclose(factorial(3) * points.weights, data["weights"], rtol=1e-12)


def test_points_are_on_the_variety(cloud):
    assert cloud.residual < 1e-14
    assert np.all(np.abs(cloud.coordinates) <= 1)
    assert np.all(np.take_along_axis(cloud.coordinates, cloud.patch, axis=1) == 1)


def test_seed_decides_and_threads_do_not(quintic, monkeypatch):
    first = quintic.sample(9000, seed=7)
    monkeypatch.setenv("GEOMFLOW_THREADS", "1")
    alone = quintic.sample(9000, seed=7)
    np.testing.assert_array_equal(first.coordinates, alone.coordinates)
    np.testing.assert_array_equal(first.weights, alone.weights)
    np.testing.assert_array_equal(first[:100].coordinates, quintic.sample(100, seed=7).coordinates)
    assert not np.array_equal(first.coordinates, quintic.sample(9000, seed=8).coordinates)


def test_effective_size(quintic):
    points = quintic.sample(20_000, seed=1)
    assert points.effective_size / len(points) == pytest.approx(0.82, abs=0.01)
    assert points.mass @ np.ones(len(points)) == pytest.approx(1, abs=1e-12)
    assert points.mass / points.mass[0] == pytest.approx(points.weights / points.weights[0])


def test_store_round_trip(cloud, tmp_path):
    cloud.save(tmp_path / "points.npz")
    back = gv.load_points(tmp_path / "points.npz")
    for name in ARRAYS:
        np.testing.assert_array_equal(getattr(back, name), getattr(cloud, name))
    assert str(back.variety.polynomial) == str(cloud.variety.polynomial)


def test_damaged_stores(tmp_path):
    (tmp_path / "broken.npz").write_bytes(b"PK nonsense")
    np.savez(tmp_path / "other.npz", kind="something else")
    for name in ("broken.npz", "other.npz", "missing.npz"):
        with pytest.raises(StoreError):
            gv.load_points(tmp_path / name)


def stored(cloud, path, **changed):
    """A points file with some arrays changed, or dropped where None, that says nothing of its checksum."""
    cloud.save(path)
    with np.load(path) as file:
        arrays = {**file, **changed}
    np.savez(path, **{k: v for k, v in arrays.items() if v is not None and k != "digest"})
    return path


@pytest.mark.parametrize(("name", "change", "words"), [
    ("coordinates", lambda z: np.where(np.arange(len(z))[:, None] == 7, np.nan, z), "not finite, the first at .7, 0"),
    ("coordinates", lambda z: z * (1 + 0.1 * (np.abs(z - 1) > 0)), "points are not on the"),
    ("coordinates", lambda z: z[:, :4], r"shape \(200, 4\), and \(any, 5\)"),
    ("coordinates", lambda z: 2 * z, "patches must be one"),
    ("weights", lambda w: w[:3], r"'weights' has shape \(3,\), and \(200\)"),
    ("weights", lambda w: np.where(np.arange(200) == 9, -w, w), "weight of point 9 is -"),
    ("weights", lambda w: w.astype(str), "must hold real numbers"),
    ("omega2", lambda o: o * (1 + 0.01 * (np.arange(200) == 5)), "at point 5 is"),
    ("patch", lambda p: p + 5, "from 0 to 4"),
    ("elim", lambda e: 0 * e - 1, "from 0 to 4"),
    ("elim", lambda e: (e + 1) % 5, "the one of its patch|at point"),
    ("variety", lambda v: None, "'variety' is missing"),
    ("variety", lambda v: np.array('["z0"]'), "'variety' must be a table"),
    ("variety", lambda v: np.array('{"polynomial": '), "'variety' is not JSON"),
    ("variety", lambda v: np.array('{"polynomial": "z0"}'), "KeyError: 'coordinates'"),
    ("variety", lambda v: np.array(str(v).replace("z0**5", "2*z0**5")), "points are not on the"),
])  # fmt: skip
def test_points_files_say_what_is_wrong(cloud, tmp_path, name, change, words):
    part = cloud[:200]
    part.save(tmp_path / "points.npz")
    with np.load(tmp_path / "points.npz") as file:
        value = file[name]
    with pytest.raises(StoreError, match=words):
        gv.load_points(stored(part, tmp_path / "points.npz", **{name: change(value)}))


def test_points_moved_off_the_variety_come_back(quintic, tmp_path):
    moved = gv.noised(quintic.sample(50, seed=1), 0.01, seed=2)
    moved.save(tmp_path / "points.npz")
    assert np.array_equal(gv.load_points(tmp_path / "points.npz").coordinates, moved.coordinates)


def test_concatenate_and_split(cloud):
    train, test = cloud.split(0.8, seed=1)
    assert (len(train), len(test)) == (2400, 600)
    both = gv.concatenate(train, test)
    np.testing.assert_allclose(np.sort(both.weights), np.sort(cloud.weights))
    with pytest.raises(InputError, match="different varieties"):
        gv.concatenate(cloud, gv.Dwork("1/2").sample(10, seed=1))
    with pytest.raises(InputError, match="between 0 and 1"):
        cloud.split(1.5)


def test_cymetric_data_set_round_trip(cloud, tmp_path):
    path = gv.export_cymetric(cloud, tmp_path, validation=0.25)
    with np.load(path) as file:
        data = dict(file)
    assert data["X_train"].shape == (2250, 10)
    assert data["val_pullbacks"].shape == (750, 3, 5)
    train, held = gv.import_cymetric(cloud.variety, tmp_path)
    assert len(train) + len(held) == len(cloud)
    np.testing.assert_allclose(held.pullbacks, data["val_pullbacks"], atol=1e-12)
    np.testing.assert_allclose(np.sort(np.r_[train.weights, held.weights]), np.sort(cloud.weights), rtol=1e-12)
    assert gv.concatenate(train, held).volume().error == pytest.approx(cloud.volume().error, rel=1e-12)
    np.savez(path, **{name: array for name, array in data.items() if not name.startswith("line")})
    assert np.all(gv.import_cymetric(cloud.variety, path)[0].line == -1)
    with pytest.raises(OffVarietyError):
        gv.import_cymetric(gv.Dwork("1/2"), tmp_path)
    with pytest.raises(StoreError):
        gv.import_cymetric(cloud.variety, tmp_path / "nowhere")


@pytest.mark.parametrize(("name", "change", "words"), [
    ("y_train", lambda y: np.where(np.arange(len(y))[:, None] == 3, np.nan, y), "not finite, the first at .3, 0"),
    ("y_train", lambda y: np.where(np.arange(len(y))[:, None] == 3, -y, y), "weight of point 3 in 'y_train' is neg"),
    ("y_train", lambda y: y[:100], "'y_train' has shape .100, 2., and .450, any"),
    ("y_val", lambda y: y[:, 0], "'y_val' has shape .50,"),
    ("y_val", lambda y: y[:, :1], "two columns"),
    ("X_val", lambda x: x[:, :9], "'X_val' has shape .50, 9., and .any, 10"),
    ("line_train", lambda line: line[:3], "'line_train' has shape .3,., and .450"),
    ("line_val", lambda line: line + 0.5, "'line_val' must hold whole numbers"),
    ("X_train", lambda x: np.full_like(x, np.inf), "not finite"),
    ("X_train", lambda x: x.astype(object), "cannot read"),
])  # fmt: skip
def test_cymetric_data_that_is_damaged(cloud, tmp_path, name, change, words):
    path = gv.export_cymetric(cloud[:500], tmp_path)
    with np.load(path) as file:
        arrays = dict(file)
    np.savez(path, **{**arrays, name: change(arrays[name])})
    with pytest.raises(StoreError, match=words):
        gv.import_cymetric(cloud.variety, tmp_path)


def test_points_off_the_variety(quintic):
    with pytest.raises(OffVarietyError, match="point 1"):
        quintic.points([[1, -1, 0, 0, 0], [1, 1, 1, 1, 1]])
    kept = quintic.points([[2, 2, 2, 2, 1]], off_variety=True)
    np.testing.assert_allclose(kept.coordinates, [[1, 1, 1, 1, 0.5]])
    with pytest.raises(ShapeError):
        quintic.points(np.ones((3, 4)))
    with pytest.raises(NotFiniteError):
        quintic.points([[1, np.nan, 0, 0, 0]])
    with pytest.raises(NotFiniteError):
        quintic.points([[0, 0, 0, 0, 0]])


@pytest.mark.parametrize("n", [0, -3, 2.5])
def test_bad_sample_sizes(quintic, n):
    with pytest.raises(InputError):
        quintic.sample(n, seed=1)


def test_bad_seed_and_too_many_points(quintic):
    with pytest.raises(InputError, match="seed"):
        quintic.sample(10, seed=-1)
    with pytest.raises(MemoryLimitError, match="take fewer points"):
        quintic.sample(10**12, seed=1)


def test_change_of_patch(cloud):
    """Ω = Ω' det T, and T back and forth is the identity."""
    cloud = cloud[np.abs(cloud.coordinates[:, 2:4]).min(axis=1) > 0.1]
    other = gv.in_patch(cloud, 2, np.where(cloud.patch[:, 0] == 3, 4, 3))
    change = gv.transition(cloud, other)
    np.testing.assert_allclose(
        change @ gv.transition(other, cloud), np.broadcast_to(np.eye(3), change.shape), atol=1e-9
    )
    ratio = np.abs(np.linalg.det(change)) ** 2 * other.omega2 / cloud.omega2
    np.testing.assert_allclose(ratio, 1, rtol=1e-9)


def test_change_to_a_patch_without_the_point(quintic):
    points = quintic.points([[1, -1, 0, 0, 0]])
    with pytest.raises(InputError, match="outside that patch"):
        gv.in_patch(points, 2)


def test_distance_is_exact_at_zero(cloud):
    turned = cloud.coordinates * np.exp(0.7j)
    assert np.all(gv.distance(cloud, cloud) == 0)
    assert np.max(gv.distance(cloud, turned)) < 1e-15
    small = cloud.coordinates + 1e-9 * np.roll(cloud.coordinates.conj(), 1, axis=1)
    assert np.all(gv.distance(cloud, small) > 0)
    assert gv.distance([1, 0, 0], [0, 1, 0]) == pytest.approx(np.pi / 2)


@pytest.mark.parametrize("size", [1e-300, 1e-200, 1e-16, 1e-9, 1e-6, 0.75, 1e6, 1e16, 1e200, 1e300])
@pytest.mark.parametrize("make", [gv.Bicubic, lambda: gv.Fermat(5), gv.Tetraquadric])
def test_distance_knows_no_scale(make, size):
    """d(p, s p) = 0 and d(p, s q) = d(p, q) for every complex s, another one in each factor of a product."""
    variety = make()
    points = variety.sample(200, seed=3)
    scale = np.empty(variety.ambient.size, complex)
    for f, block in enumerate(variety.ambient.blocks):
        scale[block] = (size if f % 2 == 0 else 1 / size) * np.exp(1j * (0.3 + f))
    p, q = points.coordinates, np.roll(points.coordinates, 1, axis=0)
    ambient = variety.ambient
    for near, far in ((p, scale * p), (scale * p, p)):
        assert np.max(gv.distance(near, far, ambient)) < 1e-15
    true = gv.distance(p, q, ambient.dims)
    np.testing.assert_allclose(gv.distance(p, scale * q, ambient), true, rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(gv.distance(scale * p, q, ambient), true, rtol=1e-12, atol=1e-15)
    moved = p + 1e-9 * np.roll(p.conj(), 1, axis=1)
    np.testing.assert_allclose(gv.distance(p, scale * moved, ambient), gv.distance(p, moved, ambient), rtol=1e-6)
    again = variety.points(scale * p)
    np.testing.assert_allclose(again.coordinates, p, atol=1e-14)
    np.testing.assert_allclose(again.omega2, points.omega2, rtol=1e-12)


def test_distance_from_no_point():
    with pytest.raises(InputError, match="all zero"):
        gv.distance([1, 2, 3], [0, 0, 0])


@pytest.mark.parametrize("number", [
    lambda p: p.volume(), lambda p: p.euler_number(), lambda p: gv.intersection_number(p),
    lambda p: gv.nearest(p), lambda p: gv.nearest(p, p),
    *(lambda p, f=f: f(gv.FubiniStudy(p.variety), p)
      for f in (gv.kappa, gv.sigma, gv.volume, gv.density_ratio, gv.measure, gv.ricci_measure, gv.smallest_eigenvalue)),
])  # fmt: skip
def test_no_points_have_no_numbers(cloud, number):
    with pytest.raises(InputError, match=r"no points|no other point"):
        number(cloud[:0])


def test_one_point_says_nothing_of_its_error(cloud):
    one = cloud[:1]
    for found in (one.volume(), one.euler_number(), gv.sigma(gv.FubiniStudy(cloud.variety), one)):
        assert np.isfinite(found)
        assert found.error == np.inf
    assert cloud[:0].effective_size == cloud[:0].residual == 0


def test_nearest_neighbours(quintic, cloud):
    index, near = gv.nearest(cloud[:200])
    full = np.array([gv.distance(cloud[:200], np.broadcast_to(z, (200, 5))) for z in cloud[:200].coordinates])
    np.fill_diagonal(full, np.inf)
    np.testing.assert_array_equal(index, full.argmin(axis=1))
    np.testing.assert_allclose(near, full.min(axis=1), rtol=1e-12)
    index, near = gv.nearest(cloud, cloud[:10])
    np.testing.assert_array_equal(index, np.arange(10))
    assert np.all(near < 1e-15)


def test_nearest_neighbours_over_several_blocks_and_factors(quintic):
    for variety, count in ((quintic, 2500), (gv.Bicubic(), 300)):
        points = variety.sample(count, seed=3)
        queries = gv.noised(points, 1e-9, 1)
        index, near = gv.nearest(points, queries)
        np.testing.assert_array_equal(index, np.arange(count))
        assert near.max() < 1e-8
        index, near = gv.nearest(points)
        for p in range(0, count, 97):
            far = gv.distance(points, np.broadcast_to(points.coordinates[p], points.coordinates.shape))
            far[p] = np.inf
            assert index[p] == far.argmin()
            assert near[p] == pytest.approx(far.min(), rel=1e-12)


def test_mean_nearest_neighbour_distance(quintic):
    """0.379 and 0.326 for 1,000 and 2,500 points over all patches; 0.277 and 0.230 inside one patch."""
    assert gv.nearest(quintic.sample(1000, seed=1))[1].mean() == pytest.approx(0.379, abs=0.008)
    assert gv.nearest(quintic.sample(2500, seed=1))[1].mean() == pytest.approx(0.326, abs=0.006)
    inside = gv.sample_patch(quintic, 1000, 1, 0, 1)
    assert np.all(inside.patch == 0)
    assert np.all(inside.elim == 1)
    assert gv.nearest(inside)[1].mean() == pytest.approx(0.277, abs=0.006)


@pytest.mark.parametrize("size", [1e-9, 1e-5, 1e-2])
def test_noise_has_the_size_asked_for(cloud, size):
    off = gv.noised(cloud, size, seed=3)
    on = gv.noised(cloud, size, seed=3, on_variety=True)
    assert np.sqrt(np.mean(gv.distance(cloud, off) ** 2)) == pytest.approx(size, rel=0.03)
    assert on.residual < 1e-14
    assert np.sqrt(np.mean(gv.distance(cloud, on) ** 2)) == pytest.approx(size * np.sqrt(3 / 4), rel=0.05)


def test_points_print_as_a_sentence(cloud):
    assert repr(cloud).startswith("3000 points on the Calabi–Yau 3-fold")
