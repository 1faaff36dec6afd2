"""Fits as what solve carries out: states, outcomes, stores and interruptions."""

from __future__ import annotations

import numpy as np
import pytest

import geomflow as gf
from geomflow.core.outcome import Outcome, OutcomeKind
from geomflow.fits import Fit, FitState
from geomflow.fits.fit import Last, carried_out
from geomflow.fits.linear import gram, solved


class Halving(Fit):
    """x ← x/2, until it is below one."""

    name = "halving"

    def start(self):
        return FitState.of(x=np.array([8.0, 4.0]), taken=0)

    def step(self, state):
        if state["x"].max() < 1:
            return Outcome(OutcomeKind.steady, "small enough.", state.number("taken"))
        return state.moved(x=state["x"] / 2, taken=state.count("taken") + 1)

    def numbers(self, state):
        return {"largest": float(state["x"].max())}


def test_states_are_packed_to_the_bit():
    rng = np.random.default_rng(0)
    state = FitState.of(a=rng.standard_normal((2, 3)), form=rng.standard_normal((2, 2)) + 1j, number=np.inf, k=3)
    again = state.unpack(state.pack())
    assert state.pack().shape == (1, 6 + 8 + 2)
    for name in ("a", "form"):
        np.testing.assert_array_equal(again[name], state[name])
        assert again[name].dtype == state[name].dtype
    assert (again.number("number"), again.count("k")) == (np.inf, 3)
    assert np.isfinite(state.pack()).all()
    assert np.isnan(FitState.of(a=[np.nan]).pack()).all()


def test_a_fit_ends_by_itself_or_at_the_last_time():
    fit = Halving()
    ended = gf.solve(fit, fit.start(), 100)
    assert (ended.outcome.kind, ended.outcome.message, ended.steps) == ("steady", "small enough.", 4)
    assert ended["largest"].tolist() == [8, 4, 2, 1, 0.5]
    assert np.isnan(ended["residual"][0])
    assert ended["residual"][1:].tolist() == [4, 2, 1, 0.5]  # of what is fitted, not of counters
    reached = gf.solve(fit, fit.start(), 2)
    assert (reached.outcome.kind, reached.steps) == ("finished", 2)
    np.testing.assert_array_equal(gf.solve(fit, reached.last, 100).last["x"], ended.last["x"])


def test_a_fit_goes_on_from_its_store(tmp_path):
    fit = Halving()
    assert gf.solve(fit, fit.start(), 9, max_steps=1, store=tmp_path / "fit").outcome.kind == "interrupted"
    for _ in range(2):  # the second finds that it has ended
        solution = gf.solve(fit, fit.start(), 9, store=tmp_path / "fit", resume=True)
        assert solution.outcome.kind == "steady"
        assert solution.last["x"].tolist() == [0.5, 0.25]


class Stopped(Fit):
    """A start that no step leaves."""

    name = "stopped"

    def start(self):
        return FitState.of(x=np.array([8.0]), taken=0)

    def step(self, state):
        raise KeyboardInterrupt

    def numbers(self, state):
        return {}


def test_half_a_fit_that_is_worth_nothing_raises():
    with pytest.raises(KeyboardInterrupt):
        carried_out(Stopped(), 2, False)
    assert carried_out(Halving(), 9, False).steps == 4


def test_a_function_is_asked_once_for_a_place():
    asked = []
    last = Last(lambda at: asked.append(at) or at.sum())
    assert [last(np.array([1.0, 2.0])), last(np.array([1.0, 2.0])), last(np.array([3.0]))] == [3, 3, 3]
    assert len(asked) == 2


def test_damped_normal_equations():
    rng = np.random.default_rng(1)
    rows, target = rng.standard_normal((7, 30)), rng.standard_normal(7)
    expected = np.linalg.solve(rows @ rows.T + 0.1 * np.eye(7), target)
    np.testing.assert_allclose(solved(gram(rows), 0.1, target), expected, rtol=1e-12)
    singular = np.ones((2, 2))
    assert np.isfinite(solved(singular, 0.0, np.ones(2))).all()
    assert np.isnan(solved(np.full((2, 2), np.nan), 1.0, np.ones(2))).all()
