"""Toric surfaces by name: del Pezzo's and Hirzebruch's."""

from __future__ import annotations

import re
from fractions import Fraction

from geomflow.core.errors import UnknownNameError
from geomflow.symbolic.toric.polygon import Integers

HEXAGON = ((1, 0), (1, 1), (0, 1), (-1, 0), (-1, -1), (0, -1))

NORMALS: dict[str, tuple[Integers, ...]] = {
    "CP2": ((1, 0), (0, 1), (-1, -1)),
    "CP1xCP1": ((1, 0), (0, 1), (-1, 0), (0, -1)),
    "dP1": ((1, 0), (1, 1), (0, 1), (-1, -1)),
    "dP2": ((1, 0), (0, 1), (-1, 0), (-1, -1), (0, -1)),
    "dP3": HEXAGON,
}
"""Inward normals, anticlockwise. With all constants 1 the class is c₁."""

HIRZEBRUCH = re.compile(r"F(\d{1,3})")


def named_sides(name: str) -> list[tuple[Integers, Fraction]]:
    """The sides of a surface by name; "F2" and the like are Hirzebruch's, P(O ⊕ O(−k)) over CP¹.

    The class is c₁ where that is positive; on F_k with k ≥ 2 the curve of self-intersection −k has the length 1.
    Raises UnknownNameError.

    Parameters
    ----------
    name : str
        Of `surface_names`, or F and a number.
    """
    found = HIRZEBRUCH.fullmatch(name)
    if found:
        k = int(found[1])
        return [((1, 0), Fraction(1)), ((0, 1), Fraction(1)), ((-1, k), Fraction(max(k, 1))), ((0, -1), Fraction(1))]
    if name not in NORMALS:
        raise UnknownNameError.among("toric surface", name, surface_names())
    return [(normal, Fraction(1)) for normal in NORMALS[name]]


def surface_names() -> tuple[str, ...]:
    """The names that `Toric` knows; F and any number is Hirzebruch's surface."""
    return (*NORMALS, "F1", "F2")
