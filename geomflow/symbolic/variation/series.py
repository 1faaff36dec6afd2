"""Truncated power series modulo a large prime: the Taylor expansions of random exact fields.

Coordinates come in groups, and a series is kept up to one total degree in each group: one group for a real chart, two
(z and z̄) for a complex one. A series is a list of residues, one a monomial; a constant is a plain residue. Square
roots, logarithms and other functions of the constant term are those of `geomflow.core.graph.modular`; their
Taylor coefficients are exact.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from math import gcd

from geomflow.core import graph as gr
from geomflow.core.graph import modular
from geomflow.core.graph.modular import PRIME, ModularArithmetic
from geomflow.core.graph.node import Rational
from geomflow.core.monomials import Index, falling, horner, monomials, plus

Value = int | list[int]


class SeriesAlgebra:
    """The arithmetic of series of given degrees at one random point."""

    def __init__(self, groups: tuple[int, ...], degrees: tuple[int, ...], seed: int) -> None:
        self.groups, self.degrees = groups, degrees
        self.basis = monomials(groups, degrees)
        self.monomials, self.places = self.basis.indices, self.basis.places
        self.scalar = ModularArithmetic(seed)
        self._total = sum(degrees)

    def multiply(self, a: Value, b: Value) -> Value:
        """a * b."""
        if isinstance(a, int):
            return a * b % PRIME if isinstance(b, int) else [a * x % PRIME for x in b]
        if isinstance(b, int):
            return [b * x % PRIME for x in a]
        return [sum([a[i] * b[j] for i, j in pairs]) % PRIME for pairs in self.basis.products]

    def combine(self, start: Rational, terms: Sequence[tuple[Rational, Value]]) -> Value:
        """start + the sum of c * x over the pairs (c, x)."""
        number, constant, lists = self.scalar.number, self.scalar.number(start), []
        for c, x in terms:
            factor = c if isinstance(c, int) else number(c)
            if isinstance(x, int):
                constant += factor * x
            else:
                lists.append((factor, x))
        if not lists:
            return constant % PRIME
        result = [sum([f * x[k] for f, x in lists]) % PRIME for k in range(len(self.monomials))]
        result[0] = (result[0] + constant) % PRIME
        return result

    def power(self, a: Value, exponent: Rational) -> Value:
        """a**exponent, for rational exponents."""
        if isinstance(a, int):
            return scalar_power(self.scalar, a, exponent)
        if exponent.denominator == 1 and 0 < exponent <= 4:
            result: Value = a
            for _ in range(int(exponent) - 1):
                result = self.multiply(result, a)
            return result
        return self._binomial(a, exponent)

    def _binomial(self, a: list[int], exponent: Rational) -> Value:
        """a0**e Σ_k binomial(e, k) (a/a0 − 1)^k."""
        inverse = scalar_power(self.scalar, a[0], -1)
        rest = [0, *(x * inverse % PRIME for x in a[1:])]
        coefficient = 1
        coefficients: list[Value] = [1]
        for k in range(self._total):
            step = self.scalar.number(exponent - k) * self.scalar.power(k + 1, -1)
            coefficient = coefficient * step % PRIME
            coefficients.append(coefficient)
        return self.multiply(scalar_power(self.scalar, a[0], exponent), self._horner(coefficients, rest))

    def _horner(self, coefficients: Sequence[Value], rest: list[int]) -> Value:
        """Σ_k c_k rest^k for a series without constant term."""
        return horner(coefficients, lambda s: self.multiply(s, rest), lambda s, c: self.combine(0, [(1, s), (1, c)]))

    def call(self, name: str, a: Value) -> Value:
        """The function `name` of a series, by its Taylor coefficients at the constant term."""
        if isinstance(a, int):
            return scalar_call(self.scalar, name, a)
        values: list[Value] = []
        factorial = 1
        for k, node in enumerate(_derivatives(name, self._total)):
            factorial = factorial * max(k, 1) % PRIME
            value = evaluate_scalar(self.scalar, node, {_ARGUMENT: a[0]})
            values.append(value * self.scalar.power(factorial, -1) % PRIME)
        return self._horner(values, [0, *a[1:]])

    def derivative(self, source: Value, kept: SeriesAlgebra, index: Index) -> Value:
        """∂^index of a series `source` of the algebra `kept`, truncated to this one."""
        if isinstance(source, int):
            return source if not any(index) else 0
        result = [source[kept.places[plus(m, index)]] * falling(m, index) % PRIME for m in self.monomials]
        return result if len(result) > 1 else result[0]

    def random(self, *content: int) -> Value:
        """The series with independent random coefficients that belongs to some content."""
        values = [self.scalar.unknown(*content, node_index(m)) for m in self.monomials]
        return values if len(values) > 1 else values[0]

    def coordinate(self, axis: int, value: int) -> Value:
        """The coordinate itself: a random value plus its increment."""
        result = [0] * len(self.monomials)
        result[0] = value
        place = self.places.get(tuple(int(k == axis) for k in range(sum(self.groups))))
        if place is not None:
            result[place] = 1
        return result if len(result) > 1 else value


def node_index(index: Index) -> int:
    """A number for a multi-index that does not depend on how far the series is kept."""
    total = 1
    for e in index:
        total = total * 64 + e
    return total


_ARGUMENT = gr.symbol("argument of a function")


@cache
def _derivatives(name: str, order: int) -> tuple[gr.Node, ...]:
    found = [gr.call(name, _ARGUMENT)]
    for _ in range(order):
        found.append(gr.partial(found[-1], _ARGUMENT))
    return tuple(found)


def evaluate_scalar(use: ModularArithmetic, node: gr.Node, known: Mapping[gr.Node, int]) -> int:
    """The residue of a node without jets, given those of its symbols."""
    arithmetic = gr.Arithmetic(use.number, lambda base, exponent: scalar_power(use, base % PRIME, exponent),
                               lambda name, argument: scalar_call(use, name, argument % PRIME))
    (value,) = gr.evaluate([node], known, arithmetic)
    return int(value) % PRIME


def scalar_power(use: ModularArithmetic, base: int, exponent: Rational) -> int:
    """A rational power of a residue; a root that is not unique modulo the prime is an independent unknown."""
    order = exponent.denominator
    if order <= 2:
        return use.power(base, exponent)
    if gcd(order, PRIME - 1) == 1:
        return use.power(pow(base, pow(order, -1, PRIME - 1), PRIME), exponent.numerator)
    whole, rest = divmod(exponent.numerator, order)
    return use.power(base, whole) * use.power(use.unknown(base, 3, order), rest) % PRIME


def scalar_call(use: ModularArithmetic, name: str, argument: int) -> int:
    """A function at a residue, which is all that is known of its argument."""
    return modular.call(use, name, argument, lambda: use.turn(argument), lambda: use.unknown(argument, 2))
