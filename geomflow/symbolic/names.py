"""Names: symbols are told apart by their names, and names that the package brings in give way to the user's.

Assumptions do not tell symbols apart: in one chart `Symbol("m")` and `Symbol("m", positive=True)` are one m. A name
that the package would bring in (x and y of a realified metric, s of a geodesic) and that is taken gets `_1` added, or
`_2`, and so on: see `fresh`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import sympy
from sympy.core.assumptions import _assume_defined
from sympy.core.function import AppliedUndef

from geomflow.core.errors import InputError
from geomflow.core.graph.sympy_bridge import as_sympy


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

    Raises InputError where the assumptions contradict each other, or where a dummy shares its name.
    """
    bearers: dict[str, set[sympy.Symbol]] = {}
    for symbol in set().union(*(e.free_symbols for e in expressions)):
        bearers.setdefault(symbol.name, {own[symbol.name]} if symbol.name in own else set()).add(symbol)
    table: dict[sympy.Symbol, Any] = {}
    for name, symbols in bearers.items():
        if len(symbols) > 1:
            if any(isinstance(s, sympy.Dummy) for s in symbols):
                raise InputError(f"a dummy symbol and another symbol are both called '{name}', and symbols are told "
                                 "apart by name: give the dummy another name")  # fmt: skip
            table |= dict.fromkeys(symbols, own[name] if name in own else _with_all_assumptions(name, symbols))
    return [e.xreplace(table) for e in expressions] if table else list(expressions)


def _with_all_assumptions(name: str, symbols: Iterable[sympy.Symbol]) -> sympy.Symbol:
    facts = {fact for s in symbols for fact in s.assumptions0.items()}
    if len(dict(facts)) < len(facts):
        raise InputError(f"symbols called '{name}' are given with assumptions that contradict each other, and symbols "
                         "are told apart by name: give one of them another name")  # fmt: skip
    return sympy.Symbol(name, **dict(facts))


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


def namesake(symbol: Any, symbols: Iterable[sympy.Symbol]) -> sympy.Symbol:
    """The one of the symbols that has the name of `symbol`; `symbol` itself, or one of that name, if none has."""
    own = symbol if isinstance(symbol, sympy.Symbol) else sympy.Symbol(str(symbol))
    return next((s for s in symbols if s.name == str(symbol)), own)
