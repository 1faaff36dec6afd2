"""Charts: the coordinates that components are written in, real or complex.

A complex chart treats z and its conjugate as independent (Wirtinger) symbols, so that ∂/∂z and ∂/∂z̄ are partial
derivatives. Symbols are matched by name: an expression in `Symbol("x")` means the chart's own x. A complex parameter t
is carried with its conjugate t̄ as a symbol of its own too.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeAlias, TypeVar

import sympy
from sympy.core.function import UndefinedFunction
from sympy.printing.latex import other_symbols

from geomflow.core.errors import InputError, UnknownNameError
from geomflow.core.graph.sympy_bridge import UNKNOWN, Applied, applied, resolved, unknowns
from geomflow.symbolic.given import all_exactly, given, given_bound, given_freely
from geomflow.symbolic.names import assumed, fresh, identified, names_in
from geomflow.symbolic.parse import FUNCTIONS, parse
from geomflow.symbolic.show import InLatex
from geomflow.symbolic.signs import Range, without_moduli

Symbols: TypeAlias = str | Sequence[str | sympy.Symbol] | sympy.Symbol
Parameters: TypeAlias = Symbols | Mapping[str, Any]
Functions: TypeAlias = str | Iterable[Any] | UndefinedFunction
Pairs: TypeAlias = tuple[tuple[sympy.Symbol, sympy.Symbol], ...]

Kind = TypeVar("Kind", "Chart", "ComplexChart")

CONJUGATING = (sympy.conjugate, sympy.Abs, sympy.re, sympy.im, sympy.sign)
"""Functions in which a conjugate is formed."""


def given_names(symbols: Symbols, what: str = "coordinate") -> list[str | sympy.Symbol]:
    """Names in a text, or a list of names and symbols, one by one; raises `InputError` for what is no name."""
    if isinstance(symbols, str):
        symbols = [name for name in re.split(r"[\s,]+", symbols) if name]
    elif isinstance(symbols, sympy.Symbol):
        symbols = [symbols]
    items = list(symbols)
    for item in items:
        if not isinstance(item, (str, sympy.Symbol)) or not str(item).isidentifier():
            raise InputError(f"a {what} must be a name such as 'x', not {item!r}")
    if not items and what == "coordinate":
        raise InputError("a chart needs at least one coordinate, as in Chart('x y')")
    repeated = {str(item) for item in items if [str(i) for i in items].count(str(item)) > 1}
    if repeated:
        raise InputError(f"{what}s must be different, but '{sorted(repeated)[0]}' comes twice")
    return items


def _by_name(what: str, table: Mapping[Any, Any] | None, names: Iterable[str]) -> dict[str, Any]:
    known = list(names)
    result = {str(key): value for key, value in (table or {}).items()}
    for key in result:
        if key not in known:
            raise UnknownNameError.among(f"coordinate in {what}", key, known)
    return result


@dataclass(frozen=True, init=False)
class Chart(InLatex):
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
        items = given_names(symbols)
        names = [str(item) for item in items]
        bounds = {n: chart_range(n, r) for n, r in _by_name("ranges", ranges, names).items()}
        lengths = {n: given_freely(p) for n, p in _by_name("periods", periods, names).items()}
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

    def expression(self, value: Any, parameters: Parameters = (), functions: Functions = ()) -> sympy.Expr:
        """`value` (text, number or sympy expression) as a sympy expression in the chart's own symbols.

        Text may use the `parameters` ("a m") and call the unknown `functions` ("f", or sympy functions). |u| and
        sign(u) are written without them where the ranges prove the sign of u.
        """
        return self.expressions([value], parameters, functions)[0]

    def expressions(
        self, values: Sequence[Any], parameters: Parameters = (), functions: Functions = ()
    ) -> list[sympy.Expr]:
        """Several values, each as `expression` reads it."""
        known = {**parameter_names(parameters, self.names), **self.names}
        found = read_expressions(values, known, function_names(functions, known))
        return [without_moduli(_without_conjugates(e), self.ranges) for e in found]

    def __str__(self) -> str:
        parts = [_described(s, self.ranges.get(s.name), self.periods.get(s.name)) for s in self.symbols]
        return f"a real chart with coordinates {', '.join(parts)}"

    __repr__ = __str__

    def _latex(self, printer: Any = None) -> str:
        return f"\\left({', '.join(sympy.latex(s) for s in self.symbols)}\\right)"


@dataclass(frozen=True, init=False)
class ComplexChart(InLatex):
    """Holomorphic coordinates z^a with their conjugates z̄^a as independent symbols.

    `ComplexChart("z1 z2")` has the symbols z1, z2 and zb1, zb2. In text and in expressions `conj(z1)`, `abs(z1)`,
    `re(z1)` and `im(z1)` are understood and written in z and z̄.

    `moduli` are complex parameters: names or symbols t, each carried with its conjugate, which is called tb (or tb_1
    where that is taken), as a symbol of its own. A metric's `parameters={"t": "complex"}` adds to them, and so do the
    symbols of sympy expressions: those that are declared complex, and those that declare nothing if their conjugate,
    modulus, real or imaginary part is formed. All other parameters are real.

    Raises `InputError` for repeated or missing names.
    """

    symbols: tuple[sympy.Symbol, ...]
    conjugates: tuple[sympy.Symbol, ...]
    moduli: tuple[tuple[sympy.Symbol, sympy.Symbol], ...]

    def __init__(self, symbols: Symbols, *, moduli: Parameters = ()) -> None:
        items = given_names(symbols)
        holomorphic = tuple(sympy.Symbol(i, complex=True) if isinstance(i, str) else i for i in items)
        bars = tuple(sympy.Symbol(_barred(s.name), complex=True) for s in holomorphic)
        given_names([*holomorphic, *bars])
        declared = parameter_names(moduli, [s.name for s in (*holomorphic, *bars)], "complex")
        self._set(holomorphic, bars, _pairs(declared.values(), [s.name for s in (*holomorphic, *bars)]))

    def _set(self, symbols: tuple[sympy.Symbol, ...], bars: tuple[sympy.Symbol, ...], moduli: Pairs) -> None:
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
    def pairs(self) -> Pairs:
        """Coordinates and complex parameters, each with its conjugate."""
        return (*zip(self.symbols, self.conjugates, strict=True), *self.moduli)

    @cached_property
    def names(self) -> dict[str, sympy.Expr]:
        """Every name that text in this chart may use, and what it stands for."""
        return {s.name: s for pair in self.pairs for s in pair}

    @property
    def latex_names(self) -> dict[sympy.Symbol, str]:
        """LaTeX spellings of the conjugates."""
        return {bar: f"\\bar{{{_latex_head(s.name)}}}{_latex_tail(s.name)}" for s, bar in self.pairs}

    @property
    def real_chart(self) -> Chart:
        """The real chart of realified objects: x, y in dimension one, x1, y1, x2, y2, ... above."""
        return self.real_chart_beside(())

    def real_chart_beside(self, taken: Iterable[str]) -> Chart:
        """The real chart, with fresh names (x_1 for x) for those that this chart or something beside it has."""
        used, found = {*self.names, *taken}, []
        for label in [""] if self.dim == 1 else [str(k + 1) for k in range(self.dim)]:
            for letter in ("x", "y"):
                found.append(fresh(letter + label, used))
                used.add(found[-1])
        return Chart(found)

    def expression(self, value: Any, parameters: Parameters = (), functions: Functions = ()) -> sympy.Expr:
        """`value` (text, number or sympy expression) as a sympy expression in z and z̄.

        Text may use the `parameters` ("a m") and call the unknown `functions` ("f", or sympy functions).
        """
        return self.read([value], parameters, functions)[1][0]

    def read(
        self, values: Sequence[Any], parameters: Parameters = (), functions: Functions = ()
    ) -> tuple[ComplexChart, list[sympy.Expr]]:
        """The values as expressions in z and z̄, and the chart with the complex parameters that occur in them."""
        declared = parameter_names(parameters, self.names)
        chart = self._with(_pairs(filter(_is_complex, declared.values()), {*self.names, *declared}))
        known = {**declared, **chart.names}
        called = function_names(functions, known)
        raw = identified(read_expressions(values, known, called), known)
        chart = chart._with(_moduli(raw, chart.names, declared))
        return chart, [chart._in_pairs(e) for e in raw]

    def _with(self, pairs: Pairs) -> ComplexChart:
        if not pairs:
            return self
        chart = object.__new__(ComplexChart)
        chart._set(self.symbols, self.conjugates, (*self.moduli, *pairs))
        return chart

    def _in_pairs(self, expression: sympy.Expr) -> sympy.Expr:
        """`expression` with conj, abs, sign, re and im written in symbols and their conjugates."""
        if not expression.has(*CONJUGATING):
            return expression
        rules = (
            (sympy.Abs, lambda u: sympy.sqrt(u * self._conjugate(u))),
            (sympy.sign, lambda u: u / sympy.sqrt(u * self._conjugate(u))),
            (sympy.re, lambda u: (u + self._conjugate(u)) / 2),
            (sympy.im, lambda u: (u - self._conjugate(u)) / (2 * sympy.I)),
            (sympy.conjugate, lambda u: self._conjugate(u)),
        )
        for function, rule in rules:
            expression = expression.replace(function, rule)
        return expression

    def conjugate(self, expression: sympy.Expr) -> sympy.Expr:
        """The complex conjugate: z and z̄ change places, complex parameters and their conjugates too, i becomes −i.

        Other parameters are real. An unknown function whose arguments are real, or are each other's conjugates as z
        and z̄ are, is a real function. Any other, such as f(z), is complex: its conjugate is the function fbar of the
        conjugate arguments.
        """
        chart, (written,) = self.read([expression])
        return chart._conjugate(written)

    def _conjugate(self, expression: sympy.Expr) -> sympy.Expr:
        swap = dict(self.pairs) | {bar: s for s, bar in self.pairs}
        own = {s.name: s for s in swap}
        moved = {s: swap[own[s.name]] for s in expression.free_symbols if s.name in own}
        return self._mirrored(self._in_pairs(expression), {**moved, **swap, sympy.I: -sympy.I})

    def _mirrored(self, e: sympy.Expr, swap: Mapping[sympy.Expr, sympy.Expr]) -> sympy.Expr:
        if not isinstance(e, UNKNOWN):
            return e.func(*[self._mirrored(a, swap) for a in e.args]) if e.args else swap.get(e, e)
        found = applied(e)
        if found is None:
            return self._mirrored(resolved(e), swap)
        bars = tuple(self._mirrored(a, swap) for a in found.args)
        places = [self._partner(found.args, k, bar) for k, bar in enumerate(bars)]
        if sorted(p for p in places if p is not None) == list(range(len(bars))):
            index = tuple(found.index[p] for p in places if p is not None)
            return Applied(found.function, index, found.args).written()
        return Applied(_conjugate_function(found.name), found.index, bars).written()

    def _partner(self, args: Sequence[sympy.Expr], k: int, bar: sympy.Expr) -> int | None:
        """The place of the conjugate of argument k among the arguments: k itself where it is real."""
        order = [k, *(i for i in range(len(args)) if i != k)]
        return next((i for i in order if self._equal(args[i], bar)), None)

    def _equal(self, a: sympy.Expr, b: sympy.Expr) -> bool:
        from geomflow.symbolic.exact import is_zero

        return bool(a == b) or bool(is_zero(a - b, self))

    def __str__(self) -> str:
        return f"a complex chart with coordinates {', '.join(s.name for s in self.symbols)}"

    __repr__ = __str__

    def _latex(self, printer: Any = None) -> str:
        return f"\\left({', '.join(sympy.latex(s) for s in self.symbols)}\\right)"


def chart_range(name: str, bounds: Any) -> Range:
    """The pair (from, to) as sympy expressions.

    Raises InputError unless it is a pair, and for an empty one.
    """
    if not isinstance(bounds, Sequence | sympy.Tuple) or isinstance(bounds, str) or len(bounds) != 2:
        raise InputError(f"the range of {name} must be a pair (from, to), not {bounds!r}")
    low, high = map(given_bound, bounds)
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


def _conjugate_name(function: str) -> str:
    """fbar for f, and f for fbar: LaTeX shows a bar."""
    return function[:-3] if function.endswith("bar") and len(function) > 3 else f"{function}bar"


def _conjugate_function(function: str) -> UndefinedFunction:
    """The conjugate of an unknown function, which LaTeX shows with a bar, also where sympy would show Planck's ħ."""
    name = _conjugate_name(function)
    own = {"_latex": _barred_latex} if name in other_symbols else None
    return UndefinedFunction(name, __dict__=own)


