"""From elements of a field to sympy expressions: factored, with sin² for 1 − cos² where that is shorter."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import sympy

from geomflow.symbolic.fractions.element import Element
from geomflow.symbolic.fractions.survey import Generator, Kind

if TYPE_CHECKING:
    from geomflow.symbolic.fractions.field import Field

MOST_FACTORED = 600
"""Polynomials of more terms than this are written expanded."""

Factors = list[tuple[Any, int]]


class Writer:
    """Writes elements of one field."""

    def __init__(self, field: Field) -> None:
        self._field = field
        self._radicands: list[tuple[Any, Factors, sympy.Expr]] = []
        self._shown: dict[int, sympy.Expr] = {}
        for k, generator in enumerate(field.generators):
            self._shown[field._place[k]] = self._name(generator)
        self._radicands = [(u, parts, g.argument) for g, u in _roots(field) if (parts := _parts(u))]

    def _name(self, generator: Generator) -> sympy.Expr:
        """What the generator is written as; that of a root of p/q is q times the root."""
        if generator.kind is not Kind.ROOT:
            return generator.shown
        den = self._field.read(generator.argument).den
        return self.write(Element(self._field, den, self._field.one.den)) * generator.shown

    def write(self, element: Element) -> sympy.Expr:
        """The element as a factored expression; zero is 0."""
        if not element.num:
            return sympy.Integer(0)
        upper, above = self._factored(element.num)
        lower, below = self._factored(element.den)
        powers = [sympy.Pow(base, m) for base, m in above] + [sympy.Pow(base, -m) for base, m in below]
        return sympy.Mul(sympy.Rational(upper, lower), *powers)

    def _factored(self, polynomial: Any) -> tuple[int, list[tuple[sympy.Expr, int]]]:
        if len(polynomial) > MOST_FACTORED:
            return 1, [(self._sum(polynomial), 1)]
        constant, factors = polynomial.factor()
        sign, factors = self._pythagorean(factors)
        factors = self._gathered(factors)
        return sign * int(constant), [(self._sum(self._shorter(p)), m) for p, m in factors]

    def _pythagorean(self, factors: Factors) -> tuple[int, Factors]:
        """(cos − 1)(cos + 1) becomes −sin², (cosh − 1)(cosh + 1) becomes sinh²."""
        sign = 1
        for kind, cosine, sine in self._pairs():
            common = min(_multiplicity(factors, cosine - 1), _multiplicity(factors, cosine + 1))
            if common:
                factors = _with_power(factors, cosine - 1, -common)
                factors = _with_power(factors, cosine + 1, -common)
                factors = _with_power(factors, sine, 2 * common)
                sign *= (-1) ** common if kind is Kind.COS else 1
        return sign, factors

    def _gathered(self, factors: Factors) -> Factors:
        """Factors that together make up a radicand, put together again, so that it is shown as in its root."""
        for radicand, parts, _ in self._radicands:
            times = min((_multiplicity(factors, p) // m for p, m in parts), default=0)
            if times and len(parts) > 1:
                for p, m in parts:
                    factors = _with_power(factors, p, -times * m)
                factors = _with_power(factors, radicand, times)
        return factors

    def _pairs(self) -> Iterator[tuple[Kind, Any, Any]]:
        for k, generator in enumerate(self._field.generators):
            if generator.kind in (Kind.COS, Kind.COSH):
                yield generator.kind, self._field.gens[k], self._field.gens[k + 1]

    def _shorter(self, polynomial: Any) -> Any:
        """The polynomial with cos² replaced by 1 − sin² wherever this saves terms."""
        for kind, cosine, sine in self._pairs():
            square = 1 - sine**2 if kind is Kind.COS else 1 + sine**2
            other = _substituted(polynomial, self._place(cosine), square)
            if len(other) < len(polynomial):
                polynomial = other
        return polynomial

    def _place(self, generator: Any) -> int:
        return next(i for i, degree in enumerate(generator.degrees()) if degree)

    def _sum(self, polynomial: Any) -> sympy.Expr:
        for radicand, _, shown in self._radicands:
            if polynomial == radicand:
                return shown
        return sympy.Add(*[self._term(e, c) for e, c in polynomial.to_dict().items()])

    def _term(self, exponents: tuple[int, ...], coefficient: Any) -> sympy.Expr:
        factors = [sympy.Pow(self._shown[i], int(e)) for i, e in enumerate(exponents) if e]
        return sympy.Mul(sympy.Integer(int(coefficient)), *factors)


def _multiplicity(factors: Factors, polynomial: Any) -> int:
    return next((m for p, m in factors if p == polynomial), 0)


def _with_power(factors: Factors, polynomial: Any, change: int) -> Factors:
    """The factors with the multiplicity of one of them changed."""
    power = _multiplicity(factors, polynomial) + change
    others = [(p, m) for p, m in factors if p != polynomial]
    return [*others, (polynomial, power)] if power else others


def _substituted(polynomial: Any, place: int, square: Any) -> Any:
    """Even powers of one variable replaced by powers of `square`."""
    context = polynomial.context()
    parts: dict[int, dict[tuple[int, ...], Any]] = {}
    for exponents, coefficient in polynomial.to_dict().items():
        half, odd = divmod(exponents[place], 2)
        rest = (*exponents[:place], odd, *exponents[place + 1 :])
        parts.setdefault(half, {})[rest] = coefficient
    total = context.constant(0)
    for half, part in parts.items():
        total = total + context.from_dict(part) * square**half
    return total


def _roots(field: Field) -> Iterator[tuple[Generator, Any]]:
    """Roots whose radicand has no denominator, with the polynomial under the root."""
    for k, _, right in field.equations:
        generator = field.generators[k]
        if generator.kind is Kind.ROOT and field.read(generator.argument).den.is_one():
            yield generator, right


def _parts(radicand: Any) -> Factors:
    """The irreducible factors of a radicand; none if it has a numerical factor."""
    constant, factors = radicand.factor()
    return factors if int(constant) == 1 else []
