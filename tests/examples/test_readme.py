"""The Python of README.md runs as it stands, one block after another."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from limits import HANGS

README = Path(__file__).parents[2] / "README.md"


def test_the_blocks_of_the_readme_run(tmp_path):
    blocks = re.findall(r"^```python\n(.*?)^```$", README.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    assert len(blocks) > 3
    script = tmp_path / "readme.py"
    script.write_text("\n".join(blocks), encoding="utf-8")
    settings = {"MPLBACKEND": "Agg", "PYTHONPATH": str(README.parent), "PYTHONWARNINGS": "error::RuntimeWarning"}
    done = subprocess.run([sys.executable, str(script)], cwd=tmp_path, env={**os.environ, **settings},
                          timeout=HANGS, capture_output=True, text=True)  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    sigma = [float(line.split()[0]) for line in done.stdout.splitlines() if re.fullmatch(r"\S+ ± \S+", line)]
    assert len(sigma) == 2
    assert max(sigma) < 0.37 / 100
