"""The noun `Study`, a question put to many runs; how it is carried out, row by row, and what it found."""

from __future__ import annotations

import csv
import hashlib
import json
import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, final

import numpy as np

from geomflow import __version__
from geomflow.core import archive
from geomflow.core.errors import InputError, StoreError
from geomflow.core.files import replacing, write_text
from geomflow.core.progress import Bar
from geomflow.distribute import IN_SEQUENCE, as_workers
from geomflow.io import layout
from geomflow.plot.files import save
from geomflow.plot.style import styled
from geomflow.study.story import Words, story, table

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Cell = Mapping[str, Any]
Row = Mapping[str, Any]


def having(rows: Iterable[Row], **settings: Any) -> list[Row]:
    """The rows with these settings."""
    return [row for row in rows if all(row.get(key) == value for key, value in settings.items())]


def distinct(rows: Iterable[Row], name: str) -> list[Any]:
    """The values of a column, ascending, each once."""
    return sorted({row[name] for row in rows})


def averages(rows: Iterable[Row], over: str, name: str, mean: Callable[..., Any] = np.mean
             ) -> tuple[np.ndarray, np.ndarray]:
    """The values of the column `over`, ascending, and the `mean` of the column `name` over the rows with each."""
    rows = list(rows)
    places = distinct(rows, over)
    return np.array(places), np.array([mean([row[name] for row in having(rows, **{over: place})]) for place in places])


class Study(ABC):
    """A question that is answered by measuring one cell after another; `run_study` carries it out.

    A cell is a mapping of plain settings (numbers, text, lists of them) that names one measurement and all it depends
    on, its seed included; its row is the cell with what was measured, numbers or arrays.

    name      the word of the command            title     a heading
    question  one sentence that asks             source    where the claim was made, with its equation number
    """

    name: ClassVar[str]
    title: ClassVar[str]
    question: ClassVar[str]
    source: ClassVar[str]
    words: ClassVar[Words] = Words()
    """The names of the numbers in words, and which are told first."""

    def compared(self, numbers: Mapping[str, float]) -> str:
        """What the paper says and how it compares, with the factors between; empty where it gives no numbers.

        Parameters
        ----------
        numbers : mapping of str to float
            Those of `Findings.numbers`.
        """
        return ""

    @abstractmethod
    def cells(self, quick: bool) -> list[dict[str, Any]]:
        """What is measured: everything, or a share that takes well under a minute.

        Parameters
        ----------
        quick : bool
            Only a share.
        """

    @abstractmethod
    def measure(self, cell: Cell) -> dict[str, Any]:
        """The numbers and arrays of one cell; a function of the cell alone.

        Parameters
        ----------
        cell : mapping
            One of the cells.
        """

    @abstractmethod
    def conclude(self, rows: list[Row]) -> dict[str, float]:
        """The numbers that answer the question: fitted slopes, ratios, extremes.

        Parameters
        ----------
        rows : list of mapping
            Cells with what was measured.
        """

    @abstractmethod
    def answer(self, findings: Findings) -> str:
        """What the numbers say, in sentences with the numbers in them.

        Parameters
        ----------
        findings : Findings
            What was measured.
        """

    @abstractmethod
    def draw(self, figure: Figure, findings: Findings) -> None:
        """The one figure that shows the answer.

        Parameters
        ----------
        figure : Figure
            An empty one.
        findings : Findings
            What was measured.
        """


