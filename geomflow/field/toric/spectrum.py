"""Eigenvalues of Laplacians of toric metrics on functions that the torus keeps, by Rayleigh and Ritz."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from geomflow.core.errors import InputError, ShapeError
from geomflow.core.numbers import real_array, whole
from geomflow.field.toric.quadrature import inner_rule
from geomflow.field.toric.regular import Regular

if TYPE_CHECKING:
    from geomflow.field.toric.grid import ToricGrid
    from geomflow.field.toric.state import ToricState

MORE = 8


def eigenvalues(state: ToricState, count: int, drift: Any, symmetric: bool) -> np.ndarray:
    """Those of ∫ 2u^ij φ_i φ_j w dx = λ ∫ φ² w dx with w = e^{⟨c, x⟩}, the lowest first."""
    from scipy.linalg import eigh

    number = whole(count, "the number of eigenvalues", 1)
    grid = replace(state.grid, symmetric=bool(symmetric))
    if number > grid.kept.shape[1]:
        raise InputError(f"{number} eigenvalues were asked for, and there are {grid.kept.shape[1]} polynomials of the "
                         f"degree {grid.degree}: take a higher degree.")
    slope = real_array(drift, "the drift")
    if slope.shape != (2,):
        raise ShapeError(f"the drift is a pair of numbers, and {drift!r} was given.")
    stiffness, mass = matrices(state, grid, slope)
    found: np.ndarray = eigh(stiffness, mass, eigvals_only=True, subset_by_index=(0, number - 1))
    found[0] = max(found[0], 0.0)
    return found


def matrices(state: ToricState, grid: ToricGrid, drift: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """∫ 2u^ij φ_i φ_j w and ∫ φ² w for the polynomials that a grid keeps, affine ones among them."""
    polygon = grid.toric.polygon
    rule = inner_rule(polygon, grid.group, grid.degree + MORE)
    hessian = state.grid.polynomials.combined(state.coefficients, rule.points, 2)[3:]
    _, (a, b, c) = Regular.at(polygon, rule.points).inverse((hessian[0], hessian[1], hessian[2]))
    jets = grid.polynomials.jets(rule.points, 1)
    f, first, second = jets if len(grid.group) == 1 else jets @ grid.kept
    weights = rule.weights * np.exp(rule.points @ drift)
    rows = [(weights * u)[:, None] for u in (a, b, c)]
    mixed = first.T @ (rows[1] * second)
    stiffness = first.T @ (rows[0] * first) + mixed + mixed.T + second.T @ (rows[2] * second)
    return 2 * stiffness, f.T @ (weights[:, None] * f)
