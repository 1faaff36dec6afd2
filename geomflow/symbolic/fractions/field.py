"""The field itself: its equations, its derivations, and its normal form."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from functools import cached_property
from typing import Any, final

import flint
import sympy

from geomflow.core import graph as gr
from geomflow.core.errors import ExpressionError
from geomflow.core.graph.zero import NONZERO, ZERO_BY_FORM
from geomflow.symbolic.fractions import element as el
from geomflow.symbolic.fractions.element import Element, Number
from geomflow.symbolic.fractions.samples import Samples
from geomflow.symbolic.fractions.survey import Generator, Kind, OutsideField, Survey
from geomflow.symbolic.fractions.translate import Reader, Writer
from geomflow.symbolic.ring import ExactRing

MOST_TERMS = 4_000
"""The size budget: beyond it expressions are better served by the graph."""


@final
class Field(ExactRing[Element]):
    """Fractions in the generators, with derivations along the coordinates.

    `certain` says that the generators are known to be independent beyond their equations; otherwise an element that
    is not in the form of zero is taken to be nonzero only after its value at a point of the domain excludes zero.
    """

    zero: Element
    one: Element

    def __init__(self, generators: Sequence[Generator], coordinates: Sequence[sympy.Symbol], certain: bool,
                 domain: gr.Domain = gr.REALS, largest: int = MOST_TERMS) -> None:
        self.domain = domain
        self.largest = largest
        self.generators = tuple(generators)
        self.coordinates = tuple(coordinates)
        self.dim = len(self.coordinates)
        self.certain = certain
        self._place = _lexicographic(self.generators)
        context = flint.fmpz_mpoly_ctx.get([f"g{k}" for k in range(max(1, len(generators)))], "lex")
        self.gens = [context.gen(k) for k in self._place]
        self._unit, self._nothing = context.constant(1), context.constant(0)
        self.zero, self.one = Element(self, self._nothing, self._unit), Element(self, self._unit, self._unit)
        self.equations: list[tuple[int, int, Any]] = []
        self._slopes: dict[tuple[int, int], Element] = {}
        self._reader = Reader(self)
        for k, generator in enumerate(self.generators):
            if generator.algebraic:
                self._adjoin(k, generator)

    def _adjoin(self, k: int, generator: Generator) -> None:
        """Note the equation of an algebraic generator; roots are checked not to be in the field already."""
        if generator.kind is Kind.ROOT:
            right = el.radicand(self, k, generator)
            self.certain = self.certain and el.is_new(self, right, generator.degree)
        elif generator.kind is Kind.UNIT:
            right = -self._unit
        else:
            cosine = self.gens[k - 1]
            right = 1 - cosine**2 if generator.kind is Kind.SIN else cosine**2 - 1
        self.equations.insert(0, (k, generator.degree, right))
        self._divisors = [self.gens[j] ** n - u for j, n, u in self.equations]

    # numbers and normal form

    def check_size(self, num: Any, den: Any) -> None:
        """Raise OutsideField if a fraction is beyond the size budget."""
        if len(num) + len(den) > self.largest:
            raise OutsideField(f"a fraction of {len(num)} + {len(den)} terms")

    def number(self, value: Number) -> Element:
        exact = Fraction(value)
        return Element(self, self._unit * exact.numerator, self._unit * exact.denominator)

    def lift(self, value: Element | Number) -> Element:
        """A number as an element."""
        return value if isinstance(value, Element) else self.number(value)

    def generator(self, k: int) -> Element:
        """Generator number k as an element."""
        return Element(self, self.gens[k], self._unit)

    def polynomial(self, num: Any) -> Element:
        """A polynomial in the generators as an element."""
        return Element(self, self.reduced(num), self._unit)

    def has_equations(self, num: Any) -> bool:
        """Whether an algebraic generator occurs in the polynomial."""
        if not self.equations:
            return False
        degrees = num.degrees()
        return any(degrees[self._place[k]] > 0 for k, _, _ in self.equations)

    def reduced(self, num: Any) -> Any:
        """The polynomial with powers of algebraic generators reduced; the same object if nothing is to be done."""
        if not self.equations or not num:
            return num
        for (k, degree, _), divisor in zip(self.equations, self._divisors, strict=True):
            if num.degrees()[self._place[k]] >= degree:
                num = divmod(num, divisor)[1]
        return num

    def cancelled(self, num: Any, den: Any, candidate: Any) -> Element:
        """num / den with common factors, all of which divide `candidate`, cancelled."""
        if not num:
            return self.zero
        common = num.gcd(candidate)
        if common.is_one():
            return Element(self, num, den)
        return Element(self, num / common, den / common)

    def fraction(self, num: Any, den: Any) -> Element:
        """num / den in normal form, for a denominator without algebraic generators."""
        if den.leading_coefficient() < 0:
            num, den = -num, -den
        return self.cancelled(num, den, den)

    def inverted(self, element: Element) -> Element:
        """1 / element."""
        if not element.num:
            raise ExpressionError("division by zero: an expression has a denominator that vanishes identically")
        for k, degree, right in self.equations:
            if element.num.degrees()[self._place[k]] > 0:
                return el.inverse(self, element.num, k, degree, right) * Element(self, element.den, self._unit)
        return self.fraction(element.den, element.num)

    # derivations

    def d(self, element: Element, axis: int) -> Element:
        """The derivation along coordinate number `axis`."""
        top = self._derived(element.num, axis)
        if element.den.is_constant():
            return top * Element(self, self._unit, element.den)
        bottom = self._derived(element.den, axis)
        if not bottom.num:
            return top * Element(self, self._unit, element.den)
        common = bottom.num.gcd(element.den) if bottom.den.is_one() else self._unit
        rest = element.den / common
        slope = Element(self, bottom.num / common, bottom.den)
        upper = top * Element(self, rest, self._unit) - slope * Element(self, element.num, self._unit)
        return upper * Element(self, self._unit, element.den * rest)

    def _derived(self, num: Any, axis: int) -> Element:
        """The derivation of a polynomial, by the chain rule."""
        result, total = self.zero, self._nothing
        for k in self._occurring(num):
            slope = self._slope(k, axis)
            if slope.num:
                part = num.derivative(self._place[k])
                if slope.den.is_one():
                    total = total + part * slope.num
                else:
                    result = result + Element(self, part, self._unit) * slope
        return result + self.polynomial(total)

    def _occurring(self, num: Any) -> list[int]:
        degrees = num.degrees()
        return [k for k, place in enumerate(self._place) if degrees[place] > 0]

    def _slope(self, k: int, axis: int) -> Element:
        if (k, axis) not in self._slopes:
            self._slopes[k, axis] = self._differentiated(k, axis)
        return self._slopes[k, axis]

    def _differentiated(self, k: int, axis: int) -> Element:
        generator = self.generators[k]
        match generator.kind:
            case Kind.FREE:
                return self.one if generator.shown == self.coordinates[axis] else self.zero
            case Kind.UNIT:
                return self.zero
            case Kind.JET:
                return self._reader.slope(generator, axis)
            case Kind.ROOT:
                right = next(u for j, _, u in self.equations if j == k)
                base = self.polynomial(right)
                return self.generator(k) * self.d(base, axis) / (base * generator.degree)
            case Kind.POWER:
                base = self.read(generator.argument)
                return self.generator(k) * self.read(generator.exponent) * self.d(base, axis) / base
        inner = self.d(self.read(generator.argument), axis)
        return inner * self._outer_slope(k, generator) if inner else self.zero

    def _outer_slope(self, k: int, generator: Generator) -> Element:
        match generator.kind:
            case Kind.EXP:
                return self.generator(k)
            case Kind.COS:
                return -self.generator(k + 1)
            case Kind.COSH:
                return self.generator(k + 1)
            case Kind.SIN | Kind.SINH:
                return self.generator(k - 1)
        return self.read(generator.shown.fdiff(1))

    # between sympy and the field

    def read(self, expression: sympy.Expr) -> Element:
        """A sympy expression as an element.

        Raises OutsideField if it needs a generator that this field does not have.
        """
        return self._reader.read(expression)

    def write(self, elements: Sequence[Element]) -> list[sympy.Expr]:
        """Elements as factored sympy expressions; zero is 0.

        Raises OutsideField if a form says nonzero but values at random points do not confirm it.
        """
        return [sympy.Integer(0) if self.is_zero(e) else self.form(e) for e in elements]

    def form(self, element: Element) -> sympy.Expr:
        """The element's normal form, factored; no zero is decided."""
        return self._writer.write(element)

    @cached_property
    def _writer(self) -> Writer:
        return Writer(self)

    @cached_property
    def _samples(self) -> Samples:
        return Samples(self)

    # what a ring needs

    def vanishes(self, element: Element) -> bool:
        return not element.num

    def dot(self, pairs: Iterable[tuple[Element, Element]]) -> Element:
        """The sum of x * y; products over the same denominator are added before anything is cancelled."""
        groups: list[tuple[Any, Any, Any]] = []
        for x, y in pairs:
            if x.num and y.num:
                _gather(groups, x, y)
        result = self.zero
        for num, first, second in groups:
            result = result + self.cancelled(self.reduced(num), *[first * second] * 2)
        return result

    def verdict(self, element: Element) -> gr.Verdict:
        """Whether the element is zero, with a point at which it is not.

        Raises OutsideField if the form says nonzero but values at random points do not confirm it.
        """
        if not element.num:
            return ZERO_BY_FORM
        found = self._samples.refutation(element)
        if found is None and not self.certain:
            raise OutsideField("the generators of the field are not independent")
        return NONZERO if found is None else found

    def is_zero(self, element: Element) -> bool:
        return not element.num or (not self.certain and bool(self.verdict(element)))


