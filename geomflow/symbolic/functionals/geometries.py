"""What functionals are integrated over: real and complex geometries, and their dimensions."""

from __future__ import annotations

from typing import Any

from geomflow.core.errors import InputError


def is_complex(geometry: Any) -> bool:
    """Whether the geometry has complex coordinates: twice as many real ones as its dimension."""
    return bool(len(geometry.coordinates) == 2 * geometry.dim)


def needs(name: str, geometry: Any, complex_geometry: bool, dims: tuple[int, ...]) -> None:
    """Check that a functional can live on the geometry.

    Raises InputError that says what it needs.
    """
    if not (hasattr(geometry, "coordinates") and hasattr(geometry, "dim")):
        raise InputError(f"{name} is integrated over a geometry such as gf.Torus(dim=2), not a "
                         f"{type(geometry).__name__}")
    wanted = "a Kähler potential on a complex geometry, ComplexTorus(dim=...)" if complex_geometry else \
        "a metric on a real geometry, Torus(dim=...)"
    if is_complex(geometry) != complex_geometry:
        kind = "complex" if is_complex(geometry) else "real"
        raise InputError(f"{name} is a functional of {wanted}; the geometry given is {kind}, of dimension "
                         f"{geometry.dim}.")
    if geometry.dim not in dims:
        kind = "complex" if complex_geometry else "real"
        raise InputError(f"{name} is offered in {kind} dimension {', '.join(map(str, dims))}; the geometry has "
                         f"dimension {geometry.dim}.")
