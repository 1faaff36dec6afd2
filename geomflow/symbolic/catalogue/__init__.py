"""A catalogue of geometries and of exact solutions, each with what is known of it and a way to decide the claims.

>>> from geomflow.symbolic import catalogue
>>> catalogue.get("fubini-study", dim=2).metric.scalar
12
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from geomflow.core.errors import UnknownNameError
from geomflow.symbolic.catalogue.spaces import kerr, schwarzschild
from geomflow.symbolic.catalogue.solitons import bryant, bryant_equations, bryant_series
from geomflow.symbolic.catalogue.geometry import TIME, Geometry, Known
from geomflow.symbolic.catalogue.spaces import nil, su2
from geomflow.symbolic.catalogue.kahler import calabi, eguchi_hanson, fubini_study
from geomflow.symbolic.catalogue.spaces import cylinder, flat_torus, hyperbolic_space, round_sphere
from geomflow.symbolic.catalogue.solitons import cigar, king_rosenau

_ENTRIES: Mapping[str, Callable[..., Geometry]] = {
    "flat-torus": flat_torus,
    "round-sphere": round_sphere,
    "hyperbolic-space": hyperbolic_space,
    "cylinder": cylinder,
    "fubini-study": fubini_study,
    "eguchi-hanson": eguchi_hanson,
    "calabi": calabi,
    "cigar": cigar,
    "king-rosenau": king_rosenau,
    "bryant": bryant,
    "nil": nil,
    "su2": su2,
    "schwarzschild": schwarzschild,
    "kerr": kerr,
}


def names() -> tuple[str, ...]:
    """The names of all entries."""
    return tuple(_ENTRIES)


def get(name: str, **parameters: Any) -> Geometry:
    """The entry called `name`; `parameters` such as `dim` go to its constructor.

    Raises UnknownNameError for a name that is not in the catalogue.
    """
    key = name.strip().lower().replace("_", "-").replace(" ", "-")
    if key not in _ENTRIES:
        raise UnknownNameError.among("geometry", name, _ENTRIES)
    return _ENTRIES[key](**parameters)


__all__ = ["TIME", "Geometry", "Known", "bryant_equations", "bryant_series", "get", "names"]
