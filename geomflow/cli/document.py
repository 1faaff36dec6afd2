"""Reading a run file: TOML, checked against the schema."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from geomflow.cli.schema import RUN, Table, check
from geomflow.core.errors import InputError


def read_document(path: Path, tables: Mapping[str, Table] = RUN) -> dict[str, Any]:
    """The checked tables of a run file, or of a file with other `tables`.

    Raises `InputError` where the file cannot be read, is not TOML, or holds a value of the wrong kind, and
    `UnknownNameError` for a key that does not exist.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"cannot read the run file '{path}': {_reason(error)}") from error
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"{path} is not valid TOML: {error}") from error
    check(document, text, str(path), tables)
    return document


def _reason(error: OSError | UnicodeDecodeError) -> str:
    """Why a file could not be read, in a few words."""
    if isinstance(error, OSError):
        return (error.strerror or str(error)).lower()
    return f"it is not text in UTF-8 (byte {error.start})"
