"""Error bars: pulls against exact integrals have width one, whatever is done to the points on the way."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import geomflow.variety as gv
from benchmarks.pulls import VARIETIES, measures, pulls, width
from geomflow.variety.estimate import line_sums, weighted_mean

_SEEDS, _POINTS = 150, 800


@pytest.mark.parametrize("name", VARIETIES)
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
    np.testing.assert_array_equal(gv.Points.load(tmp_path / "points.npz").line, points.line)
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
