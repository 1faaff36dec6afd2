"""The noun `Study`: a question put to many runs, answered by numbers and one figure."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from geomflow.study.findings import Findings

Cell = Mapping[str, Any]
Row = Mapping[str, Any]


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

    @abstractmethod
    def cells(self, quick: bool) -> list[dict[str, Any]]:
        """What is measured: everything, or a share that takes well under a minute."""

    @abstractmethod
    def measure(self, cell: Cell) -> dict[str, Any]:
        """The numbers and arrays of one cell; a function of the cell alone."""

    @abstractmethod
    def conclude(self, rows: list[Row]) -> dict[str, float]:
        """The numbers that answer the question: fitted slopes, ratios, extremes."""

    @abstractmethod
    def answer(self, findings: Findings) -> str:
        """What the numbers say, in sentences with the numbers in them."""

    @abstractmethod
    def draw(self, figure: Figure, findings: Findings) -> None:
        """The one figure that shows the answer."""
