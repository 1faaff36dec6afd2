"""A coordinate of unknowns: the variable in which they are smooth, and what derivatives become in it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, final

import sympy

from geomflow.core.errors import InputError
from geomflow.symbolic.ansatz.domain import Circle, Interval

XI, LOW, HIGH = "xi", "xi_low", "xi_high"
"""ξ, 1 − ξ and 1 + ξ, which grids give at full relative accuracy."""

SINE, LOW_ROOT, HIGH_ROOT = "sine", "low_root", "high_root"
"""sin X and the roots of (1 ∓ ξ)/2, which densities of odd dimension hold."""


@final
@dataclass(frozen=True)
class Factor:
    """ρ² of an unknown that closes: 1 − ξ², (1 − ξ)/2 or (1 + ξ)/2, by where it vanishes."""

    low: bool
    high: bool

    def square(self, xi: Any) -> Any:
        """ρ² at ξ."""
        if self.low and self.high:
            return 1 - xi**2
        return (1 - xi) / 2 if self.low else (1 + xi) / 2

    @property
    def scale(self) -> int:
        """R = `scale` ρ/m with m = π/(b − a)."""
        return 1 if self.low and self.high else 2

    def slope(self, xi: Any) -> Any:
        """R_x/R in units of m/sin X."""
        if self.low and self.high:
            return xi
        return (1 + xi) / 2 if self.low else (xi - 1) / 2


class Axis:
    """A coordinate x of unknowns, and what derivatives along it are of: ξ = cos X on an interval, x on a circle."""

    def __init__(self, name: str, domain: Circle | Interval) -> None:
        self.name = name
        self.is_interval = isinstance(domain, Interval)
        self._start = domain.a if isinstance(domain, Interval) else sympy.Integer(0)
        self.m = sympy.pi / domain.length if isinstance(domain, Interval) else sympy.Integer(1)
        self.xi = sympy.Symbol(f"{XI}_{name}" if self.is_interval else name, real=True)
        self._sine = sympy.Symbol(f"{SINE}_{name}", positive=True)

    @property
    def unit(self) -> sympy.Expr:
        """m/sin X, in which derivatives are measured."""
        return self.m / self._sine if self.is_interval else sympy.Integer(1)

    @cached_property
    def roots(self) -> dict[sympy.Symbol, sympy.Expr]:
        """Roots, and their squares as polynomials in ξ."""
        if not self.is_interval:
            return {}
        halves = {self.root(f): f.square(self.xi) for f in (Factor(True, False), Factor(False, True))}
        return {self._sine: 1 - self.xi**2, **halves}

    def root(self, factor: Factor) -> sympy.Symbol:
        """ρ."""
        if factor.low and factor.high:
            return self._sine
        return sympy.Symbol(f"{LOW_ROOT if factor.low else HIGH_ROOT}_{self.name}", positive=True)

    def step(self, expression: sympy.Expr, k: int, along: Any) -> sympy.Expr:
        """With d/dx (F (m/sin X)^k) = (m/sin X)^{k+1} G: from F to G."""
        if not self.is_interval:
            return along(expression)
        return -k * self.xi * expression - (1 - self.xi**2) * along(expression)

    def without_coordinate(self, expression: sympy.Expr) -> sympy.Expr:
        """The expression with x written by sin X and cos X. Raises InputError where it is no such polynomial."""
        symbol = next((s for s in expression.free_symbols if s.name == self.name and s != self.xi), None)
        if symbol is None or not self.is_interval:
            return expression if symbol is None else expression.xreplace({symbol: self.xi})
        angle = sympy.Dummy(real=True)
        moved = sympy.expand_trig(expression.xreplace({symbol: self._start + angle / self.m}))
        moved = moved.xreplace({sympy.sin(angle): self._sine, sympy.cos(angle): self.xi})
        if moved.has(angle):
            raise InputError(f"the equation depends on {self.name} in another way than by sines and cosines of "
                             f"{self.m}*({self.name} - {self._start}): write it in these.")
        return moved


def with_ends(coefficient: sympy.Expr, variables: Iterable[sympy.Symbol]) -> sympy.Expr:
    """A polynomial in ξ with its factors 1 ∓ ξ as symbols of their own."""
    if coefficient.is_number:
        return coefficient
    constant, factors = sympy.factor_list(coefficient)
    known = list(variables)
    return constant * sympy.Mul(*[_named_end(base, known) ** power for base, power in factors])


def vanishes_at_end(base: sympy.Expr, xi: sympy.Symbol) -> bool:
    """Whether a factor is a multiple of 1 ∓ ξ."""
    return base.free_symbols == {xi} and bool(base.subs(xi, 1) == 0 or base.subs(xi, -1) == 0)


def _named_end(base: sympy.Expr, variables: Iterable[sympy.Symbol]) -> sympy.Expr:
    for xi in variables:
        suffix = xi.name.removeprefix(XI)
        for name, end in ((LOW, 1 - xi), (HIGH, 1 + xi)):
            ratio = sympy.cancel(base / end)
            if base.has(xi) and ratio.is_number:
                return ratio * sympy.Symbol(name + suffix)
    return base
