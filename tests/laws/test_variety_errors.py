"""Error bars: pulls against exact integrals have width one, whatever is done to the points on the way."""

from __future__ import annotations

import pickle
import warnings
from dataclasses import replace

import numpy as np
import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st

import geomflow.variety as gv
from benchmarks.pulls import VARIETIES, measures, pulls, width
from geomflow.variety.errors import UnreliableSampleWarning
from geomflow.variety.estimate import heavy, line_sums, mean, tail_shape, warn_if_few, weighted_mean

_SEEDS, _POINTS = 150, 800


@pytest.mark.parametrize("name", [
    name if name != "sextic" else pytest.param(name, marks=pytest.mark.slow) for name in VARIETIES])  # fmt: skip
def test_pulls_have_width_one(name):
    """(estimate − exact)/error over 150 seeds: width one within three of its errors, mean zero likewise.

    Euler numbers are left to the script, which takes minutes for them.
    """
    variety = VARIETIES[name]()
    samples = [variety.sample(_POINTS, seed=1000 + seed) for seed in range(_SEEDS)]
    for number, exact, measure in measures(variety):
        if number != "Euler number":
            ratio = pulls(exact, measure, samples)
            size, error = width(ratio)
            assert abs(size - 1) < 3 * error, (number, size, error)
            assert abs(ratio.mean()) < 3 * size / np.sqrt(_SEEDS), (number, ratio.mean())


def test_the_error_of_sigma_counts_that_of_kappa():
    """σ with κ from the same points, against its value on many: width one; the pull without κ's share is wider."""
    variety = gv.Fermat(5)
    metric = gv.FubiniStudy(variety)
    true = gv.sigma(metric, variety.sample(100_000, seed=1))
    found = [gv.sigma(metric, variety.sample(_POINTS, seed=seed)) for seed in range(2, 152)]
    ratio = np.array([(float(x) - float(true)) / np.hypot(x.error, true.error) for x in found])
    assert abs(ratio.std(ddof=1) - 1) < 3 / np.sqrt(2 * len(ratio))


@settings(max_examples=20)
@given(st.integers(0, 10_000), st.integers(2, 30))
def test_lines_are_the_clusters(seed, lines):
    """Points that say the same on a line weigh as one; each on its own is the error of independent points."""
    rng = np.random.default_rng(seed)
    line = np.repeat(np.arange(lines), 4)
    values, weights = rng.standard_normal(lines)[line], rng.random(lines)[line]
    one = weighted_mean(values[::4], weights[::4], np.full(lines, -1))
    whole = weighted_mean(values, weights, line)
    assert whole == pytest.approx(one, rel=1e-12, abs=1e-14)
    assert whole.error == pytest.approx(one.error, rel=1e-12)
    order = rng.permutation(len(line))
    assert weighted_mean(values[order], weights[order], line[order]).error == pytest.approx(whole.error, rel=1e-12)
    assert len(line_sums(values, np.where(line == 0, -1, line))) == lines + 3


def test_lines_are_kept_on_the_way(tmp_path):
    """Selected, split, put together, noised, changed of patch, stored: the error bars are the same."""
    variety = gv.Fermat(5)
    points = variety.sample(2000, seed=3)
    assert len(np.unique(points.line)) == 400
    error = points.volume().error
    assert error > 1.1 * replace(points, line=np.full(len(points), -1)).volume().error
    train, held = points.split(0.5, seed=1)
    assert gv.concatenate(train, held).volume().error == pytest.approx(error, rel=1e-12)
    assert gv.concatenate(*points.in_chunks(333)).volume().error == pytest.approx(error, rel=1e-12)
    points.save(tmp_path / "points.npz")
    np.testing.assert_array_equal(gv.load_points(tmp_path / "points.npz").line, points.line)
    np.testing.assert_array_equal(gv.noised(points, 1e-3, seed=1).line, points.line)
    np.testing.assert_array_equal(gv.in_patch(points, points.patch).line, points.line)
    np.testing.assert_array_equal(points[points.patch[:, 0] == 2].line, points.line[points.patch[:, 0] == 2])
    both = gv.concatenate(points, variety.sample(2000, seed=4))
    assert len(np.unique(both.line)) == 800
    assert gv.concatenate(points, points).volume().error == pytest.approx(error, rel=1e-12)


def test_points_of_ones_own_are_each_their_own():
    variety = gv.Fermat(5)
    points = variety.sample(500, seed=3)
    own = variety.points(points.coordinates)
    assert np.all(own.line == -1)
    expected = own.weights.std(ddof=1) / np.sqrt(len(own))
    assert own.volume().error == pytest.approx(expected, rel=1e-12)


def drawn(shape: float, rng: np.random.Generator) -> np.ndarray:
    """2,000 terms of random sign with P(|t| > x) = (1 + k x)^{−1/k}."""
    return rng.choice([-1, 1], 2000) * (rng.random(2000) ** -shape - 1) / shape


@pytest.mark.parametrize("shape", [0.1, 0.3, 0.8, 1.5])
def test_the_shape_of_a_tail(shape):
    """Within its error of the true one, on the mean of 100 draws; heavy where the variance does not exist."""
    rng = np.random.default_rng(5)
    draws = [drawn(shape, rng) for _ in range(100)]
    found = np.array([tail_shape(terms) for terms in draws])
    assert abs(found[:, 0].mean() - shape) < 3 * found[:, 0].std() / 10 + 0.05  # Zhang and Stephens' bias is below 0.05
    assert found[:, 0].std() == pytest.approx(found[:, 1].mean(), rel=0.3)
    assert (np.mean([heavy(terms) for terms in draws]) > 0.5) == (shape > 0.5)


def test_errors_of_heavy_tails_say_so():
    rng = np.random.default_rng(1)
    alone = np.full(2000, -1)
    found = mean(drawn(1.0, rng), alone)
    assert found.heavy
    assert str(found) == f"{gv.Estimate(found, found.error)} (heavy tail)"
    assert pickle.loads(pickle.dumps(found)).heavy
    assert not mean(rng.standard_normal(2000), alone).heavy
    assert not mean(1 + 1e-16 * drawn(1.0, rng), alone).heavy


def test_good_samples_have_no_heavy_tails():
    """∫|Ω|², κ and σ on two of the varieties of the table; nor is there a warning, however few the points."""
    for variety in (gv.Fermat(5), gv.Bicubic()):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            points = [variety.sample(size, seed=size) for size in (1, 7, 100, 3000)][-1]
        study = gv.FubiniStudy(variety)
        assert not any(e.heavy for e in (points.volume(), gv.kappa(study, points), gv.sigma(study, points)))


def sheared() -> gv.Hypersurface:
    """Fermat's quintic in coordinates of a shear, which no scaling of coordinates undoes."""
    z = sympy.symbols("z0:5")
    return gv.Hypersurface((z[0] + 30 * z[1]) ** 5 + sum(a**5 for a in z[1:]))


def test_samples_that_a_few_points_carry_are_warned_of(tmp_path):
    variety = sheared()
    with pytest.warns(UnreliableSampleWarning, match=r"5000 points are worth \d+ of equal .* of 500 lines"):
        points = variety.sample(5000, seed=1)
    assert points.volume().heavy
    gv.export_cymetric(points, tmp_path)
    with pytest.warns(UnreliableSampleWarning, match="worth"):
        gv.import_cymetric(variety, tmp_path)


def test_lost_lines_are_told():
    with pytest.warns(UnreliableSampleWarning, match="roots on 3 lines were not found"):
        warn_if_few(np.ones(7), 35, lost=3)
