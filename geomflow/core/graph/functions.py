"""The elementary functions that a graph may call: their derivatives, parities and exact values."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction

from geomflow.core.errors import UnknownFunctionError
from geomflow.core.graph.node import PI, Node, Rational, constant, intern, is_number, mul, node, power, split


@dataclass(frozen=True)
class Function:
    """An elementary function of one argument.

    `derivative` maps the argument u to f'(u), for |u| and sign(u) away from their kinks (no δ is kept there); `parity`
    is +1 for an even, -1 for an odd and 0 for any other function; `values` holds exact values at rational arguments.
    """

    name: str
    derivative: Callable[[Node], Node]
    parity: int = 0
    values: Mapping[Rational, int] = field(default_factory=dict)

    def at(self, argument: Rational) -> int | None:
        """The exact value at a rational argument where it is rational and known."""
        return self.values.get(argument)


def call(name: str, argument: Node | Rational) -> Node:
    """The function `name` of the argument.

    Raises UnknownFunctionError for a name that is not in `FUNCTIONS`.
    """
    if name == "sqrt":
        return power(argument, Fraction(1, 2))
    if name not in FUNCTIONS:
        raise UnknownFunctionError(f"unknown function '{name}'; known are: sqrt, {', '.join(sorted(FUNCTIONS))}")
    function, value = FUNCTIONS[name], node(argument)
    if is_number(value) and (special := function.at(value.data)) is not None:
        return constant(special)
    coefficient, rest = split(value)
    negative = coefficient < 0 or (is_number(rest) and rest.data < 0)
    if negative and function.parity:
        return mul(function.parity, call(name, mul(-1, value)))
    return intern("call", name, (value,))


_HALF = Fraction(1, 2)

FUNCTIONS: dict[str, Function] = {f.name: f for f in (
    Function("log", lambda u: u**-1, values={1: 0}),
    Function("exp", lambda u: call("exp", u), values={0: 1}),
    Function("sin", lambda u: call("cos", u), parity=-1, values={0: 0}),
    Function("cos", lambda u: -call("sin", u), parity=1, values={0: 1}),
    Function("tan", lambda u: 1 + call("tan", u) ** 2, parity=-1, values={0: 0}),
    Function("sinh", lambda u: call("cosh", u), parity=-1, values={0: 0}),
    Function("cosh", lambda u: call("sinh", u), parity=1, values={0: 1}),
    Function("tanh", lambda u: 1 - call("tanh", u) ** 2, parity=-1, values={0: 0}),
    Function("asin", lambda u: (1 - u**2) ** -_HALF, parity=-1, values={0: 0}),
    Function("acos", lambda u: -((1 - u**2) ** -_HALF), values={1: 0}),
    Function("atan", lambda u: (1 + u**2) ** -1, parity=-1, values={0: 0}),
    Function("asinh", lambda u: (1 + u**2) ** -_HALF, parity=-1, values={0: 0}),
    Function("acosh", lambda u: (u - 1) ** -_HALF * (u + 1) ** -_HALF, values={1: 0}),
    Function("atanh", lambda u: (1 - u**2) ** -1, parity=-1, values={0: 0}),
    Function("erf", lambda u: 2 * PI**-_HALF * call("exp", -(u**2)), parity=-1, values={0: 0}),
    Function("abs", lambda u: call("sign", u), parity=1, values={0: 0}),
    Function("sign", lambda u: 0 * u, parity=-1, values={0: 0, 1: 1}),
)}
"""Every function that a graph knows, by name; square roots are powers."""


def _named(name: str) -> Callable[[Node | Rational], Node]:
    def function(argument: Node | Rational) -> Node:
        return call(name, argument)

    function.__name__ = name
    function.__doc__ = f"{name} of the argument, as a node."
    return function


log, exp, sqrt = _named("log"), _named("exp"), _named("sqrt")
sin, cos, tan = _named("sin"), _named("cos"), _named("tan")
sinh, cosh, tanh = _named("sinh"), _named("cosh"), _named("tanh")
