"""The rows of a study on disk, one file each: what was measured once is not measured again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from geomflow import __version__
from geomflow.core import archive
from geomflow.core.errors import StoreError
from geomflow.core.files import replacing


@dataclass(frozen=True)
class Ledger:
    """A folder of rows. A file is named by the content of its cell and the version of the package.

    Files appear whole or not at all, so that a study may be killed at any time and be gone on with.
    """

    folder: Path

    def path(self, study: str, cell: Mapping[str, Any]) -> Path:
        """The file of a cell."""
        text = json.dumps([study, __version__, cell], sort_keys=True)
        return self.folder / f"{hashlib.sha256(text.encode()).hexdigest()[:16]}.npz"

    def known(self, study: str, cell: Mapping[str, Any]) -> dict[str, Any] | None:
        """What was measured for the cell, or None.

        Raises StoreError, naming the file, where it cannot be read.
        """
        path = self.path(study, cell)
        if not path.exists():
            return None
        try:
            arrays = archive.read(path).arrays
        except StoreError as error:
            raise StoreError(f"{error} Remove it, and its cell is measured again.") from None
        return {name: values.item() if values.ndim == 0 else values for name, values in arrays.items()}

    def note(self, study: str, cell: Mapping[str, Any], measured: Mapping[str, Any]) -> None:
        """Keep what was measured for the cell.

        Raises StoreError where the folder cannot be written.
        """
        path = self.path(study, cell)
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with replacing(path) as partial, partial.open("wb") as file:
                np.savez(file, **{name: np.asarray(value) for name, value in measured.items()})
        except OSError as error:
            raise StoreError(f"the rows of a study cannot be kept in '{self.folder}' ({error}): choose another folder "
                             "with --out.") from None