def _barred_latex(applied: Any, printer: Any, exp: str | None = None) -> str:
    head, power = str(applied.func).removesuffix("bar"), "" if exp is None else f"^{{{exp}}}"
    shown = ", ".join(printer.doprint(a) for a in applied.args)
    return rf"\bar{{{head}}}{power}{{\left({shown} \right)}}"


def _latex_head(name: str) -> str:
    return sympy.latex(sympy.Symbol(name.rstrip("0123456789_")))


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


def read_expressions(
    values: Sequence[Any], known: Mapping[str, Any], functions: Mapping[str, Any]
) -> list[sympy.Expr]:
    """Texts, numbers or sympy expressions, with symbols that have a known name replaced by what that is."""
    words = {**functions, **known}
    return all_exactly([parse(v, words) if isinstance(v, str) else identified([given(v)], known)[0] for v in values])


def parameter_names(parameters: Parameters, taken: Collection[str] = (), word: str = "real") -> dict[str, Any]:
    """Names of parameters and what they stand for.

    `parameters` are text ("a m"), symbols, a sequence of either, or a mapping from names to assumptions of sympy's
    ({"t": "complex", "m": {"positive": True}}). A name alone becomes a symbol that is `word`.

    Raises InputError for a name that is taken: a parameter is no coordinate.
    """
    if not parameters:
        return {}
    items = given_names(list(parameters) if isinstance(parameters, Mapping) else parameters, "parameter")
    for item in items:
        if str(item) in taken:
            raise InputError(
                f"the parameter '{item}' has the name of a coordinate (or of a conjugate): the chart has "
                f"{', '.join(taken)}; give one of the two another name"
            )
    if isinstance(parameters, Mapping):
        return {str(name): assumed(str(name), what) for name, what in parameters.items()}
    return {str(i): sympy.Symbol(i, **{word: True}) if isinstance(i, str) else i for i in items}


