"""Hermitian matrices as real vectors with the trace form as dot product, and quadratic forms of packed duals."""

from __future__ import annotations

import numpy as np

_ROOT = np.sqrt(2.0)


def flat(matrix: np.ndarray) -> np.ndarray:
    """Hermitian (..., N, N) as N² real numbers with ⟨flat(A), flat(B)⟩ = tr(A B)."""
    size = matrix.shape[-1]
    upper = np.triu_indices(size, 1)
    beside = _ROOT * matrix[..., upper[0], upper[1]]
    diagonal = matrix[..., np.arange(size), np.arange(size)].real
    return np.concatenate([diagonal, beside.real, beside.imag], axis=-1)


def unflat(vector: np.ndarray) -> np.ndarray:
    """The Hermitian matrix of `flat`."""
    size = round(vector.shape[-1] ** 0.5)
    upper = np.triu_indices(size, 1)
    half = size * (size - 1) // 2
    matrix = np.zeros((*vector.shape[:-1], size, size), complex)
    matrix[..., np.arange(size), np.arange(size)] = vector[..., :size]
    beside = (vector[..., size : size + half] + 1j * vector[..., size + half :]) / _ROOT
    matrix[..., upper[0], upper[1]] = beside
    matrix[..., upper[1], upper[0]] = beside.conj()
    return matrix


def projectors(z: np.ndarray) -> np.ndarray:
    """The features z z† of unit vectors (P, N), flat: (P, N²); ⟨z z†, w w†⟩ = |z·w̄|²."""
    return flat(z[:, :, None] * z.conj()[:, None, :])


def dual_matrix(dual: np.ndarray, n: int) -> np.ndarray:
    """The Hermitian D with Σ dual · packed(H) = tr(D H) = Σ D̄_ab H_ab, (P, n, n)."""
    upper = np.triu_indices(n, 1)
    matrix = np.zeros((len(dual), n, n), complex)
    matrix[:, np.arange(n), np.arange(n)] = dual[:, :n]
    beside = (dual[:, n::2] + 1j * dual[:, n + 1 :: 2]) / 2
    matrix[:, upper[0], upper[1]] = beside
    matrix[:, upper[1], upper[0]] = beside.conj()
    return matrix
