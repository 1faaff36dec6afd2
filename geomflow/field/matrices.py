"""Small matrices at every grid point: determinants, eigenvalues, and checks.

Errors of the checks name the worst value, its place, and what to change. Matrices are packed by
`geomflow.core.symmetric` and `geomflow.core.hermitian`.
"""

from __future__ import annotations

from itertools import permutations

import numpy as np

from geomflow.core.errors import NotFiniteError, PositivityError, SymmetryError
from geomflow.core.symmetric import parity
from geomflow.field.mesh import Mesh, place

LARGEST_EXPANDED = 6


def determinant(matrices: np.ndarray) -> np.ndarray:
    """Determinants of (..., n, n): by expansion along the first row for n ≤ 6, by elimination above."""
    size = matrices.shape[-1]
    if size > LARGEST_EXPANDED:
        return np.asarray(np.linalg.det(matrices))
    if size == 1:
        return matrices[..., 0, 0]
    if size == 2:
        return np.asarray(matrices[..., 0, 0] * matrices[..., 1, 1] - matrices[..., 0, 1] * matrices[..., 1, 0])
    columns = np.arange(size)
    minors = (determinant(matrices[..., 1:, columns[columns != j]]) for j in range(size))
    return np.asarray(sum((-1) ** j * matrices[..., 0, j] * minor for j, minor in enumerate(minors)))


def quotient_trace(form: np.ndarray, other: np.ndarray) -> np.ndarray:
    """tr(h⁻¹ T) of two arrays of Hermitian matrices (..., n, n), real."""
    size = form.shape[-1]
    if size == 1:
        return np.asarray(other[..., 0, 0].real / form[..., 0, 0].real)
    if size == 2:
        diagonal = form[..., 0, 0].real * other[..., 1, 1].real + form[..., 1, 1].real * other[..., 0, 0].real
        beside = (form[..., 0, 1] * np.conj(other[..., 0, 1])).real
        return np.asarray((diagonal - 2 * beside) / determinant(form).real)
    return np.asarray(np.trace(np.linalg.solve(form, other), axis1=-2, axis2=-1).real)


ASYMMETRY = 1e-10


def require_finite(grid: Mesh, values: np.ndarray, what: str) -> np.ndarray:
    """`values` (*grid, ...), or NotFiniteError naming how many values are NaN or infinite and the first place."""
    finite = np.isfinite(values)
    if finite.all():
        return values
    first = np.unravel_index(int(np.argmin(finite)), values.shape)
    index, component = first[: grid.dim], first[grid.dim :]
    where = place(grid, [int(i) for i in index])
    of = f" in component ({', '.join(str(int(i)) for i in component)})" if component else ""
    raise NotFiniteError(
        f"{what} is {values[first]} at {where}{of} ({np.count_nonzero(~finite)} of {values.size} values are not "
        "finite). Change it where it divides by zero or leaves the domain of a function."
    )


def require_symmetric(grid: Mesh, values: np.ndarray, what: str) -> np.ndarray:
    """`values` (*grid, d, d), symmetrised, or SymmetryError; complex values must be Hermitian.

    An asymmetry below 1e-10 of the largest component is taken as rounding.
    """
    kind, sign = ("Hermitian", "the conjugate of ") if np.iscomplexobj(values) else ("symmetric", "")
    mirrored = np.conj(np.swapaxes(values, -1, -2))
    asymmetry = np.abs(values - mirrored)
    worst = np.unravel_index(int(np.argmax(asymmetry)), asymmetry.shape)
    if asymmetry[worst] > ASYMMETRY * np.max(np.abs(values)):
        i, j = (int(k) for k in worst[-2:])
        where = place(grid, [int(k) for k in worst[: grid.dim]])
        raise SymmetryError(
            f"{what} is not {kind}: component ({i}, {j}) is {values[worst]:.6g} and {sign}component ({j}, {i}) is "
            f"{mirrored[worst]:.6g} at {where}. Make the two equal, or give ½(g + gᵀ)."
        )
    return np.asarray(0.5 * (values + mirrored))


def require_alternating(grid: Mesh, values: np.ndarray, what: str) -> np.ndarray:
    """`values` (*grid, d, ..., d), made to change the sign when two indices change places, or SymmetryError.

    What is below 1e-10 of the largest component is taken as rounding.
    """
    rank = values.ndim - grid.dim
    for slot in range(rank - 1):
        mirrored = np.swapaxes(values, grid.dim + slot, grid.dim + slot + 1)
        wrong = np.abs(values + mirrored)
        worst = np.unravel_index(int(np.argmax(wrong)), wrong.shape)
        if wrong[worst] > ASYMMETRY * np.max(np.abs(values)):
            index = tuple(int(k) for k in worst[grid.dim :])
            raise SymmetryError(
                f"{what} does not change its sign when indices {slot} and {slot + 1} change places: component {index} "
                f"is {values[worst]:.6g} and its partner {mirrored[worst]:.6g} at "
                f"{place(grid, [int(k) for k in worst[: grid.dim]])}. Give ½(F − Fᵀ)."
            )
    turned = [parity(order) * np.moveaxis(values, [grid.dim + n for n in order], range(grid.dim, values.ndim))
              for order in permutations(range(rank))]
    return np.asarray(sum(turned) / len(turned))


def eigenvalue_range(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Smallest and largest eigenvalue of each symmetric or Hermitian matrix, two arrays (*grid)."""
    size = values.shape[-1]
    if size == 1:
        only = values[..., 0, 0].real
        return only, only
    if size == 2:
        middle = 0.5 * (values[..., 0, 0].real + values[..., 1, 1].real)
        radius = np.hypot(0.5 * (values[..., 0, 0].real - values[..., 1, 1].real), np.abs(values[..., 0, 1]))
        return middle - radius, middle + radius
    eigenvalues = np.linalg.eigvalsh(values)
    return eigenvalues[..., 0], eigenvalues[..., -1]


def smallest_eigenvalue(values: np.ndarray) -> tuple[float, tuple[int, ...]]:
    """The smallest eigenvalue over the grid, and the index of its point."""
    lowest = eigenvalue_range(values)[0]
    index = np.unravel_index(int(np.argmin(lowest)), lowest.shape)
    return float(lowest[index]), tuple(int(i) for i in index)


def require_positive(grid: Mesh, values: np.ndarray, what: str, advice: str) -> None:
    """PositivityError unless every matrix is positive definite; names the smallest eigenvalue and its place."""
    if values.shape[-1] > 2 and _has_cholesky(values):
        return
    lowest, index = smallest_eigenvalue(values)
    if not lowest > 0:
        raise PositivityError(
            f"{what} is not positive: its smallest eigenvalue is {lowest:.6g}, at {place(grid, index)}. {advice}"
        )


def _has_cholesky(values: np.ndarray) -> bool:
    try:
        np.linalg.cholesky(values)
    except np.linalg.LinAlgError:
        return False
    return True
