"""Every example runs in a fresh process; each ends in its own checks."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from limits import HANGS

from geomflow.cli.run import Prepared, read_run_file
from geomflow.cli.task import Task

ROOT = Path(__file__).parents[2]
SCRIPTS = sorted((ROOT / "examples").rglob("*.py"))
FILES = sorted((ROOT / "examples").rglob("*.toml"))
VARIETY_FILES = [path for path in FILES if "[variety]" in path.read_text(encoding="utf-8")]
RUN_FILES = [path for path in FILES if path not in VARIETY_FILES]


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.relative_to(ROOT / "examples").as_posix())
def test_example_runs(script, tmp_path):
    settings = {"MPLBACKEND": "Agg", "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "error::RuntimeWarning"}
    done = subprocess.run(
        [sys.executable, str(script)],
        cwd=tmp_path,
        env={**os.environ, **settings},
        timeout=HANGS,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("path", RUN_FILES, ids=lambda path: path.stem)
def test_run_file_is_ready_to_run(path):
    assert Prepared.of(read_run_file(path)).problem.y0.size


@pytest.mark.parametrize("path", VARIETY_FILES, ids=lambda path: path.stem)
def test_variety_file_describes_a_variety(path):
    task = Task.read(path)
    assert task.degrees(task.variety())


def test_a_functional_of_ones_own_takes_few_lines():
    lines = (ROOT / "examples" / "functionals" / "your_own_functional.py").read_text().split('"""')[2].splitlines()
    assert sum(bool(line.strip()) and not line.startswith("#") for line in lines) < 25


def test_there_are_examples():
    assert len(SCRIPTS) >= 5
    assert len(RUN_FILES) >= 2
    assert len(VARIETY_FILES) >= 1
