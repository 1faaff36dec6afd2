"""Numbers out of what was given, and random numbers out of seeds, or an error that says what it was.

Randomness arrives as a seed or as a Generator, never from a global state.
"""

from __future__ import annotations

import math
import reprlib
import sys
from collections.abc import Collection, Mapping
from decimal import Decimal
from fractions import Fraction
from numbers import Rational
from typing import Any

import numpy as np

from geomflow.core.errors import InputError, require_known


def real_number(value: Any, what: str) -> float:
    """`value` as a float: a number of Python's, numpy's or sympy's, a fraction or a decimal; infinities and NaN too.

    Parameters
    ----------
    value : number
        What was given.
    what : str
        What it is, for the message: "the rate".

    Notes
    -----
    Raises InputError for text, truth values, complex numbers and all else that is not one real number, for numbers
    that double precision does not hold, and for those of sympy's that are too large to be evaluated.

    Examples
    --------
    >>> real_number(Fraction(1, 4), "the rate")
    0.25
    """
    require_unmasked(value, what)
    _require_evaluable(value, what)
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


def _require_evaluable(value: Any, what: str) -> None:
    """Raises InputError for a number of sympy's whose size, or place in a period, would take for ever to find."""
    if (sympy := sys.modules.get("sympy")) is None or not isinstance(value, sympy.Basic):
        return
    from geomflow.core.exact_numbers import MOST_BITS, overgrown

    if overgrown(value):
        raise InputError(f"{what} is {reprlib.repr(value)}: this number, or a part of it, is beyond 2^±{MOST_BITS:,}, "
                         "and is not evaluated.")


def finite_number(value: Any, what: str) -> float:
    """`real_number`, which must be finite.

    Parameters
    ----------
    value : number
        What was given.
    what : str
        What it is, for the message: "the rate".
    """
    number = real_number(value, what)
    if not math.isfinite(number):
        raise InputError(f"{what} must be finite, and it is {number}.")
    return number


def exact_number(value: Any, what: str) -> Fraction:
    """`finite_number` as a fraction: exactly `value` where that is rational, else the double nearest to it.

    Parameters
    ----------
    value : number
        What was given.
    what : str
        What it is, for the message: "the rate".
    """
    number = finite_number(value, what)
    if isinstance(value, Rational):
        return Fraction(int(value.numerator), int(value.denominator))
    return Fraction(value) if isinstance(value, Decimal) else Fraction(number)


def named_numbers(owner: str, wanted: Collection[str], given: Mapping[str, Any], example: str) -> dict[str, Fraction]:
    """The number of each parameter that something leaves open.

    Parameters
    ----------
    owner : str
        What leaves them open, for the message.
    wanted : collection of str
        Their names.
    given : mapping
        Numbers by name.
    example : str
        How one is given, with {0} for its name: "f({0}=1.0)".

    Notes
    -----
    Raises UnknownNameError for a name that is not wanted, InputError for one without a number, and where none is.
    """
    for name in given:
        if not wanted:
            raise InputError(f"{owner} takes no parameters, and '{name}' was given.")
        require_known(f"parameter of {owner}", name, wanted)
    for name in wanted:
        if name not in given:
            raise InputError(f"{owner} needs a number for '{name}': {example.format(name)}.")
    return {name: exact_number(given[name], f"the parameter '{name}' of {owner}") for name in wanted}


def whole(given: Any, what: str, least: int, advice: str = "") -> int:
    """A whole number as an int, numpy's among them; raises InputError for all else, True and 2.0 too, and above 2⁶³.

    Parameters
    ----------
    given : int
        What was given.
    what : str
        What it is, for the message.
    least : int
        The least that it may be.
    advice : str
        What the message ends with.

    Examples
    --------
    >>> whole(np.int64(5), "the degree", 3)
    5
    """
    if isinstance(given, bool) or not isinstance(given, (int, np.integer)) or given < least:
        raise InputError(f"{what} is {given!r}; give a whole number >= {least}{advice}")
    if given > sys.maxsize:
        raise InputError(f"{what} is more than can be counted: give a whole number up to {sys.maxsize:,}{advice}")
    return int(given)


def real_array(given: Any, what: str, advice: str = "give real numbers") -> np.ndarray:
    """What was given as a C-contiguous float64 array.

    Parameters
    ----------
    given : array of real numbers, or nested sequence
        What was given.
    what : str
        What it is, for the message.
    advice : str
        What the message ends with.

    Notes
    -----
    Raises InputError for complex numbers, whose imaginary part would be lost, and for what
    is no array of numbers.

    Examples
    --------
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
    except OverflowError:
        raise InputError(f"{what}: a number is beyond double precision (1.8e308): choose larger units.") from None
    raise InputError(f"{what} of shape {array.shape} are complex, and real numbers are needed here: {advice}.")


def require_unmasked(values: Any, what: str) -> None:
    """Raises InputError where a masked array, also in a list, hides values; one that hides none is an array.

    Parameters
    ----------
    values : array or nested sequence
        What was given.
    what : str
        What it is, for the message.
    """
    if isinstance(values, list | tuple):
        for part in values:
            require_unmasked(part, what)
    elif isinstance(values, np.ma.MaskedArray) and (hidden := int(np.ma.getmaskarray(values).sum())):
        raise InputError(f"{what}: {hidden} of {values.size} values are masked, and what a mask hides is not known; "
                         "fill them in, as with .filled(0), or leave them out.")


def generator(seed: int | np.random.Generator | np.random.SeedSequence) -> np.random.Generator:
    """The random generator of a seed, or the given generator itself.

    The same seed gives the same numbers, whatever the number of threads or workers: work that is divided
    takes one child of `numpy.random.SeedSequence(seed).spawn(blocks)` for each block, not for each worker.

    Parameters
    ----------
    seed : int, numpy.random.Generator or numpy.random.SeedSequence
        A whole number >= 0, or what makes random numbers.

    Notes
    -----
    Raises `InputError` where `seed` is None (numbers that nobody could reproduce), negative, or no whole number.

    Examples
    --------
    >>> generator(7).integers(10, size=3).tolist() == generator(7).integers(10, size=3).tolist()
    True
    """
    if isinstance(seed, np.random.Generator):
        return seed
    if seed is None or (isinstance(seed, (int, np.integer)) and seed < 0):
        raise InputError(_ADVICE.format(seed))
    try:
        return np.random.default_rng(seed)
    except (TypeError, ValueError):
        raise InputError(_ADVICE.format(repr(seed))) from None


_ADVICE = "the seed is {}; give a whole number >= 0 or a numpy.random.Generator"