def function_names(functions: Functions, taken: Mapping[str, Any]) -> dict[str, Any]:
    """Unknown functions by name, given as text ("f g"), as sympy functions, or as a sequence of either.

    Raises InputError for a name that is `taken` by a coordinate or a parameter, or is that of a known function.
    """
    if not functions:
        return {}
    items = re.split(r"[\s,]+", functions.strip()) if isinstance(functions, str) else functions
    found: dict[str, Any] = {}
    for item in items if isinstance(items, Iterable) else [items]:
        name = str(item)
        if not name.isidentifier() or not isinstance(item, (str, UndefinedFunction)):
            raise InputError(f"an unknown function must be a name such as 'f' or a sympy.Function, not {item!r}")
        if name in taken or name in FUNCTIONS:
            what = "a coordinate or a parameter" if name in taken else "a known function"
            raise InputError(f"'{name}' is {what} here and cannot be an unknown function too; rename one of them")
        found[name] = sympy.Function(name) if isinstance(item, str) else item
    return found


def functions_of(chart: Chart | ComplexChart, matrix: sympy.MatrixBase) -> list[Any]:
    """The unknown functions of a matrix that text in the chart may call."""
    taken = {*chart.names, *FUNCTIONS, *(str(s) for s in matrix.free_symbols)}
    table = {found.name: found.function for e in matrix for found in unknowns(e)}
    return [function for name, function in table.items() if name not in taken]


