"""Numbers from a graph: floats, arrays, multiple precision, or any arithmetic with + and *."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from geomflow.core.errors import InputError, UnknownFunctionError
from geomflow.core.graph.node import Node, Rational
from geomflow.core.graph.traverse import schedule


@dataclass(frozen=True)
class Arithmetic:
    """What evaluation needs to know of a kind of number.

    `number` converts a rational, or the names ``"pi"`` and ``"I"``; `power` raises to a rational
    exponent; `call` applies a function by name; `unknown` gives a value to the derivative `index` of an unknown
    function at the values of its arguments, if this kind of number can.
    """

    number: Callable[[Rational | str], Any]
    power: Callable[[Any, Rational], Any]
    call: Callable[[str, Any], Any]
    unknown: Callable[[str, tuple[int, ...], list[Any]], Any] | None = None


def evaluate(nodes: Iterable[Node], values: Mapping[Node, Any], arithmetic: Arithmetic | None = None) -> list[Any]:
    """The values of the nodes, given those of the leaves; floats and NumPy arrays by default.

    Raises InputError when a leaf has no value.
    """
    use = arithmetic or NUMPY
    roots = list(nodes)
    known = dict(values)
    for current in schedule(roots, known=known):
        known[current] = _value(current, [known[a] for a in current.args], use)
    return [known[r] for r in roots]


def _value(node: Node, args: list[Any], use: Arithmetic) -> Any:
    if node.op == "constant":
        return use.number(node.data)
    if node.op == "add":
        return _sum(node, args, use)
    if node.op == "mul":
        powers = [a if e == 1 else use.power(a, e) for a, e in zip(args, node.data, strict=True)]
        total = powers[0]
        for factor in powers[1:]:
            total = total * factor
        return total
    if node.op == "call":
        return use.call(node.data, args[0])
    if node.op == "apply":
        if use.unknown is None:
            raise UnknownFunctionError(f"the unknown function '{node.data[0]}' has no values; put a closed form for it")
        function, index = node.data
        return use.unknown(function, index, args)
    raise InputError(f"no value was given for {node!r}; known leaves need one each")


def _sum(node: Node, args: list[Any], use: Arithmetic) -> Any:
    start, coefficients = node.data
    terms = [a if c == 1 else use.number(c) * a for c, a in zip(coefficients, args, strict=True)]
    total = terms[0] if start == 0 else use.number(start) + terms[0]
    for term in terms[1:]:
        total = total + term
    return total


def _numpy_number(value: Rational | str) -> complex | float:
    if isinstance(value, str):
        return np.pi if value == "pi" else 1j
    return float(value)


def _numpy_power(base: Any, exponent: Rational) -> Any:
    if exponent.denominator == 1:
        return 1 / base ** (-int(exponent)) if exponent < 0 else base ** int(exponent)
    if exponent.denominator == 2:
        root = np.sqrt(base) ** abs(exponent.numerator)
        return 1 / root if exponent < 0 else root
    return base ** float(exponent)


_NUMPY_NAMES = {"asin": "arcsin", "acos": "arccos", "atan": "arctan",
                "asinh": "arcsinh", "acosh": "arccosh", "atanh": "arctanh"}


def _numpy_call(name: str, argument: Any) -> Any:
    if name == "erf":
        from scipy.special import erf

        return erf(argument)
    return getattr(np, _NUMPY_NAMES.get(name, name))(argument)


NUMPY = Arithmetic(_numpy_number, _numpy_power, _numpy_call)
"""Double precision, real or complex, on scalars and arrays."""


def mpmath_arithmetic(digits: int = 50) -> Arithmetic:
    """Multiple precision with the given number of decimal digits, by mpmath."""
    import mpmath  # type: ignore[import-untyped]

    context = mpmath.mp.clone()
    context.dps = digits

    def number(value: Rational | str) -> Any:
        if isinstance(value, str):
            return context.pi if value == "pi" else context.mpc(0, 1)
        return context.mpf(value.numerator) / value.denominator

    def power(base: Any, exponent: Rational) -> Any:
        return base ** int(exponent) if exponent.denominator == 1 else base ** number(Fraction(exponent))

    def function(name: str, argument: Any) -> Any:
        return abs(argument) if name == "abs" else getattr(context, name)(argument)

    return Arithmetic(number, power, function)
