"""Carry out a study: cell by cell, with progress, each row kept as soon as it is measured."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from geomflow.core.errors import InputError
from geomflow.study.findings import Findings
from geomflow.study.ledger import Ledger
from geomflow.study.study import Study


def run_study(study: Study, quick: bool = False, folder: str | os.PathLike[str] | None = None,
              progress: bool | None = None) -> Findings:
    """Measure all cells of a study and return what was found.

    quick     the small size, well under a minute
    folder    rows are kept in ``folder/rows``; cells that are there already are read instead of measured
    progress  show a bar: True, False, or None for only on a terminal

    Raises StoreError where the folder cannot be used, and InputError for what is no study.
    """
    if not isinstance(study, Study):
        raise InputError(f"run_study takes a study such as LocalLimit(), and {study!r} was given.")
    ledger = None if folder is None else Ledger(Path(folder) / "rows")
    rows = [{**cell, **_measured(study, cell, ledger)} for cell in _shown(study.cells(quick), study.name, progress)]
    return Findings(study, quick, tuple(rows))


def _measured(study: Study, cell: dict[str, Any], ledger: Ledger | None) -> dict[str, Any]:
    known = ledger.known(study.name, cell) if ledger else None
    if known is not None:
        return known
    measured = study.measure(cell)
    if ledger:
        ledger.note(study.name, cell, measured)
    return measured


def _shown(cells: list[dict[str, Any]], name: str, progress: bool | None) -> Iterable[dict[str, Any]]:
    if progress or (progress is None and sys.stderr.isatty()):
        from tqdm import tqdm

        return tqdm(cells, desc=name, unit="cell", leave=False)
    return cells
