"""Functions with the symmetry of an ansatz, by their values at the points of a grid."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, final

import numpy as np
import sympy

from geomflow.core.errors import ShapeError
from geomflow.core.notebook import Facts, InNotebook
from geomflow.core.numbers import require_unmasked
from geomflow.field.reduced.reading import profile_of
from geomflow.symbolic.ansatz import Unknown
from geomflow.symbolic.ansatz.regular_fields import RegularField

if TYPE_CHECKING:
    from geomflow.field.reduced.grid import ReducedGrid

FUNCTION = "f"
"""What the component of a function is called."""


@final
@dataclass(frozen=True, eq=False, repr=False)
class ReducedFunction(InNotebook):
    """A function beside metrics of an ansatz, smooth to the ends. Made by `grid.scalar(...)`.

    Parameters
    ----------
    grid : ReducedGrid
        Where it lives.
    packed : (1, *grid) array
        Its values at the points.
    """

    grid: ReducedGrid
    packed: np.ndarray

    def __post_init__(self) -> None:
        require_unmasked(self.packed, "the packed values")
        rows, wanted = np.array(self.packed, dtype=float), (1, *self.grid.shape)
        if rows.shape != wanted:
            raise ShapeError(f"packed values of shape {rows.shape} were given where {wanted} is needed: (1, *grid).")
        rows.flags.writeable = False
        object.__setattr__(self, "packed", rows)

    @property
    def component_names(self) -> tuple[str, ...]:
        """One."""
        return (FUNCTION,)

    @property
    def values(self) -> np.ndarray:
        """At the points, of the grid's shape."""
        values: np.ndarray = self.packed[0]
        return values

    def at(self, points: Any) -> np.ndarray:
        """The function at any places of its coordinates, ends included.

        Parameters
        ----------
        points : (M,) array, or (M, 2) where there are two coordinates
            The places.
        """
        return np.asarray(self.grid.basis.at(points) @ self.values.ravel())

    def min(self) -> float:
        """The least value at a point."""
        return float(self.values.min())

    def max(self) -> float:
        """The largest value at a point."""
        return float(self.values.max())

    def pack(self) -> np.ndarray:
        """The values, a new array (1, *grid)."""
        return self.packed.copy()

    def unpack(self, packed: np.ndarray) -> ReducedFunction:
        """Another function on the same grid.

        Parameters
        ----------
        packed : (1, *grid) array
            Its values.
        """
        return ReducedFunction(self.grid, packed)

    def distance(self, other: ReducedFunction) -> float:
        """The largest difference at a point.

        Parameters
        ----------
        other : ReducedFunction
            On the same grid.
        """
        if other.grid != self.grid:
            raise ShapeError(f"{self!r} cannot be compared with {other!r}: they are on different grids.")
        return float(np.abs(self.packed - other.packed).max())

    def __facts__(self) -> Facts:
        return [("values", f"from {self.min():.6g} to {self.max():.6g}"), ("on", self.grid)]

    def __repr__(self) -> str:
        return f"a function from {self.min():.6g} to {self.max():.6g} on {self.grid!r}"


def make_function(grid: ReducedGrid, given: Any) -> ReducedFunction:
    """The function of `grid.scalar(given)`, checked."""
    if isinstance(given, ReducedFunction):
        if given.grid != grid:
            raise ShapeError(f"{given!r} was given where one on {grid!r} is needed: make it with its scalar(...).")
        return given
    if isinstance(given, float):
        given = np.full(grid.shape, given)
    profile = profile_of(grid, FUNCTION, given)
    field = RegularField(FUNCTION, Unknown(sympy.Symbol(FUNCTION), grid.coordinates, False), 0)
    values = profile.smooth(field, profile.regular(field, None))
    return ReducedFunction(grid, np.reshape(values, (1, *grid.shape)))


def functions_on(grid: ReducedGrid, wanted: tuple[Unknown, ...], given: Mapping[str, Any]) -> np.ndarray:
    """The values of functions by name, (functions, N), each as `grid.scalar` takes it."""
    rows = [make_function(grid, given[u.name]).values.ravel() for u in wanted]
    return np.array(rows).reshape(len(rows), grid.basis.size)