def with_parameters(coordinates: Sequence[sympy.Symbol], expression: Any) -> tuple[sympy.Symbol, ...]:
    """The coordinates, then every other free symbol of an expression by name."""
    others = {s for s in expression.free_symbols if s not in coordinates}
    return (*coordinates, *sorted(others, key=str))


def _may_be_complex(symbol: Any) -> bool:
    return isinstance(symbol, sympy.Symbol) and isinstance(sympy.conjugate(symbol), sympy.conjugate)


def _is_complex(symbol: Any) -> bool:
    """Whether the symbol is declared complex, and not real or imaginary."""
    return _may_be_complex(symbol) and (symbol.is_complex or symbol.is_real is False)


def _pairs(symbols: Iterable[sympy.Symbol], taken: Iterable[str]) -> Pairs:
    """Complex parameters with their conjugates, which get names that nothing else has."""
    used, found = set(taken), []
    for s in symbols:
        bar = sympy.Symbol(fresh(_barred(s.name), used), complex=True)
        used.add(bar.name)
        found.append((s, bar))
    return tuple(found)


def _moduli(raw: Sequence[sympy.Expr], own: Mapping[str, Any], declared: Mapping[str, Any]) -> Pairs:
    """The complex parameters of expressions beyond `own`: complex by declaration, or conjugated.

    A complex symbol tb beside t is the conjugate of t, unless a conjugate is formed of one of them: then it is unclear
    what is meant, which raises InputError.
    """
    strangers = sorted((s for e in raw for s in e.free_symbols if s.name not in own and _may_be_complex(s)), key=str)
    strangers = list(dict.fromkeys(strangers))
    conjugated = {s for e in raw for part in e.atoms(*CONJUGATING) for s in part.free_symbols}
    bars = {_barred(s.name): s for s in strangers}
    given = tuple((bars[s.name], s) for s in strangers if s.name in bars and _is_complex(s))
    paired = [s for pair in given for s in pair]
    if len(set(paired)) < len(paired) or conjugated.intersection(paired):
        t, bar = given[0]
        raise InputError(
            f"'{bar}' is the name of the conjugate of '{t}', and it is a complex parameter of its own here: "
            f"give it another name, or write conj({t}) if that is meant"
        )
    found = [s for s in strangers if s not in paired and (_is_complex(s) or s in conjugated)]
    return (*given, *_pairs(found, {*own, *declared, *names_in(raw)}))


def _without_conjugates(expression: sympy.Expr) -> sympy.Expr:
    """The expression, if it forms no conjugate of a complex parameter: on a real chart that has no derivative.

    Raises InputError if it does.
    """
    for part in expression.atoms(*CONJUGATING):
        found = sorted((s.name for s in part.free_symbols if _is_complex(s)), key=str)
        if found:
            raise InputError(
                f"'{part}' forms the conjugate of the complex parameter '{found[0]}', which a real chart does not "
                f"carry: write it with real parameters, {found[0]} = {found[0]}_re + i*{found[0]}_im"
            )
    return expression
