"""How exact geometric objects are shown: a sentence in a terminal, LaTeX in a notebook."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations_with_replacement, product
from typing import Any, ClassVar, Protocol, final

import sympy

LONGEST_SENTENCE = 400


def latex(expression: sympy.Basic, names: Mapping[sympy.Symbol, str] | None = None) -> str:
    """The LaTeX of an expression or matrix, with the given spellings of symbols."""
    return str(sympy.latex(expression, symbol_names=dict(names or {})))


class Spelling(Protocol):
    """What knows how its symbols are written: a chart."""

    @property
    def latex_names(self) -> Mapping[sympy.Symbol, str]:
        """LaTeX spellings that sympy would not find by itself."""


@final
class BarredMatrix(sympy.ImmutableDenseMatrix):  # type: ignore[misc]
    """A matrix in z and z̄ whose LaTeX, sympy.latex(matrix) too, has the spellings z̄ of the conjugates."""

    chart: Spelling | None = None

    @classmethod
    def on(cls, chart: Spelling, matrix: sympy.MatrixBase) -> BarredMatrix:
        """The matrix with the spellings that a chart gives, asked for when it is shown."""
        found: BarredMatrix = cls(*matrix.shape, list(matrix))
        found.chart = chart
        return found

    def _latex(self, printer: Any) -> str:
        given = printer._settings["symbol_names"]
        printer._settings["symbol_names"] = {**(self.chart.latex_names if self.chart else {}), **given}
        try:
            return str(printer._print_MatrixBase(self))
        finally:
            printer._settings["symbol_names"] = given


class InLatex(ABC):
    """What sympy.latex and a notebook show in LaTeX."""

    latex_style: ClassVar[str] = ""

    @abstractmethod
    def _latex(self, printer: Any = None) -> str:
        """The LaTeX without dollars, as sympy's printer asks for it."""

    def _repr_latex_(self) -> str:
        return f"${self.latex_style}{self._latex()}$"


def shortened(text: str) -> str:
    """The text, cut where it would fill the screen."""
    return text if len(text) <= LONGEST_SENTENCE else f"{text[:LONGEST_SENTENCE]}... ({len(text)} characters)"


def line_element(matrix: sympy.MatrixBase, symbols: Sequence[sympy.Symbol]) -> str:
    """g_ij dx^i dx^j as text."""
    terms = [_term(str(entry), entry, f"d{symbols[i]}^2" if i == j else f"d{symbols[i]} d{symbols[j]}")
             for i, j, entry in _coefficients(matrix)]
    return _summed(terms)


def line_element_latex(matrix: sympy.MatrixBase, symbols: Sequence[sympy.Symbol]) -> str:
    """g_ij dx^i dx^j as LaTeX."""
    d = [rf"\mathrm{{d}}{latex(x)}" for x in symbols]
    terms = [_term(latex(entry), entry, f"{d[i]}^2" if i == j else rf"{d[i]}\,{d[j]}", r"\,", (r"\left(", r"\right)"))
             for i, j, entry in _coefficients(matrix)]
    return _summed(terms)


def _coefficients(matrix: sympy.MatrixBase) -> Iterator[tuple[int, int, sympy.Expr]]:
    """The places i <= j of a symmetric matrix with what stands before dx^i dx^j, where that is not zero."""
    for i, j in combinations_with_replacement(range(matrix.rows), 2):
        entry = matrix[i, j] * (1 if i == j else 2)
        if entry != 0:
            yield i, j, entry


def hermitian_form(matrix: sympy.MatrixBase, symbols: Sequence[sympy.Symbol]) -> str:
    """T_{ab̄} dz^a dz̄^b as text."""
    pairs = zip(matrix, product(symbols, repeat=2), strict=True)
    return _summed([_term(str(entry), entry, f"d{z} dconj({w})") for entry, (z, w) in pairs if entry != 0])


def _summed(terms: Sequence[str]) -> str:
    return " + ".join(terms).replace("+ -", "- ") or "0"


def _term(written: str, entry: sympy.Expr, form: str, space: str = " ", brackets: tuple[str, str] = ("(", ")")) -> str:
    if entry == 1:
        return form
    if entry == -1:
        return f"-{form}"
    return f"{brackets[0]}{written}{brackets[1]}{space}{form}" if entry.is_Add else f"{written}{space}{form}"
