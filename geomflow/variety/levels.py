"""Degrees of line bundles and the level k of K = (1/k) log P."""

from __future__ import annotations

from collections.abc import Sequence
from math import gcd
from typing import TYPE_CHECKING

import numpy as np

from geomflow.core.errors import InputError

if TYPE_CHECKING:
    from geomflow.variety.hypersurface import Hypersurface


def whole_degrees(variety: Hypersurface, degree: int | Sequence[int]) -> tuple[int, ...]:
    """One degree for each factor; a single number stands for all. Raises `InputError`."""
    count = len(variety.ambient.dims)
    degrees = (degree,) * count if isinstance(degree, (int, np.integer)) else tuple(degree)
    if len(degrees) != count or any(not isinstance(d, (int, np.integer)) or d < 1 for d in degrees):
        raise InputError(
            f"the degree is {degree}; give a whole number >= 1, or one for each factor of {variety.ambient}"
        )
    return tuple(int(d) for d in degrees)


def level_of(degrees: Sequence[int]) -> int:
    """k, the greatest common divisor: O(k t_1, …, k t_r) has the primitive class (t_1, …, t_r)."""
    return gcd(*degrees)