def _gather(groups: list[tuple[Any, Any, Any]], x: Element, y: Element) -> None:
    """Add x * y to the group (numerator, denominator, denominator) with its two denominators, or to a new one."""
    num = x.num * y.num
    x.field.check_size(num, x.den)
    for k, (total, first, second) in enumerate(groups):
        if (first == x.den and second == y.den) or (first == y.den and second == x.den):
            groups[k] = (total + num, first, second)
            return
    groups.append((num, x.den, y.den))


def _lexicographic(generators: Sequence[Generator]) -> list[int]:
    """Where each generator stands in the order of polynomials: algebraic ones first, the last adjoined on top."""
    algebraic = [k for k, g in enumerate(generators) if g.algebraic][::-1]
    free = [k for k, g in enumerate(generators) if not g.algebraic]
    place = {k: position for position, k in enumerate(algebraic + free)}
    return [place[k] for k in range(len(generators))]


def field_of(expressions: Iterable[sympy.Expr], coordinates: Sequence[sympy.Symbol],
             domain: gr.Domain = gr.REALS, largest: int = MOST_TERMS) -> Field:
    """The smallest field of fractions that holds the expressions, with derivations along the coordinates.

    Raises OutsideField when there is none, or none that is small enough; so do its operations on a fraction of more
    than `largest` terms.
    """
    survey = Survey(coordinates).visit_all(expressions)
    generators = survey.generators()
    return Field(generators, coordinates, survey.certain and not domain.integers, domain, largest)
