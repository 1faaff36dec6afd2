"""Line bundles O(k t): their degrees, their level k in K = (1/k) log P, and their class t."""

from __future__ import annotations

from collections.abc import Sequence
from math import gcd
from typing import TYPE_CHECKING

import numpy as np

from geomflow.core.errors import InputError
from geomflow.core.numbers import whole
from geomflow.variety.fubini_study import checked_class

if TYPE_CHECKING:
    from geomflow.variety.hypersurface import Hypersurface

#: Up to which relative error a number counts as whole.
_WHOLE = 1e-12


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
