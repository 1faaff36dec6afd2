"""How the command ends: its exit code, one line for what went wrong, and a file for what is geomflow's own fault."""

from __future__ import annotations

import contextlib
import os
import platform
import secrets
import shlex
import sys
import tempfile
import time
import traceback
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from geomflow.cli.messages import one_line
from geomflow.cli.version import versions
from geomflow.core.errors import GeomflowError
from geomflow.core.files import write_text

INPUT, DEFECT, INTERRUPTED, NO_READER = 2, 70, 130, 141
"""70 is EX_SOFTWARE of sysexits.h; 130 and 141 are what a shell gives to ends by SIGINT and SIGPIPE."""


@contextlib.contextmanager
def plainly_told() -> Iterator[None]:
    """Warnings on one line each, every character written as its code where the terminal has no letter for it.

    Numbers that overflow are no warnings here: what must be finite is checked, and refused with its place.
    At the end all is written out; what nobody can take any more is let go, so that the interpreter does not complain.
    """
    before = warnings.formatwarning
    warnings.formatwarning = lambda message, *_, **__: f"geomflow: warning: {one_line(str(message))}\n"
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    try:
        with np.errstate(all="ignore"):
            yield
    finally:
        warnings.formatwarning = before
        for stream in (sys.stdout, sys.stderr):
            _let_go(stream)


def exit_code(error: BaseException, words: Sequence[str]) -> int:
    """Say in one line on stderr what ended the command, and give its exit code."""
    match error:
        case KeyboardInterrupt():
            return _told("interrupted", INTERRUPTED)
        case BrokenPipeError():
            return NO_READER
        case GeomflowError():
            return _told(f"error: {error}", INPUT)
        case OSError():
            what = f" '{error.filename}'" if error.filename is not None else ""
            return _told(f"error: the system refuses{what}: {(error.strerror or str(error)).lower()}", INPUT)
        case MemoryError():
            return _told(f"error: memory ran out ({str(error) or 'no more to be had'}); take a smaller problem", INPUT)
        case _:
            return _told(f"defect: {_report(error, words)}", DEFECT)


def _told(message: str, code: int) -> int:
    if sys.stderr is not None:
        with contextlib.suppress(OSError):
            print(one_line(f"geomflow: {message}"), file=sys.stderr, flush=True)
    return code


def _report(error: BaseException, words: Sequence[str]) -> str:
    """What to say of a defect, its details being written to a file here, or among the temporary files."""
    name = f"geomflow-defect-{time.strftime('%Y%m%dT%H%M%S')}-{secrets.token_hex(4)}.txt"
    said = f"geomflow failed with {type(error).__name__}, which is its own fault and not yours"
    for folder in (Path.cwd, tempfile.gettempdir):
        with contextlib.suppress(OSError):
            path = Path(folder()) / name
            write_text(path, _details(error, words))
            return f"{said}; please report it with the details in '{path}'"
    return f"{said}; no file with details could be written: repeat it with 'geomflow --debug ...'"


def _details(error: BaseException, words: Sequence[str]) -> str:
    facts = [*versions(), platform.platform(), "", f"geomflow {shlex.join(words)}", ""]
    text = "\n".join([*facts, *traceback.format_exception(error)])
    return text.encode("utf-8", "backslashreplace").decode()


def _let_go(stream: Any) -> None:
    """Flush a stream; one that nobody reads, or whose disk is full, goes nowhere from now on."""
    if stream is None:
        return
    try:
        stream.flush()
    except (OSError, ValueError):
        with contextlib.suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
