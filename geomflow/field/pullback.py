"""Pull-back by automorphisms of a torus: integer matrices of determinant ±1 acting on lattice coordinates.

The map sends the point Σ_a u_a v_a to Σ_a (A u)_a v_a. On a grid with equally many points an axis it permutes grid
points, so the pull-back has no discretisation error.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from geomflow.core.errors import InputError, ShapeError

if TYPE_CHECKING:
    from geomflow.field.grid import Grid
    from geomflow.field.metric import MetricField
    from geomflow.field.scalar import ScalarField


def checked_automorphism(grid: Grid, matrix: Any) -> np.ndarray:
    """`matrix` as an integer array of determinant ±1, for a grid that it maps to itself."""
    array = np.array(matrix)
    if array.shape != (grid.dim, grid.dim):
        raise ShapeError(f"an automorphism here is a {grid.dim}×{grid.dim} matrix; shape {array.shape} was given.")
    integers = np.rint(array).astype(int)
    determinant = round(float(np.linalg.det(array)))
    if not np.array_equal(integers, array) or abs(determinant) != 1:
        raise InputError(f"automorphisms of a torus are integer matrices of determinant ±1; got {array.tolist()}.")
    if len(set(grid.shape)) != 1:
        raise ShapeError(f"a pull-back permutes points only on grids with equal axes, and this one has {grid.shape}.")
    return integers


def permute(grid: Grid, values: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """Values at A·u for every grid point u; the grid's axes come first."""
    n = grid.shape[0]
    indices = np.meshgrid(*[np.arange(n)] * grid.dim, indexing="ij", sparse=True)
    images = tuple(np.asarray(sum(int(c) * i for c, i in zip(row, indices))) % n for row in matrix)
    return values[tuple(np.broadcast_arrays(*images))]


def pull_back_scalar(field: ScalarField, matrix: Any) -> ScalarField:
    """f∘A."""
    from geomflow.field.scalar import ScalarField

    automorphism = checked_automorphism(field.grid, matrix)
    return ScalarField(field.grid, permute(field.grid, field.values, automorphism))


def pull_back_metric(field: MetricField, matrix: Any) -> MetricField:
    """(A*g)(x) = Jᵀ g(Ax) J with the Cartesian Jacobian J of the map."""
    from geomflow.field.metric import MetricField

    automorphism = checked_automorphism(field.grid, matrix)
    columns = np.array(field.grid.torus.lattice).T
    jacobian = columns @ automorphism @ np.linalg.inv(columns)
    moved = permute(field.grid, field.values, automorphism)
    return MetricField(field.grid, jacobian.T @ moved @ jacobian)
