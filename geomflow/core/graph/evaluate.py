"""Numbers from a graph, in any arithmetic with + and *.

There are floats and arrays, and complex balls (Arb, through python-flint): a ball that excludes zero is a proof.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from typing import Any

import numpy as np

from geomflow.core.errors import ExpressionError, InputError, NotFiniteError, UnknownFunctionError
from geomflow.core.graph.calculus import schedule
from geomflow.core.graph.node import ONE, ZERO, Node, Rational, node, power

BITS = 400
"""The precision of balls."""


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
    try:
        return float(value)
    except OverflowError:
        raise NotFiniteError("the expression holds a number beyond double precision (1.8e308).") from None


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


@dataclass(frozen=True)
class Complex:
    """The complex number re + i im of two real nodes."""

    re: Node
    im: Node = ZERO

    def __add__(self, other: Complex | Node | Rational) -> Complex:
        other = lift(other)
        return Complex(self.re + other.re, self.im + other.im)

    __radd__ = __add__

    def __neg__(self) -> Complex:
        return Complex(-self.re, -self.im)

    def __sub__(self, other: Complex | Node | Rational) -> Complex:
        return self + -lift(other)

    def __rsub__(self, other: Node | Rational) -> Complex:
        return lift(other) - self

    def __mul__(self, other: Complex | Node | Rational) -> Complex:
        other = lift(other)
        return Complex(self.re * other.re - self.im * other.im, self.re * other.im + self.im * other.re)

    __rmul__ = __mul__

    def conjugate(self) -> Complex:
        """re - i im."""
        return Complex(self.re, -self.im)

    def inverse(self) -> Complex:
        """1 / self."""
        if self.im is ZERO:
            return Complex(power(self.re, -1))
        scale = power(self.re**2 + self.im**2, -1)
        return Complex(self.re * scale, -self.im * scale)

    def __truediv__(self, other: Complex | Node | Rational) -> Complex:
        return self * lift(other).inverse()

    def __rtruediv__(self, other: Node | Rational) -> Complex:
        return lift(other) * self.inverse()

    def __pow__(self, exponent: Rational) -> Complex:
        if self.im is ZERO:
            return Complex(power(self.re, exponent))
        if exponent.denominator != 1:
            raise ExpressionError(f"a root of the complex expression {self.re!r} + i({self.im!r}) has no "
                                  "single-valued real and imaginary parts; write it with real arguments")
        if exponent < 0:
            return self.inverse() ** (-exponent)
        result = Complex(ONE)
        for _ in range(int(exponent)):
            result = result * self
        return result


def lift(value: Complex | Node | Rational) -> Complex:
    """A number or a node as a complex number."""
    return value if isinstance(value, Complex) else Complex(node(value))


class _NotReal(ArithmeticError):
    """The modulus of a number that is not real."""


@cache
def ball_arithmetic(real: bool) -> Arithmetic:
    """Complex balls; where `real`, an absolute value or a sign is defined where its argument is real."""
    import flint

    def number(value: Rational | str) -> Any:
        if isinstance(value, str):
            return flint.acb.pi() if value == "pi" else flint.acb(0, 1)
        return ball(value)

    def raised(base: Any, exponent: Rational) -> Any:
        if exponent.denominator == 1:
            return base ** int(exponent)
        return base.sqrt() ** exponent.numerator if exponent.denominator == 2 else base ** ball(Fraction(exponent))

    def function(name: str, argument: Any) -> Any:
        if real and name in ("abs", "sign"):
            if not argument.imag.contains(0):
                raise _NotReal
            argument = flint.acb(argument.real)
        if name == "abs":
            return flint.acb(abs(argument))
        return argument.sgn() if name == "sign" else getattr(argument, name)()

    return Arithmetic(number, raised, function)


def ball(value: Rational | tuple[Rational, Rational]) -> Any:
    """A rational, or a pair (re, im) of them, as a ball."""
    import flint

    if isinstance(value, tuple):
        return flint.acb(*(flint.arb(flint.fmpq(v.numerator, v.denominator)) for v in value))
    return flint.acb(flint.fmpq(value.numerator, value.denominator))


def is_real(point: Mapping[Node, Any]) -> bool:
    """Whether all the values are real numbers."""
    return not any(isinstance(value, tuple) for value in point.values())


def ball_values(roots: Sequence[Node], point: Mapping[Node, Any], bits: int = BITS, *,
                real: bool | None = None) -> list[Any] | None:
    """The values at a point of rationals and pairs (re, im) of them; None outside the domain of definition.

    Where `real`, and that is where the point is unless told otherwise, an absolute value or a sign is defined where its
    argument is real.
    """
    import flint

    real = is_real(point) if real is None else real
    previous, flint.ctx.prec = flint.ctx.prec, bits
    try:
        return evaluate(roots, {leaf: ball(value) for leaf, value in point.items()}, ball_arithmetic(real))
    except (ZeroDivisionError, _NotReal):
        return None
    finally:
        flint.ctx.prec = previous
