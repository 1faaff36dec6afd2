"""One writer at a time."""

from __future__ import annotations

import os
from pathlib import Path

from geomflow.core.errors import StoreError


class DirectoryLock:
    """A lock on a directory, given back when closed and when the process dies."""

    def __init__(self, descriptor: int | None) -> None:
        self._descriptor = descriptor

    def close(self) -> None:
        """Give the lock back."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def lock_directory(path: Path) -> DirectoryLock:
    """Lock a directory for writing. Raises `StoreError` if another process has it; no-op where there are no locks."""
    try:
        import fcntl
    except ImportError:
        return DirectoryLock(None)
    descriptor = os.open(path, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(descriptor)
        message = f"another run is writing to the store '{path}': wait for it, or choose another path."
        raise StoreError(message) from error
    except OSError:  # a file system without locks
        os.close(descriptor)
        return DirectoryLock(None)
    return DirectoryLock(descriptor)
