"""Charts: the coordinates that components are written in, real or complex.

A complex chart treats z and its conjugate as independent (Wirtinger) symbols, so that ∂/∂z and ∂/∂z̄ are partial
derivatives. Symbols are matched by name: an expression in `Symbol("x")` means the chart's own x.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeAlias

import sympy
from sympy.core.function import AppliedUndef

from geomflow.core.errors import ExpressionError, InputError, UnknownNameError
from geomflow.symbolic.parse import parse

Symbols: TypeAlias = str | Sequence[str | sympy.Symbol] | sympy.Symbol
Range: TypeAlias = tuple[Any, Any]


def _names(symbols: Symbols) -> list[str | sympy.Symbol]:
    if isinstance(symbols, str):
        symbols = [name for name in re.split(r"[\s,]+", symbols) if name]
    elif isinstance(symbols, sympy.Symbol):
        symbols = [symbols]
    items = list(symbols)
    for item in items:
        if not isinstance(item, (str, sympy.Symbol)) or not str(item).isidentifier():
            raise InputError(f"a coordinate must be a name such as 'x', not {item!r}")
    if not items:
        raise InputError("a chart needs at least one coordinate, as in Chart('x y')")
    repeated = {str(item) for item in items if [str(i) for i in items].count(str(item)) > 1}
    if repeated:
        raise InputError(f"coordinates must be different, but '{sorted(repeated)[0]}' comes twice")
    return items


def _by_name(what: str, table: Mapping[Any, Any] | None, names: Iterable[str]) -> dict[str, Any]:
    known = list(names)
    result = {str(key): value for key, value in (table or {}).items()}
    for key in result:
        if key not in known:
            raise UnknownNameError.among(f"coordinate in {what}", key, known)
    return result


@dataclass(frozen=True, init=False)
class Chart:
    """Real coordinates with optional ranges, periods and assumptions.

    `Chart("r theta phi", ranges={"r": (0, oo), "theta": (0, pi)}, periods={"phi": 2*pi})`. A coordinate given as
    text becomes a real symbol, positive where its range starts at 0 or above; `assumptions` adds to it
    (`{"r": {"positive": True}}`). A sympy symbol is taken as it is.

    Raises `InputError` for repeated or missing names and `UnknownNameError` for a range, period or assumption of no
    coordinate.
    """

    symbols: tuple[sympy.Symbol, ...]
    ranges: Mapping[str, Range] = field(hash=False)
    periods: Mapping[str, sympy.Expr] = field(hash=False)

    def __init__(
        self,
        symbols: Symbols,
        *,
        ranges: Mapping[Any, Range] | None = None,
        periods: Mapping[Any, Any] | None = None,
        assumptions: Mapping[Any, Mapping[str, bool]] | None = None,
    ) -> None:
        items = _names(symbols)
        names = [str(item) for item in items]
        bounds = {n: _range(n, r) for n, r in _by_name("ranges", ranges, names).items()}
        lengths = {n: sympy.sympify(p) for n, p in _by_name("periods", periods, names).items()}
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
    def latex_names(self) -> dict[sympy.Symbol, str]:
        """LaTeX spellings that sympy would not find by itself."""
        return {}

    def expression(self, value: Any, parameters: Mapping[str, Any] | Iterable[str | sympy.Symbol] = ()) -> sympy.Expr:
        """`value` (text, number or sympy expression) as a sympy expression in the chart's own symbols."""
        return _expression(self, value, parameters)

    def __str__(self) -> str:
        parts = [_described(s, self.ranges.get(s.name), self.periods.get(s.name)) for s in self.symbols]
        return f"a real chart with coordinates {', '.join(parts)}"

    __repr__ = __str__

    def _repr_latex_(self) -> str:
        return f"$\\left({', '.join(sympy.latex(s) for s in self.symbols)}\\right)$"


