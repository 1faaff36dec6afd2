"""A user's typed script: `solve` is a function to mypy too, and a solution has the type of its states."""

from __future__ import annotations

import os
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

SCRIPT = '''
import numpy as np

import geomflow as gf
from geomflow.field import MetricField

torus = gf.Torus(dim=2)
start: MetricField = torus.grid(16).metric([["1 + cos(2*pi*y)/5", "0"], ["0", "1"]])


def least(t: float, metric: MetricField) -> float:
    return metric.smallest_eigenvalue()[0]


flow: gf.Flow = gf.RicciFlow(gauge="deturck")
sol = gf.solve(flow, start, t1=1e-3, save_at=2, monitors={"least": least}, events=[gf.PositivityLoss(1e-3)])
outcome: gf.Outcome = sol.outcome
energy: np.ndarray = sol["least"]
last: MetricField = sol.last
print(outcome.kind is gf.OutcomeKind.finished, energy[-1], last.distance(sol.states[0]), sol.times.shape)
kept: gf.Solution[MetricField] = sol
heat: gf.Flow = gf.Flow.from_expression("kappa * laplacian(u)", kappa=0.1)
'''


def checked(folder: Path, script: str) -> str:
    """What mypy --strict says of a script."""
    (folder / "script.py").write_text(script)
    command = [sys.executable, "-m", "mypy", "--strict", "--follow-imports=silent", "--config-file", ROOT / "setup.cfg",
               "--cache-dir", folder / "cache", folder / "script.py"]
    paths = {**os.environ, "MYPYPATH": str(ROOT)}
    done = subprocess.run(command, cwd=folder, env=paths, capture_output=True, text=True)
    return done.stdout + done.stderr


def test_the_script_runs(tmp_path, capsys):
    (tmp_path / "script.py").write_text(SCRIPT)
    runpy.run_path(str(tmp_path / "script.py"))
    assert capsys.readouterr().out.startswith("True ")


def test_a_typed_script_passes_and_wrong_ones_do_not(tmp_path):
    pytest.importorskip("mypy")
    assert "Success" in checked(tmp_path, SCRIPT)
    wrong = SCRIPT.replace('t1=1e-3', 't1="soon"').replace("last: MetricField", "last: gf.Outcome")
    said = checked(tmp_path, wrong)
    assert 'Argument "t1" to "solve" has incompatible type "str"' in said
    assert 'expression has type "MetricField", variable has type "Outcome"' in said
