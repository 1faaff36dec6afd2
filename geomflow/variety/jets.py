"""Jets of Kähler potentials K = log P along a variety: frames, Gram matrices, curvature.

Frames say how derivatives along the variety are made of partial derivatives in homogeneous coordinates. With M the Gram
matrix of rows (1, ∂_a) of P, det M = P^{n+1} det ∂∂̄log P.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from geomflow.core.hermitian import log_determinant
from geomflow.core.symmetric import packed_index, packed_places
from geomflow.variety import frames

if TYPE_CHECKING:
    from geomflow.variety.points import Points


def partial_index(size: int, order: int) -> np.ndarray:
    """(i, j) of every partial derivative up to `order`; −1: not differentiated. Shape (partials, 2).

    >>> partial_index(2, 2).tolist()
    [[-1, -1], [0, -1], [1, -1], [0, 0], [0, 1], [1, 1]]
    """
    rows = [(-1, -1)] + [(i, -1) for i in range(size)] * (order > 0)
    rows += packed_places(size) * (order > 1)
    return np.array(rows, dtype=np.int64)


def first_order(points: Points) -> np.ndarray:
    """Rows (1, ∂_a): F[p, r, q], shape (P, 1 + n, 1 + N)."""
    count, n, size = points.pullbacks.shape
    frame = np.zeros((count, 1 + n, 1 + size), complex)
    frame[:, 0, 0] = 1
    frame[:, 1:, 1:] = points.pullbacks
    return frame


def second_order(points: Points) -> np.ndarray:
    """Rows (1, ∂_a, ∂_a∂_c for a <= c): shape (P, 1 + n + n(n+1)/2, 1 + N + N(N+1)/2)."""
    jacobian, bend = points.pullbacks, frames.bends(points)
    count, n, size = jacobian.shape
    upper = partial_index(size, 2)[1 + size :]
    frame = np.zeros((count, 1 + n + n * (n + 1) // 2, 1 + size + len(upper)), complex)
    frame[:, : 1 + n, : 1 + size] = first_order(points)
    every = np.arange(count)
    for row, (a, c) in enumerate(packed_places(n), start=1 + n):
        frame[every, row, 1 + points.elim] = bend[:, a, c]
        both = jacobian[:, a, upper[:, 0]] * jacobian[:, c, upper[:, 1]]
        swapped = jacobian[:, a, upper[:, 1]] * jacobian[:, c, upper[:, 0]]
        frame[:, row, 1 + size :] = both + np.where(upper[:, 0] != upper[:, 1], swapped, 0)
    return frame


def log_metric(gram: np.ndarray) -> np.ndarray:
    """∂_a∂_b̄ log P = P_ab̄/P − P_a P_b̄/P² from (…, 1 + n, 1 + n)."""
    scaled = gram / gram[..., :1, :1].real
    result: np.ndarray = scaled[..., 1:, 1:] - scaled[..., 1:, :1] * scaled[..., :1, 1:]
    return result


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
    spread = packed_index(n)
    third = third[..., spread, :]
    fourth = fourth[..., spread[:, :, None, None], spread[None, None]]
    fourth = fourth - np.einsum("...ab,...cd->...acbd", first, first) - np.einsum("...ad,...cb->...acbd", first, first)
    return first, third, fourth


def _bent_rows(slope: np.ndarray, n: int) -> np.ndarray:
    """B_ac in terms of the projected rows (∂_a, ∂_a∂_c)."""
    index = packed_places(n)
    rows = np.zeros((*slope.shape[:-1], len(index), n + len(index)), complex)
    for r, (a, c) in enumerate(index):
        rows[..., r, n + r] = 1
        rows[..., r, c] -= slope[..., a]
        rows[..., r, a] -= slope[..., c]
    return rows


def log_volume(gram: np.ndarray, level: int) -> np.ndarray:
    """log det g from (…, n+1, n+1); NaN where P or g is not positive."""
    n = gram.shape[-1] - 1
    with np.errstate(invalid="ignore", divide="ignore"):
        result: np.ndarray = log_determinant(gram) - (n + 1) * np.log(gram[..., 0, 0].real) - n * np.log(level)
        return result


def sensitivity(gram: np.ndarray) -> np.ndarray:
    """The Hermitian W with δ log det g = tr(W δM), shape (…, n+1, n+1)."""
    result = np.linalg.inv(gram)
    result[..., 0, 0] -= gram.shape[-1] / gram[..., 0, 0]
    return result


@dataclass(frozen=True, eq=False)
class Curvature:
    """Curvature at points: `riemann[p, a, b, c, d]` = R_{ab̄cd̄}, `ricci[p, a, b]` = R_{ab̄},
    `scalar[p]` = R = 2 g^{ab̄}R_{ab̄}.

    `endomorphism[p, c, d, a, b]` is R^c_d as a (1, 1)-form: Θ^c_d = R^c_{d ab̄} dx^a∧dx̄^b.

    Parameters
    ----------
    metric : (P, n, n) complex array
        g_{ab̄}.
    riemann : (P, n, n, n, n) complex array
        R_{ab̄cd̄}.
    """

    metric: NDArray[np.complex128]
    riemann: NDArray[np.complex128]

    @property
    def inverse(self) -> NDArray[np.complex128]:
        """g^{ab̄} as [a, b]: Σ_b g^{ab̄} g_{cb̄} = δ^a_c."""
        return np.swapaxes(np.linalg.inv(self.metric), -1, -2)

    @property
    def ricci(self) -> NDArray[np.complex128]:
        """R_{ab̄} = g^{cd̄} R_{ab̄cd̄} = −∂_a∂_b̄ log det g."""
        result: np.ndarray = np.einsum("...cd,...abcd->...ab", self.inverse, self.riemann)
        return result

    @property
    def scalar(self) -> np.ndarray:
        """R = 2 g^{ab̄} R_{ab̄}, the Riemannian scalar curvature."""
        result: np.ndarray = 2 * np.einsum("...ab,...ab->...", self.inverse, self.ricci).real
        return result

    @property
    def endomorphism(self) -> np.ndarray:
        """R^c_{d ab̄} = g^{ce̅} R_{ab̄de̅} as [c, d, a, b]."""
        result: np.ndarray = np.einsum("...ce,...abde->...cdab", self.inverse, self.riemann)
        return result


def from_jets(second: np.ndarray, third: np.ndarray, fourth: np.ndarray) -> Curvature:
    """R_{ab̄cd̄} = −K_{acb̄d̄} + g^{ef̄} K_{acf̄} K_{eb̄d̄}, from `PolarisedMetric.jets`."""
    inverse = np.swapaxes(np.linalg.inv(second), -1, -2)
    raised = np.einsum("...acf,...ef->...ace", third, inverse)
    riemann = np.einsum("...ace,...bde->...acbd", raised, third.conj()) - fourth
    return Curvature(second, np.einsum("...acbd->...abcd", riemann))