@dataclass(frozen=True, init=False)
class ComplexChart:
    """Holomorphic coordinates z^a with their conjugates z̄^a as independent symbols.

    `ComplexChart("z1 z2")` has the symbols z1, z2 and zb1, zb2. In text and in expressions `conj(z1)`, `abs(z1)`,
    `re(z1)` and `im(z1)` are understood and written in z and z̄.

    Raises `InputError` for repeated or missing names.
    """

    symbols: tuple[sympy.Symbol, ...]
    conjugates: tuple[sympy.Symbol, ...]

    def __init__(self, symbols: Symbols) -> None:
        items = _names(symbols)
        holomorphic = tuple(sympy.Symbol(i, complex=True) if isinstance(i, str) else i for i in items)
        bars = tuple(sympy.Symbol(_barred(s.name), complex=True) for s in holomorphic)
        _names([*holomorphic, *bars])
        object.__setattr__(self, "symbols", holomorphic)
        object.__setattr__(self, "conjugates", bars)

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

    @cached_property
    def names(self) -> dict[str, sympy.Expr]:
        """Every name that text in this chart may use, and what it stands for."""
        return {s.name: s for s in self.all_symbols}

    @property
    def latex_names(self) -> dict[sympy.Symbol, str]:
        """LaTeX spellings of the conjugates."""
        return {bar: f"\\bar{{{_latex_head(s.name)}}}{_latex_tail(s.name)}" for s, bar in self._pairs}

    @property
    def real_chart(self) -> Chart:
        """The real chart of realified objects: x, y in dimension one, x1, y1, x2, y2, ... above."""
        labels = [""] if self.dim == 1 else [str(k + 1) for k in range(self.dim)]
        return Chart([name + label for label in labels for name in ("x", "y")])

    @property
    def _pairs(self) -> list[tuple[sympy.Symbol, sympy.Symbol]]:
        return list(zip(self.symbols, self.conjugates, strict=True))

    def expression(self, value: Any, parameters: Mapping[str, Any] | Iterable[str | sympy.Symbol] = ()) -> sympy.Expr:
        """`value` (text, number or sympy expression) as a sympy expression in z and z̄."""
        return self.wirtinger(_expression(self, value, parameters))

    def wirtinger(self, expression: sympy.Expr) -> sympy.Expr:
        """`expression` with conj, abs, re and im of the coordinates written in z and z̄."""
        if not expression.has(sympy.conjugate, sympy.Abs, sympy.re, sympy.im):
            return expression
        rules = (
            (sympy.Abs, lambda u: sympy.sqrt(u * self.conjugate(u))),
            (sympy.re, lambda u: (u + self.conjugate(u)) / 2),
            (sympy.im, lambda u: (u - self.conjugate(u)) / (2 * sympy.I)),
            (sympy.conjugate, lambda u: self.conjugate(u)),
        )
        for function, rule in rules:
            expression = expression.replace(function, rule)
        return expression

    def conjugate(self, expression: sympy.Expr) -> sympy.Expr:
        """The complex conjugate: z and z̄ change places, i becomes −i; parameters and unknown functions are real."""
        swap = dict(self._pairs) | {bar: s for s, bar in self._pairs}
        swapped = self.wirtinger(expression).xreplace({**swap, sympy.I: -sympy.I})
        return swapped.xreplace({f.xreplace(swap): f for f in expression.atoms(AppliedUndef)})

    def __str__(self) -> str:
        return f"a complex chart with coordinates {', '.join(s.name for s in self.symbols)}"

    __repr__ = __str__

    def _repr_latex_(self) -> str:
        return f"$\\left({', '.join(sympy.latex(s) for s in self.symbols)}\\right)$"


def _range(name: str, bounds: Any) -> Range:
    try:
        low, high = (sympy.sympify(b) for b in bounds)
    except (TypeError, ValueError):
        raise InputError(f"the range of {name} must be a pair (from, to), not {bounds!r}") from None
    if (low - high).is_nonnegative:
        raise InputError(f"the range of {name} is empty: it goes from {low} to {high}")
    return low, high


def _real_symbol(item: str | sympy.Symbol, ranges: Mapping[str, Range], extra: Mapping[str, Any]) -> sympy.Symbol:
    if isinstance(item, sympy.Symbol):
        return item
    assumptions: dict[str, bool] = {"real": True}
    low = ranges.get(item, (None, None))[0]
    if low is not None and low.is_nonnegative:
        assumptions["positive"] = True
    return sympy.Symbol(item, **{**assumptions, **extra.get(item, {})})


def _described(symbol: sympy.Symbol, bounds: Range | None, period: sympy.Expr | None) -> str:
    interval = f" in ({bounds[0]}, {bounds[1]})" if bounds else ""
    return f"{symbol}{interval}" + (f" of period {period}" if period else "")


def _barred(name: str) -> str:
    head = name.rstrip("0123456789_")
    return f"{head}b{name[len(head) :]}"


def _latex_head(name: str) -> str:
    return sympy.latex(sympy.Symbol(name.rstrip("0123456789_")))


def _latex_tail(name: str) -> str:
    digits = name[len(name.rstrip("0123456789_")) :].strip("_")
    return f"_{{{digits}}}" if digits else ""


def _expression(chart: Chart | ComplexChart, value: Any, parameters: Any) -> sympy.Expr:
    named = parameters if isinstance(parameters, Mapping) else parameter_names(parameters)
    if isinstance(value, str):
        return parse(value, {**named, **chart.names})
    try:
        expression = sympy.sympify(value)
    except (sympy.SympifyError, TypeError, AttributeError):
        message = f"cannot read {value!r} as an expression; give text, a number or a sympy expression"
        raise ExpressionError(message) from None
    if not isinstance(expression, sympy.Expr) or isinstance(expression, sympy.MatrixBase):
        raise ExpressionError(f"{value!r} is not an expression but a {type(value).__name__}")
    own = {**named, **chart.names}
    foreign = {s: own[s.name] for s in expression.free_symbols if s.name in own and s != own[s.name]}
    return expression.xreplace(foreign) if foreign else expression


def parameter_names(parameters: Symbols | Iterable[Any]) -> dict[str, sympy.Expr]:
    """Names of real parameters given as text ("a m"), symbols or a sequence of either."""
    if not parameters:
        return {}
    items = _names(parameters)
    return {str(i): sympy.Symbol(i, real=True) if isinstance(i, str) else i for i in items}


def with_parameters(coordinates: Sequence[sympy.Symbol], expression: Any) -> tuple[sympy.Symbol, ...]:
    """The coordinates, then every other free symbol of an expression by name."""
    others = {s for s in expression.free_symbols if s not in coordinates}
    return (*coordinates, *sorted(others, key=str))
