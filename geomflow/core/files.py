"""Files that are written whole or not at all, and the folders and files that a process may run code from.

Whoever can write where a cache lies could put code of their own there. A folder is trusted if it is the user's own and
no one else may write to it, and no one else can put another in its place.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import shutil
import stat
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from geomflow.core.errors import StoreError

_PREFIX = ".partial-"
_FORGOTTEN = 3600.0
"""Seconds without a write after which the half of a file belongs to nobody: its process is dead."""
_OTHERS = stat.S_IWGRP | stat.S_IWOTH


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
    with in_place_of(target) as partial:
        if target.exists():
            partial.chmod(target.stat().st_mode & 0o777)
        yield partial


@contextlib.contextmanager
def in_place_of(target: Path) -> Iterator[Path]:
    """`replacing` for a file or none at this very path: a link is replaced, and not followed."""
    _sweep(target.parent)
    partial = target.with_name(f"{_PREFIX}{os.urandom(8).hex()}{target.suffix}")
    try:
        os.close(os.open(partial, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
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
    """Remove what writers that were killed left behind: by when it was changed, whatever time the file was given."""
    for left in folder.glob(f"{_PREFIX}*"):
        with contextlib.suppress(OSError):
            if time.time() - left.stat().st_ctime > _FORGOTTEN:
                left.unlink()


class UntrustedError(PermissionError):
    """Others can write where code would be loaded from."""


def user_cache() -> Path:
    """The folder for caches of this platform's user; without a home one in the folder for temporary files."""
    if sys.platform == "win32":
        chosen, below = os.environ.get("LOCALAPPDATA"), "AppData/Local"
    elif sys.platform == "darwin":
        chosen, below = None, "Library/Caches"
    else:
        chosen, below = os.environ.get("XDG_CACHE_HOME"), ".cache"
    if chosen and Path(chosen).is_absolute():
        return Path(chosen) / "geomflow"
    try:
        home = Path.home()
    except (KeyError, RuntimeError):  # no HOME, and no entry in the list of users
        home = Path()
    if home.is_absolute() and os.environ.get("HOME") != "":
        return home / below / "geomflow"
    return Path(tempfile.gettempdir()) / f"geomflow-{os.getuid() if hasattr(os, 'getuid') else 'cache'}"


def own_folder(folder: Path) -> Path:
    """The folder without symbolic links, made for the user alone if it is not there.

    Raises `UntrustedError`, naming what is at fault, unless it is trusted; OSError where it cannot be made.
    """
    real = Path(os.path.realpath(folder))
    real.parent.mkdir(parents=True, exist_ok=True, mode=0o755)
    real.mkdir(exist_ok=True, mode=0o700)
    if not hasattr(os, "geteuid"):
        return real
    _require(real, "folder", real.stat(), {os.geteuid()}, sticky=False)
    for above in real.parents:
        _require(above, "folder", above.stat(), {os.geteuid(), 0}, sticky=True)
    return real


def require_own(file: Path) -> None:
    """Raise `UntrustedError` unless a file is a plain one of the user's that nobody else may write to."""
    found = file.lstat()
    if not stat.S_ISREG(found.st_mode):
        raise UntrustedError(f"'{file}' is no plain file")
    if hasattr(os, "geteuid"):
        _require(file, "file", found, {os.geteuid()}, sticky=False)


def _require(path: Path, what: str, found: os.stat_result, owners: set[int], sticky: bool) -> None:
    """Others may write to a folder above where it is sticky: what is not theirs they cannot replace there."""
    if found.st_uid not in owners:
        raise UntrustedError(f"the {what} '{path}' belongs to user {found.st_uid}, not to user {os.geteuid()}")
    if found.st_mode & _OTHERS and not (sticky and found.st_mode & stat.S_ISVTX):
        raise UntrustedError(f"others may write to the {what} '{path}' (mode {stat.S_IMODE(found.st_mode):o}): "
                             "empty it and take that right away (chmod go-w)")


def keep_compiled_functions(package: Path) -> None:
    """Where the package's folder cannot be written to, let Numba keep its machine code in the user's own caches.

    By itself Numba would take a folder that others may write to, or "~" in the working folder of one without a home.
    """
    if os.environ.get("NUMBA_CACHE_DIR") or os.access(package, os.W_OK):
        return
    try:
        folder = str(own_folder(user_cache() / "numba"))
    except OSError:
        folder = tempfile.mkdtemp(prefix="geomflow-")
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
    os.environ["NUMBA_CACHE_DIR"] = folder
    if "numba" in sys.modules:
        sys.modules["numba"].config.CACHE_DIR = folder
