"""Numbers out of what was given, or an error that says what it was; and the exact number that a float stands for.

0.1 stands for 1/10, 0.6666666666666666 for 2/3. Of the numbers that round to a float the simplest is taken: the
shortest decimal, or the fraction with the smallest denominator. Where neither is simple, arithmetic in floats may have
spoilt the last digits (1 − 1/3 is no float's 2/3) or may have drawn a root (1.5**(2/3) is (9/4)^(1/3)): such numbers
are recognised by how close they are.
"""

from __future__ import annotations

import math
import reprlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from decimal import Context, Decimal
from fractions import Fraction
from itertools import count
from numbers import Rational
from typing import Any

import numpy as np

from geomflow.core.errors import InputError, UnknownNameError

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


def real_number(value: Any, what: str) -> float:
    """`value` as a float: a number of Python's, numpy's or sympy's, a fraction or a decimal; infinities and NaN too.

    Raises InputError for text, truth values, complex numbers and all else that is not one real number, and for numbers
    that double precision does not hold.

    >>> real_number(Fraction(1, 4), "the rate")
    0.25
    """
    require_unmasked(value, what)
    if isinstance(value, np.ndarray | np.generic) and value.size == 1:
        value = value.item()
    try:
        if isinstance(value, str | bytes | bool):
            raise TypeError
        number = float(value)
    except (TypeError, ValueError):
        shown = f"an array of shape {value.shape}" if isinstance(value, np.ndarray) else reprlib.repr(value)
        raise InputError(f"{what} must be a real number, and {shown} is not.") from None
    except OverflowError:
        number = math.inf
    if math.isinf(number) and value != number:
        raise InputError(f"{what} is beyond double precision (1.8e308): choose larger units.")
    if number == 0 and value:  # not `value != 0`, which sympy's 0.0 fulfils
        raise InputError(f"{what} is not 0 but below double precision (4.9e-324): choose smaller units.")
    return number


def finite_number(value: Any, what: str) -> float:
    """`real_number`, which must be finite."""
    number = real_number(value, what)
    if not math.isfinite(number):
        raise InputError(f"{what} must be finite, and it is {number}.")
    return number


def exact_number(value: Any, what: str) -> Fraction:
    """`finite_number` as a fraction: exactly `value` where that is rational, else the double nearest to it."""
    number = finite_number(value, what)
    if isinstance(value, Rational):
        return Fraction(int(value.numerator), int(value.denominator))
    return Fraction(value) if isinstance(value, Decimal) else Fraction(number)


def named_numbers(owner: str, wanted: Collection[str], given: Mapping[str, Any], example: str) -> dict[str, Fraction]:
    """The number of each parameter that `owner` leaves open; `example` says how one is given, as "f({0}=1.0)".

    Raises UnknownNameError for a name that is not wanted, InputError for one without a number, and where none is.
    """
    for name in given:
        if not wanted:
            raise InputError(f"{owner} takes no parameters, and '{name}' was given.")
        if name not in wanted:
            raise UnknownNameError.among(f"parameter of {owner}", name, wanted)
    for name in wanted:
        if name not in given:
            raise InputError(f"{owner} needs a number for '{name}': {example.format(name)}.")
    return {name: exact_number(given[name], f"the parameter '{name}' of {owner}") for name in wanted}


def whole(given: Any, what: str, least: int, advice: str = "") -> int:
    """`given` as an int of at least `least`, numpy's among them; raises InputError for all else, True and 2.0 too.

    >>> whole(np.int64(5), "the degree", 3)
    5
    """
    if isinstance(given, bool) or not isinstance(given, (int, np.integer)) or given < least:
        raise InputError(f"{what} is {given!r}; give a whole number >= {least}{advice}")
    return int(given)


def real_array(given: Any, what: str, advice: str = "give real numbers") -> np.ndarray:
    """`given` as a C-contiguous float64 array.

    Raises InputError, which ends with `advice`, for complex numbers, whose imaginary part would be lost, and for what
    is no array of numbers.

    >>> real_array([[1, 2]], "the points").dtype.name
    'float64'
    """
    require_unmasked(given, what)
    try:
        array = np.asarray(given)
        if not np.iscomplexobj(array):
            return np.asarray(array, dtype=float, order="C")
    except (TypeError, ValueError):
        kind = type(given).__name__
        raise InputError(f"{what} must be an array of numbers, and a {kind} was given: {advice}.") from None
    raise InputError(f"{what} of shape {array.shape} are complex, and real numbers are needed here: {advice}.")


def require_unmasked(values: Any, what: str) -> None:
    """Raises InputError where a masked array, also in a list, hides values; one that hides none is an array."""
    if isinstance(values, list | tuple):
        for part in values:
            require_unmasked(part, what)
    elif isinstance(values, np.ma.MaskedArray) and (hidden := int(np.ma.getmaskarray(values).sum())):
        raise InputError(f"{what}: {hidden} of {values.size} values are masked, and what a mask hides is not known; "
                         "fill them in, as with .filled(0), or leave them out.")


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
