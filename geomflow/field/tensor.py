"""Tensor fields without a life of their own in flows: curvature tensors and the like."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, final

import numpy as np

from geomflow.core.errors import ShapeError
from geomflow.field.state import Field, freeze, unpacked_rows

if TYPE_CHECKING:
    from geomflow.field.grid import Grid


@final
@dataclass(frozen=True, eq=False, repr=False)
class TensorField(Field):
    """A real tensor: `values` of shape (*grid, d, ..., d), one index for each letter of `indices`.

    `indices` is written as in `core.conventions`: "_ij" for the Ricci tensor, "^k_ij" for Christoffel symbols,
    "^l_kij" for the Riemann tensor; components are Cartesian.
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

    @property
    def component_names(self) -> tuple[str, ...]:
        """One name a component, T_xx, T_xy, ..., all of them."""
        names = self.grid.torus.coordinates
        return tuple("T_" + "".join(index) for index in product(names, repeat=self.rank))

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
