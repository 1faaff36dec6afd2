"""Search for hyperparameters: spaces, fresh data, penalties, files, and trials that can be had again."""

from __future__ import annotations

import json
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geomflow.core.errors import (
    GeomflowError,
    InputError,
    MissingExtraError,
    NotFiniteError,
    PositivityError,
    StoreError,
    UnknownNameError,
)
from geomflow.core.outcome import Outcome, OutcomeKind
from geomflow.distribute import ON_THREADS
from geomflow.fits import LinearRange, LogRange, RaisedScoreWarning, Score, Space, Tuning, tune

SPACE = Space({"rate": LogRange(1e-4, 1e1), "bias": LinearRange(-1.0, 2.0)})


def bump(settings, seed):
    """Largest, one, at rate 0.1 and bias 1, with noise of size 0.02 from the data."""
    noise = 0.02 * np.random.default_rng(seed).standard_normal()
    return float(np.exp(-np.log10(settings["rate"] / 0.1) ** 2 - (settings["bias"] - 1) ** 2) + noise)


@pytest.fixture(scope="module")
def search():
    return tune(bump, SPACE, 18, 5, progress=False)


@given(st.sampled_from([LinearRange(-3.0, 7.0), LogRange(1e-5, 1e2)]), st.floats(0, 1))
def test_places_and_values_of_a_range_are_inverse(each, place):
    assert each.low <= each.at(place) <= each.high
    assert each.place(each.at(place)) == pytest.approx(place, abs=1e-12)
    assert (each.at(0.0), each.at(1.0)) == pytest.approx((each.low, each.high))


@pytest.mark.parametrize("make", [
    lambda: LogRange(0.0, 1.0), lambda: LinearRange(1.0, 1.0), lambda: LinearRange(0.0, np.inf), lambda: Space({}),
    lambda: Space({"rate": (0, 1)}), lambda: tune(bump, {"rate": LogRange(1e-3, 1)}, 4, 0),
    lambda: tune(bump, SPACE, 0, 0), lambda: tune(bump, SPACE, 4, -1), lambda: tune(bump, SPACE, 4, 0, batch=0),
    lambda: tune(bump, SPACE, 4, 0, penalty=np.nan), lambda: tune(lambda s, seed: "good", SPACE, 4, 0),
])  # fmt: skip
def test_what_cannot_be_searched_is_refused(make):
    with pytest.raises(InputError):
        make()


def test_the_surrogate_finds_what_an_even_spread_misses(search):
    spread, sought = search.scores[:8], search.scores[8:]
    assert search.best.score > 0.9 > spread.max() > np.median(spread)
    assert np.median(sought) > np.median(spread)
    assert 0.03 < search.best.settings["rate"] < 0.3


def test_every_trial_has_data_of_its_own(search):
    assert len({trial.seed for trial in search.trials}) == len(search.trials)
    other = tune(bump, SPACE, 4, 6, progress=False)
    assert {trial.seed for trial in other.trials}.isdisjoint(trial.seed for trial in search.trials)


def test_a_trial_can_be_had_again_from_its_record(search):
    for trial in search.trials[::5]:
        assert trial.score == bump(trial.settings, trial.seed)


@pytest.mark.parametrize("stops", [3, 13])
def test_a_search_that_was_stopped_goes_on_as_if_it_was_not(search, stops, tmp_path):
    path = tmp_path / "trials.json"
    first = tune(bump, SPACE, stops, 5, path=path, progress=False)
    assert first.trials == search.trials[:stops] == Tuning.load(path).trials

    def unless_known(settings, seed):
        assert seed not in {trial.seed for trial in first.trials}
        return bump(settings, seed)

    assert tune(unless_known, SPACE, 18, 5, path=path, progress=False) == search == Tuning.load(path)


def test_a_search_that_is_killed_keeps_its_complete_batches(search, tmp_path):
    path = tmp_path / "trials.json"

    def killed(settings, seed):
        if seed == search.trials[10].seed:
            raise KeyboardInterrupt
        return bump(settings, seed)

    with pytest.raises(KeyboardInterrupt):
        tune(killed, SPACE, 18, 5, path=path, progress=False)
    assert Tuning.load(path).trials == search.trials[:8]
    assert [each.name for each in tmp_path.iterdir()] == ["trials.json"]


def exploding(settings, seed):
    """Fails in all ways that a run can fail, by rate."""
    size = int(np.floor(np.log10(settings["rate"])))
    if size >= 0:
        return float("nan")
    if size == -1:
        raise PositivityError("the metric has eigenvalue -0.3 at point 7.")
    if size == -2:
        return Score(3.0, Outcome(OutcomeKind.diverged, "step 12 doubled the loss.", 12.0))
    if size == -3:
        raise NotFiniteError("point 3 is infinite.")
    return bump(settings, seed)


def test_what_explodes_is_a_penalty_with_its_outcome_and_never_a_nan(tmp_path):
    search = tune(exploding, SPACE, 16, 1, penalty=-0.5, path=tmp_path / "t.json", progress=False)
    assert np.isfinite(search.scores).all()
    failed = [trial for trial in search.trials if trial.failed]
    assert {trial.outcome.kind for trial in failed} == {OutcomeKind.diverged, OutcomeKind.singular}
    assert {trial.score for trial in failed} == {-0.5}
    assert "NaN" not in (tmp_path / "t.json").read_text()
    told = " ".join(trial.outcome.message for trial in failed)
    for words in ("the objective is nan", "eigenvalue -0.3", "step 12", "point 3 is infinite"):
        assert words in told
    assert search.failures == len(failed)
    assert not search.best.failed
    assert f"{len(failed)} failed" in str(search)


