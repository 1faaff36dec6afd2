"""The rows of a study on disk, one file each: what was measured once is not measured again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from geomflow import __version__
from geomflow.core import archive
from geomflow.core.errors import StoreError

_KIND = "geomflow row 1"
_OWN = "measured "


@dataclass(frozen=True)
class Ledger:
    """A folder of rows. A file is named by the content of its cell and the version of the package.

    Files appear whole or not at all, so that a study may be killed at any time and be gone on with.
    """

    folder: Path

    def path(self, study: str, cell: Mapping[str, Any]) -> Path:
        """The file of a cell."""
        return self.folder / f"{hashlib.sha256(_named(study, cell).encode()).hexdigest()[:16]}.npz"

    def known(self, study: str, cell: Mapping[str, Any]) -> dict[str, Any] | None:
        """What was measured for the cell, or None.

        Raises StoreError, naming the file, where it cannot be read, is damaged, or holds another cell.
        """
        path = self.path(study, cell)
        if not path.exists():
            return None
        try:
            with archive.opened(path, _KIND) as file:
                if (held := file.text("cell")) != _named(study, cell):
                    raise file.damaged(f"it holds {held}, and its name is that of {_named(study, cell)}")
        except StoreError as error:
            raise StoreError(f"{error} Remove it, and its cell is measured again.") from None
        found = {name.removeprefix(_OWN): file.arrays[name] for name in file.arrays if name.startswith(_OWN)}
        return {name: values.item() if values.ndim == 0 else values for name, values in found.items()}

    def note(self, study: str, cell: Mapping[str, Any], measured: Mapping[str, Any]) -> None:
        """Keep what was measured for the cell.

        Raises StoreError where the folder cannot be written.
        """
        path = self.path(study, cell)
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            archive.write(path, _KIND, cell=_named(study, cell), **{_OWN + name: measured[name] for name in measured})
        except OSError as error:
            raise StoreError(f"the rows of a study cannot be kept in '{self.folder}' ({error}): choose another folder "
                             "with --out.") from None


def _named(study: str, cell: Mapping[str, Any]) -> str:
    """A cell in words, with the version that measures it."""
    return json.dumps([study, __version__, cell], sort_keys=True)
