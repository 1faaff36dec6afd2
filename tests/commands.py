"""The command as tests call it, in the folder of the fixture `here`."""

from __future__ import annotations

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
