"""The rows of a study on disk, one file each: what was measured once is not measured again."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from geomflow import __version__
from geomflow.core.errors import StoreError


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
            with np.load(path, allow_pickle=False) as data:
                return {name: data[name].item() if data[name].ndim == 0 else data[name] for name in data.files}
        except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
            why = "it is no row of a study" if isinstance(error, ValueError) else error
            raise StoreError(f"'{path}' cannot be read ({why}): remove it, and its cell is measured again.") from None

    def note(self, study: str, cell: Mapping[str, Any], measured: Mapping[str, Any]) -> None:
        """Keep what was measured for the cell.

        Raises StoreError where the folder cannot be written.
        """
        path = self.path(study, cell)
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(dir=self.folder, suffix=".partial", delete=False) as file:
                np.savez(file, **{name: np.asarray(value) for name, value in measured.items()})
            os.replace(file.name, path)
        except OSError as error:
            raise StoreError(f"the rows of a study cannot be kept in '{self.folder}' ({error}): choose another folder "
                             "with --out.") from None
