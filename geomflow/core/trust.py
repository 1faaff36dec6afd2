"""Which folders and files a process may run code from: those that nobody else can change.

Whoever can write where a cache lies could put code of their own there. A folder is trusted if it is the user's own and
no one else may write to it, and no one else can put another in its place.
"""

from __future__ import annotations

import os
import stat
import sys
import tempfile
from pathlib import Path

_OTHERS = stat.S_IWGRP | stat.S_IWOTH


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
