"""Complex derivatives of real functions on grids of complex tori."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from geomflow.core.errors import InputError
from geomflow.field.derivatives import TRANSFORMED
from geomflow.field.mesh import Mesh

if TYPE_CHECKING:
    from geomflow.field.grid import Grid


def complex_dimension(grid: Mesh, what: str) -> int:
    """The complex dimension of the grid's torus; InputError on a real torus."""
    if not grid.torus.complex_dim:
        raise InputError(f"{what} needs a complex torus, and this is {grid.torus!r}: start from ComplexTorus(dim=...).")
    return grid.torus.complex_dim


def complex_hessian(grid: Grid, values: np.ndarray) -> np.ndarray:
    """∂_a∂_b̄ f = ¼(f_{x^a x^b} + f_{y^a y^b} + i(f_{x^a y^b} − f_{y^a x^b})) of a real array, (*grid, n, n) complex."""
    size = complex_dimension(grid, "a complex Hessian")
    second = second_derivatives(grid, values)
    result = np.empty((*grid.shape, size, size), complex)
    for a in range(size):
        for b in range(a, size):
            entry = result[..., a, b]
            entry.real = 0.25 * (second[2 * a, 2 * b] + second[2 * a + 1, 2 * b + 1])
            entry.imag = 0.25 * (second[2 * a, 2 * b + 1] - second[2 * a + 1, 2 * b]) if a != b else 0.0
            result[..., b, a] = np.conj(entry)
    return result


def second_derivatives(grid: Grid, values: np.ndarray) -> dict[tuple[int, int], np.ndarray]:
    """(i, j) ↦ ∂_i∂_j f for all pairs of coordinates that a complex Hessian has: not those of x^a and y^a, a = 1..n."""
    unit = np.eye(grid.dim, dtype=int)
    pairs = [(i, j) for i in range(grid.dim) for j in range(grid.dim) if i == j or i // 2 != j // 2]
    indices = {pair: tuple(int(k) for k in unit[pair[0]] + unit[pair[1]]) for pair in pairs}
    known = grid.derivatives(values, set(indices.values()))
    return {pair: known[index] for pair, index in indices.items()}


def hessian_arrays(grid: Mesh) -> int:
    """The most arrays of a grid's shape that a complex Hessian takes at a time: n² complex entries, and derivatives.

    On general lattices these are along the lattice and along the coordinates.
    """
    size, dim = complex_dimension(grid, "a complex Hessian"), grid.dim
    along = dim * (dim + 1) // 2 + dim - 1
    return 2 * size * size + along + TRANSFORMED + (0 if grid.torus.is_rectangular else dim * dim // 2)
