"""Kernels with tensor indices, Θ_ijkl(x, x'), what all of them can do, and those made from a scalar kernel K(x, x').

Metric-NTK (Halverson and Ruehle, eq. (2.7)): Θ_ijkl(x, x') = Σ_I ∂g_ij(x)/∂θ_I ∂g_kl(x')/∂θ_I, as an array
Theta[p, q, i, j, k, l]: points before components. It acts on cotangents D^{kl} with the full index sum,
δg_ij(x_p) = Σ_q Σ_{kl} Θ_ijkl(x_p, y_q) D^{kl}(y_q), eq. (2.8). On a grid `KernelFlow` acts through `kernel.on(grid)`.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import Any, final

import numpy as np

from geomflow.core import memory
from geomflow.core.errors import InputError, PositivityError, ShapeError
from geomflow.core.notebook import Facts, InNotebook, fields_of
from geomflow.core.numbers import generator, require_unmasked
from geomflow.field.matrices import smallest_eigenvalue
from geomflow.kernels.kernel import Kernel

DENSE = 1 << 22
"""Kernels with at most so many entries are compared as arrays, larger ones by random probes."""


class TangentKernel(InNotebook):
    """A symmetric positive semi-definite kernel on metrics (or on Hermitian forms), Θ(x, x')."""

    def __facts__(self) -> Facts:
        return fields_of(self)

    @abstractmethod
    def theta(self, x: Any, y: Any = None, g_x: Any = None, g_y: Any = None) -> np.ndarray:
        """Theta[p, q, i, j, k, l]. Its bytes are required first (MemoryLimitError).

        Parameters
        ----------
        x : (p, d) array
            Points.
        y : (q, d) array, optional
            Others; x unless given.
        g_x, g_y : (p, d, d) and (q, d, d) arrays, optional
            The metrics at the points, for kernels that evolve with the metric.
        """

    @abstractmethod
    def apply(self, x: Any, y: Any, cotangent: np.ndarray, g_x: Any = None, g_y: Any = None,
              block: int | None = None) -> np.ndarray:
        """δg_ij(x_p) = Σ_q Σ_{kl} Θ_ijkl(x_p, y_q) D^{kl}(y_q), (p, d, d), without the array.

        Parameters
        ----------
        x : (p, d) array
            Where the sums are wanted.
        y : (q, d) array or None
            What is summed over; None means x.
        cotangent : (q, d, d) array
            D^{kl}.
        g_x, g_y : (p, d, d) and (q, d, d) arrays, optional
            The metrics at the points, for kernels that evolve with the metric.
        block : int, optional
            Points handled at once.
        """

    def matrix(self, x: Any, y: Any = None, g_x: Any = None, g_y: Any = None) -> np.ndarray:
        """Θ over pairs (p, ij), (q, kl): (p d², q d²); symmetric (Hermitian) and positive semi-definite where y = x.

        Parameters
        ----------
        x : (p, d) array
            Points.
        y : (q, d) array, optional
            Others; x unless given.
        g_x, g_y : (p, d, d) and (q, d, d) arrays, optional
            The metrics at the points, for kernels that evolve with the metric.
        """
        return pair_matrix(self.theta(x, y, g_x, g_y))

    def probe(self, stream: np.random.Generator, points: int, dim: int) -> np.ndarray:
        """A random cotangent (points, dim, dim) with independent standard normal components.

        Parameters
        ----------
        stream : numpy.random.Generator
            What draws it.
        points : int
            How many.
        dim : int
            d.
        """
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

    Exact where Θ has at most `DENSE` entries; else estimated by random cotangents, ‖Θ‖² = E‖Θ D‖², the same ones above
    and below.

    Parameters
    ----------
    initial, current : TangentKernel
        Θ_0 and Θ_t.
    x : (p, d) array
        Points.
    g_initial, g_current : (p, d, d) array, optional
        The metrics, for kernels that evolve with them.
    seed : int or numpy.random.Generator
        What draws the cotangents.
    probes : int
        How many are drawn.
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


def frame(metric: np.ndarray) -> np.ndarray:
    """The lower triangular frame E (..., d, d) with g = E Eᵀ, its diagonal positive.

    Raises PositivityError with the smallest eigenvalue and the index of its point.
    """
    try:
        return np.linalg.cholesky(metric)
    except np.linalg.LinAlgError:
        lowest, index = smallest_eigenvalue(metric)
        raise PositivityError(f"a frame needs a positive metric: the smallest eigenvalue is {lowest:.6g}, at point "
                              f"{index}.") from None


def from_frame(e: np.ndarray, components: np.ndarray) -> np.ndarray:
    """E h Eᵀ: the tensor h_ij with these frame components."""
    return e @ components @ np.swapaxes(e, -1, -2)


def pulled(e: np.ndarray, upper: np.ndarray) -> np.ndarray:
    """Eᵀ D E: the frame components of D^{kl}, the adjoint of `from_frame`."""
    return np.swapaxes(e, -1, -2) @ upper @ e


def symmetric(values: np.ndarray) -> np.ndarray:
    """½(h + hᵀ)."""
    return 0.5 * (values + np.swapaxes(values, -1, -2))


@dataclass(frozen=True)
class ScalarStructure(TangentKernel):
    """A tangent kernel made of a scalar one, K, and an index structure; InputError for what is no scalar kernel."""

    kernel: Kernel

    def __post_init__(self) -> None:
        if not isinstance(self.kernel, Kernel):
            raise InputError(f"{type(self).__name__} is made of a scalar kernel, such as GaussianKernel(0.1), and "
                             f"{self.kernel!r} was given.")


class ConstantStructure(ScalarStructure):
    """Θ_ijkl = c_ijkl K(x, x') with numbers c. On points the dimension is that of their coordinates."""

    @abstractmethod
    def _part(self, values: np.ndarray) -> np.ndarray:
        """What c leaves of tensors (..., d, d)."""

    def theta(self, x: Any, y: Any = None, g_x: Any = None, g_y: Any = None) -> np.ndarray:
        """c_ijkl K."""
        delta = np.eye(np.shape(x)[1])
        require_theta(len(x), len(x if y is None else y), len(delta))
        return np.multiply.outer(self.kernel.matrix(x, y), self._part(np.einsum("ik,jl->ijkl", delta, delta)))

    def apply(self, x: Any, y: Any, cotangent: np.ndarray, g_x: Any = None, g_y: Any = None,
              block: int | None = None) -> np.ndarray:
        """Σ_q K(x_p, y_q) c D(y_q)."""
        return self.kernel.apply(x, y, self._part(cotangents(cotangent, len(x if y is None else y))), block)


@final
@dataclass(frozen=True)
class Kronecker(ConstantStructure):
    """Θ_ijkl = δ_ik δ_jl K(x, x'): the frozen kernel of independent components, eq. (2.23) of Halverson and Ruehle.

    Parameters
    ----------
    kernel : Kernel
        K.
    """

    def _part(self, values: np.ndarray) -> np.ndarray:
        return values


@final
@dataclass(frozen=True)
class Symmetrised(ConstantStructure):
    """Θ_ijkl = ½(δ_ik δ_jl + δ_il δ_jk) K(x, x'): `Kronecker` on symmetric tensors.

    Parameters
    ----------
    kernel : Kernel
        K.
    """

    def _part(self, values: np.ndarray) -> np.ndarray:
        return symmetric(values)


@final
@dataclass(frozen=True)
class Covariant(ScalarStructure):
    """Θ(x, x') = S(x) w(x)^{−1/2} K(x, x') w(x')^{−1/2} S(x')ᵀ, S = E⊗E, with the lower Cholesky frame g = E Eᵀ.

    It evolves with the metric and is positive; w is the density of the measure of the inner product. As K tends to
    the delta function it tends to ½(g_ik g_jl + g_il g_jk) δ(x − x')/w, Perelman's kernel.

    On points, the metrics there are needed; w is √det g unless `w_x` (p,), `w_y` (q,) are given.

    Parameters
    ----------
    kernel : Kernel
        K.
    """

    def theta(self, x: Any, y: Any = None, g_x: Any = None, g_y: Any = None, w_x: Any = None,
              w_y: Any = None) -> np.ndarray:
        """½(M_ik M_jl + M_il M_jk) K/√(w w'), M = E(x) E(x')ᵀ.

        Parameters
        ----------
        x : (p, d) array
            Points.
        y : (q, d) array, optional
            Others; x unless given.
        g_x, g_y : (p, d, d) and (q, d, d) arrays
            The metrics at the points.
        w_x, w_y : (p,) and (q,) arrays, optional
            w at the points; √det g unless given.
        """
        left, root = _frames(x, g_x, w_x)
        right, root_y = (left, root) if y is None else _frames(y, g_y, w_y)
        require_theta(len(left), len(right), left.shape[-1])
        m = np.einsum("pia,qka->pqik", left, right)
        scalar = self.kernel.matrix(x, y) / (root[:, None] * root_y)
        result = np.einsum("pqik,pqjl->pqijkl", m, m)
        result = 0.5 * (result + result.swapaxes(-1, -2))
        result *= scalar[:, :, None, None, None, None]
        return result

    def apply(self, x: Any, y: Any, cotangent: np.ndarray, g_x: Any = None, g_y: Any = None,
              block: int | None = None, w_x: Any = None, w_y: Any = None) -> np.ndarray:
        """w^{−1/2} E (Σ_q K w'^{−1/2} E'ᵀ ½(D + Dᵀ) E') Eᵀ.

        Parameters
        ----------
        x : (p, d) array
            Where the sums are wanted.
        y : (q, d) array or None
            What is summed over; None means x.
        cotangent : (q, d, d) array
            D^{kl}.
        g_x, g_y : (p, d, d) and (q, d, d) arrays
            The metrics at the points.
        block : int, optional
            Points handled at once.
        w_x, w_y : (p,) and (q,) arrays, optional
            w at the points; √det g unless given.
        """
        left, root = _frames(x, g_x, w_x)
        right, root_y = (left, root) if y is None else _frames(y, g_y, w_y)
        inner = pulled(right, symmetric(cotangents(cotangent, len(right)))) / root_y[:, None, None]
        return from_frame(left, self.kernel.apply(x, y, inner, block)) / root[:, None, None]


def _frames(x: Any, metric: Any, density: Any) -> tuple[np.ndarray, np.ndarray]:
    """Frames (p, d, d) and √w (p,) at the points."""
    if metric is None:
        raise InputError("the covariant kernel evolves with the metric: give the metrics at the points, g_x (p, d, d) "
                         "and, where y is given, g_y (q, d, d).")
    g = np.asarray(metric, dtype=float)
    if g.ndim != 3 or len(g) != len(x) or g.shape[1] != g.shape[2]:
        raise ShapeError(f"metrics of shape {g.shape} were given at {len(x)} points; ({len(x)}, d, d) is needed.")
    e = frame(g)
    if density is None:
        return e, np.sqrt(np.prod(np.diagonal(e, axis1=-2, axis2=-1), axis=-1))
    return e, np.sqrt(np.broadcast_to(np.asarray(density, dtype=float), len(g)))
