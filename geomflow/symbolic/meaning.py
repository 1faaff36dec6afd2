"""What the numbers, names and signs of a text mean, for the reader of `geomflow.symbolic.parse`."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from typing import Any, ClassVar

import sympy

from geomflow.core.exact_numbers import MOST_BITS, overgrown
from geomflow.symbolic.words import ONLY

_PLAIN = (
    "sin cos tan cot sec csc asin acos atan sinh cosh tanh coth asinh acosh atanh "
    "exp log sqrt cbrt sign erf re im conjugate"
)
FUNCTIONS: Mapping[str, Callable[..., sympy.Expr]] = {
    **{name: getattr(sympy, name) for name in _PLAIN.split()},
    "abs": sympy.Abs,
    "Abs": sympy.Abs,
    "ln": sympy.log,
    "conj": sympy.conjugate,
    "arcsin": sympy.asin,
    "arccos": sympy.acos,
    "arctan": sympy.atan,
}
CONSTANTS: Mapping[str, sympy.Expr] = {
    "pi": sympy.pi,
    "π": sympy.pi,
    "e": sympy.E,
    "E": sympy.E,
    "i": sympy.I,
    "I": sympy.I,
}


class Refusal(Exception):
    """Why an operation is not allowed: the reader adds the place. `which` operand of several is at fault, if one is."""

    def __init__(self, message: str, which: int | None = None) -> None:
        super().__init__(message)
        self.which = which


def require_writable(base: int | Fraction | None, exponent: float | Fraction) -> None:
    """Refuse a power of so large an exponent, of a number if it is one, that it has too many digits."""
    bits = 1 if base is None else max(1, abs(base.numerator).bit_length(), base.denominator.bit_length())
    if exponent * bits > MOST_BITS:
        raise Refusal("this power is too large to be written exactly")


class Meaning(ABC):
    """What the numbers, names and signs of a text mean; its operations raise `Refusal`.

    `names` are values and functions by name, `functions` further functions; `indexed` says that "[i, j]" may follow a
    value.
    """

    names: Mapping[str, Any]
    functions: Mapping[str, Callable[..., Any]]
    indexed: ClassVar[bool] = False

    @abstractmethod
    def number(self, value: sympy.Expr) -> Any:
        """A number that is written."""

    @abstractmethod
    def is_value(self, found: Any) -> bool:
        """Whether something named or computed can stand in arithmetic."""

    @abstractmethod
    def total(self, terms: Sequence[Any]) -> Any:
        """The sum of terms, at least two."""

    @abstractmethod
    def product(self, factors: Sequence[Any]) -> Any:
        """The product of factors, at least two."""

    @abstractmethod
    def negative(self, value: Any) -> Any:
        """−value."""

    @abstractmethod
    def inverse(self, value: Any) -> Any:
        """1/value."""

    @abstractmethod
    def power(self, base: Any, exponent: Any) -> Any:
        """base^exponent."""

    @property
    def callable_names(self) -> Sequence[str]:
        """Those of `names` that are functions."""
        return [name for name, value in self.names.items() if callable(value)]

    def called(self, value: Any) -> Any:
        """What a function gave, once it is looked at."""
        return value

    def at_indices(self, value: Any, indices: tuple[str, ...]) -> Any:
        """A tensor with its indices named; where `indexed`."""
        raise Refusal(ONLY)


class SympyMeaning(Meaning):
    """Text as sympy expressions."""

    functions = FUNCTIONS

    def __init__(self, names: Mapping[str, Any]) -> None:
        self.names = names

    def number(self, value: sympy.Expr) -> sympy.Expr:
        return value

    def is_value(self, found: Any) -> bool:
        return isinstance(found, sympy.Expr)

    def total(self, terms: Sequence[sympy.Expr]) -> sympy.Expr:
        return sympy.Add(*terms)

    def product(self, factors: Sequence[sympy.Expr]) -> sympy.Expr:
        return sympy.Mul(*factors)

    def negative(self, value: Any) -> sympy.Expr:
        return -value

    def inverse(self, value: Any) -> sympy.Expr:
        if value.is_zero:
            raise Refusal("division by zero")
        return 1 / value

    def power(self, base: sympy.Expr, exponent: sympy.Expr) -> sympy.Expr:
        if base.is_zero and exponent.is_negative:
            raise Refusal("division by zero")
        if exponent.is_number:
            size = abs(float(sympy.re(exponent).n(15))) if exponent.is_finite else float("inf")
            require_writable(Fraction(int(base.p), int(base.q)) if base.is_Rational else None, size)
        return self.called(base**exponent)

    def called(self, value: Any) -> Any:
        if isinstance(value, sympy.Expr) and value.is_number and overgrown(value):
            raise Refusal(f"this number, or a part of it, is beyond 2^±{MOST_BITS:,}, and is not evaluated")
        return value
