"""Arrays of real numbers, and whole numbers, out of what was given, or an error that says what it was."""

from __future__ import annotations

from typing import Any

import numpy as np

from geomflow.core.errors import InputError
from geomflow.core.numbers import require_unmasked


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


def whole(given: Any, what: str, least: int, advice: str = "") -> int:
    """`given` as an int of at least `least`, numpy's among them; raises InputError for all else, True and 2.0 too.

    >>> whole(np.int64(5), "the degree", 3)
    5
    """
    if isinstance(given, bool) or not isinstance(given, (int, np.integer)) or given < least:
        raise InputError(f"{what} is {given!r}; give a whole number >= {least}{advice}")
    return int(given)
