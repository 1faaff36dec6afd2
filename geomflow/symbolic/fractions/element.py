"""Elements of a field of fractions: quotients of integer polynomials in normal form.

The numerator has lower degree in every algebraic generator than that generator's equation; the denominator has no
algebraic generator, a positive leading coefficient and no common factor with the numerator. This form is unique.

Generators satisfy equations: that a root is new is checked, inverses come by conjugates or by Euclid's algorithm.
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any

import sympy

from geomflow.symbolic.fractions.survey import Generator, OutsideField

if TYPE_CHECKING:
    from geomflow.symbolic.fractions.field import Field

Number = int | Fraction
MOST_ROOTS = 6
"""With more square roots than this it is not tried whether a new one is among them."""


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


def radicand(field: Field, k: int, generator: Generator) -> Any:
    """The polynomial U of σⁿ = U: for the root of p/q, σ = q (p/q)^(1/n) and U = p q^(n−1)."""
    value = field.read(generator.argument)
    return field.reduced(value.num * value.den ** (generator.degree - 1))


def is_new(field: Field, right: Any, degree: int) -> bool:
    """Whether the root of U is known to be outside the field so far: U, or its norm, is no proper power.

    A square may also hide behind roots that are there: sqrt(1 − cos²) is ± sin. By Kummer's theorem U is a square among
    the square roots of u, v, ... only if U times a product of some of them is one without.

    Raises OutsideField if U itself is a power, as in sqrt(x²), whose sign depends on the place.
    """
    below = field.has_equations(right)
    lowest = field.polynomial(right)
    for k, _, u in field.equations:
        lowest = _norm(field, lowest.num, k, u)
    powers = [p for p in (*sympy.primefactors(degree), *([4] if degree % 4 == 0 else [])) if _is_power(lowest.num, p)]
    if powers and not below:
        raise OutsideField(f"the radicand {right} is a power")
    return not powers and not (degree % 2 == 0 and _hides_square(field, lowest.num, degree % 4 == 0))


def _hides_square(field: Field, polynomial: Any, with_negative: bool) -> bool:
    """Whether ± the polynomial times some radicands of the square roots in the field is, or might be, a square."""
    known = [u for _, n, u in field.equations if n == 2 and not field.has_equations(u)]
    if len(known) > MOST_ROOTS:
        return True
    products = [polynomial]
    for u in known:
        products += [p * u for p in products]
    return any(_is_power(sign * p, 2) for p in products[1:] for sign in ((1, -1) if with_negative else (1,)))


def _norm(field: Field, num: Any, k: int, right: Any) -> Element:
    degree = field.generators[k].degree
    parts = coefficients(field, num, k, degree)
    if not any(p.num for p in parts[1:]):
        return parts[0]
    if degree == 2:
        return parts[0] * parts[0] - parts[1] * parts[1] * field.polynomial(right)
    raise OutsideField("a root over a root of higher degree")


def _is_power(polynomial: Any, exponent: int) -> bool:
    """Whether ± the polynomial is a perfect power (with the factor −4 of fourth powers)."""
    if exponent == 4:
        return _is_power(-4 * polynomial, 2) and polynomial.leading_coefficient() < 0
    try:
        constant, factors = polynomial.factor()
    except OverflowError:
        raise OutsideField(f"a radicand of degree {max(polynomial.degrees())} that cannot be factored") from None
    value = int(constant)
    if exponent == 2 and value < 0:
        return False
    exact = sympy.integer_nthroot(abs(value), exponent)[1]
    return exact and all(multiplicity % exponent == 0 for _, multiplicity in factors)


def coefficients(field: Field, num: Any, k: int, degree: int) -> list[Element]:
    """The coefficients of the powers 0, ..., degree − 1 of generator k in the polynomial."""
    place = field._place[k]
    parts: list[dict[tuple[int, ...], Any]] = [{} for _ in range(degree)]
    for exponents, coefficient in num.to_dict().items():
        rest = (*exponents[:place], 0, *exponents[place + 1 :])
        parts[exponents[place]][rest] = coefficient
    return [field.polynomial(num.context().from_dict(part)) for part in parts]


def inverse(field: Field, num: Any, k: int, degree: int, right: Any) -> Element:
    """1 / num by the conjugate in generator k (quadratic) or by Euclid's algorithm (higher degree)."""
    parts = coefficients(field, num, k, degree)
    sigma, base = field.generator(k), field.polynomial(right)
    if degree == 2:
        norm = parts[0] * parts[0] - parts[1] * parts[1] * base
        if not norm.num:
            raise OutsideField("a root that is in the field already")
        return (parts[0] - parts[1] * sigma) * norm.inverse()
    modulus = [-base, *[field.zero] * (degree - 1), field.one]
    cofactor = _euclid(field, modulus, parts)
    result = field.zero
    for coefficient in reversed(cofactor):
        result = result * sigma + coefficient
    return result


def _euclid(field: Field, modulus: list[Element], value: list[Element]) -> list[Element]:
    """The polynomial c (coefficients from low to high) with c * value = 1 modulo `modulus`."""
    (r0, c0), (r1, c1) = (modulus, [field.zero]), (_trimmed(value), [field.one])
    while len(r1) > 1:
        quotient, rest = _divided(field, r0, r1)
        r0, r1, c0, c1 = r1, rest, c1, _minus(field, c0, _times(field, quotient, c1))
    if not r1:
        raise OutsideField("a root that is in the field already")
    scale = r1[0].inverse()
    return [c * scale for c in c1]


def _divided(field: Field, a: list[Element], b: list[Element]) -> tuple[list[Element], list[Element]]:
    rest, lead = list(a), b[-1].inverse()
    quotient = [field.zero] * (len(a) - len(b) + 1)
    for shift in range(len(a) - len(b), -1, -1):
        factor = quotient[shift] = rest[shift + len(b) - 1] * lead
        for j, coefficient in enumerate(b):
            rest[shift + j] = rest[shift + j] - factor * coefficient
    return quotient, _trimmed(rest)


def _times(field: Field, a: list[Element], b: list[Element]) -> list[Element]:
    result = [field.zero] * (len(a) + len(b) - 1)
    for i, x in enumerate(a):
        for j, y in enumerate(b):
            result[i + j] = result[i + j] + x * y
    return result


def _minus(field: Field, a: list[Element], b: list[Element]) -> list[Element]:
    size = max(len(a), len(b))
    padded = [[*p, *[field.zero] * (size - len(p))] for p in (a, b)]
    return [x - y for x, y in zip(*padded, strict=True)]


def _trimmed(values: list[Element]) -> list[Element]:
    while values and not values[-1].num:
        values = values[:-1]
    return values
