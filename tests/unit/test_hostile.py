"""A small share of the hostile run, which `python -m tests.hostile` does whole."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SHARES = {"commands": 0.02, "damage": 0.1, "kills": 0.1, "code": 0.05}


@pytest.mark.slow
@pytest.mark.parametrize("part", SHARES)
def test_a_share_of_the_hostile_run(part):
    """In a process of its own, which forks one for each input and so may hold no threads."""
    line = [sys.executable, "-m", "tests.hostile", part, "--share", str(SHARES[part]), "--seed", "20"]
    done = subprocess.run(line, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_what_goes_wrong_is_told():
    """The judge of the run sees a traceback, a code that is not documented, silence, and a wait without a word."""
    from tests.hostile.commands import judge
    from tests.hostile.isolated import Ended

    assert judge(Ended(2, "geomflow: error: no", 0.1), []) == ("code 2", "")
    assert judge(Ended(None, "until     t = 1, saving all", 40.0), []) == ("stopped, as forecast", "")
    for ended in (Ended(2, "Traceback (most recent", 0.1), Ended(70, "geomflow: defect", 0.1), Ended(2, " ", 0.1),
                  Ended(None, "flow      heat", 40.0), Ended(-11, "", 0.1)):
        assert judge(ended, [])[1]
