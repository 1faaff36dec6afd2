"""Unknown functions of any arguments in sympy: which derivative of which function, at which arguments.

sympy writes the derivative of f at x + 1 as Subs(Derivative(f(ξ), ξ), ξ, x + 1), and at g(x) as Derivative(f(g(x)),
g(x)). `applied` reads all of these as one thing, a derivative of the function at arguments; `composed` substitutes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import sympy
from sympy.core.function import AppliedUndef

from geomflow.core.errors import ExpressionError

UNKNOWN = (AppliedUndef, sympy.Derivative, sympy.Subs)
"""What sympy writes unknown functions and their derivatives with."""


@dataclass(frozen=True)
class Applied:
    """The derivative of an unknown function, taken `index[i]` times in argument i, at the arguments `args`."""

    function: Any
    index: tuple[int, ...]
    args: tuple[sympy.Expr, ...]

    @property
    def name(self) -> str:
        """The name of the function."""
        return str(self.function.__name__)

    @property
    def value(self) -> sympy.Expr:
        """The function itself at the arguments."""
        return self.function(*self.args)

    def written(self) -> sympy.Expr:
        """In sympy: ∂f(x, y)/∂x where x is a symbol that no other argument contains, Subs elsewhere."""
        inner, orders, moved = list(self.args), [], []
        for k, times in enumerate(self.index):
            if times and not _is_free(self.args, k):
                inner[k] = sympy.Dummy(f"xi_{k + 1}")
                moved.append((inner[k], self.args[k]))
            if times:
                orders.append((inner[k], times))
        value = self.function(*inner)
        derivative = sympy.Derivative(value, *orders) if orders else value
        return sympy.Subs(derivative, *zip(*moved, strict=True)) if moved else derivative


def _is_free(args: tuple[sympy.Expr, ...], k: int) -> bool:
    """Whether argument k is a symbol that no other argument contains."""
    return bool(args[k].is_Symbol) and not any(a.has(args[k]) for i, a in enumerate(args) if i != k)


def applied(e: sympy.Basic) -> Applied | None:
    """The expression as one derivative of one unknown function; None if it is not of this form."""
    if isinstance(e, AppliedUndef):
        return Applied(e.func, (0,) * len(e.args), e.args)
    inner = applied(e.expr) if isinstance(e, (sympy.Derivative, sympy.Subs)) else None
    if inner is None:
        return None
    if isinstance(e, sympy.Subs):
        table = dict(zip(e.variables, e.point, strict=True))
        return Applied(inner.function, inner.index, tuple(composed(a, table) for a in inner.args))
    places = [_place(inner.args, v) for v, _ in e.variable_count]
    if None in places or not all(times.is_Integer for _, times in e.variable_count):
        return None
    index = list(inner.index)
    for place, (_, times) in zip(places, e.variable_count, strict=True):
        assert place is not None
        index[place] += int(times)
    return Applied(inner.function, tuple(index), inner.args)


def _place(args: tuple[sympy.Expr, ...], variable: sympy.Expr) -> int | None:
    """Which argument the variable is, if it occurs there and nowhere else."""
    places = [k for k, a in enumerate(args) if a.has(variable)]
    return places[0] if len(places) == 1 and args[places[0]] == variable else None


def resolved(e: sympy.Basic) -> sympy.Expr:
    """A Derivative or a Subs that `applied` does not read, carried out.

    Raises ExpressionError for a derivative that sympy leaves as it is.
    """
    if isinstance(e, sympy.Subs):
        return composed(e.expr, dict(zip(e.variables, e.point, strict=True)))
    inner = composed(e.expr, {})
    result = inner.diff(*e.variable_count)
    if isinstance(result, sympy.Derivative) and applied(result) is None:
        raise ExpressionError(f"the derivative '{e}' cannot be carried out; give a closed form")
    return result


def composed(e: sympy.Expr, table: Mapping[sympy.Basic, sympy.Expr]) -> sympy.Expr:
    """The expression with every key of the table replaced, all at once; symbols are told apart by name.

    Derivatives of unknown functions stay those of the function, at the new arguments.
    """
    if e in table:
        return table[e]
    if not e.args:
        return _by_name(e, table)
    if isinstance(e, UNKNOWN):
        found = applied(e)
        if found is None:
            return composed(resolved(e), table)
        return Applied(found.function, found.index, tuple(composed(a, table) for a in found.args)).written()
    args = [composed(a, table) for a in e.args]
    return e if all(a is b for a, b in zip(args, e.args, strict=True)) else e.func(*args)


def _by_name(e: sympy.Expr, table: Mapping[sympy.Basic, sympy.Expr]) -> sympy.Expr:
    """What stands for a symbol of this name; sympy takes Subs at symbols of one name for equal and mixes them up."""
    if not e.is_Symbol or e.is_Dummy:
        return e
    return next((new for s, new in table.items() if s.is_Symbol and not s.is_Dummy and s.name == e.name), e)


def owned(found: Applied, own: dict[str, sympy.Symbol]) -> Applied:
    """The same with the symbols that `own` has for their names; it learns names that it does not have."""
    symbols = set().union(*(a.free_symbols for a in found.args))
    table = {s: own.setdefault(s.name, s) for s in sorted(symbols, key=str) if not s.is_Dummy}
    return Applied(found.function, found.index, tuple(composed(a, table) for a in found.args))


def unknowns(e: sympy.Basic) -> Iterator[Applied]:
    """Every derivative of an unknown function in the expression, those inside arguments included."""
    pending = [e]
    while pending:
        part = pending.pop()
        if not isinstance(part, UNKNOWN):
            pending.extend(part.args)
        elif (found := applied(part)) is None:
            pending.append(resolved(part))
        else:
            yield found
            pending.extend(found.args)
