"""Files that are written whole or not at all."""

from __future__ import annotations

import contextlib
import os
import secrets
import time
from collections.abc import Iterator
from pathlib import Path

from geomflow.core.errors import StoreError

_PREFIX = ".partial-"
_FORGOTTEN = 3600.0
"""Seconds without a write after which the half of a file belongs to nobody: its process is dead."""


@contextlib.contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[Path]:
    """A path in the same folder to write to; what is there at the end takes the place of `path` in one step.

    Whatever ends the process or the block before, `path` is what it was: the old file whole, or none. The new file is
    on the disk before it takes the place, has the permissions of the old one, and the ending of `path` in its name.
    What is no file (a pipe, a terminal) is written to directly.
    Raises `StoreError` for a folder in the place of the file, and the `OSError` of what cannot be written.
    """
    target = Path(os.path.realpath(path))
    if target.is_dir():
        raise StoreError(f"'{path}' is a folder: give the name of a file in it.")
    if target.exists() and not target.is_file():
        yield target
        return
    _sweep(target.parent)
    partial = target.with_name(f"{_PREFIX}{secrets.token_hex(8)}{target.suffix}")
    try:
        os.close(os.open(partial, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
        if target.exists():
            partial.chmod(target.stat().st_mode & 0o777)
        yield partial
        _to_disk(partial)
        os.replace(partial, target)
        _to_disk(target.parent)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise


def write_text(path: str | os.PathLike[str], text: str) -> None:
    """Write text in UTF-8, whole or not at all. Raises what `replacing` does."""
    with replacing(path) as partial:
        partial.write_text(text, encoding="utf-8", newline="\n")


def _to_disk(path: Path) -> None:
    """Wait until a file, or the names in a folder, are on the disk."""
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except OSError:  # folders cannot be opened everywhere
        return
    try:
        os.fsync(descriptor)
    except OSError:  # nor flushed
        if path.is_file():
            raise
    finally:
        os.close(descriptor)


def _sweep(folder: Path) -> None:
    """Remove what writers that were killed left behind."""
    for left in folder.glob(f"{_PREFIX}*"):
        with contextlib.suppress(OSError):
            if time.time() - left.stat().st_mtime > _FORGOTTEN:
                left.unlink()
