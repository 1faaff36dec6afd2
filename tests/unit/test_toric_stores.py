"""Runs on toric surfaces on disk: cut off, killed and made longer to the same bits; other runs are refused."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from problems import same

import geomflow as gf
from geomflow.core.errors import StoreError
from geomflow.flow import OutcomeKind, Store, load, solve
from geomflow.io.reader import StoredRun

ROOT = Path(__file__).parents[2]
BUMP = "(x1^2 + x1*x2 + x2^2)/10"
FLOWS = {"normalised": "gf.KahlerRicciFlow(normalised=True)", "moving class": "gf.KahlerRicciFlow()",
         "calabi": "gf.CalabiFlow()"}
ENDS = {"normalised": 0.4, "moving class": 0.2, "calabi": 0.05}


def start(degree: int = 6, h: str = BUMP):
    return gf.Toric("dP3").grid(degree, symmetric=True).state(h)


def flow(kind: str):
    return eval(FLOWS[kind], {"gf": gf})


@pytest.mark.parametrize("kind", sorted(FLOWS))
def test_runs_that_were_cut_off_are_the_single_run(tmp_path, kind):
    """Cut off after three steps, resumed to the end, and then taken to a later one."""
    path, t1 = tmp_path / "run", ENDS[kind]
    whole = solve(flow(kind), start(), t1, save_at=[t1 / 8])
    solve(flow(kind), start(), t1 / 2, save_at=[t1 / 8], store=Store(path, every=0), max_steps=3)
    assert load(path).outcome.kind is OutcomeKind.interrupted
    assert load(path).steps == 3
    solve(flow(kind), start(), t1 / 2, save_at=[t1 / 8], store=path, resume=True)
    longer = solve(flow(kind), start(), t1, save_at=[t1 / 8], store=path, resume=True)
    assert same(longer, whole)
    assert same(load(path), whole)
    assert load(path).last.distance(whole.last) == 0


@pytest.mark.parametrize("other, named", [
    (lambda path: solve(gf.CalabiFlow(), start(), 0.01, store=path, resume=True), "CalabiFlow"),
    (lambda path: solve(flow("normalised"), start(8), 0.01, store=path, resume=True), "degree is 6 there"),
    (lambda path: solve(flow("normalised"), start(h="0"), 0.01, store=path, resume=True), "state.packed"),
])
def test_another_run_is_refused(tmp_path, other, named):
    solve(flow("normalised"), start(), 0.01, store=tmp_path / "run", max_steps=2)
    with pytest.raises(StoreError, match="holds another run") as caught:
        other(tmp_path / "run")
    assert named in str(caught.value)


@pytest.mark.slow
@pytest.mark.parametrize("kind", sorted(FLOWS))
def test_killed_runs_continue_to_the_same_bits(tmp_path, kind):
    """SIGKILL in the middle, and the rest in another process; loaded without a word of what it is."""
    path = tmp_path / "run"
    script = (f"import sys\nsys.path[:0] = [{str(ROOT)!r}]\nimport time\nimport geomflow as gf\n"
              f"state = gf.Toric('dP3').grid(6, symmetric=True).state({BUMP!r})\n"
              f"gf.solve({FLOWS[kind]}, state, {ENDS[kind]}, save_at=4, resume=True, progress=False,\n"
              f"         store=gf.flow.Store({str(path)!r}, every=0),\n"
              "         monitors={'slow': lambda t, s: time.sleep(0.2) or 0.0})\n")
    process = subprocess.Popen([sys.executable, "-c", script])
    while process.poll() is None and not (path.exists() and StoredRun(path).facts["costs"][0] > 5):
        time.sleep(0.05)
    os.kill(process.pid, signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    assert 5 < load(path).steps
    assert load(path).outcome.kind is OutcomeKind.interrupted
    subprocess.run([sys.executable, "-c", script], check=True)
    whole = solve(flow(kind), start(), ENDS[kind], save_at=4, monitors={"slow": lambda t, s: 0.0}, progress=False)
    assert same(load(path), whole)
    assert load(path).last.grid == whole.last.grid
    assert np.array_equal(load(path).last.scalar([(0.1, 0.2)]), whole.last.scalar([(0.1, 0.2)]))
