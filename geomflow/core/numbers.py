"""Single numbers out of what was given, or an error that says what it was; and no value hidden by a mask."""

from __future__ import annotations

import math
import reprlib
from collections.abc import Collection, Mapping
from decimal import Decimal
from fractions import Fraction
from numbers import Rational
from typing import Any

import numpy as np

from geomflow.core.errors import InputError, UnknownNameError


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


def require_unmasked(values: Any, what: str) -> None:
    """Raises InputError where a masked array, also in a list, hides values; one that hides none is an array."""
    if isinstance(values, list | tuple):
        for part in values:
            require_unmasked(part, what)
    elif isinstance(values, np.ma.MaskedArray) and (hidden := int(np.ma.count_masked(values))):
        raise InputError(f"{what}: {hidden} of {values.size} values are masked, and what a mask hides is not known; "
                         "fill them in, as with .filled(0), or leave them out.")
