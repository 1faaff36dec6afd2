"""Symmetric tensors on a grid that are no metrics: nothing keeps them positive."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, final

import numpy as np

from geomflow.core.errors import InputError
from geomflow.field import matrices
from geomflow.field.sampling import sample_matrix
from geomflow.field.state import Field, freeze, unpacked_rows
from geomflow.symbolic.jets import metric_names

if TYPE_CHECKING:
    from geomflow.field.grid import Grid


@final
@dataclass(frozen=True, eq=False, repr=False)
class SymmetricField(Field):
    """A symmetric tensor T_ij with two lower indices, in Cartesian coordinates.

    Parameters
    ----------
    grid : Grid
        Where it lives.
    values : (*grid, d, d) array
        Symmetric.
    """

    grid: Grid
    values: np.ndarray

    called: ClassVar[str] = "T"

    def __post_init__(self) -> None:
        freeze(self, (self.grid.dim,) * 2, float)

    def names(self, name: str) -> tuple[str, ...]:
        """("T_xx", "T_xy", "T_yy") and the like: the components with i ≤ j, row by row."""
        return metric_names(self.grid.torus.coordinates, name)

    def pack(self) -> np.ndarray:
        """(d(d+1)/2, *grid)."""
        return matrices.pack_symmetric(self.values)

    def unpack(self, packed: np.ndarray) -> SymmetricField:
        """The tensor with these components, (d(d+1)/2, *grid)."""
        return SymmetricField(self.grid, matrices.unpack_symmetric(unpacked_rows(self, packed), self.grid.dim))

    def __repr__(self) -> str:
        return f"a symmetric tensor with components up to {np.abs(self.values).max():.6g} on {self.grid!r}"


def make_symmetric(grid: Grid, components: Any) -> SymmetricField:
    """The tensor of `grid.symmetric(components)`, checked."""
    if isinstance(components, Field):
        if components.grid != grid:
            raise InputError(f"{components!r} lives on another grid than {grid!r}: resample it first.")
        components = components.values
    values = sample_matrix(grid, components, grid.dim, "the symmetric tensor", float)
    return SymmetricField(grid, matrices.require_symmetric(grid, values, "the symmetric tensor"))
