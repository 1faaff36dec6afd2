"""Charts: the coordinates that components are written in, real or complex.

A complex chart treats z and its conjugate as independent (Wirtinger) symbols, so that ∂/∂z and ∂/∂z̄ are partial
derivatives. Symbols are matched by name: an expression in `Symbol("x")` means the chart's own x. A complex parameter t
is carried with its conjugate t̄ as a symbol of its own too.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeVar

import sympy

from geomflow.core.errors import InputError, require_known
from geomflow.core.graph.sympy_bridge import contents
from geomflow.symbolic import conjugation as cj
from geomflow.symbolic import given as gv
from geomflow.symbolic.exact import Place
from geomflow.symbolic.meaning import FUNCTIONS
from geomflow.symbolic.show import InLatex, latex
from geomflow.symbolic.signs import Range, without_moduli

Kind = TypeVar("Kind", "Chart", "ComplexChart")


def _by_name(what: str, table: Mapping[Any, Any] | None, names: Iterable[str]) -> dict[str, Any]:
    known = list(names)
    result = {str(key): value for key, value in (table or {}).items()}
    for key in result:
        require_known(f"coordinate in {what}", key, known)
    return result


@dataclass(frozen=True, init=False)
class Chart(InLatex):
    """Real coordinates with optional ranges, periods and assumptions.

    `Chart("r theta phi", ranges={"r": (0, oo), "theta": (0, pi)}, periods={"phi": 2*pi})`.

    Parameters
    ----------
    symbols : str, or str and sympy symbols
        The coordinates. A name becomes a real symbol, positive where its range starts at 0 or above; a symbol stays.
    ranges : mapping, optional
        For a coordinate the open interval (from, to) of its values; "oo" and "-oo" are infinite.
    periods : mapping, optional
        For a coordinate the positive length after which it begins anew.
    assumptions : mapping, optional
        For a coordinate given as text what else sympy may assume: {"r": {"positive": True}}.

    Notes
    -----
    Raises `InputError` for repeated or missing names and `UnknownNameError` for a range, period or assumption of no
    coordinate.
    """

    symbols: tuple[sympy.Symbol, ...]
    ranges: Mapping[str, Range] = field(hash=False)
    periods: Mapping[str, sympy.Expr] = field(hash=False)

    def __init__(
        self,
        symbols: gv.Symbols,
        *,
        ranges: Mapping[Any, Range] | None = None,
        periods: Mapping[Any, Any] | None = None,
        assumptions: Mapping[Any, Mapping[str, bool]] | None = None,
    ) -> None:
        items = gv.given_names(symbols)
        names = [str(item) for item in items]
        bounds = {n: gv.given_range(n, r) for n, r in _by_name("ranges", ranges, names).items()}
        lengths = {n: gv.given_freely(p) for n, p in _by_name("periods", periods, names).items()}
        for name, length in lengths.items():
            if length.is_positive is False:
                raise InputError(f"the period of {name} must be positive, not {length}")
        extra = _by_name("assumptions", assumptions, names)
        object.__setattr__(self, "symbols", tuple(_real_symbol(i, bounds, extra) for i in items))
        object.__setattr__(self, "ranges", bounds)
        object.__setattr__(self, "periods", lengths)

    @property
    def dim(self) -> int:
        """The number of coordinates."""
        return len(self.symbols)

    @property
    def coordinates(self) -> tuple[str, ...]:
        """The names of the coordinates, in order."""
        return tuple(s.name for s in self.symbols)

    @cached_property
    def names(self) -> dict[str, sympy.Expr]:
        """Every name that text in this chart may use, and what it stands for."""
        return {s.name: s for s in self.symbols}

    @property
    def place(self) -> Place:
        """Directions and ranges, for deciding what is zero."""
        return Place(self.symbols, self.ranges)

    @property
    def latex_names(self) -> dict[sympy.Symbol, str]:
        """LaTeX spellings that sympy would not find by itself."""
        return {}

    def expression(self, value: Any, parameters: gv.Parameters = (), functions: gv.Functions = ()) -> sympy.Expr:
        """`value` as a sympy expression in the chart's own symbols.

        |u| and sign(u) are written without them where the ranges prove the sign of u.

        Parameters
        ----------
        value : str, number or sympy expression
            What is to be read.
        parameters : str, symbols or mapping, optional
            Names that text may use besides the coordinates: "a m", or {"m": "positive"}.
        functions : str or sympy functions, optional
            Unknown functions that text may call: "f g".
        """
        return self.expressions([value], parameters, functions)[0]

    def expressions(
        self, values: Sequence[Any], parameters: gv.Parameters = (), functions: gv.Functions = ()
    ) -> list[sympy.Expr]:
        """Several values, each as `expression` reads it.

        Parameters
        ----------
        values : sequence
            What is to be read.
        parameters, functions
            As `expression` takes them.
        """
        known = {**gv.parameter_names(parameters, self.names), **self.names}
        found = gv.read_expressions(values, known, gv.function_names(functions, known))
        short = {e: without_moduli(cj.without_conjugates(e), self.ranges) for e in dict.fromkeys(found)}
        return [short[e] for e in found]

    def read(self, values: Sequence[Any]) -> tuple[Chart, list[sympy.Expr]]:
        """The chart itself, and the values as `expressions` reads them.

        Parameters
        ----------
        values : sequence
            What is to be read.
        """
        return self, self.expressions(values)

    def __str__(self) -> str:
        parts = [_described(s, self.ranges.get(s.name), self.periods.get(s.name)) for s in self.symbols]
        return f"a real chart with coordinates {', '.join(parts)}"

    __repr__ = __str__

    def __exact__(self) -> list[sympy.Symbol]:
        return list(self.symbols)

    def _latex(self, printer: Any = None) -> str:
        return f"\\left({', '.join(map(latex, self.symbols))}\\right)"


@dataclass(frozen=True, init=False)
class ComplexChart(InLatex):
    """Holomorphic coordinates z^a with their conjugates z̄^a as independent symbols.

    `ComplexChart("z1 z2")` has the symbols z1, z2 and zb1, zb2. In text and in expressions `conj(z1)`, `abs(z1)`,
    `re(z1)` and `im(z1)` are understood and written in z and z̄.

    Parameters
    ----------
    symbols : str, or str and sympy symbols
        The holomorphic coordinates z^a.
    moduli : str, symbols or mapping, optional
        Complex parameters t, each carried with its conjugate tb (tb_1 where that is taken) as a symbol of its own.

    Notes
    -----
    A metric's `parameters={"t": "complex"}` adds to the moduli, and so do the symbols of sympy expressions: those that
    are declared complex, and those that declare nothing if their conjugate, modulus, real or imaginary part is formed.
    All other parameters are real.

    Raises `InputError` for repeated or missing names.
    """

    symbols: tuple[sympy.Symbol, ...]
    conjugates: tuple[sympy.Symbol, ...]
    moduli: tuple[tuple[sympy.Symbol, sympy.Symbol], ...]

    def __init__(self, symbols: gv.Symbols, *, moduli: gv.Parameters = ()) -> None:
        items = gv.given_names(symbols)
        holomorphic = tuple(sympy.Symbol(i, complex=True) if isinstance(i, str) else i for i in items)
        bars = tuple(sympy.Symbol(cj.barred(s.name), complex=True) for s in holomorphic)
        gv.given_names([*holomorphic, *bars])
        declared = gv.parameter_names(moduli, [s.name for s in (*holomorphic, *bars)], "complex")
        self._set(holomorphic, bars, cj.paired(declared.values(), [s.name for s in (*holomorphic, *bars)]))

    def _set(self, symbols: tuple[sympy.Symbol, ...], bars: tuple[sympy.Symbol, ...], moduli: cj.Pairs) -> None:
        object.__setattr__(self, "symbols", symbols)
        object.__setattr__(self, "conjugates", bars)
        object.__setattr__(self, "moduli", moduli)

    @property
    def dim(self) -> int:
        """The complex dimension."""
        return len(self.symbols)

    @property
    def all_symbols(self) -> tuple[sympy.Symbol, ...]:
        """z^1, ..., z^n, z̄^1, ..., z̄^n: the Wirtinger coordinates in the order of derivations."""
        return self.symbols + self.conjugates

    @property
    def coordinates(self) -> tuple[str, ...]:
        """The names of z^1, ..., z^n, z̄^1, ..., z̄^n."""
        return tuple(s.name for s in self.all_symbols)

    @property
    def pairs(self) -> cj.Pairs:
        """Coordinates and complex parameters, each with its conjugate."""
        return (*zip(self.symbols, self.conjugates, strict=True), *self.moduli)

    @cached_property
    def names(self) -> dict[str, sympy.Expr]:
        """Every name that text in this chart may use, and what it stands for."""
        return {s.name: s for pair in self.pairs for s in pair}

    @property
    def place(self) -> Place:
        """Directions and conjugates, for deciding what is zero."""
        return Place(self.all_symbols, conjugates={bar.name: z.name for z, bar in self.pairs})

    @cached_property
    def conjugation(self) -> cj.Conjugation:
        """The conjugation of expressions that are read in this chart; `conjugate` reads them first."""
        return cj.Conjugation(self.pairs, self.place)

    @property
    def latex_names(self) -> dict[sympy.Symbol, str]:
        """LaTeX spellings of the conjugates."""
        return {bar: f"\\bar{{{_latex_head(s.name)}}}{_latex_tail(s.name)}" for s, bar in self.pairs}

    @property
    def real_chart(self) -> Chart:
        """The real chart of realified objects: x, y in dimension one, x1, y1, x2, y2, ... above."""
        return self.real_chart_beside(())

    def real_chart_beside(self, taken: Iterable[str]) -> Chart:
        """The real chart, with fresh names (x_1 for x) for those that this chart or something beside it has.

        Parameters
        ----------
        taken : iterable of str
            Names that something beside the chart has.
        """
        used, found = {*self.names, *taken}, []
        for label in [""] if self.dim == 1 else [str(k + 1) for k in range(self.dim)]:
            for letter in ("x", "y"):
                found.append(gv.fresh(letter + label, used))
                used.add(found[-1])
        return Chart(found)

    def expression(self, value: Any, parameters: gv.Parameters = (), functions: gv.Functions = ()) -> sympy.Expr:
        """`value` as a sympy expression in z and z̄.

        Parameters
        ----------
        value : str, number or sympy expression
            What is to be read.
        parameters : str, symbols or mapping, optional
            Names that text may use besides the coordinates: "a m", or {"m": "positive"}, {"t": "complex"}.
        functions : str or sympy functions, optional
            Unknown functions that text may call: "f g".
        """
        return self.read([value], parameters, functions)[1][0]

    def read(
        self, values: Sequence[Any], parameters: gv.Parameters = (), functions: gv.Functions = ()
    ) -> tuple[ComplexChart, list[sympy.Expr]]:
        """The values as expressions in z and z̄, and the chart with the complex parameters that occur in them.

        Parameters
        ----------
        values : sequence
            What is to be read.
        parameters, functions
            As `expression` takes them.
        """
        declared = gv.parameter_names(parameters, self.names)
        chart = self._with(cj.paired(filter(cj.is_complex, declared.values()), {*self.names, *declared}))
        known = {**declared, **chart.names}
        called = gv.function_names(functions, known)
        cj.require_one_kind(values, known, self.coordinates)
        raw = gv.identified(gv.read_expressions(values, known, called), known)
        chart = chart._with(cj.moduli_in(raw, chart.names, declared))
        return chart, [chart.conjugation.carried_out(e) for e in raw]

    def _with(self, pairs: cj.Pairs) -> ComplexChart:
        if not pairs:
            return self
        chart = object.__new__(ComplexChart)
        chart._set(self.symbols, self.conjugates, (*self.moduli, *pairs))
        return chart

    def conjugate(self, expression: sympy.Expr) -> sympy.Expr:
        """The complex conjugate: z and z̄ change places, complex parameters and their conjugates too, i becomes −i.

        Other parameters are real. An unknown function whose arguments are real, or are each other's conjugates as z
        and z̄ are, is a real function. Any other, such as f(z), is complex: its conjugate is the function fbar of the
        conjugate arguments.

        Parameters
        ----------
        expression : sympy expression or str
            In z, z̄ and parameters.
        """
        chart, (written,) = self.read([expression])
        return chart.conjugation.of(written)

    def __str__(self) -> str:
        return f"a complex chart with coordinates {', '.join(s.name for s in self.symbols)}"

    __repr__ = __str__

    def __exact__(self) -> list[sympy.Symbol]:
        return list(self.symbols)

    def _latex(self, printer: Any = None) -> str:
        return f"\\left({', '.join(map(latex, self.symbols))}\\right)"


def _real_symbol(item: str | sympy.Symbol, ranges: Mapping[str, Range], extra: Mapping[str, Any]) -> sympy.Symbol:
    if isinstance(item, sympy.Symbol):
        return item
    assumptions: dict[str, bool] = {"real": True}
    low, high = ranges.get(item, (None, None))
    if low is not None and low.is_nonnegative:
        assumptions["positive"] = True
    if high is not None and high.is_nonpositive:
        assumptions["negative"] = True
    return sympy.Symbol(item, **{**assumptions, **extra.get(item, {})})


def _described(symbol: sympy.Symbol, bounds: Range | None, period: sympy.Expr | None) -> str:
    interval = f" in ({bounds[0]}, {bounds[1]})" if bounds else ""
    return f"{symbol}{interval}" + (f" of period {period}" if period else "")


def _latex_head(name: str) -> str:
    return latex(sympy.Symbol(name.rstrip("0123456789_")))


def _latex_tail(name: str) -> str:
    digits = name[len(name.rstrip("0123456789_")) :].strip("_")
    return f"_{{{digits}}}" if digits else ""


def chart_of(given: Any, kind: type[Kind]) -> Kind:
    """A chart of the kind: `given` itself, that of a torus, or the one that names or symbols make.

    Raises InputError for anything else.
    """
    found = getattr(given, "chart", given)
    if isinstance(found, kind):
        return found
    if isinstance(found, (str, sympy.Symbol)) or (isinstance(found, Sequence) and found):
        return kind(found)
    raise InputError(
        f"{given!r} is not a {kind.__name__}, which is wanted here, as in {kind.__name__}('x y'): a Metric lives on a "
        "Chart or a Torus, a KahlerMetric on a ComplexChart or a ComplexTorus"
    )


def functions_of(chart: Chart | ComplexChart, matrix: sympy.MatrixBase) -> list[Any]:
    """The unknown functions of a matrix that text in the chart may call."""
    taken = {*chart.names, *FUNCTIONS, *(str(s) for s in matrix.free_symbols)}
    table = {found.name: found.function for found in contents(matrix).unknown}
    return [function for name, function in table.items() if name not in taken]
