"""Derivatives of log P from the Gram matrix of P's jets."""

from __future__ import annotations

import numpy as np

from geomflow.variety.jetframes import pairs


def log_metric(gram: np.ndarray) -> np.ndarray:
    """∂_a∂_b̄ log P = P_ab̄/P − P_a P_b̄/P² from (…, 1 + n, 1 + n)."""
    scaled = gram / gram[..., :1, :1].real
    return scaled[..., 1:, 1:] - scaled[..., 1:, :1] * scaled[..., :1, 1:]


def log_jets(gram: np.ndarray, n: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(K_ab̄, K_acb̄, K_acb̄d̄) of K = log P from the Gram matrix with rows (1, ∂_a, ∂_a∂_c).

    With G' the Gram matrix projected off the first row and p_a = P_a/P, the rows B_ac = ∂_a∂_c − p_a ∂_c − p_c ∂_a give
    K_acb̄ = G'(B_ac, ∂_b) and K_acb̄d̄ = G'(B_ac, B_bd) − K_ab̄ K_cd̄ − K_ad̄ K_cb̄ (the Gauss equation of the embedding).
    """
    projected = log_metric(gram)
    slope = gram[..., 1 : 1 + n, 0] / gram[..., :1, 0].real
    rows = _bent_rows(slope, n)
    first = projected[..., :n, :n]
    half = rows @ projected
    third = half[..., :n]
    fourth = half @ np.swapaxes(rows.conj(), -1, -2)
    spread = np.array([[pairs(n).index((min(a, c), max(a, c))) for c in range(n)] for a in range(n)])
    third = third[..., spread, :]
    fourth = fourth[..., spread[:, :, None, None], spread[None, None]]
    fourth = fourth - np.einsum("...ab,...cd->...acbd", first, first) - np.einsum("...ad,...cb->...acbd", first, first)
    return first, third, fourth


def _bent_rows(slope: np.ndarray, n: int) -> np.ndarray:
    """B_ac in terms of the projected rows (∂_a, ∂_a∂_c)."""
    index = pairs(n)
    rows = np.zeros((*slope.shape[:-1], len(index), n + len(index)), complex)
    for r, (a, c) in enumerate(index):
        rows[..., r, n + r] = 1
        rows[..., r, c] -= slope[..., a]
        rows[..., r, a] -= slope[..., c]
    return rows