@final
@dataclass(frozen=True, eq=False)
class Findings:
    """The rows of a study, in the order of its cells, and what follows from them.

    ``findings["error"]`` is the column of that name as an array, ``findings.where(kernel="gaussian")`` the findings
    that have these settings. `numbers` are the answers by name, `answer` says them, `figure()` shows them.

    Parameters
    ----------
    study : Study
        The question.
    quick : bool
        Whether only a share was measured.
    rows : tuple of mapping
        Cells with what was measured.
    """

    study: Study
    quick: bool
    rows: tuple[Row, ...]

    @cached_property
    def numbers(self) -> dict[str, float]:
        """The numbers that answer the question."""
        return self.study.conclude(list(self.rows))

    @property
    def answer(self) -> str:
        """The numbers in sentences."""
        return self.study.answer(self)

    def __getitem__(self, name: str) -> np.ndarray:
        return np.array([row[name] for row in self.rows])

    def where(self, **settings: Any) -> Findings:
        """Only the rows with these settings.

        Parameters
        ----------
        **settings : any
            Values by name of the column.
        """
        return Findings(self.study, self.quick, tuple(having(self.rows, **settings)))

    def figure(self) -> Figure:
        """The figure of the study."""
        return styled(_figure)(self)

    def save(self, folder: str | os.PathLike[str]) -> Path:
        """Write table.csv, numbers.json, figure.png and page.md into the folder, and return it.

        Raises StoreError where it cannot be written.

        Parameters
        ----------
        folder : path
            It is made where it is missing.
        """
        target = Path(folder)
        try:
            target.mkdir(parents=True, exist_ok=True)
            self._write(target)
        except OSError as error:
            raise StoreError(f"the findings cannot be written to '{target}': {error}.") from None
        return target

    def _write(self, target: Path) -> None:
        with replacing(target / "table.csv") as partial, partial.open("w", newline="", encoding="utf-8") as file:
            columns = self.columns
            writer = csv.DictWriter(file, columns, extrasaction="ignore")
            writer.writeheader()
            writer.writerows(self.rows)
        words = {name: getattr(self.study, name) for name in ("title", "question", "source")}
        facts = {"study": self.study.name, "version": __version__, "quick": self.quick, "numbers": self.numbers,
                 **words, "answer": self.answer, "compared": self.study.compared(self.numbers),
                 "told": dict(self.study.words.told(self.numbers)), "versions": layout.versions()}
        write_text(target / "numbers.json", json.dumps(facts, indent=1, ensure_ascii=False) + "\n")
        save(self.figure(), target / "figure.png")
        write_text(target / "page.md", self.page())

    @property
    def columns(self) -> list[str]:
        """The names of what is one number or one word in every row that has it."""
        names = dict.fromkeys(name for row in self.rows for name in row)
        return [name for name in names if all(np.ndim(row.get(name, 0)) == 0 for row in self.rows)]

    def page(self) -> str:
        """The study as a page of Markdown: question, figure, three numbers, answer, comparison, all numbers."""
        study, command = self.study, f"geomflow study {self.study.name}{' --quick' if self.quick else ''}"
        compared = study.compared(self.numbers)
        lines = [f"# {study.title}", "", f"**{study.question}**"]
        lines += story(study.words, self.numbers, self.answer, compared, f"![{study.title}](figure.png)")
        lines += ["", f"Source: {study.source}.", "", f"Made by `{command}`.", "", "## All numbers", ""]
        return "\n".join([*lines, *table(("number", "value"), study.words.told(self.numbers))]) + "\n"


def _figure(findings: Findings) -> Figure:
    import matplotlib.pyplot as plt

    figure = plt.figure(figsize=(7.2, 3.9))
    findings.study.draw(figure, findings)
    return figure


_KIND = "geomflow row 1"
_OWN = "measured "


@dataclass(frozen=True)
class KeptRows:
    """The rows of a study in a folder, one file each: what was measured once is not measured again.

    A file is named by the content of its cell and the version of the package.

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


def run_study(study: Study, quick: bool = False, folder: str | os.PathLike[str] | None = None,
              progress: bool | None = None, workers: Any = None) -> Findings:
    """Measure all cells of a study and return what was found.

    Raises StoreError where the folder cannot be used, and InputError for what is no study.

    Parameters
    ----------
    study : Study
        The question.
    quick : bool
        The small size, well under a minute.
    folder : path, optional
        Rows are kept in ``folder/rows``; cells that are there already are read instead of measured.
    progress : bool, optional
        Show a bar; unless given only on a terminal.
    workers : int, str, client or Workers, optional
        Who measures: this process unless given, see `geomflow.distribute.as_workers`. Rows are the same.
    """
    if not isinstance(study, Study):
        raise InputError(f"run_study takes a study such as LocalLimit(), and {study!r} was given.")
    kept = None if folder is None else KeptRows(Path(folder) / "rows")
    cells = study.cells(quick)
    found = [kept.known(study.name, cell) if kept else None for cell in cells]
    left = [number for number, measured in enumerate(found) if measured is None]
    with (as_workers(workers if left else None, IN_SEQUENCE) as team,
          closing(Bar("cells", len(cells), progress, study.name, start=len(cells) - len(left))) as bar):
        done = team.done(study.measure, [cells[number] for number in left])
        for count, (number, measured) in enumerate(done, start=len(cells) - len(left) + 1):
            found[left[number]] = measured
            if kept:
                kept.note(study.name, cells[left[number]], measured)
            bar.show(count)
    return Findings(study, quick, tuple({**cell, **(measured or {})} for cell, measured in zip(cells, found)))
