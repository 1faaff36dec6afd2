"""Degrees of line bundles and the level k of K = (1/k) log P."""

from __future__ import annotations

from collections.abc import Sequence
from math import gcd
from typing import TYPE_CHECKING

import numpy as np

from geomflow.core.arrays import whole
from geomflow.core.errors import InputError

if TYPE_CHECKING:
    from geomflow.variety.hypersurface import Hypersurface


def whole_degrees(variety: Hypersurface, degree: int | Sequence[int]) -> tuple[int, ...]:
    """One degree for each factor; a single number stands for all. Raises `InputError`."""
    count = len(variety.ambient.dims)
    degrees = tuple(degree) if isinstance(degree, (Sequence, np.ndarray)) else (degree,) * count
    advice = f", or one for each factor of {variety.ambient}"
    if len(degrees) != count:
        raise InputError(f"the degree is {degree!r}; give a whole number >= 1{advice}")
    return tuple(whole(d, "the degree", 1, advice) for d in degrees)


def level_of(degrees: Sequence[int]) -> int:
    """k, the greatest common divisor: O(k t_1, …, k t_r) has the primitive class (t_1, …, t_r)."""
    return gcd(*degrees)
