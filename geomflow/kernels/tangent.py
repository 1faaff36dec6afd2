"""Kernels with tensor indices, Θ_ijkl(x, x'), and what all of them can do.

Metric-NTK (Halverson and Ruehle, eq. (2.7)): Θ_ijkl(x, x') = Σ_I ∂g_ij(x)/∂θ_I ∂g_kl(x')/∂θ_I, as an array
Theta[p, q, i, j, k, l]: points before components. It acts on cotangents D^{kl} with the full index sum,
δg_ij(x_p) = Σ_q Σ_{kl} Θ_ijkl(x_p, y_q) D^{kl}(y_q), eq. (2.8).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import numpy as np

from geomflow.core import memory
from geomflow.core.errors import ShapeError
from geomflow.core.numbers import require_unmasked
from geomflow.core.seeds import generator

DENSE = 1 << 22
"""Kernels with at most so many entries are compared as arrays, larger ones by random probes."""


class TangentKernel(ABC):
    """A symmetric positive semi-definite kernel on metrics (or on Hermitian forms), Θ(x, x').

    `g_x`, `g_y` are the metrics at the points, (p, d, d) and (q, d, d), for the kernels that evolve with the metric.
    """

    @abstractmethod
    def theta(self, x: Any, y: Any = None, g_x: Any = None, g_y: Any = None) -> np.ndarray:
        """Theta[p, q, i, j, k, l]; y = x unless given. Its bytes are required first (MemoryLimitError)."""

    @abstractmethod
    def apply(self, x: Any, y: Any, cotangent: np.ndarray, g_x: Any = None, g_y: Any = None,
              block: int | None = None) -> np.ndarray:
        """δg_ij(x_p) = Σ_q Σ_{kl} Θ_ijkl(x_p, y_q) D^{kl}(y_q), (p, d, d), without the array; y = None means y = x.

        `block` is the number of points handled at once.
        """

    def matrix(self, x: Any, y: Any = None, g_x: Any = None, g_y: Any = None) -> np.ndarray:
        """Θ over pairs (p, ij), (q, kl): (p d², q d²); symmetric (Hermitian) and positive semi-definite where y = x."""
        return pair_matrix(self.theta(x, y, g_x, g_y))

    def probe(self, stream: np.random.Generator, points: int, dim: int) -> np.ndarray:
        """A random cotangent (points, dim, dim) with independent standard normal components."""
        return stream.standard_normal((points, dim, dim))


def pair_matrix(theta: np.ndarray) -> np.ndarray:
    """Theta[p, q, i, j, k, l] as a matrix over the pairs (p, ij), (q, kl).

    Complex Theta[p, q, a, b, c, d] = ∂_a∂_b̄∂'_c∂'_d̄ K has rows (p, ab) and columns (q, dc): so it is Hermitian.
    """
    p, q, d = theta.shape[:3]
    order = (0, 2, 3, 1, 5, 4) if np.iscomplexobj(theta) else (0, 2, 3, 1, 4, 5)
    return theta.transpose(order).reshape(p * d * d, q * d * d)


def require_theta(p: int, q: int, dim: int, itemsize: int = 8, copies: int = 2) -> None:
    """MemoryLimitError, naming the block that fits, where Theta[p, q, i, j, k, l] does not fit."""
    each = copies * itemsize * dim**4
    fits = max(1, int((memory.available() / (2 * each)) ** 0.5))
    memory.require(p * q * each, f"a tensor kernel at {p:,} × {q:,} points with {dim}⁴ components",
                   f"take blocks of at most {fits:,} × {fits:,} points, or sum without it by apply(...)")


def cotangents(values: Any, points: int) -> np.ndarray:
    """D^{kl} as an array (points, d, d), or ShapeError."""
    require_unmasked(values, "the array of cotangents")
    array = np.asarray(values)
    if array.ndim != 3 or len(array) != points or array.shape[1] != array.shape[2]:
        raise ShapeError(f"cotangents of shape {array.shape} were given; ({points}, d, d), one a point, is needed.")
    return array


def drift(initial: TangentKernel, current: TangentKernel, x: np.ndarray, g_initial: Any = None, g_current: Any = None,
          seed: Any = 0, probes: int = 16) -> float:
    """‖Θ_t − Θ_0‖/‖Θ_0‖ on the points x (p, d), in the Frobenius norm over points and components.

    Exact where Θ has at most `DENSE` entries; else estimated by `probes` random cotangents, ‖Θ‖² = E‖Θ D‖², the same
    ones above and below, by `seed`. `g_initial`, `g_current` are the metrics, for kernels that evolve with them.
    """
    dim = initial.theta(x[:1], None, None if g_initial is None else g_initial[:1]).shape[2]
    if (len(x) * dim * dim) ** 2 <= DENSE:
        first = initial.theta(x, None, g_initial)
        return float(np.linalg.norm(current.theta(x, None, g_current) - first) / np.linalg.norm(first))
    stream, above, below = generator(seed), 0.0, 0.0
    for _ in range(probes):
        direction = initial.probe(stream, len(x), dim)
        first = initial.apply(x, None, direction, g_initial)
        above += float(np.linalg.norm(current.apply(x, None, direction, g_current) - first) ** 2)
        below += float(np.linalg.norm(first) ** 2)
    return float(np.sqrt(above / below))
