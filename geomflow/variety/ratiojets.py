"""log det g of K = (1/k) log P from packed Gram matrices, and its exact derivative in P.

With M the Gram matrix of rows (1, ∂_a): det M = kⁿ P^{n+1} det g, so
log det g = log det M − (n+1) log P − n log k and δ log det g = tr(M⁻¹ δM) − (n+1) δP/P.
"""

from __future__ import annotations

import numpy as np

from geomflow.variety.metric import log_determinant


def unpack(packed: np.ndarray) -> np.ndarray:
    """(…, r²) components (diagonal, then Re and Im of each r < s) to Hermitian matrices (…, r, r)."""
    rows = round(packed.shape[-1] ** 0.5)
    matrix = np.zeros((*packed.shape[:-1], rows, rows), complex)
    upper = np.triu_indices(rows, 1)
    matrix[..., np.arange(rows), np.arange(rows)] = packed[..., :rows]
    matrix[..., upper[0], upper[1]] = packed[..., rows::2] + 1j * packed[..., rows + 1 :: 2]
    matrix[..., upper[1], upper[0]] = packed[..., rows::2] - 1j * packed[..., rows + 1 :: 2]
    return matrix


def log_volume(gram: np.ndarray, level: int) -> np.ndarray:
    """log det g from (…, n+1, n+1); NaN where P or g is not positive."""
    n = gram.shape[-1] - 1
    with np.errstate(invalid="ignore", divide="ignore"):
        return log_determinant(gram) - (n + 1) * np.log(gram[..., 0, 0].real) - n * np.log(level)


def sensitivity(gram: np.ndarray) -> np.ndarray:
    """The Hermitian W with δ log det g = tr(W δM), shape (…, n+1, n+1)."""
    result = np.linalg.inv(gram)
    result[..., 0, 0] -= gram.shape[-1] / gram[..., 0, 0]
    return result


def pack_dual(matrix: np.ndarray) -> np.ndarray:
    """W packed so that its dot product with a packed M is tr(W M)."""
    rows = matrix.shape[-1]
    upper = np.triu_indices(rows, 1)
    result = np.empty((*matrix.shape[:-2], rows * rows))
    result[..., :rows] = matrix[..., np.arange(rows), np.arange(rows)].real
    result[..., rows::2] = 2 * matrix[..., upper[0], upper[1]].real
    result[..., rows + 1 :: 2] = 2 * matrix[..., upper[0], upper[1]].imag
    return result
