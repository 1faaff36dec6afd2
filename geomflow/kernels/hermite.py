"""Functions of Gaussian variables in normalised Hermite polynomials: φ(p z) = Σ_n a_n(p) h_n(z), by quadrature.

E[φ(u) φ(v)] = Σ_n a_n(p) a_n(q) cⁿ for centred u, v of deviations p, q and correlation c: Mehler's formula. The error
of a sum of N terms is at most that of the variances, E[φ²] − Σ_{n<N} a_n², at c = 1.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache
from math import factorial

import numpy as np
from numba import njit
from scipy.special import roots_hermitenorm

from geomflow.core.threads import each, slices
from geomflow.kernels.blocks import contract

#: Nodes of smaller weight are left out.
_LEAST = 1e-280
_POINTS, _DEGREES = 256, 512
#: Waves at up to so many nodes are kept: 8 MB.
_KEPT = 2048


@lru_cache(maxsize=16)
def rule(nodes: int) -> tuple[np.ndarray, np.ndarray]:
    """Nodes z of Gauss–Hermite quadrature, for E[f(z)] = Σ w f(z), and the roots of their weights w."""
    z, w = roots_hermitenorm(nodes)
    w /= w.sum()
    kept = w > _LEAST
    return z[kept], np.sqrt(w[kept])


def waves(nodes: int, order: int) -> Iterable[np.ndarray]:
    """√w h_n(z) at the nodes of the rule, (rows, nodes) for the next rows of `order`: bounded, where h_n overflows."""
    return _kept(nodes, order) if nodes <= _KEPT else _made(nodes, order)


@lru_cache(maxsize=8)
def _kept(nodes: int, order: int) -> tuple[np.ndarray, ...]:
    return tuple(_made(nodes, order))


def _made(nodes: int, order: int) -> Iterator[np.ndarray]:
    z, roots = rule(nodes)
    last = np.stack([np.zeros_like(roots), roots])
    for part in slices(order, _DEGREES):
        out = np.empty((part.stop - part.start, len(z)))
        _ascend(z, part.start, last, out)
        yield out


@njit(cache=True, nogil=True)
def _ascend(z: np.ndarray, first: int, last: np.ndarray, out: np.ndarray) -> None:
    """The rows from `first` on, `last` being the two before the next."""
    for n in range(out.shape[0]):
        up, down = 1 / np.sqrt(first + n + 1), np.sqrt(first + n)
        for q in range(z.size):
            now = last[1, q]
            out[n, q] = now
            last[1, q] = (z[q] * now - down * last[0, q]) * up
            last[0, q] = now


def coefficients(values: np.ndarray, nodes: int, order: int) -> np.ndarray:
    """a_n of functions given at the nodes, (p, nodes): (order, p), the same for any number of threads."""
    weighted, out = values * rule(nodes)[1], np.zeros((order, len(values)))
    for degrees, basis in zip(slices(order, _DEGREES), waves(nodes, order)):
        found = out[degrees]
        each(lambda rows, basis=basis, found=found: contract(weighted[rows], basis, found[:, rows]),
             slices(len(values), _POINTS))
    return out


def monomials(degree: int) -> np.ndarray:
    """E[z^k h_n(z)], (degree + 1, degree + 1): k!/(2^j j! √n!) for k = n + 2j, and zero else."""
    out = np.zeros((degree + 1, degree + 1))
    for n in range(degree + 1):
        for j in range((degree - n) // 2 + 1):
            out[n + 2 * j, n] = factorial(n + 2 * j) / (2**j * factorial(j)) / factorial(n) ** 0.5
    return out
