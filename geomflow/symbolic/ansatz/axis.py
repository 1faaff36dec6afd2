"""A coordinate of unknowns: the variable in which they are smooth, and what derivatives become in it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeAlias, final

import sympy

XI, LOW, HIGH = "xi", "xi_low", "xi_high"
"""ξ, 1 − ξ and 1 + ξ, which grids give at full relative accuracy."""

Along: TypeAlias = Callable[[sympy.Expr], sympy.Expr]

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

    def of_halves(self, low: Any, high: Any) -> Any:
        """ρ² from (1 − ξ)/2 and (1 + ξ)/2."""
        return 4 * low * high if self.low and self.high else low if self.low else high


class Axis(ABC):
    """A coordinate x of unknowns, and what derivatives along it are of.

    The unit U has d/dx (F U^k) = U^{k+1} G for F, G smooth in the regular variable ξ.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.xi = sympy.Symbol(f"{XI}_{name}", real=True)
        self._sine = sympy.Symbol(f"{SINE}_{name}", positive=True)
        self._low = sympy.Symbol(f"{LOW_ROOT}_{name}", positive=True)
        self._high = sympy.Symbol(f"{HIGH_ROOT}_{name}", positive=True)

    @property
    @abstractmethod
    def unit(self) -> sympy.Expr:
        """U."""

    @abstractmethod
    def step(self, expression: sympy.Expr, k: int, along: Along) -> sympy.Expr:
        """From F to G, where `along` is d/dξ."""

    @abstractmethod
    def without_coordinate(self, expression: sympy.Expr) -> sympy.Expr:
        """The expression with x written by generators. Raises InputError where it cannot be."""

    @cached_property
    def roots(self) -> dict[sympy.Symbol, sympy.Expr]:
        """Roots, and their squares as polynomials in ξ."""
        return {self._sine: 1 - self.xi**2, self._low: (1 - self.xi) / 2, self._high: (1 + self.xi) / 2}

    def root(self, factor: Factor) -> sympy.Symbol:
        """ρ."""
        if factor.low and factor.high:
            return self._sine
        return self._low if factor.low else self._high

    @property
    def growth(self) -> sympy.Expr:
        """Γ, which grows as x does at infinity; 1 where there is none."""
        return sympy.Integer(1)

    @property
    def growth_slope(self) -> sympy.Expr:
        """Γ_x/Γ in units of U."""
        return sympy.Integer(0)


class Ended(Axis):
    """An interval."""

    @abstractmethod
    def shares(self, x: sympy.Expr) -> tuple[sympy.Expr, sympy.Expr]:
        """(1 − ξ)/2 and (1 + ξ)/2 at a place."""


class Closing(Ended):
    """An interval with an end where orbits may close: R vanishes there with the slope 1."""

    @abstractmethod
    def scale(self, factor: Factor) -> sympy.Expr:
        """c of R = c ρ."""

    @abstractmethod
    def slope(self, factor: Factor) -> sympy.Expr:
        """R_x/R in units of U."""


def closing_axis(axis: Axis) -> Closing:
    """An axis on which a field closes orbits: these are made for such only."""
    assert isinstance(axis, Closing)
    return axis


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
