"""Between sympy, which users see, and the graph, on which the work is done.

sympy writes the derivative of an unknown function f at x + 1 as Subs(Derivative(f(ξ), ξ), ξ, x + 1), and at g(x) as
Derivative(f(g(x)), g(x)). `applied` reads all of these as one thing, a derivative of the function at arguments;
`composed` substitutes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import sympy
from sympy.core.function import AppliedUndef

from geomflow.core import graph as gr
from geomflow.core.errors import ExpressionError, UnknownFunctionError
from geomflow.core.exact_numbers import fraction_of_float, sympy_rational

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
        """In sympy: ∂f(x, y)/∂x where x is a symbol that no other argument contains, Subs elsewhere.

        Of derivatives at equal arguments, as ∂₁²∂₂f(x, x), one Subs stands in the other: sympy takes a single one for
        equal to that of ∂₁∂₂²f(x, x).
        """
        places = [k for k, times in enumerate(self.index) if times]
        moved = [k for k in places if not _is_free(self.args, k)]
        again = [k for n, k in enumerate(moved) if self.args[k] in [self.args[i] for i in moved[:n]]]
        inner = [sympy.Dummy(f"xi_{k + 1}") if k in moved else a for k, a in enumerate(self.args)]
        value = self.function(*inner)
        first = [k for k in places if k not in again]
        for group in (first, *([k] for k in again)):
            value = sympy.Derivative(value, *((inner[k], self.index[k]) for k in group)) if group else value
            dummies = [k for k in group if k in moved]
            if dummies:
                value = sympy.Subs(value, [inner[k] for k in dummies], [self.args[k] for k in dummies])
        return value


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


@dataclass(frozen=True)
class Contents:
    """What expressions are written in: free symbols, and derivatives of unknown functions, inside arguments too."""

    symbols: set[sympy.Symbol]
    unknown: list[Applied]


def contents(expressions: Iterable[sympy.Basic]) -> Contents:
    """The symbols and the unknown functions of the expressions, each part looked at once."""
    symbols, unknown = set(), []
    seen: set[sympy.Basic] = set()
    pending = list(expressions)
    while pending:
        part = pending.pop()
        if part in seen:
            continue
        seen.add(part)
        if part.is_Symbol:
            symbols.add(part)
        elif not isinstance(part, UNKNOWN):
            pending.extend(part.args)
        elif (found := applied(part)) is None:
            pending.append(resolved(part))
        else:
            unknown.append(found)
            pending.extend(found.args)
    return Contents(symbols, unknown)


def from_sympy(expression: Any, coordinates: Sequence[str] = ()) -> gr.Node:
    """A sympy expression as a node.

    Unknown functions of the `coordinates`, in their order, and the derivatives of these become jets: they are fields.
    Floats become the simplest rationals that round to them.

    Raises UnknownFunctionError for any other function that the graph does not know, ExpressionError for anything
    else that has no place in it.
    """
    return _Reader(tuple(map(str, coordinates))).read(as_sympy(expression))


def with_functions(expression: Any) -> gr.Node:
    """A sympy expression as a node, with unknown functions of any arguments, which no numbers can be had for.

    Raises UnknownFunctionError and ExpressionError as `from_sympy`.
    """
    return _FunctionReader(()).read(as_sympy(expression))


def all_from_sympy(expressions: Iterable[Any], coordinates: Sequence[str] = ()) -> list[gr.Node]:
    """Several sympy expressions as nodes, sharing the work."""
    reader = _Reader(tuple(map(str, coordinates)))
    return [reader.read(as_sympy(e)) for e in expressions]


def as_sympy(expression: Any) -> sympy.Basic:
    """Numbers and sympy's own objects as sympy has them; text is never read, nor looked for in containers.

    Raises ExpressionError for anything else.
    """
    try:
        found = None if isinstance(expression, _READ_INSIDE) else sympy.sympify(expression, strict=True)
    except (sympy.SympifyError, AttributeError, TypeError, ValueError):
        found = None
    if not isinstance(found, sympy.Basic | sympy.MatrixBase):
        kind = type(expression).__name__
        raise ExpressionError(f"{expression!r} (of type {kind}) is no exact expression; give sympy's") from None
    return found


#: Strict conversion still runs the text that it finds inside these.
_READ_INSIDE = (str, tuple, dict, set, frozenset, range)
_RECIPROCAL = {"cot": "tan", "sec": "cos", "csc": "sin", "coth": "tanh", "sech": "cosh", "csch": "sinh"}
_RENAMED = {"Abs": "abs"}


class _Reader:
    def __init__(self, coordinates: tuple[str, ...]) -> None:
        self._coordinates = coordinates
        self._known: dict[sympy.Basic, gr.Node] = {}

    def read(self, expression: sympy.Basic) -> gr.Node:
        found = self._known.get(expression)
        if found is None:
            found = self._known[expression] = self._convert(expression)
        return found

    def _convert(self, e: Any) -> gr.Node:
        if e.is_Symbol:
            return gr.symbol(e.name)
        if e.is_Add:
            pairs = [a.as_coeff_Mul() for a in e.args]
            if all(c.is_Rational for c, _ in pairs):
                return gr.linear(0, [(_rational(c), self.read(x)) for c, x in pairs])
            return gr.linear(0, [(1, self.read(a)) for a in e.args])
        if e.is_Mul:
            return gr.product([(self.read(a), 1) for a in e.args])
        if e.is_Pow:
            return self._power(*e.as_base_exp())
        if e.is_number and (leaf := _number(e)) is not None:
            return leaf
        return self._function(e)

    def _power(self, base: Any, exponent: Any) -> gr.Node:
        if base is sympy.E:
            return gr.call("exp", self.read(exponent))
        if exponent.is_Float:
            exponent = sympy_rational(fraction_of_float(exponent))
        if exponent.is_Rational:
            return gr.power(self.read(base), _rational(exponent))
        return gr.call("exp", gr.product([(self.read(exponent), 1), (gr.call("log", self.read(base)), 1)]))

    def _function(self, e: Any) -> gr.Node:
        if isinstance(e, UNKNOWN):
            found = applied(e)
            return self.read(resolved(e)) if found is None else self._unknown(found)
        if not e.is_Function:
            raise ExpressionError(f"'{e}' (a {type(e).__name__}) has no place in an exact expression; use numbers, "
                                  "coordinates, parameters, functions of the coordinates and elementary functions")
        return self._elementary(e)

    def _elementary(self, e: Any) -> gr.Node:
        name = _RENAMED.get(e.func.__name__, e.func.__name__)
        if len(e.args) == 1 and name in _RECIPROCAL:
            return gr.power(gr.call(_RECIPROCAL[name], self.read(e.args[0])), -1)
        if len(e.args) != 1 or name not in gr.FUNCTIONS:
            raise UnknownFunctionError(f"unknown function '{name}' in '{e}'; "
                                       f"known are: sqrt, {', '.join(sorted(gr.FUNCTIONS))}")
        return gr.call(name, self.read(e.args[0]))

    def _unknown(self, found: Applied) -> gr.Node:
        if self._coordinates and tuple(map(str, found.args)) == self._coordinates:
            return gr.jet(found.name, found.index)
        axes = ", ".join(self._coordinates)
        fields = f" (fields are functions of {axes}, in this order)" if axes else ""
        raise UnknownFunctionError(f"the unknown function '{found.name}' in '{found.value}' has no values; put a "
                                   f"closed form for it{fields}")


class _FunctionReader(_Reader):
    """Reads unknown functions of any arguments."""

    def _unknown(self, found: Applied) -> gr.Node:
        return gr.apply(found.name, found.index, [self.read(a) for a in found.args])


def _rational(value: Any) -> int | Fraction:
    return gr.exact(Fraction(int(value.p), int(value.q)))


def _number(e: Any) -> gr.Node | None:
    if e.is_Rational:
        return gr.constant(_rational(e))
    if e.is_Float:
        return gr.constant(gr.exact(fraction_of_float(e)))
    special = {sympy.pi: gr.PI, sympy.I: gr.I, sympy.E: gr.call("exp", gr.ONE)}
    if e in (sympy.zoo, sympy.oo, -sympy.oo, sympy.nan):
        raise ExpressionError(f"the expression contains {e}: it divides by zero or is undefined")
    return special.get(e)


def to_sympy(node: gr.Node, symbols: Mapping[str, sympy.Symbol] | None = None,
             coordinates: Sequence[str | sympy.Symbol] = ()) -> sympy.Expr:
    """A node as a sympy expression, unexpanded.

    `symbols` gives the sympy symbol of a name, so that its assumptions survive; jets become derivatives
    of functions of the `coordinates`.
    """
    return all_to_sympy((node,), symbols, coordinates)[0]


def all_to_sympy(nodes: Iterable[gr.Node], symbols: Mapping[str, sympy.Symbol] | None = None,
                 coordinates: Sequence[str | sympy.Symbol] = (),
                 functions: Mapping[str, Any] | None = None) -> list[sympy.Expr]:
    """Several nodes as sympy expressions, sharing the work; `functions` gives unknown functions by name."""
    table = {str(c): c for c in coordinates if isinstance(c, sympy.Symbol)} | dict(symbols or {})
    roots = list(nodes)
    axes = [table.get(str(c), sympy.Symbol(str(c))) for c in coordinates]
    known: dict[gr.Node, sympy.Expr] = {}
    for current in gr.schedule(roots):
        args = [known[a] for a in current.args]
        if current.op == "apply":
            name, index = current.data
            known[current] = Applied((functions or {}).get(name, sympy.Function(name)), index, tuple(args)).written()
        else:
            known[current] = _write(current, args, table, axes)
    return [known[r] for r in roots]


def _write(node: gr.Node, args: list[Any], table: Mapping[str, sympy.Symbol], axes: list[sympy.Symbol]) -> sympy.Expr:
    if node.op == "constant":
        return {"pi": sympy.pi, "I": sympy.I}[node.data] if isinstance(node.data, str) else sympy_rational(node.data)
    if node.op == "symbol":
        return table.get(node.data, sympy.Symbol(node.data))
    if node.op == "jet":
        field, index = node.data
        return _write_jet(field, index, axes)
    if node.op == "add":
        start, coefficients = node.data
        terms = [sympy_rational(c) * a for c, a in zip(coefficients, args, strict=True)]
        return sympy.Add(sympy_rational(start), *terms)
    if node.op == "mul":
        return sympy.Mul(*[sympy.Pow(a, sympy_rational(e)) for a, e in zip(args, node.data, strict=True)])
    return getattr(sympy, {"abs": "Abs"}.get(node.data, node.data))(args[0])


def _write_jet(field: str, index: tuple[int, ...], axes: list[sympy.Symbol]) -> sympy.Expr:
    if len(axes) != len(index):
        raise ExpressionError(f"the field '{field}' lives on {len(index)} coordinates but {len(axes)} were given")
    return Applied(sympy.Function(field), index, tuple(axes)).written()
