"""Tensors on a grid, with all of their components."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Any, ClassVar, final

import numpy as np

from geomflow.core.errors import ShapeError
from geomflow.field.sampling import sample_row
from geomflow.field.state import Field, freeze, unpacked_rows

if TYPE_CHECKING:
    from geomflow.field.grid import Grid


@final
@dataclass(frozen=True, eq=False, repr=False)
class TensorField(Field):
    """A real tensor.

    Parameters
    ----------
    grid : Grid
        Where it lives.
    values : (*grid, d, ..., d) array
        Cartesian components, one index for each letter of `indices`.
    indices : str
        As in `core.conventions`: "_ij" for Ricci, "^k_ij" for Christoffel, "^l_kij" for Riemann.
    """

    grid: Grid
    values: np.ndarray
    indices: str = "_ij"

    def __post_init__(self) -> None:
        freeze(self, (self.grid.dim,) * self.rank, float)

    @property
    def rank(self) -> int:
        """The number of indices."""
        return sum(letter.isalpha() for letter in self.indices)

    called: ClassVar[str] = "T"

    def names(self, name: str) -> tuple[str, ...]:
        """One name a component, T_xx, T_xy, ..., all of them."""
        coordinates = self.grid.torus.coordinates
        return tuple(f"{name}_{''.join(index)}" for index in product(coordinates, repeat=self.rank))

    def pack(self) -> np.ndarray:
        """(d^rank, *grid)."""
        flat = self.values.reshape(*self.grid.shape, -1)
        return np.ascontiguousarray(np.moveaxis(flat, -1, 0))

    def unpack(self, packed: np.ndarray) -> TensorField:
        """The tensor with these components, (d^rank, *grid)."""
        rows = np.moveaxis(unpacked_rows(self, packed), 0, -1)
        return TensorField(self.grid, rows.reshape(self.values.shape), self.indices)

    def max_modulus(self) -> float:
        """The largest modulus of a component at a grid point."""
        return float(np.max(np.abs(self.values)))

    def _same_kind(self, other: Field) -> np.ndarray:
        if isinstance(other, TensorField) and other.indices != self.indices:
            raise ShapeError(f"a tensor with indices {self.indices} cannot be compared with one of {other.indices}.")
        return super()._same_kind(other)

    def __repr__(self) -> str:
        return f"a tensor field T{self.indices} with components up to {self.max_modulus():.6g} on {self.grid!r}"


def make_vector(grid: Grid, components: Any) -> TensorField:
    """The vector field of `grid.vector(components)`."""
    if isinstance(components, TensorField) and components.indices == "^i":
        components = components.values
    return TensorField(grid, sample_row(grid, components, "the vector field"), "^i")
