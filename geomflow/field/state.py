"""What every field on a grid can do: pack itself for the integrators, measure itself, compare itself.

Public arrays are `values`, (*grid, i, j), tensor indices last. Packed arrays are component-major, (ncomp, *grid),
C-contiguous float64, with one row for each independent real component.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from geomflow.core.errors import ShapeError
from geomflow.core.numbers import require_unmasked
from geomflow.field.sampling import as_numbers

if TYPE_CHECKING:
    from geomflow.field.grid import Grid


class Field(ABC):
    """Numbers at the points of a grid. Fields are immutable: `values` is read-only."""

    grid: Grid
    values: np.ndarray

    @property
    @abstractmethod
    def component_names(self) -> tuple[str, ...]:
        """Names of the independent real components, in packed order."""

    @abstractmethod
    def pack(self) -> np.ndarray:
        """The independent real components, a new array (ncomp, *grid) of float64."""

    @abstractmethod
    def unpack(self, packed: np.ndarray) -> Self:
        """The field of the same kind, on the same grid, with these components; not checked for positivity."""

    def norm(self) -> float:
        """Root mean square over the flat probability measure of the pointwise (Frobenius) norm of `values`."""
        return float(np.sqrt(np.mean(self._pointwise_square(self.values))))

    def distance(self, other: Field) -> float:
        """√(mean |a − b|²): the root mean square, over the flat probability measure, of the Frobenius distance."""
        return float(np.sqrt(np.mean(self._pointwise_square(self.values - self._same_kind(other)))))

    def max_distance(self, other: Field) -> float:
        """The largest difference |a − b| of any component at any grid point."""
        return float(np.max(np.abs(self.values - self._same_kind(other))))

    def _pointwise_square(self, values: np.ndarray) -> np.ndarray:
        axes = tuple(range(self.grid.dim, values.ndim))
        return np.sum(values.real**2 + values.imag**2 if np.iscomplexobj(values) else values**2, axis=axes)

    def _same_kind(self, other: Field) -> np.ndarray:
        if type(other) is not type(self) or other.grid.shape != self.grid.shape or other.grid.torus != self.grid.torus:
            raise ShapeError(f"{self!r} cannot be compared with {other!r}: give two fields of one kind on one grid.")
        return other.values

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return np.array(self.values, dtype=dtype) if copy else np.asarray(self.values, dtype=dtype)


def freeze(field: Field, trailing: tuple[int, ...], dtype: type) -> None:
    """Stores `values` in the frozen `field` as a read-only C-contiguous array of shape (*grid, *trailing)."""
    values = field.values
    if type(values) is not np.ndarray or values.dtype != dtype:
        values = as_numbers(values, np.shape(values), "values", dtype)
    array: np.ndarray = np.ascontiguousarray(values, dtype=dtype)
    wanted = (*field.grid.shape, *trailing)
    if array.shape != wanted:
        raise ShapeError(f"values of shape {array.shape} were given where {wanted} is needed: (*grid, tensor indices).")
    view = array.view()
    view.flags.writeable = False
    object.__setattr__(field, "values", view)


def unpacked_rows(field: Field, packed: np.ndarray) -> np.ndarray:
    """`packed` as a float64 array, checked to be (ncomp, *grid)."""
    require_unmasked(packed, "the packed values")
    rows = np.asarray(packed, dtype=float)
    wanted = (len(field.component_names), *field.grid.shape)
    if rows.shape != wanted:
        raise ShapeError(f"packed values of shape {rows.shape} were given where {wanted} is needed: (ncomp, *grid).")
    return rows
