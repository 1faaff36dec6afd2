"""Between sympy, which users see, and the graph, on which the work is done."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from typing import Any

import sympy

from geomflow.core.errors import ExpressionError, UnknownFunctionError
from geomflow.core.graph.applied import UNKNOWN, Applied, applied, resolved
from geomflow.core.graph.build import ONE, PI, I, apply, call, constant, exact, jet, linear, power, product, symbol
from geomflow.core.graph.floats import nearest, recognised
from geomflow.core.graph.functions import FUNCTIONS
from geomflow.core.graph.node import Node
from geomflow.core.graph.traverse import schedule


def from_sympy(expression: Any, coordinates: Sequence[str] = ()) -> Node:
    """A sympy expression as a node.

    Unknown functions of the `coordinates`, in their order, and the derivatives of these become jets: they are fields.
    Floats become the simplest rationals that round to them.

    Raises UnknownFunctionError for any other function that the graph does not know, ExpressionError for anything
    else that has no place in it.
    """
    return _Reader(tuple(map(str, coordinates))).read(as_sympy(expression))


def with_functions(expression: Any) -> Node:
    """A sympy expression as a node, with unknown functions of any arguments, which no numbers can be had for.

    Raises UnknownFunctionError and ExpressionError as `from_sympy`.
    """
    return _FunctionReader(()).read(as_sympy(expression))


def all_from_sympy(expressions: Iterable[Any], coordinates: Sequence[str] = ()) -> list[Node]:
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
        self._known: dict[sympy.Basic, Node] = {}

    def read(self, expression: sympy.Basic) -> Node:
        found = self._known.get(expression)
        if found is None:
            found = self._known[expression] = self._convert(expression)
        return found

    def _convert(self, e: Any) -> Node:
        if e.is_Symbol:
            return symbol(e.name)
        if e.is_Add:
            pairs = [a.as_coeff_Mul() for a in e.args]
            if all(c.is_Rational for c, _ in pairs):
                return linear(0, [(_rational(c), self.read(x)) for c, x in pairs])
            return linear(0, [(1, self.read(a)) for a in e.args])
        if e.is_Mul:
            return product([(self.read(a), 1) for a in e.args])
        if e.is_Pow:
            return self._power(*e.as_base_exp())
        if e.is_number and (leaf := _number(e)) is not None:
            return leaf
        return self._function(e)

    def _power(self, base: Any, exponent: Any) -> Node:
        if base is sympy.E:
            return call("exp", self.read(exponent))
        if exponent.is_Float:
            exponent = _sympy_rational(fraction_of_float(exponent))
        if exponent.is_Rational:
            return power(self.read(base), _rational(exponent))
        return call("exp", product([(self.read(exponent), 1), (call("log", self.read(base)), 1)]))

    def _function(self, e: Any) -> Node:
        if isinstance(e, UNKNOWN):
            found = applied(e)
            return self.read(resolved(e)) if found is None else self._unknown(found)
        if not e.is_Function:
            raise ExpressionError(f"'{e}' (a {type(e).__name__}) has no place in an exact expression; use numbers, "
                                  "coordinates, parameters, functions of the coordinates and elementary functions")
        return self._elementary(e)

    def _elementary(self, e: Any) -> Node:
        name = _RENAMED.get(e.func.__name__, e.func.__name__)
        if len(e.args) == 1 and name in _RECIPROCAL:
            return power(call(_RECIPROCAL[name], self.read(e.args[0])), -1)
        if len(e.args) != 1 or name not in FUNCTIONS:
            raise UnknownFunctionError(f"unknown function '{name}' in '{e}'; "
                                       f"known are: sqrt, {', '.join(sorted(FUNCTIONS))}")
        return call(name, self.read(e.args[0]))

    def _unknown(self, found: Applied) -> Node:
        if self._coordinates and tuple(map(str, found.args)) == self._coordinates:
            return jet(found.name, found.index)
        axes = ", ".join(self._coordinates)
        fields = f" (fields are functions of {axes}, in this order)" if axes else ""
        raise UnknownFunctionError(f"the unknown function '{found.name}' in '{found.value}' has no values; put a "
                                   f"closed form for it{fields}")


class _FunctionReader(_Reader):
    """Reads unknown functions of any arguments."""

    def _unknown(self, found: Applied) -> Node:
        return apply(found.name, found.index, [self.read(a) for a in found.args])


def _rational(value: Any) -> int | Fraction:
    return exact(Fraction(int(value.p), int(value.q)))


def meant(value: sympy.Float) -> tuple[sympy.Expr, bool]:
    """The exact number that a finite sympy float stands for, and whether it is simple enough to be no guess."""
    if value == 0:
        return sympy.Integer(0), True
    found = recognised(*_places(value))
    size = _sympy_rational(found.radicand) ** sympy.Rational(1, found.degree) * sympy.pi**found.turns
    return (-size if value < 0 else size), found.simple


def _places(value: sympy.Float) -> tuple[Fraction, Fraction]:
    """The modulus of a sympy float, and the unit of its last place."""
    _, digits, exponent, length = value._mpf_
    return Fraction(digits) * Fraction(2) ** exponent, Fraction(2) ** (exponent + length - value._prec)


def fraction_of_float(value: sympy.Float) -> Fraction:
    """The simplest rational that rounds to a sympy float, of whatever precision."""
    return (-1 if value < 0 else 1) * nearest(*_places(value)) if value else Fraction(0)


def _number(e: Any) -> Node | None:
    if e.is_Rational:
        return constant(_rational(e))
    if e.is_Float:
        return constant(exact(fraction_of_float(e)))
    special = {sympy.pi: PI, sympy.I: I, sympy.E: call("exp", ONE)}
    if e in (sympy.zoo, sympy.oo, -sympy.oo, sympy.nan):
        raise ExpressionError(f"the expression contains {e}: it divides by zero or is undefined")
    return special.get(e)


def to_sympy(node: Node, symbols: Mapping[str, sympy.Symbol] | None = None,
             coordinates: Sequence[str | sympy.Symbol] = ()) -> sympy.Expr:
    """A node as a sympy expression, unexpanded.

    `symbols` gives the sympy symbol of a name, so that its assumptions survive; jets become derivatives
    of functions of the `coordinates`.
    """
    return all_to_sympy((node,), symbols, coordinates)[0]


def all_to_sympy(nodes: Iterable[Node], symbols: Mapping[str, sympy.Symbol] | None = None,
                 coordinates: Sequence[str | sympy.Symbol] = (),
                 functions: Mapping[str, Any] | None = None) -> list[sympy.Expr]:
    """Several nodes as sympy expressions, sharing the work; `functions` gives unknown functions by name."""
    table = {str(c): c for c in coordinates if isinstance(c, sympy.Symbol)} | dict(symbols or {})
    roots = list(nodes)
    axes = [table.get(str(c), sympy.Symbol(str(c))) for c in coordinates]
    known: dict[Node, sympy.Expr] = {}
    for current in schedule(roots):
        args = [known[a] for a in current.args]
        if current.op == "apply":
            name, index = current.data
            known[current] = Applied((functions or {}).get(name, sympy.Function(name)), index, tuple(args)).written()
        else:
            known[current] = _write(current, args, table, axes)
    return [known[r] for r in roots]


def _write(node: Node, args: list[Any], table: Mapping[str, sympy.Symbol], axes: list[sympy.Symbol]) -> sympy.Expr:
    if node.op == "constant":
        return {"pi": sympy.pi, "I": sympy.I}[node.data] if isinstance(node.data, str) else _sympy_rational(node.data)
    if node.op == "symbol":
        return table.get(node.data, sympy.Symbol(node.data))
    if node.op == "jet":
        field, index = node.data
        return _write_jet(field, index, axes)
    if node.op == "add":
        start, coefficients = node.data
        terms = [_sympy_rational(c) * a for c, a in zip(coefficients, args, strict=True)]
        return sympy.Add(_sympy_rational(start), *terms)
    if node.op == "mul":
        return sympy.Mul(*[sympy.Pow(a, _sympy_rational(e)) for a, e in zip(args, node.data, strict=True)])
    return getattr(sympy, {"abs": "Abs"}.get(node.data, node.data))(args[0])


def _write_jet(field: str, index: tuple[int, ...], axes: list[sympy.Symbol]) -> sympy.Expr:
    if len(axes) != len(index):
        raise ExpressionError(f"the field '{field}' lives on {len(index)} coordinates but {len(axes)} were given")
    return Applied(sympy.Function(field), index, tuple(axes)).written()


def _sympy_rational(value: int | Fraction) -> sympy.Rational:
    return sympy.Integer(value) if isinstance(value, int) else sympy.Rational(value.numerator, value.denominator)
