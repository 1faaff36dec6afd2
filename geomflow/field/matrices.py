"""Small matrices at every grid point: determinants, and the packing of symmetric ones.

Hermitian ones are packed by `geomflow.core.hermitian`.
"""

from __future__ import annotations

import numpy as np


def upper_pairs(size: int) -> tuple[tuple[int, int], ...]:
    """The index pairs (i, j) with i ≤ j, row by row: the packed order of symmetric components."""
    return tuple((i, j) for i in range(size) for j in range(i, size))


def determinant(matrices: np.ndarray) -> np.ndarray:
    """Determinants of (..., n, n) by expansion along the first row, for n ≤ 6."""
    size = matrices.shape[-1]
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


def pack_symmetric(values: np.ndarray) -> np.ndarray:
    """(*grid, d, d) → (d(d+1)/2, *grid)."""
    return np.stack([values[..., i, j] for i, j in upper_pairs(values.shape[-1])])


def unpack_symmetric(packed: np.ndarray, size: int) -> np.ndarray:
    """(d(d+1)/2, *grid) → (*grid, d, d)."""
    values = np.empty((*packed.shape[1:], size, size))
    for row, (i, j) in zip(packed, upper_pairs(size)):
        values[..., i, j] = values[..., j, i] = row
    return values
