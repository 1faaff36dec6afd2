"""What users give: names, numbers and expressions; text by the whitelist, everything else by strict conversion.

sympy's own `sympify` runs text as Python, also text that it meets inside a tuple; nothing here does. Symbols are told
apart by their names, and names that the package brings in give way to the user's.

Assumptions do not tell symbols apart: in one chart `Symbol("m")` and `Symbol("m", positive=True)` are one m. A name
that the package would bring in (x and y of a realified metric, s of a geodesic) and that is taken gets `_1` added, or
`_2`, and so on: see `fresh`.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, TypeAlias
from unicodedata import normalize

import sympy
from sympy.core.assumptions import _assume_defined
from sympy.core.facts import InconsistentAssumptions
from sympy.core.function import AppliedUndef, UndefinedFunction

from geomflow.core.errors import ExpressionError, InputError, warn
from geomflow.core.exact_numbers import MOST_BITS, meant, overgrown
from geomflow.core.graph.sympy_bridge import as_sympy, contents
from geomflow.symbolic.meaning import CONSTANTS, FUNCTIONS
from geomflow.symbolic.parse import parse
from geomflow.symbolic.show import shortened
from geomflow.symbolic.signs import Range
from geomflow.symbolic.words import tokens

Symbols: TypeAlias = str | Sequence[str | sympy.Symbol] | sympy.Symbol
Parameters: TypeAlias = Symbols | Mapping[str, Any]
Functions: TypeAlias = str | Iterable[Any] | UndefinedFunction


def fresh(wanted: str, taken: Collection[str]) -> str:
    """`wanted` if no one has that name, else the first of `wanted_1`, `wanted_2`, ... that is free."""
    name, number = wanted, 0
    while name in taken:
        number += 1
        name = f"{wanted}_{number}"
    return name


def names_in(expressions: Iterable[Any]) -> set[str]:
    """The names of the free symbols and of the unknown functions in some expressions."""
    found: set[str] = set()
    for e in expressions:
        found |= {s.name for s in e.free_symbols} | {f.func.__name__ for f in e.atoms(AppliedUndef)}
    return found


def identified(expressions: Sequence[sympy.Expr], own: Mapping[str, Any]) -> list[sympy.Expr]:
    """The expressions with one symbol a name: the symbol that `own` gives it, or one with all assumptions made of it.

    Unknown functions are told apart by name too. Raises InputError where assumptions contradict each other, or where a
    dummy shares its name.
    """
    found = contents(expressions)
    bearers: dict[str, set[sympy.Symbol]] = {}
    for symbol in found.symbols:
        bearers.setdefault(symbol.name, {own[symbol.name]} if symbol.name in own else set()).add(symbol)
    table: dict[sympy.Symbol, Any] = {}
    for name, symbols in bearers.items():
        if len(symbols) > 1:
            if any(isinstance(s, sympy.Dummy) for s in symbols):
                raise InputError(f"a dummy symbol and another symbol are both called '{name}', and symbols are told "
                                 "apart by name: give the dummy another name")  # fmt: skip
            merged = _with_all_assumptions(name, symbols)
            table |= dict.fromkeys(symbols, own.get(name, merged))
    renamed = _with_one_function_a_name(expressions, {applied.function for applied in found.unknown})
    return [e.xreplace(table) for e in renamed] if table else renamed


def _with_one_function_a_name(expressions: Sequence[sympy.Expr], functions: set[Any]) -> list[sympy.Expr]:
    """Functions of one name as one function with all assumptions made of it."""
    names: dict[str, dict[str, Any]] = {}
    for function in functions:
        facts = names.setdefault(function.__name__, {})
        if any(facts.get(fact, value) != value for fact, value in function._kwargs.items()):
            raise InputError(_contradiction("unknown functions", function.__name__))
        facts |= function._kwargs
    if len(names) == len(functions):
        return list(expressions)
    try:
        table = {name: sympy.Function(name, **facts) for name, facts in names.items()}
    except InconsistentAssumptions as error:
        raise InputError(f"of an unknown function contradictory things are assumed: {error}") from None
    return [e.replace(lambda part: isinstance(part, AppliedUndef), lambda part: table[part.func.__name__](*part.args))
            for e in expressions]


def _with_all_assumptions(name: str, symbols: Iterable[sympy.Symbol]) -> sympy.Symbol:
    facts = {fact for s in symbols for fact in s.assumptions0.items()}
    if len(dict(facts)) < len(facts):
        raise InputError(_contradiction("symbols", name))
    return sympy.Symbol(name, **dict(facts))


def _contradiction(kind: str, name: str) -> str:
    return (f"{kind} called '{name}' are given with assumptions that contradict each other, and they are told apart by "
            "name: give one of them another name")


def namesake(symbol: Any, symbols: Iterable[sympy.Symbol]) -> sympy.Symbol:
    """The one of the symbols that has the name of `symbol`; `symbol` itself, or one of that name, if none has."""
    own = symbol if isinstance(symbol, sympy.Symbol) else sympy.Symbol(str(symbol))
    return next((s for s in symbols if s.name == str(symbol)), own)


def with_parameters(coordinates: Sequence[sympy.Symbol], expression: Any) -> tuple[sympy.Symbol, ...]:
    """The coordinates, then every other free symbol of an expression by name."""
    others = {s for s in expression.free_symbols if s not in coordinates}
    return (*coordinates, *sorted(others, key=str))


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


def assumed(name: str, what: Any) -> Any:
    """The parameter `name`: `what` is an assumption of sympy's ("complex", "positive"), several, or what it stands for.

    Raises InputError for an assumption that sympy does not have.
    """
    if not isinstance(what, (str, Mapping)):
        return as_sympy(what)
    facts = {what: True} if isinstance(what, str) else dict(what)
    for fact in facts:
        if fact not in _assume_defined:
            raise InputError(f"the parameter '{name}' is declared '{fact}', which is no assumption of sympy's; say "
                             "'real', 'complex', 'positive' or the like")  # fmt: skip
    return sympy.Symbol(name, **facts)


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


NAME = re.compile(r"[^\W\d]\w*")
_INFINITE = {"oo": sympy.oo, "inf": sympy.oo, "∞": sympy.oo}


def given(value: Any, names: Mapping[str, Any] | Iterable[str | sympy.Symbol] = ()) -> sympy.Expr:
    """`value` (text in these names, a number or a sympy expression) as an expression; text is never run.

    Raises `ExpressionError` for anything else (lists, truth values, matrices), and for numbers too large to evaluate.
    """
    if isinstance(value, str):
        return parse(str(value), names)
    try:
        expression = as_sympy(value)
    except ExpressionError:
        message = f"cannot read {value!r} as an expression; give text, a number or a sympy expression"
        raise ExpressionError(message) from None
    if not isinstance(expression, sympy.Expr) or isinstance(expression, sympy.MatrixBase):
        raise ExpressionError(f"{value!r} is not an expression but a {type(value).__name__}")
    if overgrown(expression):
        raise ExpressionError(f"{shortened(str(expression))} holds a number that is, or is made of one that is, beyond "
                              f"2^±{MOST_BITS:,}, and is not evaluated")
    return expression


def names_written(value: Any) -> set[str]:
    """The names in a text, normalised as `parse` does, or those of the free symbols and functions of an expression."""
    if isinstance(value, str):
        return {normalize("NFKC", token.text) for token in tokens(value, indexed=True) if token.kind == "name"}
    return names_in([given(value)])


def exactly(expression: sympy.Expr) -> sympy.Expr:
    """The expression with floats replaced by the exact numbers that they stand for; see `all_exactly`."""
    return all_exactly([expression])[0]


def all_exactly(expressions: Sequence[sympy.Expr]) -> list[sympy.Expr]:
    """The expressions with floats replaced by the exact numbers that they stand for.

    0.1 is 1/10, 0.6666666666666666 is 2/3; what arithmetic in floats has made of a simple fraction, of a root of one or
    of a multiple of π is recognised. Warns, naming the float, where no such number is found and the fraction that is
    read has a denominator above a million: once for each float.
    """
    floats = set().union(*(e.atoms(sympy.Float) for e in set(expressions)))
    table = {e: _meant(e) for e in floats if e.is_finite}
    return [e.xreplace(table) for e in expressions] if table else list(expressions)


def _meant(value: sympy.Float) -> sympy.Expr:
    found, simple = meant(value)
    if not simple:
        warn(f"the float {value} is no simple number and is read as {found}: exact results are for that; "
             "write what is meant as text or in sympy's Rational, sqrt or pi")
    return found


def given_freely(value: Any, symbols: Iterable[sympy.Symbol] = ()) -> sympy.Expr:
    """`given` in these symbols, every other name in a text being a real symbol of its own."""
    if not isinstance(value, str):
        return exactly(given(value))
    own = {name: sympy.Symbol(name, real=True) for name in set(NAME.findall(value)) - {*CONSTANTS, *FUNCTIONS}}
    return parse(str(value), own | {s.name: s for s in symbols})


def given_bound(value: Any) -> sympy.Expr:
    """`given_freely` for the end of a range, which may be infinite: "oo", "-oo"."""
    if isinstance(value, str) and (end := _INFINITE.get(value.strip(" +-"))) is not None:
        return -end if value.strip().startswith("-") else end
    return given_freely(value)


def given_range(name: str, bounds: Any) -> Range:
    """The pair (from, to) as sympy expressions.

    Raises InputError unless it is a pair, and for an empty one.
    """
    if not isinstance(bounds, Sequence | sympy.Tuple) or isinstance(bounds, str) or len(bounds) != 2:
        raise InputError(f"the range of {name} must be a pair (from, to), not {bounds!r}")
    low, high = map(given_bound, bounds)
    if (low - high).is_nonnegative:
        raise InputError(f"the range of {name} is empty: it goes from {low} to {high}")
    return low, high


def read_expressions(
    values: Sequence[Any], known: Mapping[str, Any], functions: Mapping[str, Any]
) -> list[sympy.Expr]:
    """Texts, numbers or sympy expressions, with symbols that have a known name replaced by what that is."""
    words = {**functions, **known}
    read = [parse(v, words) if isinstance(v, str) else given(v) for v in values]
    return all_exactly(identified(read, known))
