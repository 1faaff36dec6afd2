"""The page on the house walks two examples through it: files are passed in that order, and stairs go down."""

from __future__ import annotations

import configparser
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.walk import WALKS

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "explanation" / "house.md").read_text(encoding="utf-8")
PARTS = dict(zip(("torus", "quintic"), re.findall(r"### .*?\n(.*?)(?=\n##)", PAGE, re.DOTALL), strict=True))


def floors() -> dict[str, int]:
    """The floors from the top, as the import linter has them; those of one line stand side by side."""
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg")
    layers = setup["importlinter:contract:floors"]["layers"].split("\n")
    return {name.strip(): k for k, layer in enumerate(layers) for name in re.split(r"[|:]", layer) if name.strip()}


def told(part: str) -> list[tuple[str, list[list[str]]]]:
    """The statements of a walk on the page, each with its stairs of files."""
    found: list[tuple[str, list[list[str]]]] = []
    for line in part.splitlines():
        hop = re.match(r"(\d+)\. `([\w/]+\.py)`", line)
        if line.startswith("`"):
            found.append((line.strip("`"), []))
        elif hop:
            if hop[1] == "1":
                found[-1][1].append([])
            found[-1][1][-1].append(hop[2])
    return found


def test_every_file_that_the_page_names_exists():
    named = re.findall(r"`((?:\w+/)+\w+\.py)`", PAGE)
    assert len(named) > 40
    assert [name for name in named if not (ROOT / "geomflow" / name).exists()] == []


@pytest.mark.parametrize("name", PARTS)
def test_every_stair_goes_down(name):
    rank = floors()
    for statement, stairs in told(PARTS[name]):
        for stair in stairs:
            ranks = [rank[path.split("/")[0]] for path in stair]
            assert ranks == sorted(ranks), (statement, stair)


def passed(name: str, cache: Path) -> dict[str, list[str]]:
    """The files that each statement of a walk passes, in a process of its own, where nothing is compiled yet."""
    command = [sys.executable, "-m", "benchmarks.walk", name]
    printed = subprocess.run(command, cwd=ROOT, env={**os.environ, "GEOMFLOW_CACHE": str(cache)}, text=True,
                             capture_output=True, check=True).stdout
    found: dict[str, list[str]] = {statement: [] for statement in WALKS[name]}
    for line in printed.splitlines():
        if line in found:
            files = found[line]
        elif line.startswith("    "):
            files.append(line.split()[0])
    return found


@pytest.mark.parametrize("name", PARTS)
def test_a_run_passes_the_files_in_the_order_of_the_page(name, tmp_path):
    files = passed(name, tmp_path / "cache")
    statements = [statement for statement, _ in told(PARTS[name])]
    assert [statement for statement in WALKS[name] if statement in statements] == statements
    for statement, stairs in told(PARTS[name]):
        hops = [path for stair in stairs for path in stair]
        assert [path for path in files[statement] if path in hops] == hops, statement
