"""What a study found: its rows, the numbers that answer it, its figure and its page."""

from __future__ import annotations

import csv
import json
import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

import numpy as np

from geomflow import __version__
from geomflow.core.errors import StoreError
from geomflow.core.files import replacing, write_text
from geomflow.plot.style import styled

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from geomflow.study.study import Row, Study


@final
@dataclass(frozen=True, eq=False)
class Findings:
    """The rows of a study, in the order of its cells, and what follows from them.

    ``findings["error"]`` is the column of that name as an array, ``findings.where(kernel="gaussian")`` the findings
    that have these settings. `numbers` are the answers by name, `answer` says them, `figure()` shows them.
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
        """Only the rows with these settings."""
        kept = tuple(row for row in self.rows if all(row.get(key) == value for key, value in settings.items()))
        return Findings(self.study, self.quick, kept)

    def figure(self) -> Figure:
        """The figure of the study."""
        return styled(_figure)(self)

    def save(self, folder: str | os.PathLike[str]) -> Path:
        """Write table.csv, numbers.json, figure.png and page.md into the folder, and return it.

        Raises StoreError where it cannot be written.
        """
        target = Path(folder)
        try:
            target.mkdir(parents=True, exist_ok=True)
            self._write(target)
        except OSError as error:
            raise StoreError(f"the findings cannot be written to '{target}': {error}.") from None
        return target

    def _write(self, target: Path) -> None:
        import matplotlib.pyplot as plt

        with replacing(target / "table.csv") as partial, partial.open("w", newline="", encoding="utf-8") as file:
            columns = self.columns
            writer = csv.DictWriter(file, columns, extrasaction="ignore")
            writer.writeheader()
            writer.writerows(self.rows)
        facts = {"study": self.study.name, "version": __version__, "quick": self.quick, "numbers": self.numbers}
        write_text(target / "numbers.json", json.dumps(facts, indent=1) + "\n")
        figure = self.figure()
        with replacing(target / "figure.png") as partial:
            figure.savefig(partial)
        plt.close(figure)
        write_text(target / "page.md", self.page())

    @property
    def columns(self) -> list[str]:
        """The names of what is one number or one word in every row that has it."""
        names = dict.fromkeys(name for row in self.rows for name in row)
        return [name for name in names if all(np.ndim(row.get(name, 0)) == 0 for row in self.rows)]

    def page(self) -> str:
        """The study as a page of Markdown: question, answer, figure, command, numbers."""
        command = f"geomflow study {self.study.name}{' --quick' if self.quick else ''}"
        lines = [f"# {self.study.title}", "", self.study.question, "", f"Source: {self.study.source}", "", self.answer,
                 "", f"![{self.study.title}](figure.png)", "", f"Made by `{command}`.", "", "| number | value |",
                 "|---|---|"]
        lines += [f"| {name} | {value:.6g} |" for name, value in self.numbers.items()]
        return "\n".join(lines) + "\n"


def _figure(findings: Findings) -> Figure:
    import matplotlib.pyplot as plt

    figure = plt.figure(figsize=(7.2, 3.9))
    findings.study.draw(figure, findings)
    return figure
