"""Exact division by what vanishes at the ends of intervals, of quotients of polynomials and exponentials e^{cρ²w}."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, final

import sympy
from sympy.polys.domains import QQ
from sympy.polys.fields import FracField
from sympy.polys.orderings import lex
from sympy.polys.polyerrors import CoercionFailed
from sympy.polys.rings import PolyElement, PolyRing

from geomflow.core.errors import InputError
from geomflow.symbolic.ansatz.axis import vanishes_at_end, with_ends

MOST_DIVISIONS = 6


@final
@dataclass(frozen=True)
class Exponential:
    """e^{ρ²w} as a generator of polynomials.

    Parameters
    ----------
    base : Symbol
        e^{ρ²w}.
    argument, square : sympy expressions
        ρ²w and ρ².
    field : str
        The name of w.
    """

    base: sympy.Symbol
    argument: sympy.Expr
    square: sympy.Expr
    field: str

    def symbol(self, rate: int, order: int) -> sympy.Symbol:
        """Φ_k with ρ^{2k} Φ_k = e^{cρ²w} − Σ_{j<k} (cρ²w)^j/j!, of the rate c and the order k."""
        return sympy.Symbol(f"closing{-rate}_{order}_{self.field}")

    def expanded(self, rate: int, order: int) -> sympy.Expr:
        """e^{cρ²w} by its Taylor polynomial and a remainder."""
        if rate == 0:
            return sympy.Integer(1)
        taylor = [(rate * self.argument) ** j / sympy.factorial(j) for j in range(order)]
        return sympy.Add(*taylor) + self.square**order * self.symbol(rate, order)


@final
@dataclass(frozen=True)
class Quotient:
    """What is left of an expression, and the remainders (field, rate, order) that it holds."""

    expression: sympy.Expr
    remainders: tuple[tuple[str, int, int], ...] = ()


class Division:
    """Expressions in jets, ξ, roots and exponentials, without poles where ξ = ±1.

    Parameters
    ----------
    variables : sequence of Symbol
        ξ of each interval.
    roots : mapping
        Generators whose squares are polynomials in ξ.
    exponentials : sequence of Exponential
        Those of fields that close orbits.
    """

    def __init__(self, variables: Sequence[sympy.Symbol], roots: Mapping[sympy.Symbol, sympy.Expr],
                 exponentials: Sequence[Exponential]) -> None:
        self._variables, self._roots, self._exponentials = list(variables), dict(roots), list(exponentials)

    def quotient(self, expression: sympy.Expr) -> Quotient:
        """The expression, divided. Raises InputError where it has a pole at an end."""
        singular = {*self._variables, *self._roots, *(e.base for e in self._exponentials)}
        table = {part: sympy.Dummy(positive=True) for part in _outside(expression, singular)}
        known = expression.xreplace(table)
        field = self._field(known)
        try:
            found = field.from_expr(known)
        except (CoercionFailed, ValueError) as error:
            raise InputError(f"the equation is no quotient of polynomials in unknowns and their derivatives: {error}; "
                             "on an interval write it so.") from None
        for root, square in self._roots.items():
            if root in field.symbols:
                found = (field.field_new(_squared(found.numer, root, square))
                         / field.field_new(_squared(found.denom, root, square)))
        poles, rest = self._parted(found.denom)
        result = self._divided(found.numer, poles)
        back = {dummy: part for part, dummy in table.items()}
        return Quotient((result.expression / rest).xreplace(back), result.remainders)

    def _field(self, expression: sympy.Expr) -> FracField:
        held = expression.free_symbols | set(self._variables)
        squares = set().union(*(square.free_symbols for root, square in self._roots.items() if root in held), set())
        others = sorted((held | squares) - set(self._variables), key=str)
        return FracField([*self._variables, *others], QQ, lex)

    def _parted(self, bottom: PolyElement) -> tuple[PolyElement, sympy.Expr]:
        """The factors that vanish at ends, and all others."""
        constant, factors = bottom.factor_list()
        poles, rest = bottom.ring.one, QQ.to_sympy(constant)
        for base, power in factors:
            if any(vanishes_at_end(base.as_expr(), xi) for xi in self._variables):
                poles *= base**power
            else:
                rest *= base.as_expr() ** power
        return poles, rest

    def _divided(self, top: PolyElement, poles: PolyElement) -> Quotient:
        if poles == poles.ring.one:
            return Quotient(self._collected(top))
        for order in range(MOST_DIVISIONS):
            outside, inside, remainders = self._expanded(top, order)
            quotient, left = inside.div(poles.set_ring(inside.ring))
            if not left:
                return Quotient(outside * self._collected(quotient), remainders)
        raise InputError(f"the equation has a pole at an end ({', '.join(xi.name for xi in self._variables)} = ±1): "
                         "the flow does not keep the metric smooth there, or a coefficient is singular.")

    def _expanded(self, top: PolyElement, order: int) -> tuple[sympy.Expr, PolyElement,
                                                               tuple[tuple[str, int, int], ...]]:
        """A common power of all exponentials, the polynomial that it multiplies, and the remainders in that."""
        symbols = list(top.ring.symbols)
        held = [e for e in self._exponentials if e.base in symbols]
        places = [symbols.index(e.base) for e in held]
        highest = [max(powers[place] for powers in top.monoms()) for place in places]
        rates = sorted({(n, powers[place] - highest[n]) for powers in top.monoms() for n, place in enumerate(places)})
        written = {(n, rate): held[n].expanded(rate, order) for n, rate in rates}
        more = set().union(*(e.free_symbols for e in written.values()), set()) - set(symbols)
        ring = PolyRing([*symbols, *sorted(more, key=str)], QQ, lex)
        series = {key: ring.from_expr(value) for key, value in written.items()}
        inside = ring.zero
        for powers, part in _by_powers(top, places).items():
            term = part.set_ring(ring)
            for n, power in enumerate(powers):
                term *= series[n, power - highest[n]]
            inside += term
        outside = sympy.Mul(*[e.base**power for e, power in zip(held, highest, strict=True)])
        return outside, inside, tuple((held[n].field, rate, order) for n, rate in rates if rate)

    def _collected(self, top: PolyElement) -> sympy.Expr:
        """A sum over monomials of all else, whose coefficients are products of 1 ∓ ξ as far as they go."""
        count, symbols = len(self._variables), list(top.ring.symbols)
        groups: dict[tuple[int, ...], list[sympy.Expr]] = {}
        for powers, number in top.terms():
            inner = [xi**p for xi, p in zip(symbols[:count], powers[:count], strict=True)]
            groups.setdefault(powers[count:], []).append(sympy.Mul(QQ.to_sympy(number), *inner))
        return sympy.Add(*[sympy.Mul(*[g**p for g, p in zip(symbols[count:], powers, strict=True) if p],
                                     with_ends(sympy.Add(*parts), self._variables))
                           for powers, parts in groups.items()])


def _by_powers(top: PolyElement, places: Sequence[int]) -> dict[tuple[int, ...], PolyElement]:
    """The parts of a polynomial by the powers of some generators, without these."""
    found: dict[tuple[int, ...], dict[Any, Any]] = {}
    for powers, number in top.terms():
        left = tuple(0 if n in places else p for n, p in enumerate(powers))
        found.setdefault(tuple(powers[place] for place in places), {})[left] = number
    return {powers: top.ring.from_dict(parts) for powers, parts in found.items()}


def _squared(poly: PolyElement, root: sympy.Symbol, square: sympy.Expr) -> PolyElement:
    """The polynomial with even powers of a root written by its square; odd ones keep one."""
    ring, place = poly.ring, list(poly.ring.symbols).index(root)
    base, result = ring.from_expr(square), ring.zero
    parts: dict[int, dict[Any, Any]] = {}
    for powers, number in poly.terms():
        left = tuple(p % 2 if n == place else p for n, p in enumerate(powers))
        parts.setdefault(powers[place] // 2, {})[left] = number
    for power, part in parts.items():
        result += ring.from_dict(part) * base**power
    return result


def _outside(expression: sympy.Expr, singular: Collection[sympy.Symbol]) -> Iterable[sympy.Expr]:
    """The parts that are not rational and have no pole: numbers such as π and √2, and functions of what is regular."""
    return {part for part in sympy.preorder_traversal(expression)
            if (isinstance(part, sympy.Function) or (part.is_Pow and not part.exp.is_Integer) or part.is_NumberSymbol)
            and part.is_rational is not True and not part.free_symbols.intersection(singular)}
