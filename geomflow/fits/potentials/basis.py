"""An orthonormal basis of the span of a kernel's functions, by pivoted Cholesky."""

from __future__ import annotations

import numpy as np
from scipy.linalg import solve_triangular
from scipy.linalg.lapack import dpstrf

from geomflow.core.archive import Archive
from geomflow.core.errors import InputError


def independent(gram: np.ndarray, tolerance: float) -> tuple[np.ndarray, np.ndarray]:
    """(chosen, L): the centres that pivoted Cholesky takes from a Gram matrix, and their Cholesky factor.

    It stops where no function K(·, c) is farther than √(tolerance · largest K(c, c)) from the span of the chosen ones;
    L L† is the Gram matrix of these, so that L⁻¹ K(chosen, ·) is orthonormal in the kernel's space (Newton's basis).
    Raises `InputError` where the matrix is not positive anywhere or not finite.
    """
    largest = float(np.diagonal(gram).max())
    if not (np.isfinite(gram).all() and largest > 0):
        raise InputError(f"the Gram matrix of {len(gram)} centres has largest diagonal entry {largest:.3g}: no kernel")
    factor, pivots, rank, _ = dpstrf(gram, tol=tolerance * largest, lower=1)
    return pivots[:rank] - 1, np.ascontiguousarray(np.tril(factor[:rank, :rank]))


def whitened(lower: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Rows in terms of K(·, c) to rows in terms of the orthonormal basis: (P, M) -> (P, M)."""
    return solve_triangular(lower, rows.T, lower=True, check_finite=False).T


def unwhitened(lower: np.ndarray, coefficients: np.ndarray) -> np.ndarray:
    """Coefficients of the orthonormal basis to those of the K(·, c), (M,)."""
    return solve_triangular(lower, coefficients, lower=True, trans=1, check_finite=False)


def stored_factor(file: Archive) -> np.ndarray:
    """The whitening L of a file, (size, size). Raises `StoreError` for what is no Cholesky factor."""
    size = len(file.numbers("coefficients", "f", None))
    lower = file.numbers("lower", "f", size, size)
    if not np.all(np.diagonal(lower) > 0):
        raise file.damaged("'lower' is no Cholesky factor")
    return lower
