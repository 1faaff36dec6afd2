"""What the command hears and says: its words and their kinds, messages on one line, exit codes, and its own faults."""

from __future__ import annotations

import argparse
import contextlib
import gc
import math
import os
import platform
import re
import secrets
import shlex
import sys
import tempfile
import time
import traceback
import warnings
from collections.abc import Iterator, Sequence
from importlib import metadata
from pathlib import Path
from reprlib import Repr
from typing import Any, NoReturn

import numpy as np

import geomflow
from geomflow.core.errors import GeomflowError, InputError
from geomflow.core.files import write_text

LARGEST_WHOLE = 2**63 - 1
#: New objects before garbage is looked for.
_OBJECTS = 50_000


class Parser(argparse.ArgumentParser):
    """A parser that raises `InputError` for words that it cannot read, and whose help keeps paragraphs."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **{"formatter_class": _Paragraphs, **options})

    def error(self, message: str) -> NoReturn:
        """Raise, and say where help is."""
        raise InputError(f"{message}; see '{self.prog} --help'")


class _Paragraphs(argparse.HelpFormatter):
    """Paragraphs stay apart, and one of several lines of which some are indented stays as it is."""

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        return "\n\n".join(part if "\n " in part else super(_Paragraphs, self)._fill_text(part, width, indent)
                           for part in text.split("\n\n"))


def add_command(commands: argparse._SubParsersAction[Any], name: str, what: str, docstring: str | None = None,
                first: int = 1, end: int | None = None) -> argparse.ArgumentParser:
    """The parser of a new subcommand, whose help says what it does and gives those paragraphs of a docstring."""
    said = f"{what[0].upper()}{what[1:]}.\n\n{paragraphs(docstring, first, end)}"
    found: argparse.ArgumentParser = commands.add_parser(name, help=what, description=said.strip())
    return found


def paragraphs(docstring: str | None, first: int, end: int | None = None) -> str:
    """Some of the paragraphs of a docstring, without its marks of code."""
    return "\n\n".join((docstring or "").strip().split("\n\n")[first:end]).replace("`", "")


def whole(text: str) -> int:
    """The whole number that an option holds."""
    try:
        value = int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"takes a whole number, and '{text}' was given") from None
    if abs(value) > LARGEST_WHOLE:
        raise argparse.ArgumentTypeError(f"takes a whole number below 2^63, and '{text}' was given")
    return value


def number(text: str) -> float:
    """The number that an option holds, which may be infinite."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if math.isnan(value):
        raise argparse.ArgumentTypeError(f"takes a number, and '{text}' was given")
    return value


def file_path(text: str) -> Path:
    """The path that an option holds."""
    if not text or "\0" in text:
        raise argparse.ArgumentTypeError("takes the name of a file or a folder, and it is empty or holds a zero byte")
    return Path(text)


def add_workers(sub: argparse.ArgumentParser, what: str) -> None:
    """Add the options --workers N and --scheduler ADDRESS of a command that spreads `what`."""
    sub.add_argument("--workers", type=whole, metavar="N", help=f"spread {what} over N processes, started for this")
    sub.add_argument("--scheduler", metavar="ADDRESS",
                     help=f"spread {what} over the Dask cluster of the scheduler at an address such as "
                          "tcp://192.168.0.1:8786")


def workers_of(args: argparse.Namespace) -> int | str | None:
    """What `geomflow.distribute.as_workers` takes. Raises `InputError` where both are given."""
    if args.workers is not None and args.scheduler is not None:
        raise InputError("--workers starts processes of this machine and --scheduler uses a cluster that runs: "
                         "give one of them")
    found: int | str | None = args.workers if args.scheduler is None else args.scheduler
    return found


def unused(parent: Path, name: str) -> Path:
    """The first of parent/NAME, parent/NAME-2, ... that does not exist."""
    number = 1
    while _numbered(parent, name, number).exists():
        number += 1
    return _numbered(parent, name, number)


def latest(parent: Path, name: str, kept: str) -> Path:
    """The last of parent/NAME, parent/NAME-2, ... that holds the file `kept`; the first where none does."""
    number = 1
    while (_numbered(parent, name, number + 1) / kept).exists():
        number += 1
    return _numbered(parent, name, number)


def _numbered(parent: Path, name: str, number: int) -> Path:
    return parent / (name if number == 1 else f"{name}-{number}")


FOUNDATIONS = ("numpy", "scipy", "sympy", "python-flint", "numba", "zarr")
LONGEST_WORD = 160
LONGEST_MESSAGE = 1200
_MARKED = re.compile(r"\n  (?P<shown>[^\n]*)\n  (?P<before> *)\^")
INPUT, DEFECT, INTERRUPTED, NO_READER = 2, 70, 130, 141
"""70 is EX_SOFTWARE of sysexits.h; 130 and 141 are what a shell gives to ends by SIGINT and SIGPIPE."""


def line(name: str, what: object) -> str:
    """One line of what the command tells."""
    return f"{name:<9} {what}"


def one_line(message: str) -> str:
    """A message as one line that a terminal can show: long words cut, and no control characters.

    An expression with a caret under one place has a mark in that place instead.

    >>> one_line("at column 3: unknown name 'q'\\n  1+q+2\\n    ^")
    "at column 3: unknown name 'q' in 1+▸q+2"
    >>> one_line("unknown flow '" + 5000 * "a")[-64:]
    'aa… (5,001 characters) …aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'
    """
    text = _MARKED.sub(_marked, message)
    text = " ".join(re.sub(r"\S+", lambda word: cut(word.group(), LONGEST_WORD), text).split())
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in cut(text, LONGEST_MESSAGE))


def cut(text: str, longest: int) -> str:
    """`text`, or its two ends with its length between them."""
    if len(text) <= longest:
        return text
    tail = longest // 4
    return f"{text[: longest - tail]}… ({len(text):,} characters) …{text[-tail:]}"


def shown(value: Any) -> str:
    """A value from a file, short enough for a message however long or deep it is."""
    return _SHORT.repr(value)


def versions() -> list[str]:
    """Of geomflow, of Python, and of the packages that geomflow stands on."""
    packages = [f"{package} {metadata.version(package)}" for package in FOUNDATIONS]
    return [f"geomflow {geomflow.__version__}", f"python {platform.python_version()}", *packages]


@contextlib.contextmanager
def seldom_collected() -> Iterator[None]:
    """Within it few collections of garbage: importing and compiling make many objects, and hardly any garbage."""
    before = gc.get_threshold()
    gc.set_threshold(_OBJECTS, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)


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


def _marked(found: re.Match[str]) -> str:
    line, place = found["shown"], len(found["before"])
    return f" in {line[:place]}▸{line[place:]}"


class _Short(Repr):
    def __init__(self) -> None:
        super().__init__()
        self.maxlevel, self.maxlist, self.maxdict, self.maxstring = 4, 8, 8, LONGEST_WORD

    def repr_int(self, x: int, level: int) -> str:
        """Python refuses to write the digits of the largest."""
        digits = int(x.bit_length() * 0.30103) + 1
        return repr(x) if digits < 40 else f"a whole number of about {digits:,} digits"


_SHORT = _Short()