def test_a_score_below_the_penalty_is_raised_to_it():
    with pytest.warns(RaisedScoreWarning, match=r"of 6 scores lay below the penalty -0.1"):
        search = tune(lambda settings, seed: -settings["rate"], SPACE, 6, 1, penalty=-0.1, progress=False)
    assert search.scores.min() == -0.1
    assert not search.failures
    assert search.raised == sum(trial.settings["rate"] > 0.1 for trial in search.trials) > 0
    assert f"{search.raised} raised to the penalty -0.1" in str(search)


def test_negative_scores_are_searched_as_they_are():
    square = Space({"a": LinearRange(-1.0, 2.0), "b": LinearRange(-1.0, 3.0)})
    search = tune(lambda s, seed: -((s["a"] - 0.7) ** 2) - (s["b"] - 1) ** 2, square, 30, 1, progress=False)
    assert search.raised == 0
    assert search.scores.max() < 0
    assert search.best.settings["a"] == pytest.approx(0.7, abs=0.1)
    assert search.best.settings["b"] == pytest.approx(1, abs=0.1)


def test_without_a_penalty_failures_count_as_the_worst_and_are_kept_apart(tmp_path):
    path = tmp_path / "t.json"
    search = tune(exploding, SPACE, 16, 1, path=path, progress=False)
    failed = [trial for trial in search.trials if trial.failed]
    assert failed
    assert all(trial.score == -np.inf for trial in failed)
    assert np.isfinite([trial.score for trial in search.trials if not trial.failed]).all()
    assert "NaN" not in path.read_text()
    assert "Infinity" not in path.read_text()
    assert Tuning.load(path) == search


def test_a_search_without_any_good_trial_says_how_the_last_one_ended():
    search = tune(lambda settings, seed: np.inf, SPACE, 12, 1, progress=False)
    with pytest.raises(InputError, match=r"none of 12 trials ended well.*diverged: the objective is inf"):
        search.best
    assert str(search) == "12 trials, 12 failed"


def test_mistakes_in_an_objective_are_not_outcomes():
    with pytest.raises(KeyError):
        tune(lambda settings, seed: settings["width"], SPACE, 4, 0, progress=False)


def test_no_number_of_a_file_is_believed(tmp_path):
    """Each digit of the file in turn is another: the numbers are those that were kept, or refused."""
    path = tmp_path / "trials.json"
    whole = tune(bump, SPACE, 4, 5, path=path, progress=False)
    text, refused = path.read_text(), 0
    places = [i for i, c in enumerate(text) if c.isdigit()]
    for place in places:
        path.write_text(text[:place] + str((int(text[place]) + 1) % 10) + text[place + 1 :])
        try:
            assert Tuning.load(path) == whole  # the seventeenth digit of a number
        except StoreError:
            refused += 1
    assert refused > 0.9 * len(places)


def test_files_of_other_searches_and_damaged_ones_are_named(tmp_path):
    path = tmp_path / "trials.json"
    tune(bump, SPACE, 4, 5, path=path, progress=False)
    with pytest.raises(InputError, match=r"trials.json.*its seed is 5, and 6"):
        tune(bump, SPACE, 4, 6, path=path)
    path.write_text(path.read_text()[:-30])
    with pytest.raises(StoreError, match=r"trials.json"):
        Tuning.load(path)
    path.write_text(json.dumps({"space": {"rate": ["cubic", 0, 1]}, "seed": 1, "penalty": 0, "batch": 4, "trials": []}))
    with pytest.raises(StoreError, match="cubic"):
        tune(bump, SPACE, 4, 5, path=path)
    with pytest.raises(UnknownNameError, match="linear"):
        Space.read({"rate": ["liner", 0, 1]})
    (tmp_path / "taken").write_text("a file")
    with pytest.raises(StoreError, match="taken"):
        tune(bump, SPACE, 4, 5, path=tmp_path / "taken" / "trials.json", progress=False)


def test_the_extra_is_named_where_the_package_is_missing(monkeypatch):
    monkeypatch.setitem(sys.modules, "bayes_opt", None)
    with pytest.raises(MissingExtraError, match=r"geomflow\[study\]") as error:
        tune(lambda settings, seed: pytest.fail("a trial in vain"), SPACE, 12, 0, progress=False)
    assert isinstance(error.value, GeomflowError)
    assert len(tune(bump, SPACE, 8, 0, progress=False).trials) == 8


def test_trials_are_the_same_whoever_does_them(search):
    assert tune(bump, SPACE, 18, 5, ON_THREADS, progress=False) == search


@pytest.mark.slow
def test_trials_are_the_same_on_two_local_workers(search):
    assert tune(bump, SPACE, 18, 5, 2, progress=False) == search


def test_progress_is_shown_when_asked_for(capsys):
    tune(bump, SPACE, 5, 0, progress=True)
    assert "tune" in capsys.readouterr().err
    tune(bump, SPACE, 5, 0, progress=None)
    assert capsys.readouterr().err == ""
