"""Carry out a study: cell by cell, with progress, each row kept as soon as it is measured."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from geomflow.core.errors import InputError
from geomflow.distribute import IN_SEQUENCE, as_workers
from geomflow.study.findings import Findings
from geomflow.study.ledger import Ledger
from geomflow.study.study import Study


def run_study(study: Study, quick: bool = False, folder: str | os.PathLike[str] | None = None,
              progress: bool | None = None, workers: Any = None) -> Findings:
    """Measure all cells of a study and return what was found.

    quick     the small size, well under a minute
    folder    rows are kept in ``folder/rows``; cells that are there already are read instead of measured
    progress  show a bar: True, False, or None for only on a terminal
    workers   who measures: None for this process, cell after cell; a number of local processes, the address of a Dask
              scheduler, a client, or workers (see `geomflow.distribute.as_workers`). The rows are the same, and each
              is kept as it comes in.

    Raises StoreError where the folder cannot be used, and InputError for what is no study.
    """
    if not isinstance(study, Study):
        raise InputError(f"run_study takes a study such as LocalLimit(), and {study!r} was given.")
    ledger = None if folder is None else Ledger(Path(folder) / "rows")
    cells = study.cells(quick)
    found = [ledger.known(study.name, cell) if ledger else None for cell in cells]
    left = [number for number, measured in enumerate(found) if measured is None]
    with (as_workers(workers if left else None, IN_SEQUENCE) as team,
          _bar(study.name, len(cells), len(left), progress) as tick):
        for number, measured in team.done(study.measure, [cells[number] for number in left]):
            found[left[number]] = measured
            if ledger:
                ledger.note(study.name, cells[left[number]], measured)
            tick()
    return Findings(study, quick, tuple({**cell, **measured} for cell, measured in zip(cells, found)))


@contextmanager
def _bar(name: str, cells: int, left: int, progress: bool | None) -> Iterator[Callable[[], Any]]:
    """What to call after each cell."""
    if progress or (progress is None and sys.stderr.isatty()):
        from tqdm import tqdm

        with tqdm(total=cells, initial=cells - left, desc=name, unit="cell", leave=False) as bar:
            yield bar.update
    else:
        yield lambda: None
