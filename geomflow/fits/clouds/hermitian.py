"""Hermitian matrices as real columns: the diagonal, then real and imaginary part of every entry above it."""

from __future__ import annotations

import numpy as np


def pack(matrices: np.ndarray) -> np.ndarray:
    """Hermitian (P, n, n) as (P, n²) real."""
    n = matrices.shape[-1]
    upper = matrices[:, *np.triu_indices(n, 1)]
    diagonal = np.einsum("paa->pa", matrices).real
    return np.concatenate([diagonal, upper.real, upper.imag], axis=1)


def unpack(packed: np.ndarray) -> np.ndarray:
    """The Hermitian matrices (P, n, n) of `pack`."""
    n = round(packed.shape[1] ** 0.5)
    half = n * (n - 1) // 2
    out = np.zeros((len(packed), n, n), complex)
    rows, columns = np.triu_indices(n, 1)
    out[:, rows, columns] = packed[:, n : n + half] + 1j * packed[:, n + half :]
    out += np.swapaxes(out.conj(), 1, 2)
    out[:, np.arange(n), np.arange(n)] = packed[:, :n]
    return out
