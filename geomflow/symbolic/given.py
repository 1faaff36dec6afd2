"""What users give for an exact number or expression: text by the whitelist, everything else by strict conversion.

sympy's own `sympify` runs text as Python, also text that it meets inside a tuple; nothing here does.
"""

from __future__ import annotations

import re
import sys
import warnings
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from unicodedata import normalize

import sympy

from geomflow.core.errors import ExpressionError, InputError
from geomflow.core.graph.sympy_bridge import as_sympy, meant
from geomflow.symbolic.names import identified, names_in
from geomflow.symbolic.parse import CONSTANTS, FUNCTIONS, parse, tokens
from geomflow.symbolic.signs import Range

NAME = re.compile(r"[^\W\d]\w*")
_INFINITE = {"oo": sympy.oo, "inf": sympy.oo, "∞": sympy.oo}


def given(value: Any, names: Mapping[str, Any] | Iterable[str | sympy.Symbol] = ()) -> sympy.Expr:
    """`value` (text in these names, a number or a sympy expression) as an expression; text is never run.

    Raises `ExpressionError` for anything else: lists, truth values, matrices.
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
    return expression


def names_written(value: Any) -> set[str]:
    """The names in a text, normalised as `parse` does, or those of the free symbols and functions of an expression."""
    if isinstance(value, str):
        return {normalize("NFKC", token.text) for token in tokens(value) if token.kind == "name"}
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
    floats = set().union(*(e.atoms(sympy.Float) for e in expressions))
    table = {e: _meant(e) for e in floats if e.is_finite}
    return [e.xreplace(table) for e in expressions] if table else list(expressions)


def _meant(value: sympy.Float) -> sympy.Expr:
    found, simple = meant(value)
    if not simple:
        warnings.warn(f"the float {value} is no simple number and is read as {found}: exact results are for that; "
                      "write what is meant as text or in sympy's Rational, sqrt or pi", stacklevel=_outside())
    return found


def _outside() -> int:
    """How many frames above the caller the user's code stands."""
    frame, level = sys._getframe(1), 1
    while frame.f_back is not None and frame.f_globals.get("__name__", "").partition(".")[0] == "geomflow":
        frame, level = frame.f_back, level + 1
    return level


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
    return all_exactly([parse(v, words) if isinstance(v, str) else identified([given(v)], known)[0] for v in values])
