"""Exact numbers: the one that a float stands for, and those that are too large to be evaluated.

0.1 stands for 1/10, 0.6666666666666666 for 2/3. Of the numbers that round to a float the simplest is taken: the
shortest decimal, or the fraction with the smallest denominator. Where neither is simple, arithmetic in floats may have
spoilt the last digits (1 − 1/3 is no float's 2/3) or may have drawn a root (1.5**(2/3) is (9/4)^(1/3)): such numbers
are recognised by how close they are, and so are multiples of π, and e.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import Context, Decimal
from fractions import Fraction
from itertools import count

import sympy

LARGEST_DENOMINATOR = 10**6
"""Fractions with larger ones are not what anybody had in mind."""
FEW_DIGITS = 6
"""A decimal of so many digits was typed as it stands, whatever its denominator: 1e-10."""
MOST_IN_RADICAND = 10**8
"""The largest numerator times denominator of a radicand: one random float in a million lies so close to such a root."""
HIGHEST_ROOT = 6
ROUNDINGS = 4
"""How many units in the last place arithmetic in floats may have cost."""
PI = Fraction("3.14159265358979323846264338327950288419716939937510582097494459")
EULER = Fraction("2.71828182845904523536028747135266249775724709369995957496696763")
MOST_BITS = 20_000
"""Binary digits, before or behind the point, of the largest and the smallest number that is evaluated."""
_EXPONENTIAL = (sympy.exp, sympy.sinh, sympy.cosh, sympy.tanh, sympy.coth)
_PERIODIC = (sympy.sin, sympy.cos, sympy.tan, sympy.cot, sympy.sec, sympy.csc)


@dataclass(frozen=True)
class Reading:
    """The positive number x^(1/degree) π^turns, and whether it is simple enough to be what was meant."""

    radicand: Fraction
    degree: int = 1
    turns: int = 0
    simple: bool = True


def fraction_of(value: float) -> Fraction:
    """The simplest rational number that rounds to a finite float, by decimal digits or by denominator.

    Raises ValueError for NaN and OverflowError for an infinite float.
    """
    exact = Fraction(float(value))
    return exact if exact == 0 else (1 if exact > 0 else -1) * nearest(abs(exact), Fraction(math.ulp(value)))


def nearest(value: Fraction, unit: Fraction) -> Fraction:
    """The simplest number that rounds to the positive `value`, whose last place has the given unit."""
    return _nearest(value, unit)[0]


def recognised(value: Fraction, unit: Fraction) -> Reading:
    """The number that the positive `value` was before arithmetic in floats, or else the nearest simple one."""
    best, digits = _nearest(value, unit)
    if best.denominator <= LARGEST_DENOMINATOR or digits <= FEW_DIGITS:
        return Reading(best)
    spread = ROUNDINGS * unit / value
    for degree in range(1, HIGHEST_ROOT + 1):
        radicand = _simplest(value**degree * (1 - spread) ** degree, value**degree * (1 + spread) ** degree)
        if radicand.numerator * radicand.denominator <= MOST_IN_RADICAND:
            return Reading(radicand, degree)
    ratio = value / PI
    turns = _simplest(ratio * (1 - spread), ratio * (1 + spread))
    return Reading(turns, turns=1) if turns.numerator * turns.denominator <= MOST_IN_RADICAND else Reading(
        best, simple=False)


def _nearest(value: Fraction, unit: Fraction) -> tuple[Fraction, int]:
    """The simplest number that rounds to the value, and how many digits its shortest decimal has."""
    reach = unit / 2 if value / unit % 2 == 0 else unit / 2 * (1 - Fraction(1, 2**40))  # ties go to the even
    top, bottom = Decimal(value.numerator), Decimal(value.denominator)
    for digits in count(1):
        decimal = Fraction(Context(prec=digits).divide(top, bottom))
        if abs(decimal - value) <= reach:
            break
    fraction = _simplest(value - reach, value + reach)
    return (decimal if 10**digits < fraction.numerator * fraction.denominator else fraction), digits


def _simplest(low: Fraction, high: Fraction) -> Fraction:
    """The fraction with the smallest denominator in [low, high], 0 < low <= high (by continued fractions)."""
    whole = low.numerator // low.denominator
    if whole == low or whole + 1 <= high:
        return Fraction(whole if whole == low else whole + 1)
    return whole + 1 / _simplest(1 / (high - whole), 1 / (low - whole))


def meant(value: sympy.Float) -> tuple[sympy.Expr, bool]:
    """The exact number that a finite sympy float stands for, and whether it is simple enough to be no guess."""
    if value == 0:
        return sympy.Integer(0), True
    modulus, unit = _places(value)
    if abs(modulus - EULER) <= unit:
        return sympy.E if value > 0 else -sympy.E, True
    found = recognised(modulus, unit)
    size = sympy_rational(found.radicand) ** sympy.Rational(1, found.degree) * sympy.pi**found.turns
    return (-size if value < 0 else size), found.simple


def _places(value: sympy.Float) -> tuple[Fraction, Fraction]:
    """The modulus of a sympy float, and the unit of its last place."""
    _, digits, exponent, length = value._mpf_
    return Fraction(digits) * Fraction(2) ** exponent, Fraction(2) ** (exponent + length - value._prec)


def fraction_of_float(value: sympy.Float) -> Fraction:
    """The simplest rational that rounds to a sympy float, of whatever precision."""
    return (-1 if value < 0 else 1) * nearest(*_places(value)) if value else Fraction(0)


def sympy_rational(value: int | Fraction) -> sympy.Rational:
    """A rational number as sympy has it."""
    return sympy.Integer(value) if isinstance(value, int) else sympy.Rational(value.numerator, value.denominator)


def overgrown(expression: sympy.Expr) -> bool:
    """Whether a number in it is beyond 2^±20,000: its size, or its place in a period, takes for ever to find.

    Parts come before what they stand in, so that only numbers within the bound are evaluated.
    """
    numbers: dict[sympy.Basic, bool] = {}
    pending = [expression]
    while pending:
        node = pending[-1]
        new = [a for a in node.args if a not in numbers]
        if new:
            pending.extend(new)
            continue
        pending.pop()
        if node not in numbers:
            numbers[node] = all(numbers[a] for a in node.args) and bool(getattr(node, "is_number", False))
            if node.args and numbers[node] and _beyond(node):
                return True
    return False


def _beyond(node: sympy.Expr) -> bool:
    most = MOST_BITS * math.log(2)
    if isinstance(node, sympy.Pow) and not node.base.is_zero:
        exponent = node.exp if node.base == sympy.E else node.exp * sympy.log(node.base)
        return _size(sympy.re(exponent)) > most
    if isinstance(node, _EXPONENTIAL):
        return _size(sympy.re(node.args[0])) > most
    if isinstance(node, _PERIODIC):
        return _size(sympy.im(node.args[0])) > most
    if isinstance(node, sympy.erf):
        return _size(sympy.im(node.args[0])) ** 2 > most
    return isinstance(node, sympy.Add | sympy.Mul) and not _is_plain(node) and abs(_exponent(node)) > MOST_BITS


def _is_plain(node: sympy.Expr) -> bool:
    """Whether a sum or a product is of constants and of rationals of few digits alone: 2π is not worth a look."""
    return all((a.is_Rational and max(abs(a.p), a.q) < 1 << 64) or a.is_NumberSymbol for a in node.args)


def _exponent(number: sympy.Expr) -> int:
    """e where the number is about 2^e."""
    parts = [part._mpf_ for part in sympy.N(number, 15).as_real_imag() if isinstance(part, sympy.Float) and part]
    return max((exponent + bits for _, _, exponent, bits in parts), default=0)


def _size(number: sympy.Expr) -> float:
    return float(abs(sympy.N(number, 15))) if _exponent(number) < 1000 else math.inf
