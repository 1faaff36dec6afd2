"""Functions of Gaussian variables in normalised Hermite polynomials: φ(p z) = Σ_n a_n(p) h_n(z), by quadrature.

E[φ(u) φ(v)] = Σ_n a_n(p) a_n(q) cⁿ for centred u, v of deviations p, q and correlation c: Mehler's formula. The error
of a sum of N terms is at most that of the variances, E[φ²] − Σ_{n<N} a_n², at c = 1.
"""

from __future__ import annotations

from functools import lru_cache
from math import factorial

import numpy as np
from scipy.special import roots_hermitenorm

from geomflow.core.threads import each, slices
from geomflow.kernels.blocks import contract

#: Nodes of smaller weight are left out.
_LEAST = 1e-280
_POINTS = 256


@lru_cache(maxsize=8)
def rule(nodes: int) -> tuple[np.ndarray, np.ndarray]:
    """Nodes z of Gauss–Hermite quadrature, for E[f(z)] = Σ w f(z), and the roots of their weights w."""
    z, w = roots_hermitenorm(nodes)
    w /= w.sum()
    kept = w > _LEAST
    return z[kept], np.sqrt(w[kept])


@lru_cache(maxsize=8)
def waves(nodes: int, order: int) -> np.ndarray:
    """√w h_n(z) at the nodes of the rule, (order, nodes): bounded, where h_n alone overflows."""
    z, roots = rule(nodes)
    out = np.empty((order, len(z)))
    out[0] = roots
    if order > 1:
        out[1] = z * roots
    for n in range(1, order - 1):
        out[n + 1] = (z * out[n] - np.sqrt(n) * out[n - 1]) / np.sqrt(n + 1)
    return out


def coefficients(values: np.ndarray, nodes: int, order: int) -> np.ndarray:
    """a_n of functions given at the nodes, (p, nodes): (order, p), the same for any number of threads."""
    weighted, basis = values * rule(nodes)[1], waves(nodes, order)
    out = np.zeros((order, len(values)))
    each(lambda rows: contract(weighted[rows], basis, out[:, rows]), slices(len(values), _POINTS))
    return out


def monomials(degree: int) -> np.ndarray:
    """E[z^k h_n(z)], (degree + 1, degree + 1): k!/(2^j j! √n!) for k = n + 2j, and zero else."""
    out = np.zeros((degree + 1, degree + 1))
    for n in range(degree + 1):
        for j in range((degree - n) // 2 + 1):
            out[n + 2 * j, n] = factorial(n + 2 * j) / (2**j * factorial(j)) / factorial(n) ** 0.5
    return out
