"""Lattices of R^d: the vectors by which a torus closes up.

A lattice is given by its rows v_0, ..., v_{d-1}, Cartesian vectors. Grids live on *cell coordinates* s with
X = Σ_a s_a e_a, where e_a = v_a/|v_a| and s_a runs over [0, |v_a|); hence ∂/∂X_j = Σ_a (E^{-1})_{ja} ∂/∂s_a with the
matrix E of rows e_a. On a rectangular torus E = 1 and the two kinds of coordinates are the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from geomflow.core.errors import InputError, ShapeError
from geomflow.core.numbers import finite_number

Rows = tuple[tuple[float, ...], ...]


def rectangular_rows(periods: Sequence[Any]) -> Rows:
    """Rows of the lattice of a rectangular torus with these positive periods."""
    numbers = [finite_number(period, f"period {axis}") for axis, period in enumerate(periods)]
    for axis, period in enumerate(numbers):
        if period <= 0:
            raise InputError(f"period {axis} is {period:g}; periods are positive lengths.")
    return tuple(tuple(period if i == j else 0.0 for j in range(len(numbers))) for i, period in enumerate(numbers))


def general_rows(lattice: Any, dim: int) -> Rows:
    """Rows of a general lattice, checked: `dim` vectors of `dim` numbers that are linearly independent."""
    rows = [list(row) for row in lattice]
    if len(rows) != dim or any(len(row) != dim for row in rows):
        lengths = ", ".join(str(len(row)) for row in rows)
        raise ShapeError(
            f"a lattice of R^{dim} has {dim} row vectors of {dim} numbers; "
            f"{len(rows)} rows of lengths ({lengths}) were given."
        )
    numbers = [
        [finite_number(value, f"lattice[{i}][{j}]") for j, value in enumerate(row)] for i, row in enumerate(rows)
    ]
    matrix = np.array(numbers)
    lengths_product = float(np.prod(np.linalg.norm(matrix, axis=1)))
    volume = abs(float(np.linalg.det(matrix)))
    if not volume > 1e-12 * lengths_product:
        raise InputError(f"the lattice vectors span a cell of volume {volume:.3g}; give linearly independent rows.")
    return tuple(tuple(row) for row in numbers)


def resolve_rows(dim: int, periods: Any, lattice: Any) -> Rows:
    """Rows of the lattice from the arguments of a torus: `periods`, or `lattice`, or unit periods."""
    if periods is not None and lattice is not None:
        raise InputError("give either periods or lattice, not both: the lattice vectors contain the periods.")
    if lattice is not None:
        return general_rows(lattice, dim)
    if periods is None:
        return rectangular_rows((1.0,) * dim)
    given = tuple(periods) if isinstance(periods, Sequence | np.ndarray) and np.ndim(periods) else (periods,) * dim
    if len(given) != dim:
        raise ShapeError(f"{len(given)} periods were given for {dim} real coordinates; give {dim}, or one number.")
    return rectangular_rows(given)
