"""Floats read as the exact numbers that they stand for: 0.1 is 1/10, 0.6666666666666666 is 2/3.

Of the numbers that round to a float the simplest is taken: the shortest decimal, or the fraction with the smallest
denominator. Where neither is simple, arithmetic in floats may have spoilt the last digits (1 − 1/3 is no float's 2/3)
or may have drawn a root (1.5**(2/3) is (9/4)^(1/3)): such numbers are recognised by how close they are.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Context, Decimal
from fractions import Fraction
from itertools import count
from math import ulp

LARGEST_DENOMINATOR = 10**6
"""Fractions with larger ones are not what anybody had in mind."""
FEW_DIGITS = 6
"""A decimal of so many digits was typed as it stands, whatever its denominator: 1e-10."""
MOST_IN_RADICAND = 10**8
"""The largest numerator times denominator of a radicand: one random float in a million lies so close to such a root."""
HIGHEST_ROOT = 6
ROUNDINGS = 4
"""How many units in the last place arithmetic in floats may have cost."""


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
    return exact if exact == 0 else (1 if exact > 0 else -1) * nearest(abs(exact), Fraction(ulp(value)))


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


PI = Fraction("3.14159265358979323846264338327950288419716939937510582097494459")


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
