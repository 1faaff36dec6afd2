"""log det g of K = (1/k) log P from packed Gram matrices, and its exact derivative in P.

With M the Gram matrix of rows (1, ∂_a): det M = kⁿ P^{n+1} det g, so
log det g = log det M − (n+1) log P − n log k and δ log det g = tr(M⁻¹ δM) − (n+1) δP/P.
"""

from __future__ import annotations

import numpy as np

from geomflow.core.hermitian import log_determinant


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
