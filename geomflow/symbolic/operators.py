"""Differential operators of a metric, written once over any ring with derivations."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np

from geomflow.symbolic.curvature import symmetric, trace
from geomflow.symbolic.ring import Ring


def gradient(ring: Ring, inverse: np.ndarray, f: Any) -> np.ndarray:
    """(∇f)^i = g^{ij} ∂_j f."""
    slopes = [ring.d(f, j) for j in range(len(inverse))]
    result = ring.array(len(inverse))
    for i in range(len(inverse)):
        result[i] = ring.dot(zip(inverse[i], slopes, strict=True))
    return result


def hessian(ring: Ring, gamma: np.ndarray, f: Any) -> np.ndarray:
    """∇_i∇_j f = ∂_i∂_j f − Γ^k_ij ∂_k f."""
    dim = len(gamma)
    slopes = [ring.d(f, k) for k in range(dim)]
    return symmetric(
        ring, dim, lambda i, j: ring.d(slopes[j], i) - ring.dot((gamma[k, i, j], slopes[k]) for k in range(dim))
    )


def laplacian(ring: Ring, inverse: np.ndarray, gamma: np.ndarray, f: Any) -> Any:
    """Δf = g^{ij} ∇_i∇_j f: at most zero on maxima."""
    return trace(ring, inverse, hessian(ring, gamma, f))


def lie_derivative(ring: Ring, field: np.ndarray, tensor: np.ndarray) -> np.ndarray:
    """(L_X T)_ij = X^k ∂_k T_ij + T_kj ∂_i X^k + T_ik ∂_j X^k."""
    dim = len(field)
    dx = ring.differential(field)
    result = ring.array((dim, dim))
    for i, j in product(range(dim), repeat=2):
        moved = [(field[k], ring.d(tensor[i, j], k)) for k in range(dim)]
        left = [(tensor[k, j], dx[k, i]) for k in range(dim)]
        right = [(tensor[i, k], dx[k, j]) for k in range(dim)]
        result[i, j] = ring.dot([*moved, *left, *right])
    return result


def covariant_derivative(ring: Ring, gamma: np.ndarray, tensor: np.ndarray) -> np.ndarray:
    """`result[i, j, k]` = ∇_k T_ij = ∂_k T_ij − Γ^m_ki T_mj − Γ^m_kj T_im."""
    dim = len(gamma)
    result = ring.differential(tensor)
    for i, j, k in product(range(dim), repeat=3):
        first = ((gamma[m, k, i], tensor[m, j]) for m in range(dim))
        second = ((gamma[m, k, j], tensor[i, m]) for m in range(dim))
        result[i, j, k] = result[i, j, k] - ring.dot([*first, *second])
    return result


def divergence(ring: Ring, inverse: np.ndarray, gamma: np.ndarray, tensor: np.ndarray) -> np.ndarray:
    """(div T)_j = g^{ik} ∇_k T_ij; of the Einstein tensor, zero (contracted Bianchi)."""
    dim = len(gamma)
    nabla = covariant_derivative(ring, gamma, tensor)
    result = ring.array(dim)
    for j in range(dim):
        result[j] = ring.dot((inverse[i, k], nabla[i, j, k]) for i, k in product(range(dim), repeat=2))
    return result


def deturck_field(ring: Ring, inverse: np.ndarray, gamma: np.ndarray, background: np.ndarray) -> np.ndarray:
    """W^k = g^{ij}(Γ^k_ij − Γ̄^k_ij): Ricci–DeTurck flow is ∂_t g = −2 Ric + L_W g."""
    dim = len(gamma)
    result = ring.array(dim)
    for k in range(dim):
        result[k] = trace(ring, inverse, gamma[k] - background[k])
    return result


def pullback(ring: Ring, jacobian: np.ndarray, tensor: np.ndarray) -> np.ndarray:
    """(F*T)_ab = ∂_a F^i ∂_b F^j T_ij; `jacobian[i, a]` = ∂_a F^i, `tensor` already composed with F."""
    rows, columns = jacobian.shape
    half = ring.array((rows, columns))
    for i, b in product(range(rows), range(columns)):
        half[i, b] = ring.dot((tensor[i, j], jacobian[j, b]) for j in range(rows))
    return symmetric(ring, columns, lambda a, b: ring.dot((jacobian[i, a], half[i, b]) for i in range(rows)))
