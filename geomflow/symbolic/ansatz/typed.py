"""A flow of a metric as the language of tensors writes it: what an ansatz reduces."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, final

METRIC = "g"


@final
@dataclass(frozen=True)
class Typed:
    """∂_t g = rate, as text.

    Parameters
    ----------
    rate : str
        A symmetric tensor with two lower indices.
    numbers : mapping
        Parameters by name.
    where : mapping
        Definitions by name, in order.
    gauge : {None, "deturck", "arclength"}
        What moves the coordinates of unknowns along: nothing, DeTurck's field of the metric between orbits, or what
        keeps these apart by equal shares of the whole length.
    """

    rate: str
    numbers: Mapping[str, Fraction] = field(default_factory=dict)
    where: Mapping[str, Any] = field(default_factory=dict)
    gauge: str | None = None
