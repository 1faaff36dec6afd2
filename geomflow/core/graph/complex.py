"""Complex numbers whose real and imaginary parts are real nodes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from geomflow.core.errors import ExpressionError
from geomflow.core.graph.build import ONE, PI, ZERO, apply, call, constant, mul, node, power
from geomflow.core.graph.evaluate import Arithmetic, evaluate
from geomflow.core.graph.node import Node, Rational


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

    def modulus_squared(self) -> Node:
        """re**2 + im**2."""
        return self.re**2 + self.im**2

    def inverse(self) -> Complex:
        """1 / self."""
        if self.im is ZERO:
            return Complex(power(self.re, -1))
        scale = power(self.modulus_squared(), -1)
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


def complex_parts(expression: Node, values: Mapping[Node, Complex]) -> Complex:
    """Real and imaginary parts of a node, given those of its complex leaves; other leaves are real.

    With ``values = {z: Complex(x, y), zbar: Complex(x, -y)}`` an expression in Wirtinger coordinates
    becomes two real expressions in x and y.
    """
    from geomflow.core.graph.traverse import leaves

    known: dict[Node, Any] = {leaf: Complex(leaf) for leaf in leaves((expression,))}
    known.update(values)
    return evaluate((expression,), known, COMPLEX)[0]


def _number(value: Rational | str) -> Complex:
    if value == "I":
        return Complex(ZERO, ONE)
    return Complex(PI if value == "pi" else constant(value))  # type: ignore[arg-type]


def _call(name: str, argument: Complex) -> Complex:
    if argument.im is ZERO:
        return Complex(call(name, argument.re))
    if name not in _ENTIRE:
        raise ExpressionError(f"{name} of the complex expression {argument.re!r} + i({argument.im!r}) has no "
                              "single-valued real and imaginary parts; write it with real arguments")
    return _ENTIRE[name](argument.re, argument.im)


def _exp(a: Node, b: Node) -> Complex:
    return Complex(mul(call("exp", a), call("cos", b)), mul(call("exp", a), call("sin", b)))


def _unknown(name: str, index: tuple[int, ...], arguments: list[Complex]) -> Complex:
    for argument in arguments:
        if argument.im is not ZERO:
            raise ExpressionError(f"the unknown function '{name}' of the complex expression {argument.re!r} + "
                                  f"i({argument.im!r}) has no real and imaginary parts that are known")
    return Complex(apply(name, index, [argument.re for argument in arguments]))


_ENTIRE = {
    "exp": _exp,
    "sin": lambda a, b: Complex(call("sin", a) * call("cosh", b), call("cos", a) * call("sinh", b)),
    "cos": lambda a, b: Complex(call("cos", a) * call("cosh", b), -call("sin", a) * call("sinh", b)),
    "sinh": lambda a, b: Complex(call("sinh", a) * call("cos", b), call("cosh", a) * call("sin", b)),
    "cosh": lambda a, b: Complex(call("cosh", a) * call("cos", b), call("sinh", a) * call("sin", b)),
}

COMPLEX = Arithmetic(_number, lambda base, exponent: base**exponent, _call, _unknown)
"""Arithmetic of pairs of real nodes."""

