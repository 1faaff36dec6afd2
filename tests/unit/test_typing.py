"""Types serve users: three scripts pass mypy and pyright strictly, and mistakes in a fourth are caught one by one.

Each mistake carries a `type: ignore` of its own, and one that is not needed is an error, so that one run of a checker
says both. That run is the project's own: `mypy` without arguments reads `tests/typing` beside the package, and
`pyright -p tests/typing` the same files.
"""

from __future__ import annotations

import configparser
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SCRIPTS = ROOT / "tests" / "typing"


def test_the_type_checkers_read_the_scripts_strictly():
    settings = configparser.ConfigParser()
    settings.read(ROOT / "setup.cfg")
    assert "tests/typing" in settings["mypy"]["files"].split(", ")
    assert settings["mypy"].getboolean("strict")
    assert json.loads((SCRIPTS / "pyrightconfig.json").read_text())["typeCheckingMode"] == "strict"


def test_nothing_is_ignored_but_in_mistakes():
    for script in SCRIPTS.glob("*.py"):
        ignored = re.findall(r"# type: ignore\[([a-z-]+)\]$", script.read_text(encoding="utf-8"), re.MULTILINE)
        assert bool(ignored) == (script.name == "mistakes.py")
        if ignored:
            assert len(ignored) >= 10
            assert set(ignored) == {"call-arg", "arg-type", "attr-defined"}


@pytest.mark.skipif(not (ROOT / ".mypy_cache").exists(), reason="mypy has not run here")
def test_mypy_finds_no_error_in_scripts_and_every_mistake():
    pytest.importorskip("mypy")
    done = subprocess.run([sys.executable, "-m", "mypy"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
