"""How the command reads its words: its parser, the kinds of its options, and the directories that it writes to."""

from __future__ import annotations

import argparse
import math
from pathlib import Path
from typing import NoReturn

from geomflow.core.errors import InputError

LARGEST_WHOLE = 2**63 - 1


class Parser(argparse.ArgumentParser):
    """A parser that raises `InputError` for words that it cannot read."""

    def error(self, message: str) -> NoReturn:
        """Raise, and say where help is."""
        raise InputError(f"{message}; see '{self.prog} --help'")


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
