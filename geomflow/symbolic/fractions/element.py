"""Elements of a field of fractions: quotients of integer polynomials in normal form.

The numerator has lower degree in every algebraic generator than that generator's equation; the denominator has no
algebraic generator, a positive leading coefficient and no common factor with the numerator. This form is unique.
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from geomflow.symbolic.fractions.field import Field

Number = int | Fraction


class Element:
    """num / den in the normal form of its field; build it with `Field.read` or `Field.number`."""

    __slots__ = ("den", "field", "num")

    def __init__(self, field: Field, num: Any, den: Any) -> None:
        self.field, self.num, self.den = field, num, den

    def __add__(self, other: Element | Number) -> Element:
        y = self.field.lift(other)
        if not self.num:
            return y
        if not y.num:
            return self
        if self.den == y.den:
            return self.field.cancelled(self.num + y.num, self.den, self.den)
        common = self.den.gcd(y.den)
        if common.is_one():
            return Element(self.field, self.num * y.den + y.num * self.den, self.den * y.den)
        mine, yours = self.den / common, y.den / common
        return self.field.cancelled(self.num * yours + y.num * mine, mine * y.den, common)

    __radd__ = __add__

    def __neg__(self) -> Element:
        return Element(self.field, -self.num, self.den)

    def __sub__(self, other: Element | Number) -> Element:
        return self + (-self.field.lift(other))

    def __rsub__(self, other: Number) -> Element:
        return self.field.lift(other) - self

    def __mul__(self, other: Element | Number) -> Element:
        y = self.field.lift(other)
        if not self.num or not y.num:
            return self.field.zero
        first, second = self.num.gcd(y.den), y.num.gcd(self.den)
        num = (self.num / first) * (y.num / second)
        den = (self.den / second) * (y.den / first)
        self.field.check_size(num, den)
        reduced = self.field.reduced(num)
        return Element(self.field, num, den) if reduced is num else self.field.cancelled(reduced, den, den)

    __rmul__ = __mul__

    def __truediv__(self, other: Element | Number) -> Element:
        return self * self.field.lift(other).inverse()

    def __rtruediv__(self, other: Number) -> Element:
        return self.field.lift(other) * self.inverse()

    def __pow__(self, exponent: int) -> Element:
        if exponent < 0:
            return self.inverse() ** (-exponent)
        if not self.field.has_equations(self.num):
            return Element(self.field, self.num**exponent, self.den**exponent)
        result, square = self.field.one, self
        while exponent:
            if exponent & 1:
                result = result * square
            exponent >>= 1
            square = square * square if exponent else square
        return result

    def inverse(self) -> Element:
        """1 / self, with algebraic generators moved to the numerator.

        Raises ExpressionError for zero.
        """
        return self.field.inverted(self)

    def __bool__(self) -> bool:
        return bool(self.num)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Element) and self.num == other.num and self.den == other.den

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return str(self.field.write([self])[0])
