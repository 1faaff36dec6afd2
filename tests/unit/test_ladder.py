"""Ladders of degrees from Python: climbed in turn, stopped, gone on with, and forecast."""

from __future__ import annotations

import json

import numpy as np
import pytest

import geomflow as gf
from geomflow.core.errors import InputError, UnknownNameError
from geomflow.fits import DegreeLadder, climb, degrees_to
from geomflow.variety.errors import UnderdeterminedError

X = gf.Fermat(3)
POINTS, UNSEEN = X.sample(500, seed=1), X.sample(300, seed=2)


def ladder(degree=4, **options):
    return DegreeLadder(POINTS, degrees_to(X, degree), **options)


def test_each_degree_starts_from_the_last():
    told = []
    found = climb(ladder(), UNSEEN, watch=told.append)
    first = gf.algebraic_metric(X, 1, POINTS)
    second = gf.algebraic_metric(X, 2, POINTS, start=first)
    third = gf.algebraic_metric(X, 4, POINTS, start=second)
    np.testing.assert_array_equal(found.metric.at(UNSEEN), third.at(UNSEEN))
    assert [fit.degree for fit in found.fits] == [(1,), (2,), (4,)]
    assert list(found.fits) == told
    assert found.fits[-1].sigma == pytest.approx(float(gf.sigma(third, UNSEEN)), rel=1e-12)
    assert found.stopped == ""


def test_a_climb_that_was_stopped_goes_on_to_the_same_metric(tmp_path):
    def stop(fit):
        if fit.degree == (2,):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        climb(ladder(), UNSEEN, folder=tmp_path / "cubic", watch=stop)
    told = []
    found = climb(ladder(), UNSEEN, folder=tmp_path / "cubic", resume=True, watch=told.append)
    assert [fit.degree for fit in told] == [(4,)]
    assert [fit.degree for fit in found.fits] == [(1,), (2,), (4,)]
    np.testing.assert_array_equal(found.metric.at(UNSEEN), climb(ladder(), UNSEEN).metric.at(UNSEEN))
    np.testing.assert_array_equal(gf.load_metric(tmp_path / "cubic" / "metric.npz").at(UNSEEN),
                                  found.metric.at(UNSEEN))
    assert [rung["degree"] for rung in json.loads((tmp_path / "cubic" / "numbers.json").read_text())["rungs"]] == [
        [1], [2], [4]]


def test_nothing_is_overwritten_and_no_other_metric_is_gone_on_from(tmp_path):
    with pytest.raises(InputError, match="nothing to resume"):
        climb(ladder(2), UNSEEN, folder=tmp_path / "new", resume=True)
    climb(ladder(2), UNSEEN, folder=tmp_path / "kept")
    with pytest.raises(InputError, match="holds a metric already"):
        climb(ladder(2), UNSEEN, folder=tmp_path / "kept")
    with pytest.raises(InputError, match=r"made with metric\.functional"):
        climb(ladder(2, functional="v*log(v)"), UNSEEN, folder=tmp_path / "kept", resume=True)
    with pytest.raises(InputError, match="made with points"):
        other = DegreeLadder(X.sample(500, seed=3), degrees_to(X, 2))
        climb(other, UNSEEN, folder=tmp_path / "kept", resume=True)
    with pytest.raises(InputError, match="holds a metric of degree 2"):
        climb(ladder(1), UNSEEN, folder=tmp_path / "kept", resume=True)


def test_no_degree_is_begun_that_is_not_expected_to_end_within_the_work():
    found = climb(ladder(8, work=1e-9), UNSEEN)
    assert [fit.degree for fit in found.fits] == [(1,)]
    assert found.stopped == "degree 2 is not expected to be done within the work that is left"
    costs = [ladder().forecast(degrees, 3) for degrees in ((4,), (8,), (16,))]
    assert 0 < costs[0] < costs[1] < costs[2]


def test_degrees_that_points_do_not_determine():
    with pytest.raises(UnderdeterminedError, match="at the very least"):
        climb(ladder(60), UNSEEN)
    few = DegreeLadder(X.sample(50, seed=1), degrees_to(X, 40, [2, 30]), work=100.0)
    found = climb(few, UNSEEN)
    assert [fit.degree for fit in found.fits] == [(2,)]
    assert "more parameters than there are points" in found.stopped


def test_balanced_metrics_climb_too():
    found = climb(DegreeLadder(POINTS, degrees_to(X, 2, [1]), kind="balanced"), UNSEEN)
    np.testing.assert_array_equal(found.metric.at(UNSEEN), gf.balanced_metric(X, 2, POINTS).at(UNSEEN))


def test_what_is_no_ladder():
    with pytest.raises(UnknownNameError, match="did you mean 'balanced'"):
        ladder(kind="balance")
    with pytest.raises(InputError, match="a degree at least"):
        DegreeLadder(POINTS, [])
    with pytest.raises(InputError, match="rise to 4"):
        degrees_to(X, 4, [3, 2])
