"""Runs that go on as pieces: in memory, on disk, killed and resumed to the same bits; and rules of one's own."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from problems import same

import geomflow as gf
from geomflow.cli.report import report_of
from geomflow.core.errors import InputError, StoreError
from geomflow.core.outcome import Outcome, OutcomeKind
from geomflow.flow import Continuation, Cut, Parts

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Halves(Continuation):
    """Two states of other ansätze after each singular end, at most so many times deep."""

    left: int = 1

    def parts(self, solution):
        if solution.outcome.kind is not OutcomeKind.singular or solution.last.grid.ansatz.unknowns[0].name != "A":
            return solution.outcome
        sphere = gf.catalogue.ansatz("sphere", n=2).grid(12).state(chi="1/4", psi="sin(x)/4")
        group = gf.catalogue.ansatz("nil").state(A=1, B=1, C=1)
        cut = Cut("test", solution.outcome.time, {}, 0.1, 1.0, 2.0)
        return Parts((sphere, group), (cut,))


def run(tmp=None, t1=0.3, **how):
    state = gf.catalogue.ansatz("product").state(A=0.1, B=2)
    return gf.solve(gf.RicciFlow(), state, t1, save_at=[0.02, 0.06, 0.3], after=Halves(), rtol=1e-6, store=tmp, **how)


def same_runs(one, two) -> bool:
    return list(one.runs) == list(two.runs) and all(same(run, two.runs[path]) for path, run in one.runs.items())


def test_a_rule_goes_on_with_states_of_other_ansaetze():
    sol = run()
    assert list(sol.runs) == [(), (0,), (1,)]
    assert [run.last.unknowns for run in sol.runs.values()] == [("A", "B"), ("chi", "psi"), ("A", "B", "C")]
    assert [run.times[0] for run in sol.pieces] == [sol.outcome.time] * 2
    assert sol.pieces[1].times[1:].tolist() == [0.06, 0.3]
    assert [s.kind for s in sol.singularities] == ["collapse", "extinction"]
    assert sol.singularities[0] == sol.singularity
    assert sol.singularities[1].time == pytest.approx(sol.outcome.time + 1 / 64, abs=1e-6)
    assert sol.cuts == (Cut("test", sol.outcome.time, {}, 0.1, 1.0, 2.0),)
    assert "volume lost 2" in repr(sol)
    assert dict(sol.__facts__())["piece 1"] == str(sol.pieces[1].outcome)


def test_pieces_are_kept_loaded_saved_and_resumed(tmp_path):
    sol = run(tmp_path / "run")
    loaded = gf.load(tmp_path / "run")
    sol.save(tmp_path / "saved")
    for other in (loaded, gf.load(tmp_path / "saved"), run(tmp_path / "run", resume=True)):
        assert same_runs(sol, other)
        assert other.cuts == sol.cuts
        assert other.pieces[0].last.distance(sol.pieces[0].last) == 0
    with pytest.raises(StoreError, match="something"):
        run(tmp_path / "run")


def test_a_run_that_was_cut_is_not_continued_without_its_rule(tmp_path):
    state = gf.catalogue.ansatz("sphere", n=2).grid(48).state(chi="1", psi="sin(x)*sqrt(1 - 19/20*sin(x)^2)")
    how = {"rtol": 1e-6, "events": gf.CurvatureGrowth(3), "store": tmp_path / "run"}
    sol = gf.solve(gf.RicciFlow(), state, 0.03, after=gf.Surgery(0.15, ratio=1, points=64), **how)
    assert len(sol.pieces) == 2
    with pytest.raises(StoreError, match="rule that it was cut by"):
        gf.solve(gf.RicciFlow(), state, 0.03, after=gf.Surgery(0.1, ratio=1, points=64), resume=True, **how)


def stopped_at(*times):
    """Monitors for as many runs, each of which is stopped at its time, as by one Ctrl-C."""
    def monitor(stop):
        due = [stop]

        def watch(t, state):
            if due and t > due[0]:
                due.clear()
                signal.raise_signal(signal.SIGINT)
            return 0.0

        return {"monitors": {"watch": watch}}

    return [monitor(stop) for stop in times]


def test_interrupted_pieces_go_on_where_they_were(tmp_path):
    """Each run of the tree is interrupted in turn: the first till 0.05, piece 0 till 0.066, piece 1 beside it."""
    *stopped, free = stopped_at(0.02, 0.055, 0.2, np.inf)
    found = [run(tmp_path / "run", resume=True, change_monitors=True, **how) for how in (*stopped, free)]
    assert [len(sol.runs) for sol in found] == [1, 2, 3, 3]
    assert [sol.was_interrupted for sol in found] == [True, True, True, False]
    assert same_runs(found[-1], run(**free))


def test_pieces_that_have_not_begun_are_told_of(tmp_path):
    """Stopped before or in piece 0, piece 1 is waiting: so say the solution, its store, and `geomflow show`."""
    stopped, free = stopped_at(0.055, np.inf)
    inside, before = run(tmp_path / "run", **stopped), tmp_path / "before"
    inside.save(tmp_path / "saved")
    shutil.copytree(tmp_path / "run", before)
    shutil.rmtree(before / "pieces")
    for sol, waiting in ((inside, 1), (gf.load(tmp_path / "run"), 1), (gf.load(tmp_path / "saved"), 1),
                         (gf.load(before), 2)):
        assert (len(sol.pieces), sol.unbegun) == (2 - waiting, waiting)
        assert sol.was_interrupted
        told = dict(sol.sequel())
        assert list(told) == ["singular", "cut", "piece 0", "piece 1"]
        assert ["has not begun" in told[f"piece {number}"] for number in (0, 1)] == [waiting == 2, True]
    assert sum("has not begun" in text for text in report_of(before).lines()) == 2
    done = run(before, resume=True, **free)
    assert same_runs(done, run(**free))
    assert "begun" not in repr(done)


def test_what_a_rule_may_give():
    @dataclass(frozen=True)
    class Wrong(Continuation):
        def parts(self, solution):
            return [solution.last]

    @dataclass(frozen=True)
    class Reason(Continuation):
        def parts(self, solution):
            return Outcome(solution.outcome.kind, "for a reason", solution.outcome.time)

    state = gf.catalogue.ansatz("product").state(A=0.1, B=2)
    with pytest.raises(InputError, match="must give Parts or an Outcome"):
        gf.solve(gf.RicciFlow(), state, 1.0, after=Wrong())
    sol = gf.solve(gf.RicciFlow(), state, 1.0, after=Reason())
    assert sol.outcome.message == "for a reason"
    assert not sol.pieces
    early = gf.solve(gf.RicciFlow(), state, 0.01, after=Wrong())
    assert early.outcome.kind is OutcomeKind.finished


SCRIPT = """
import sys, time
sys.path[:0] = [{root!r}]
import geomflow as gf
from geomflow.flow import Store
state = gf.catalogue.ansatz("sphere", n=2).grid(48).state(chi="1", psi="sin(x)*sqrt(1 - 19/20*sin(x)^2)")
gf.solve(gf.RicciFlow(), state, 0.04, rtol=1e-6, after=gf.Surgery(0.15, ratio=1, points=64), progress=False,
         store=Store({path!r}, every=0), monitors={{"slow": lambda t, s: time.sleep({pause}) or 0.0}}, resume=True,
         change_monitors=True)
"""


@pytest.mark.slow
def test_killed_pieces_continue_to_the_same_bits(tmp_path):
    """SIGKILL while the second piece runs; then the rest, in another process, is that of a run that never stopped."""
    path, single = tmp_path / "run", tmp_path / "single"
    process = subprocess.Popen([sys.executable, "-c", SCRIPT.format(root=str(ROOT), path=str(path), pause=0.2)])
    deadline = time.monotonic() + 300
    while not (path / "pieces" / "1" / "zarr.json").exists() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    cut_off = gf.load(path)
    assert len(cut_off.pieces) == 2
    assert cut_off.was_interrupted
    for where in (path, single):
        again = SCRIPT.format(root=str(ROOT), path=str(where), pause=0)
        assert subprocess.run([sys.executable, "-c", again]).returncode == 0
    done, wanted = gf.load(path), gf.load(single)
    assert not done.was_interrupted
    assert done.cuts == wanted.cuts
    for key, whole in wanted.runs.items():
        assert np.array_equal(done.runs[key].times, whole.times)
        assert np.array_equal(done.runs[key].states.packed(-1), whole.states.packed(-1))
        assert np.array_equal(done.runs[key]["volume"], whole["volume"])
