"""The kinds of axes: circles, and intervals by what happens at their two ends.

About an even end all unknowns are even, but for those that vanish there, which are odd; where something is given there
is no parity; to infinity functions are smooth in the square of the inverse coordinate, beside a power of it.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import final

import sympy

from geomflow.core.errors import InputError
from geomflow.symbolic.ansatz.axis import Along, Axis, Closing, Ended, Factor
from geomflow.symbolic.ansatz.domain import Circle, Interval


@final
class Around(Axis):
    """A circle: ξ is x."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.xi = sympy.Symbol(name, real=True)
        self.roots = {}

    @property
    def unit(self) -> sympy.Expr:
        return sympy.Integer(1)

    def step(self, expression: sympy.Expr, k: int, along: Along) -> sympy.Expr:
        return along(expression)

    def without_coordinate(self, expression: sympy.Expr) -> sympy.Expr:
        return expression.xreplace({s: self.xi for s in expression.free_symbols if s.name == self.name})


@final
class BetweenEven(Closing):
    """Between two ends about which all is even: ξ = cos X, X = m(x − a), m = π/(b − a), and U = m/sin X."""

    def __init__(self, name: str, domain: Interval) -> None:
        super().__init__(name)
        self._start, self.m = domain.a, sympy.pi / domain.length

    @property
    def unit(self) -> sympy.Expr:
        return self.m / self._sine

    def step(self, expression: sympy.Expr, k: int, along: Along) -> sympy.Expr:
        return -k * self.xi * expression - (1 - self.xi**2) * along(expression)

    def scale(self, factor: Factor) -> sympy.Expr:
        return (1 if factor.low and factor.high else 2) / self.m

    def slope(self, factor: Factor) -> sympy.Expr:
        if factor.low and factor.high:
            return self.xi
        return (1 + self.xi) / 2 if factor.low else (self.xi - 1) / 2

    def shares(self, x: sympy.Expr) -> tuple[sympy.Expr, sympy.Expr]:
        half = self.m * (x - self._start) / 2
        return sympy.sin(half) ** 2, sympy.cos(half) ** 2

    def without_coordinate(self, expression: sympy.Expr) -> sympy.Expr:
        symbol = next((s for s in expression.free_symbols if s.name == self.name and s != self.xi), None)
        if symbol is None:
            return expression
        angle = sympy.Dummy(real=True)
        moved = sympy.expand_trig(expression.xreplace({symbol: self._start + angle / self.m}))
        moved = moved.xreplace({sympy.sin(angle): self._sine, sympy.cos(angle): self.xi})
        if moved.has(angle):
            raise InputError(f"the equation depends on {self.name} in another way than by sines and cosines of "
                             f"{self.m}*({self.name} - {self._start}): write it in these.")
        return moved


class _Rational(Ended):
    """An interval whose x is a quotient of roots."""

    @property
    @abstractmethod
    def place(self) -> sympy.Expr:
        """x."""

    def without_coordinate(self, expression: sympy.Expr) -> sympy.Expr:
        return expression.xreplace({s: self.place for s in expression.free_symbols if s.name == self.name})


@final
class EvenToGiven(_Rational, Closing):
    """Even about the first end, given at the last: (1 − ξ)/2 = (x − a)²/ℓ², and U = 1/(x − a)."""

    def __init__(self, name: str, domain: Interval) -> None:
        super().__init__(name)
        self._start, self._length = domain.a, domain.length

    @property
    def place(self) -> sympy.Expr:
        return self._start + self._length * self._low

    @property
    def unit(self) -> sympy.Expr:
        return 1 / (self._length * self._low)

    def step(self, expression: sympy.Expr, k: int, along: Along) -> sympy.Expr:
        return -k * expression - 2 * (1 - self.xi) * along(expression)

    def scale(self, factor: Factor) -> sympy.Expr:
        return self._length

    def slope(self, factor: Factor) -> sympy.Expr:
        return sympy.Integer(1)

    def shares(self, x: sympy.Expr) -> tuple[sympy.Expr, sympy.Expr]:
        part = (x - self._start) / self._length
        return part**2, (1 - part) * (1 + part)


@final
class GivenToEven(_Rational, Closing):
    """Given at the first end, even about the last: (1 + ξ)/2 = (b − x)²/ℓ², and U = 1/(b − x)."""

    def __init__(self, name: str, domain: Interval) -> None:
        super().__init__(name)
        self._end, self._length = domain.b, domain.length

    @property
    def place(self) -> sympy.Expr:
        return self._end - self._length * self._high

    @property
    def unit(self) -> sympy.Expr:
        return 1 / (self._length * self._high)

    def step(self, expression: sympy.Expr, k: int, along: Along) -> sympy.Expr:
        return k * expression - 2 * (1 + self.xi) * along(expression)

    def scale(self, factor: Factor) -> sympy.Expr:
        return self._length

    def slope(self, factor: Factor) -> sympy.Expr:
        return sympy.Integer(-1)

    def shares(self, x: sympy.Expr) -> tuple[sympy.Expr, sympy.Expr]:
        part = (self._end - x) / self._length
        return (1 - part) * (1 + part), part**2


@final
class BetweenGiven(_Rational):
    """Between two ends at which something is given: (1 − ξ)/2 = (x − a)/ℓ, and U = 1/ℓ."""

    def __init__(self, name: str, domain: Interval) -> None:
        super().__init__(name)
        self._start, self._length = domain.a, domain.length

    @property
    def place(self) -> sympy.Expr:
        return self._start + self._length * (1 - self.xi) / 2

    @property
    def unit(self) -> sympy.Expr:
        return 1 / self._length

    def step(self, expression: sympy.Expr, k: int, along: Along) -> sympy.Expr:
        return -2 * along(expression)

    def shares(self, x: sympy.Expr) -> tuple[sympy.Expr, sympy.Expr]:
        part = (x - self._start) / self._length
        return part, 1 - part


@final
class EvenToInfinity(_Rational, Closing):
    """Even about the first end, then to infinity: (1 − ξ)/2 = y²/(1 + y²), y = (x − a)/ℓ, U = 1/(ℓy), Γ = √(1 + y²)."""

    def __init__(self, name: str, domain: Interval) -> None:
        super().__init__(name)
        self._start, self._length = domain.a, domain.scale

    @property
    def place(self) -> sympy.Expr:
        return self._start + self._length * self._low / self._high

    @property
    def unit(self) -> sympy.Expr:
        return self._high / (self._length * self._low)

    def step(self, expression: sympy.Expr, k: int, along: Along) -> sympy.Expr:
        return -k * expression - (1 - self.xi**2) * along(expression)

    def scale(self, factor: Factor) -> sympy.Expr:
        return self._length

    def slope(self, factor: Factor) -> sympy.Expr:
        return (1 + self.xi) / 2

    def shares(self, x: sympy.Expr) -> tuple[sympy.Expr, sympy.Expr]:
        square = ((x - self._start) / self._length) ** 2
        return square / (1 + square), 1 / (1 + square)

    @property
    def growth(self) -> sympy.Expr:
        return 1 / self._high

    @property
    def growth_slope(self) -> sympy.Expr:
        return (1 - self.xi) / 2


def axis_of(name: str, domain: Circle | Interval) -> Axis:
    """The axis of a coordinate on its domain."""
    if isinstance(domain, Circle):
        return Around(name)
    first, last = domain.ends
    if last.kind == "infinity":
        return EvenToInfinity(name, domain)
    if first.even:
        return BetweenEven(name, domain) if last.even else EvenToGiven(name, domain)
    return GivenToEven(name, domain) if last.even else BetweenGiven(name, domain)
