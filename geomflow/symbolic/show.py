"""How exact geometric objects are shown: a sentence in a terminal, LaTeX in a notebook."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from html import escape
from itertools import product
from typing import Any, ClassVar, Protocol, Self, final

import sympy

from geomflow.core.errors import ExpressionError
from geomflow.core.notebook import Markup
from geomflow.core.symmetric import packed_places

LONGEST_SENTENCE = 400
COLOUR = re.compile(r"\x1b\[[0-9;]*m")
"""What colours a word in a terminal."""

MOST_LINES = 24
"""Components of a tensor that a notebook lists."""
_BAR = re.compile(r'<mover accent="true">(<mi[^>]*>[^<]*</mi><mo[^>]*>[¯‾]</mo></mover>)')


def latex(expression: sympy.Basic, names: Mapping[sympy.Symbol, str] | None = None) -> str:
    """The LaTeX of an expression or matrix, with the given spellings of symbols."""
    return str(sympy.latex(expression, symbol_names=dict(names or {})))


def mathml(text: str, block: bool = False) -> Markup:
    """Mathematics in LaTeX as MathML, which browsers set without a script and without the network.

    What the converter does not know is left as it is, as code. A bar is set over its letter and not as its accent,
    which fonts without a table for mathematics draw through the top of a capital, so that R̄ reads R.

    >>> mathml("x^2")
    '<math><msup><mi>x</mi><mn>2</mn></msup></math>'
    """
    try:
        return converted(text, block)
    except ExpressionError:
        return Markup(f"<code>{escape(text)}</code>")


def converted(text: str, block: bool = False) -> Markup:
    """Mathematics in LaTeX as MathML.

    Raises `ExpressionError` where the converter does not know it.
    """
    from math_core import LatexError

    try:
        return Markup(_BAR.sub(r"<mover>\1", _converter().convert_with_local_state(text.strip(), displaystyle=block)))
    except LatexError as error:
        reason = COLOUR.sub("", str(error)).strip().splitlines()[0]
        raise ExpressionError(f"{text.strip()!r} is no formula: {reason}") from None


@cache
def _converter() -> Any:
    from math_core import LatexToMathML

    return LatexToMathML()


class Spelling(Protocol):
    """What knows how its symbols are written: a chart."""

    @property
    def symbols(self) -> tuple[sympy.Symbol, ...]:
        """The coordinates, holomorphic ones of a complex chart."""

    @property
    def latex_names(self) -> Mapping[sympy.Symbol, str]:
        """LaTeX spellings that sympy would not find by itself."""


@final
class ComponentMatrix(sympy.ImmutableDenseMatrix):  # type: ignore[misc]
    """Components with two indices, whose LaTeX, sympy.latex(matrix) too, has the spellings of a chart, such as z̄."""

    chart: Spelling | None = None

    @classmethod
    def on(cls, chart: Spelling, matrix: sympy.MatrixBase) -> ComponentMatrix:
        """The matrix with the spellings that a chart gives, asked for when it is shown."""
        found: ComponentMatrix = cls(*matrix.shape, list(matrix))
        found.chart = chart
        return found

    def latex(self) -> str:
        """The matrix in LaTeX."""
        return str(sympy.latex(self))

    def _latex(self, printer: Any) -> str:
        given = printer._settings["symbol_names"]
        printer._settings["symbol_names"] = {**(self.chart.latex_names if self.chart else {}), **given}
        try:
            return str(printer._print_MatrixBase(self))
        finally:
            printer._settings["symbol_names"] = given


@final
class ComponentArray(sympy.ImmutableDenseNDimArray):  # type: ignore[misc]
    """Components with one, three or more indices, which a notebook lists where they are not zero."""

    chart: Spelling | None = None
    letter = ""
    indices = ""

    @classmethod
    def on(cls, chart: Spelling, array: sympy.NDimArray, letter: str, indices: str) -> Self:
        """The array on a chart. `indices` has "^" for an upper one, "_" for a lower and "-" for a lower barred one."""
        found: Self = cls(array)
        found.chart, found.letter, found.indices = chart, letter, indices
        return found

    def latex(self, most: int | None = None) -> str:
        """The components that are not zero, one a line; one that another gives by exchanging the last two is left out.

        Parameters
        ----------
        most : int, optional
            Lines at most.
        """
        if self.chart is None:
            return str(sympy.latex(self))
        lines = [f"{self._named(place)} &= {latex(self[place], self.chart.latex_names)}" for place in self._telling()]
        if not lines:
            return f"{self._symbol(self._generic())} = 0"
        left = len(lines) - (len(lines) if most is None else most)
        more = [rf"& \text{{and {left} more}}"] if left > 0 else []
        return rf"\begin{{aligned}}{(chr(92) * 2 + ' ').join([*lines[:most], *more])}\end{{aligned}}"

    def _telling(self) -> Iterator[tuple[int, ...]]:
        """The places that are listed."""
        known: set[tuple[int, ...]] = set()
        alike = self.indices.endswith("__")
        for place in product(*map(range, self.shape)):
            swapped = (*place[:-2], *place[:-3:-1])
            follows = alike and swapped in known and self[swapped] in (self[place], -self[place])
            if self[place] != 0 and not follows:
                known.add(place)
                yield place

    def _named(self, place: tuple[int, ...]) -> str:
        assert self.chart is not None
        plain, barred = [latex(s) for s in self.chart.symbols], list(self.chart.latex_names.values())
        return self._symbol([(barred if mark == "-" else plain)[k] for k, mark in zip(place, self.indices)])

    def _generic(self) -> list[str]:
        if "-" in self.indices:
            return ["a", r"\bar{b}", "c", r"\bar{d}"]
        return list("lkij"[-len(self.indices) :])

    def _symbol(self, names: Sequence[str]) -> str:
        upper = " ".join(name for name, mark in zip(names, self.indices) if mark == "^")
        lower = " ".join(name for name, mark in zip(names, self.indices) if mark != "^")
        return self.letter + (f"^{{{upper}}}" if upper else "") + (f"_{{{lower}}}" if lower else "")

    def _repr_latex_(self) -> str:
        return f"$\\displaystyle {self.latex(MOST_LINES)}$"


class InLatex(ABC):
    """What sympy.latex and a notebook show in LaTeX."""

    latex_style: ClassVar[str] = ""

    @abstractmethod
    def _latex(self, printer: Any = None) -> str:
        """The LaTeX without dollars, as sympy's printer asks for it."""

    @abstractmethod
    def __exact__(self) -> Any:
        """The sympy object, or the list of them, that it is where it is taken elsewhere."""

    def latex(self) -> str:
        """It in LaTeX, without dollars."""
        return self._latex()

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
    for i, j in packed_places(matrix.rows):
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
