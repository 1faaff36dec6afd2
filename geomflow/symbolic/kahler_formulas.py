"""Kähler geometry over any ring whose derivations are ∂_1..∂_n, ∂_1̄..∂_n̄.

Conventions: `g[a, b]` = g_{ab̄}, ds² = 2 g_{ab̄} dz^a dz̄^b, R_{ab̄} = −∂_a∂_b̄ log det g,
R = 2 g^{ab̄} R_{ab̄}, Δ_∂ f = g^{ab̄} ∂_a∂_b̄ f with g^{ab̄} = `inverse[b, a]`.
"""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np

from geomflow.symbolic.ring import Ring


def complex_hessian(ring: Ring, f: Any, dim: int) -> np.ndarray:
    """`result[a, b]` = ∂_a ∂_b̄ f."""
    result = ring.array((dim, dim))
    for a in range(dim):
        slope = ring.d(f, a)
        result[a] = [ring.d(slope, dim + b) for b in range(dim)]
    return result


def complex_trace(ring: Ring, inverse: np.ndarray, tensor: np.ndarray) -> Any:
    """g^{ab̄} T_{ab̄}."""
    n = len(inverse)
    return ring.real(ring.dot((inverse[b, a], tensor[a, b]) for a, b in product(range(n), repeat=2)))


def complex_laplacian(ring: Ring, inverse: np.ndarray, f: Any) -> Any:
    """Δ_∂ f = g^{ab̄} ∂_a∂_b̄ f, half of the real Laplacian."""
    return complex_trace(ring, inverse, complex_hessian(ring, f, len(inverse)))


def kahler_riemann(ring: Ring, g: np.ndarray, inverse: np.ndarray) -> np.ndarray:
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


def kahler_riemann_squared(ring: Ring, inverse: np.ndarray, riemann: np.ndarray) -> Any:
    """|Rm|² of the real metric: 4 R_{ab̄cd̄} R^{ab̄cd̄}; 48 for the Fubini–Study metric of CP²."""
    n = len(inverse)
    mixed = ring.array((n,) * 4)
    for a, e, c, f in product(range(n), repeat=4):
        mixed[a, e, c, f] = ring.dot(
            (inverse[b, e] * inverse[d, f], riemann[a, b, c, d]) for b, d in product(range(n), repeat=2)
        )
    places = list(product(range(n), repeat=4))
    return ring.real(ring.number(4) * ring.dot((mixed[a, e, c, f], mixed[e, a, f, c]) for a, e, c, f in places))
