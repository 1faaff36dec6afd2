"""Reading a run file: TOML, checked against the schema."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from geomflow.cli.schema import RUN, Table, check
from geomflow.core.errors import InputError
from geomflow.core.numbers import real_number

LONGEST_FILE = 4_000_000


def read_document(path: Path, tables: Mapping[str, Table] = RUN) -> dict[str, Any]:
    """The checked tables of a run file, or of a file with other `tables`.

    Raises `InputError` where the file cannot be read, is not TOML, or holds a value of the wrong kind, and
    `UnknownNameError` for a key that does not exist.
    """
    return parse_document(read_text(path), str(path), tables)


def read_text(path: Path) -> str:
    """The text of a file. Raises `InputError` where it cannot be read, or is too long to have been written by hand."""
    try:
        with path.open("rb") as file:
            text = file.read(LONGEST_FILE + 1).decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"cannot read the run file '{path}': {_reason(error)}") from error
    if len(text.encode()) > LONGEST_FILE:
        raise InputError(f"cannot read the run file '{path}': it has more than {LONGEST_FILE:,} bytes")
    return text


def parse_document(text: str, source: str, tables: Mapping[str, Table] = RUN) -> dict[str, Any]:
    """The checked tables of a text; `source` is its name for messages. Raises what `read_document` does."""
    try:
        document = tomllib.loads(text, parse_float=_held)
    except RecursionError:
        raise InputError(f"{source} is nested too deeply: no value of a run file takes lists in more than two "
                         "levels") from None
    except InputError as error:
        raise InputError(f"{source}: {error}") from None
    except ValueError as error:  # that of a number of more digits than Python reads is no TOMLDecodeError
        raise InputError(f"{source} is not valid TOML: {error}") from error
    check(document, text, source, tables)
    return document


def _held(written: str) -> float:
    """The number with a point or an exponent, which must not vanish or overflow on the way."""
    shown = written if len(written) <= 40 else f"{written[:40]}…"
    try:
        exact = Decimal(written)
    except InvalidOperation:  # an exponent of more digits than decimals have room for
        raise InputError(f"{shown} has an exponent beyond those of double precision (-324 to 308)") from None
    return real_number(exact, shown)


def _reason(error: OSError | UnicodeDecodeError) -> str:
    """Why a file could not be read, in a few words."""
    if isinstance(error, OSError):
        return (error.strerror or str(error)).lower()
    return f"it is not text in UTF-8 (byte {error.start})"
