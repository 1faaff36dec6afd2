"""Kähler classes t, and line bundles O(k t): their degrees, and their level k in K = (1/k) log P."""

from __future__ import annotations

from collections.abc import Sequence
from math import gcd
from typing import TYPE_CHECKING

import numpy as np

from geomflow.core.errors import InputError
from geomflow.core.numbers import finite_number, whole

if TYPE_CHECKING:
    from geomflow.core.archive import Archive
    from geomflow.variety.hypersurface import Hypersurface

#: Up to which relative error a number counts as whole.
_WHOLE = 1e-12
#: Decimal digits of the largest and the smallest volume of a class.
_VOLUME_DIGITS = 120


def checked_class(variety: Hypersurface, kahler_class: Sequence[float] | None) -> tuple[float, ...]:
    """The t_i as floats, 1 for each factor unless given.

    Raises `InputError` where one is no positive number, or where the volume's square, of which errors are made, may be
    no double.
    """
    count = len(variety.ambient.dims)
    try:
        found = (1.0,) * count if kahler_class is None else tuple(finite_number(t, "t") for t in kahler_class)
    except (TypeError, InputError):
        found = ()
    if len(found) != count or not all(t > 0 for t in found):
        raise InputError(
            f"the Kähler class {kahler_class} must be one positive number for each factor of {variety.ambient}"
        )
    digits = _VOLUME_DIGITS // variety.dim
    if np.any(np.abs(np.log10(found)) > digits):
        raise InputError(f"the Kähler class {found} is beyond 10^±{digits}, its volume squared beyond doubles: "
                         "give a multiple of it, whose metrics are that multiple of these")
    return found


def whole_degrees(variety: Hypersurface, degree: int | Sequence[int]) -> tuple[int, ...]:
    """One degree for each factor; a single number stands for all. Raises `InputError`."""
    count = len(variety.ambient.dims)
    degrees = tuple(degree) if isinstance(degree, (Sequence, np.ndarray)) else (degree,) * count
    advice = f", or one for each factor of {variety.ambient}"
    if len(degrees) != count:
        raise InputError(f"the degree is {degree!r}; give a whole number >= 1{advice}")
    return tuple(whole(d, "the degree", 1, advice) for d in degrees)


def line_bundle(
    variety: Hypersurface, degree: int | Sequence[int], kahler_class: Sequence[float] | None = None
) -> tuple[tuple[int, ...], int]:
    """((k t_1, …, k t_r), k): the bundle whose forms P give metrics K = (1/k) log P in the class t = (t_1, …, t_r).

    `degree` is k, or k t itself. Without a class t is (1, …, 1) or the primitive class on the ray of the degrees: of
    O(2, 4) it is (1, 2), k = 2. Raises `InputError` where k or a k t_i is no whole number: O(k t) is no bundle then.

    >>> from geomflow.variety.families import Bicubic
    >>> X = Bicubic()
    >>> line_bundle(X, (2, 4)), line_bundle(X, 2, (1, 2)), line_bundle(X, (2, 4), (2, 4)), line_bundle(X, 2, (1, 1.5))
    (((2, 4), 2), ((2, 4), 2), ((2, 4), 1), ((2, 3), 2))
    """
    given = whole_degrees(variety, degree)
    if kahler_class is None:
        return given, gcd(*given)
    t = np.array(checked_class(variety, kahler_class))
    level = given[0] if isinstance(degree, (int, np.integer)) else round(sum(given) / t.sum())
    rounded = np.round(level * t)
    if level < 1 or np.any(np.abs(level * t - rounded) > _WHOLE * rounded):
        raise InputError(
            f"O(k t) with t = {tuple(kahler_class)} and k = {level} is no line bundle: an algebraic metric needs whole "
            f"k t_i; take another degree k, or a network or kernel metric, whose class may be any"
        )
    degrees = tuple(int(r) for r in rounded)
    if not isinstance(degree, (int, np.integer)) and degrees != given:
        raise InputError(
            f"the degree {given} is no whole multiple of the Kähler class {tuple(kahler_class)}; give k, or k times it"
        )
    return degrees, int(level)


def halved(degrees: Sequence[int]) -> tuple[int, ...]:
    """About half the degrees on the same ray, where a fit starts that ends at them: ⌈g/2⌉/g of them, g their gcd.

    >>> halved((10,)), halved((3, 6)), halved((1, 2))
    ((5,), (2, 4), (1, 2))
    """
    g = gcd(*degrees)
    return tuple(-(-g // 2) * (d // g) for d in degrees)


def stored_class(file: Archive, variety: Hypersurface, name: str = "kahler_class") -> tuple[float, ...]:
    """The t_i of a file, one for each factor. Raises `StoreError` and `InputError`."""
    return checked_class(variety, file.numbers(name, "f", len(variety.ambient.dims)).tolist())
