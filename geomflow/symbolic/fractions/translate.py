"""From sympy expressions to elements of a field, and back: factored, with sin² for 1 − cos² where that is shorter."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from functools import cached_property
from typing import TYPE_CHECKING, Any

import sympy
from sympy.core.function import AppliedUndef

from geomflow.core.exact_numbers import fraction_of_float
from geomflow.core.graph.sympy_bridge import UNKNOWN, applied, owned, resolved
from geomflow.symbolic.fractions import survey as sv
from geomflow.symbolic.fractions.element import Element
from geomflow.symbolic.fractions.survey import CIRCULAR, HYPERBOLIC, Generator, Kind, OutsideField

if TYPE_CHECKING:
    from geomflow.symbolic.fractions.field import Field


Pair = tuple[Element, Element]
MOST_FACTORED = 600
"""Polynomials of more terms than this are written expanded."""
Factors = list[tuple[Any, int]]

_QUOTIENTS: dict[str, Callable[[Element, Element], Element]] = {
    "cos": lambda c, s: c,
    "sin": lambda c, s: s,
    "tan": lambda c, s: s / c,
    "cot": lambda c, s: c / s,
    "sec": lambda c, s: c.inverse(),
    "csc": lambda c, s: s.inverse(),
}
_CIRCULAR_NAMES = {"cosh": "cos", "sinh": "sin", "tanh": "tan", "coth": "cot", "sech": "sec", "csch": "csc"}


class Reader:
    """A memoised walk that turns sympy expressions into elements of one field."""

    def __init__(self, field: Field) -> None:
        self._field = field
        self._known: dict[sympy.Basic, Element] = {}
        self._numbers = {(g.kind, g.shown): k for k, g in enumerate(field.generators)}
        self._by_argument = {(g.kind, g.argument): k for k, g in enumerate(field.generators) if g.argument is not None}
        self._jets = {(g.argument, g.index): k for k, g in enumerate(field.generators) if g.kind is Kind.JET}
        self._functions = list(dict.fromkeys(function for function, _ in self._jets))
        self._own = {str(g.shown): g.shown for g in field.generators if g.kind is Kind.FREE}
        self._same: dict[AppliedUndef, AppliedUndef] = {}

    def read(self, e: sympy.Expr) -> Element:
        """The element of an expression."""
        found = self._known.get(e)
        if found is None:
            found = self._known[e] = self._convert(e)
        return found

    def _convert(self, e: sympy.Expr) -> Element:
        field = self._field
        if e.is_Rational:
            return field.number(Fraction(int(e.p), int(e.q)))
        if e.is_Float:
            return field.number(fraction_of_float(e))
        if e.is_Add:
            return field.dot((self.read(a), field.one) for a in e.args)
        if e.is_Mul:
            result = field.one
            for a in e.args:
                result = result * self.read(a)
            return result
        if e.is_Symbol or e is sympy.pi:
            return self._generator(Kind.FREE, e)
        if e is sympy.I:
            return self._generator(Kind.UNIT, e)
        if e.is_Pow or e is sympy.E or isinstance(e, sympy.exp):
            return self._power(*e.as_base_exp())
        return self._function(e)

    def _generator(self, kind: Kind, shown: sympy.Expr) -> Element:
        if (kind, shown) not in self._numbers:
            raise OutsideField(f"'{shown}' is not in the field")
        return self._field.generator(self._numbers[kind, shown])

    def _power(self, base: sympy.Expr, exponent: sympy.Expr) -> Element:
        if base is sympy.E:
            return self._exponential(exponent)
        if exponent.is_Integer:
            return self.read(base) ** int(exponent)
        if not exponent.is_Rational:
            return self._symbolic_power(base, exponent)
        return self._root(base) ** self._root_steps(base, exponent)

    def _symbolic_power(self, base: sympy.Expr, exponent: sympy.Expr) -> Element:
        """base**(c + n₁ + n₂ + ...) as a product of powers of generators."""
        result = self._field.one
        for coefficient, atom in sv.linear_parts(exponent):
            part = self._power(base, coefficient) if atom == 1 else self._generator_power(base, coefficient, atom)
            result = result * part
        return result

    def _generator_power(self, base: sympy.Expr, coefficient: sympy.Rational, atom: sympy.Expr) -> Element:
        for k, g in enumerate(self._field.generators):
            if g.kind is Kind.POWER and g.argument == base:
                steps = coefficient * atom / g.exponent
                if steps.is_Integer:
                    return self._field.generator(k) ** int(steps)
        raise OutsideField(f"'{base}**({coefficient * atom})' is not in the field")

    def _root_steps(self, base: sympy.Expr, exponent: sympy.Expr) -> int:
        degree = self._field.generators[self._by_argument[Kind.ROOT, base]].degree
        steps = exponent * degree
        if not steps.is_Integer:
            raise OutsideField(f"'{base}**({exponent})' is not in the field")
        return int(steps)

    def _root(self, base: sympy.Expr) -> Element:
        """The root itself: σ / q for the generator σ = q (p/q)^(1/n)."""
        k = self._by_argument.get((Kind.ROOT, base))
        if k is None:
            raise OutsideField(f"no root of '{base}' is in the field")
        scale = Element(self._field, self.read(base).den, self._field.one.den)
        return self._field.generator(k) / scale

    def _exponential(self, exponent: sympy.Expr) -> Element:
        result = self._field.one
        for coefficient, atom in sv.linear_parts(exponent):
            if sv.is_angle(atom):
                c, s = self._multiple(Kind.COS, coefficient, sympy.expand(atom / sympy.I))
                result = result * (c + s * self._generator(Kind.UNIT, sympy.I))
            elif (Kind.COSH, atom) in self._pairs:
                c, s = self._multiple(Kind.COSH, coefficient, atom)
                result = result * (c + s)
            else:
                result = result * self._exponent(coefficient, atom)
        return result

    def _exponent(self, coefficient: sympy.Rational, atom: sympy.Expr) -> Element:
        k, steps = self._steps(Kind.EXP, coefficient, atom)
        return self._field.generator(k) ** steps

    @cached_property
    def _pairs(self) -> dict[tuple[Kind, sympy.Expr], list[tuple[int, sympy.Rational]]]:
        """For each atom of an angle or an exponent: its generators, each with its unit."""
        found: dict[tuple[Kind, sympy.Expr], list[tuple[int, sympy.Rational]]] = {}
        for k, g in enumerate(self._field.generators):
            if g.kind in (Kind.EXP, Kind.COS, Kind.COSH):
                ((unit, atom),) = sv.linear_parts(g.argument)
                found.setdefault((g.kind, atom), []).append((k, unit))
        return found

    def _steps(self, kind: Kind, coefficient: sympy.Rational, atom: sympy.Expr) -> tuple[int, int]:
        """The generator, and the fewest steps of its unit, that make coefficient * atom."""
        found = [(k, coefficient / unit) for k, unit in self._pairs.get((kind, atom), ())]
        whole = [(k, int(steps)) for k, steps in found if steps.is_Integer]
        if not whole:
            raise OutsideField(f"{kind} of {coefficient * atom} is not in the field")
        return min(whole, key=lambda pair: abs(pair[1]))

    def _multiple(self, kind: Kind, coefficient: sympy.Rational, atom: sympy.Expr) -> Pair:
        """cos and sin (or cosh and sinh) of coefficient * atom."""
        if kind is Kind.COS and atom is sympy.pi:
            return self.read(sv.constant(sympy.cos, coefficient)), self.read(sv.constant(sympy.sin, coefficient))
        k, steps = self._steps(kind, coefficient, atom)
        sign, pair = (1 if steps > 0 else -1), (self._field.one, self._field.zero)
        square = (self._field.generator(k), self._field.generator(k + 1))
        remaining = abs(steps)
        while remaining:
            if remaining & 1:
                pair = _angle_sum(kind, pair, square)
            remaining >>= 1
            square = _angle_sum(kind, square, square) if remaining else square
        return pair[0], pair[1] * sign

    def _function(self, e: sympy.Expr) -> Element:
        if isinstance(e, CIRCULAR + HYPERBOLIC):
            kind = Kind.COS if isinstance(e, CIRCULAR) else Kind.COSH
            pair = (self._field.one, self._field.zero)
            for coefficient, atom in sv.linear_parts(e.args[0]):
                pair = _angle_sum(kind, pair, self._multiple(kind, coefficient, atom))
            name = e.func.__name__
            return _QUOTIENTS[_CIRCULAR_NAMES.get(name, name)](*pair)
        if isinstance(e, UNKNOWN):
            found = applied(e)
            if found is None:
                return self.read(resolved(e))
            found = owned(found, self._own)
            return self._jet(found.value, found.index)
        return self._generator(Kind.PRIMITIVE, e)

    def _jet(self, function: AppliedUndef, index: tuple[int, ...]) -> Element:
        """The derivative of an unknown function: one generator for all arguments that are equal."""
        key = self._representative(function), index
        if key not in self._jets:
            raise OutsideField(f"the derivative {index} of {function} is not in the field")
        return self._field.generator(self._jets[key])

    def _representative(self, function: AppliedUndef) -> AppliedUndef:
        """The first of the field's functions with this name and equal arguments.

        Only earlier ones are compared, whose arguments need fewer generators, so that this ends.
        """
        if function not in self._same:
            known = self._functions
            earlier = known[: known.index(function)] if function in known else known
            found = (f for f in earlier if self._representative(f) == f and self._equal(f, function))
            self._same[function] = next(found, function)
        return self._same[function]

    def _equal(self, f: AppliedUndef, g: AppliedUndef) -> bool:
        if str(f.func) != str(g.func) or len(f.args) != len(g.args):
            return False
        pairs = zip(f.args, g.args, strict=True)
        return all(a == b or self._field.is_zero(self.read(a) - self.read(b)) for a, b in pairs)

    def slope(self, jet: Generator, axis: int) -> Element:
        """The derivative of a jet along coordinate number `axis`, by the chain rule."""
        assert jet.argument is not None
        field, result = self._field, self._field.zero
        for k, argument in enumerate(jet.argument.args):
            inner = field.d(self.read(argument), axis)
            if inner:
                raised = tuple(times + (i == k) for i, times in enumerate(jet.index))
                result = result + self._jet(jet.argument, raised) * inner
        return result


def _angle_sum(kind: Kind, a: Pair, b: Pair) -> Pair:
    """cos and sin, or cosh and sinh, of the sum of two arguments."""
    product = a[1] * b[1]
    return a[0] * b[0] + (-product if kind is Kind.COS else product), a[1] * b[0] + a[0] * b[1]


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
