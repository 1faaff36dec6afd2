"""A catalogue of geometries and of exact solutions, each with what is known of it and a way to decide the claims.

>>> from geomflow.symbolic import catalogue
>>> catalogue.get("fubini-study", dim=2).metric.scalar
12
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from geomflow.core.errors import UnknownNameError
from geomflow.symbolic.catalogue import entries as en
from geomflow.symbolic.catalogue.entries import bryant_equations, bryant_series
from geomflow.symbolic.catalogue.geometry import TIME, Geometry, Known

_ENTRIES: Mapping[str, Callable[..., Geometry]] = {entry.__name__.replace("_", "-"): entry for entry in (
    en.flat_torus, en.round_sphere, en.hyperbolic_space, en.cylinder, en.fubini_study, en.eguchi_hanson, en.calabi,
    en.cigar, en.king_rosenau, en.bryant, en.nil, en.su2, en.schwarzschild, en.kerr,
)}


def names() -> tuple[str, ...]:
    """The names of all entries."""
    return tuple(_ENTRIES)


def get(name: str, **parameters: Any) -> Geometry:
    """An entry of the catalogue.

    Parameters
    ----------
    name : str
        One of `names()`.
    **parameters : int or sympy expression
        What its constructor takes, such as `dim` or `radius`.

    Notes
    -----
    Raises UnknownNameError for a name that is not in the catalogue.
    """
    key = name.strip().lower().replace("_", "-").replace(" ", "-")
    if key not in _ENTRIES:
        raise UnknownNameError.among("geometry", name, _ENTRIES)
    return _ENTRIES[key](**parameters)


__all__ = ["TIME", "Geometry", "Known", "bryant_equations", "bryant_series", "get", "names"]
