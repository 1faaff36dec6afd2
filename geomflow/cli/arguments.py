"""How the command reads its words: a parser whose errors are those of geomflow, and the kinds of its options."""

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
