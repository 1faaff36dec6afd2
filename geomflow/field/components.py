"""Matrices of expressions, callables and arrays on a grid: the input of metric and Hermitian fields."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from geomflow.core import memory
from geomflow.core.errors import ShapeError
from geomflow.core.numbers import require_unmasked
from geomflow.field.checks import require_finite
from geomflow.field.sampling import as_numbers, require_periodic, sample

if TYPE_CHECKING:
    from geomflow.field.mesh import Mesh


def sample_matrix(grid: Mesh, components: Any, size: int, what: str, dtype: type) -> np.ndarray:
    """Values (*grid, size, size) of a matrix of expressions, a callable of the coordinates, or an array.

    An array is (*grid, size, size), or (size, size) for a constant matrix; a callable returns such an array or a nested
    list of arrays.
    """
    bytes_needed = size * size * grid.size * np.dtype(dtype).itemsize
    memory.require(bytes_needed, f"{what} on {grid!r}", "use a smaller grid")
    if callable(components):
        components = _called(grid, components, size, what)
    if isinstance(components, np.ndarray) and components.dtype.kind not in "OUS":
        shape = (*grid.shape, size, size)
        constant = components.shape == (size, size)
        return require_finite(grid, as_numbers(components, shape, what, dtype, broadcast=constant), what)
    rows = _rows(components, size, what)
    result: np.ndarray = np.empty((*grid.shape, size, size), dtype)
    for i, row in enumerate(rows):
        for j, entry in enumerate(row):
            result[..., i, j] = sample(grid, entry, f"component ({i}, {j}) of {what}", dtype)
    return result


def _called(grid: Mesh, function: Any, size: int, what: str) -> np.ndarray:
    """The matrix that a callable of the coordinate arrays gives, (*grid, size, size); its entries must be periodic."""

    def entry(i: int, j: int, *coordinates: np.ndarray) -> Any:
        given = function(*coordinates)
        return given[..., i, j] if isinstance(given, np.ndarray) else _rows(given, size, what)[i][j]

    for i, j in np.ndindex(size, size):
        require_periodic(grid.torus, partial(entry, i, j), f"component ({i}, {j}) of {what}")
    given = function(*np.broadcast_arrays(*grid.coordinates()))
    require_unmasked(given, what)
    if isinstance(given, np.ndarray):
        return given
    result = [[np.broadcast_to(np.asarray(value), grid.shape) for value in row] for row in _rows(given, size, what)]
    return np.moveaxis(np.array(result), (0, 1), (-2, -1))


def _rows(components: Any, size: int, what: str) -> list[list[Any]]:
    if hasattr(components, "tolist"):
        components = components.tolist()
    try:
        rows = [list(row) for row in components]
    except TypeError as error:
        raise ShapeError(f"{what} is given by {size}×{size} expressions, and {components!r} was given.") from error
    if len(rows) != size or any(len(row) != size for row in rows):
        lengths = ", ".join(str(len(row)) for row in rows)
        raise ShapeError(
            f"{what} has {size}×{size} components here; {len(rows)} rows of lengths ({lengths}) were given."
        )
    return rows
