"""The command as tests call it, in the folder of the fixture `here`."""

from __future__ import annotations

from pathlib import Path

import geomflow as gf
from geomflow.cli import main
from geomflow.cli.terminal import INPUT


def refused(capsys, *argv: str) -> str:
    """The message of a command that must end with the code of an error of input, without a traceback."""
    capsys.readouterr()
    assert main(argv) == INPUT
    message = capsys.readouterr().err
    assert message.startswith("geomflow: error: ")
    assert "Traceback" not in message
    return message


TWO_FIELDS = """\
[geometry]
type = "torus"
dim = 2

[grid]
n = 12

[state.g]
metric = [["1 + cos(2*pi*y)/10", 0], [0, 1]]

[state.f]
scalar = "sin(2*pi*x)/10"
"""
"""The beginning of a run file, of the state that `two_fields` gives."""


def two_fields() -> gf.field.Fields:
    """A metric and a function."""
    grid = gf.Torus(dim=2).grid(12)
    return grid.fields(g=grid.metric([["1 + cos(2*pi*y)/10", 0], [0, 1]]), f="sin(2*pi*x)/10")


def ran(text: str, out: str, *options: str) -> gf.Solution:
    """What a run file gives, which stands in mine.toml from then on."""
    Path("mine.toml").write_text(text)
    assert main(["run", "mine.toml", "--out", out, *options]) == 0
    return gf.load(f"{out}/run.zarr")
