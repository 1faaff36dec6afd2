"""Curvature of a metric and its differential operators, written once over any ring with derivations.

Index order: `dg[i, j, k]` = ∂_k g_ij, `gamma[k, i, j]` = Γ^k_ij, `riemann[l, k, i, j]` = R^l_kij. Signs: spheres have
positive curvature,

    R^l_kij = ∂_i Γ^l_jk − ∂_j Γ^l_ik + Γ^l_im Γ^m_jk − Γ^l_jm Γ^m_ik,   R_kj = R^i_kij,   R = g^kj R_kj.

Only g and its first two derivatives are differentiated, never the inverse: this keeps both graphs and fractions small.

Of a Kähler metric the derivations are ∂_1..∂_n, ∂_1̄..∂_n̄ and `g[a, b]` = g_{ab̄}, ds² = 2 g_{ab̄} dz^a dz̄^b:

    R_{ab̄} = −∂_a∂_b̄ log det g,   R = 2 g^{ab̄} R_{ab̄},   Δ_∂ f = g^{ab̄} ∂_a∂_b̄ f with g^{ab̄} = `inverse[b, a]`.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations, combinations_with_replacement, product
from typing import Any

import numpy as np

from geomflow.symbolic.ring import HALF, E, Ring


def symmetric(ring: Ring[E], dim: int, entry: Callable[[int, int], E]) -> np.ndarray:
    """The symmetric matrix whose (i, j) entry is `entry(i, j)`, computed for i <= j."""
    result = ring.array((dim, dim))
    for i, j in combinations_with_replacement(range(dim), 2):
        result[i, j] = result[j, i] = entry(i, j)
    return result


def first_derivatives(ring: Ring[E], g: np.ndarray) -> np.ndarray:
    """`dg[i, j, k]` = ∂_k g_ij."""
    dim = len(g)
    result = ring.array((dim, dim, dim))
    for i, j in combinations_with_replacement(range(dim), 2):
        result[i, j] = result[j, i] = [ring.d(g[i, j], k) for k in range(dim)]
    return result


def christoffel_lower(ring: Ring[E], dg: np.ndarray) -> np.ndarray:
    """`lower[m, i, j]` = Γ_m,ij = ½(∂_i g_mj + ∂_j g_mi − ∂_m g_ij)."""
    dim = len(dg)
    half = ring.number(HALF)
    result = ring.array((dim, dim, dim))
    for m in range(dim):
        for i, j in combinations_with_replacement(range(dim), 2):
            result[m, i, j] = result[m, j, i] = half * (dg[m, j, i] + dg[m, i, j] - dg[i, j, m])
    return result


def raise_first(ring: Ring[E], inverse: np.ndarray, tensor: np.ndarray) -> np.ndarray:
    """The first index raised: g^{lm} T_m... ."""
    result = ring.array(tensor.shape)
    rest = list(np.ndindex(tensor.shape[1:]))
    for l, place in product(range(len(inverse)), rest):
        result[(l, *place)] = ring.dot((inverse[l, m], tensor[(m, *place)]) for m in range(len(inverse)))
    return result


def christoffel(ring: Ring[E], inverse: np.ndarray, lower: np.ndarray) -> np.ndarray:
    """`gamma[k, i, j]` = Γ^k_ij = g^{km} Γ_m,ij."""
    dim = len(inverse)
    result = ring.array((dim, dim, dim))
    for k in range(dim):
        for i, j in combinations_with_replacement(range(dim), 2):
            result[k, i, j] = result[k, j, i] = ring.dot((inverse[k, m], lower[m, i, j]) for m in range(dim))
    return result


def riemann_lower(ring: Ring[E], dg: np.ndarray, lower: np.ndarray, gamma: np.ndarray) -> np.ndarray:
    """`riemann[l, k, i, j]` = R_lkij, all of its symmetries used.

    R_lkij = ½(∂_i∂_k g_lj − ∂_i∂_l g_kj − ∂_j∂_k g_li + ∂_j∂_l g_ki) − Γ_m,il Γ^m_jk + Γ_m,jl Γ^m_ik.
    """
    dim = len(dg)
    result = ring.array((dim,) * 4)
    pairs = list(combinations(range(dim), 2))
    for (l, k), (i, j) in combinations_with_replacement(pairs, 2):
        value = _second_part(ring, dg, l, k, i, j) + ring.dot(
            (sign * lower[m, a, l], gamma[m, b, k]) for m in range(dim) for sign, a, b in ((-1, i, j), (1, j, i))
        )
        for (p, q), (r, s) in {((l, k), (i, j)), ((i, j), (l, k))}:
            result[p, q, r, s] = result[q, p, s, r] = value
            result[q, p, r, s] = result[p, q, s, r] = -value
    return result


def _second_part(ring: Ring[E], dg: np.ndarray, l: int, k: int, i: int, j: int) -> E:
    terms = [ring.d(dg[l, j, k], i), -ring.d(dg[k, j, l], i), -ring.d(dg[l, i, k], j), ring.d(dg[k, i, l], j)]
    return ring.number(HALF) * ring.total(terms)


def ricci(ring: Ring[E], inverse: np.ndarray, riemann: np.ndarray) -> np.ndarray:
    """`ricci[k, j]` = R_kj = g^{li} R_lkij."""
    indices = list(product(range(len(inverse)), repeat=2))
    return symmetric(
        ring, len(inverse), lambda k, j: ring.dot((inverse[l, i], riemann[l, k, i, j]) for l, i in indices)
    )


def trace(ring: Ring[E], inverse: np.ndarray, tensor: np.ndarray) -> E:
    """g^{ij} T_ij of a symmetric tensor; of the Ricci tensor, the scalar curvature."""
    dim = len(inverse)
    pairs = [(inverse[i, i], tensor[i, i]) for i in range(dim)]
    pairs += [(inverse[i, j] + inverse[i, j], tensor[i, j]) for i, j in combinations(range(dim), 2)]
    return ring.dot(pairs)


def einstein(ring: Ring[E], g: np.ndarray, ricci: np.ndarray, scalar: Any) -> np.ndarray:
    """G_ij = R_ij − ½ R g_ij."""
    half = ring.number(HALF) * scalar
    return symmetric(ring, len(g), lambda i, j: ricci[i, j] - half * g[i, j])


def weyl_lower(ring: Ring[E], g: np.ndarray, riemann: np.ndarray, ricci: np.ndarray, scalar: Any) -> np.ndarray:
    """The Weyl tensor W_lkij = R_lkij − (P ∧ g)_lkij with the Schouten tensor P; zero below dimension 4.

    P = (Ric − R g / (2(d−1))) / (d−2), (P ∧ g)_lkij = P_li g_kj + P_kj g_li − P_lj g_ki − P_ki g_lj.
    """
    dim = len(g)
    result = ring.array((dim,) * 4)
    if dim < 4:
        return result
    share = ring.number(HALF / (dim - 1)) * scalar
    outer = ring.number(2 * HALF / (dim - 2))
    schouten = symmetric(ring, dim, lambda i, j: outer * (ricci[i, j] - share * g[i, j]))
    pairs = list(combinations(range(dim), 2))
    for (l, k), (i, j) in product(pairs, repeat=2):
        wedge = ((l, i, k, j, -1), (k, j, l, i, -1), (l, j, k, i, 1), (k, i, l, j, 1))
        value = riemann[l, k, i, j] + ring.dot((s * schouten[a, b], g[c, e]) for a, b, c, e, s in wedge)
        result[l, k, i, j] = result[k, l, j, i] = value
        result[k, l, i, j] = result[l, k, j, i] = -value
    return result


def riemann_squared(ring: Ring[E], inverse: np.ndarray, riemann: np.ndarray) -> E:
    """|Rm|² = R_lkij R^lkij (the Kretschmann scalar), through the metric on bivectors."""
    pairs = list(combinations(range(len(inverse)), 2))
    size = range(len(pairs))
    lifted = ring.array((len(pairs), len(pairs)))
    for a, b in product(size, size):
        (l, k), _ = pairs[a], pairs[b]
        lifted[a, b] = ring.dot((_bivector(inverse, l, k, p, q), riemann[(p, q, *pairs[b])]) for p, q in pairs)
    return ring.number(4) * ring.dot((lifted[a, b], lifted[b, a]) for a, b in product(size, size))


def _bivector(inverse: np.ndarray, l: int, k: int, p: int, q: int) -> Any:
    return inverse[l, p] * inverse[k, q] - inverse[l, q] * inverse[k, p]


def gradient(ring: Ring[E], inverse: np.ndarray, f: Any) -> np.ndarray:
    """(∇f)^i = g^{ij} ∂_j f."""
    slopes = [ring.d(f, j) for j in range(len(inverse))]
    result = ring.array(len(inverse))
    for i in range(len(inverse)):
        result[i] = ring.dot(zip(inverse[i], slopes, strict=True))
    return result


def hessian(ring: Ring[E], gamma: np.ndarray, f: Any) -> np.ndarray:
    """∇_i∇_j f = ∂_i∂_j f − Γ^k_ij ∂_k f."""
    dim = len(gamma)
    slopes = [ring.d(f, k) for k in range(dim)]
    return symmetric(
        ring, dim, lambda i, j: ring.d(slopes[j], i) - ring.dot((gamma[k, i, j], slopes[k]) for k in range(dim))
    )


def laplacian(ring: Ring[E], inverse: np.ndarray, gamma: np.ndarray, f: Any) -> E:
    """Δf = g^{ij} ∇_i∇_j f: at most zero on maxima."""
    return trace(ring, inverse, hessian(ring, gamma, f))


def lie_derivative(ring: Ring[E], field: np.ndarray, tensor: np.ndarray) -> np.ndarray:
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


def covariant_derivative(ring: Ring[E], gamma: np.ndarray, tensor: np.ndarray) -> np.ndarray:
    """`result[..., k]` = ∇_k T of a tensor with lower indices: ∇_k T_ij = ∂_k T_ij − Γ^m_ki T_mj − Γ^m_kj T_im."""
    result, dim = ring.differential(tensor), len(gamma)
    for place in np.ndindex(result.shape):
        *indices, k = place
        for position, i in enumerate(indices):
            moved = ((gamma[m, k, i], tensor[(*indices[:position], m, *indices[position + 1 :])]) for m in range(dim))
            result[place] = result[place] - ring.dot(moved)
    return result


def divergence(ring: Ring[E], inverse: np.ndarray, gamma: np.ndarray, tensor: np.ndarray) -> np.ndarray:
    """(div T)_j = g^{ik} ∇_k T_ij; of the Einstein tensor, zero (contracted Bianchi)."""
    dim = len(gamma)
    nabla = covariant_derivative(ring, gamma, tensor)
    result = ring.array(dim)
    for j in range(dim):
        result[j] = ring.dot((inverse[i, k], nabla[i, j, k]) for i, k in product(range(dim), repeat=2))
    return result


def deturck_field(ring: Ring[E], inverse: np.ndarray, gamma: np.ndarray, background: np.ndarray) -> np.ndarray:
    """W^k = g^{ij}(Γ^k_ij − Γ̄^k_ij): Ricci–DeTurck flow is ∂_t g = −2 Ric + L_W g."""
    dim = len(gamma)
    result = ring.array(dim)
    for k in range(dim):
        result[k] = trace(ring, inverse, gamma[k] - background[k])
    return result


def pullback(ring: Ring[E], jacobian: np.ndarray, tensor: np.ndarray) -> np.ndarray:
    """(F*T)_ab = ∂_a F^i ∂_b F^j T_ij; `jacobian[i, a]` = ∂_a F^i, `tensor` already composed with F."""
    rows, columns = jacobian.shape
    half = ring.array((rows, columns))
    for i, b in product(range(rows), range(columns)):
        half[i, b] = ring.dot((tensor[i, j], jacobian[j, b]) for j in range(rows))
    return symmetric(ring, columns, lambda a, b: ring.dot((jacobian[i, a], half[i, b]) for i in range(rows)))


def complex_hessian(ring: Ring[E], f: Any, dim: int) -> np.ndarray:
    """`result[a, b]` = ∂_a ∂_b̄ f."""
    result = ring.array((dim, dim))
    for a in range(dim):
        slope = ring.d(f, a)
        result[a] = [ring.d(slope, dim + b) for b in range(dim)]
    return result


def complex_trace(ring: Ring[E], inverse: np.ndarray, tensor: np.ndarray) -> E:
    """g^{ab̄} T_{ab̄}."""
    n = len(inverse)
    return ring.real(ring.dot((inverse[b, a], tensor[a, b]) for a, b in product(range(n), repeat=2)))


def complex_laplacian(ring: Ring[E], inverse: np.ndarray, f: Any) -> E:
    """Δ_∂ f = g^{ab̄} ∂_a∂_b̄ f, half of the real Laplacian."""
    return complex_trace(ring, inverse, complex_hessian(ring, f, len(inverse)))


def kahler_riemann(ring: Ring[E], g: np.ndarray, inverse: np.ndarray) -> np.ndarray:
    """`result[a, b, c, d]` = R_{ab̄cd̄} = −∂_c∂_d̄ g_{ab̄} + g^{ef̄} ∂_c g_{af̄} ∂_d̄ g_{eb̄}."""
    n = len(g)
    holomorphic = ring.differential(g, range(n))
    conjugate = ring.differential(g, range(n, 2 * n))
    lifted = ring.array((n, n, n))
    for e, b, d in product(range(n), repeat=3):
        lifted[e, b, d] = ring.dot((inverse[e, f], conjugate[f, b, d]) for f in range(n))
    result = ring.array((n,) * 4)
    for a, b, c, d in product(range(n), repeat=4):
        bent = ring.dot((holomorphic[a, e, c], lifted[e, b, d]) for e in range(n))
        result[a, b, c, d] = bent - ring.d(holomorphic[a, b, c], n + d)
    return result


def kahler_riemann_squared(ring: Ring[E], inverse: np.ndarray, riemann: np.ndarray) -> E:
    """|Rm|² of the real metric: 4 R_{ab̄cd̄} R^{ab̄cd̄}; 48 for the Fubini–Study metric of CP²."""
    n = len(inverse)
    mixed = ring.array((n,) * 4)
    for a, e, c, f in product(range(n), repeat=4):
        mixed[a, e, c, f] = ring.dot(
            (inverse[b, e] * inverse[d, f], riemann[a, b, c, d]) for b, d in product(range(n), repeat=2)
        )
    places = list(product(range(n), repeat=4))
    return ring.real(ring.number(4) * ring.dot((mixed[a, e, c, f], mixed[e, a, f, c]) for a, e, c, f in places))
