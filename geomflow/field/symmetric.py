"""Symmetric tensors on a grid: what those of all kinds are packed as, and those that nothing keeps positive."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Self, final

import numpy as np

from geomflow.core import symmetric
from geomflow.core.errors import InputError
from geomflow.field import matrices
from geomflow.field.sampling import sample_matrix
from geomflow.field.state import Field, freeze, unpacked_rows
from geomflow.symbolic.jets import metric_names

if TYPE_CHECKING:
    from geomflow.field.grid import Grid


@dataclass(frozen=True, eq=False, repr=False)
class SymmetricMatrices(Field):
    """A real symmetric matrix at each point, packed by `core.symmetric`."""

    grid: Grid
    values: np.ndarray

    def __post_init__(self) -> None:
        freeze(self, (self.grid.dim,) * 2, float)

    def names(self, name: str) -> tuple[str, ...]:
        """("g_xx", "g_xy", "g_yy") and the like: the components with i ≤ j, row by row."""
        return metric_names(self.grid.torus.coordinates, name)

    def pack(self) -> np.ndarray:
        """(d(d+1)/2, *grid)."""
        return symmetric.pack(self.values)

    def unpack(self, packed: np.ndarray) -> Self:
        """The field of the same kind with these components, (d(d+1)/2, *grid)."""
        return type(self)(self.grid, symmetric.unpack(unpacked_rows(self, packed), self.grid.dim))


@final
@dataclass(frozen=True, eq=False, repr=False)
class SymmetricField(SymmetricMatrices):
    """A symmetric tensor T_ij with two lower indices, in Cartesian coordinates.

    Parameters
    ----------
    grid : Grid
        Where it lives.
    values : (*grid, d, d) array
        Symmetric.
    """

    called: ClassVar[str] = "T"

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
