"""Tensor kernels Θ_ijkl(x, x') on metrics made from a scalar kernel K(x, x'): their index structure.

On a grid `KernelFlow` acts with them through `kernel.on(grid)`; here they act on points.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, final

import numpy as np

from geomflow.core.errors import InputError, PositivityError, ShapeError
from geomflow.field.checks import smallest_eigenvalue
from geomflow.kernels.kernel import Kernel
from geomflow.kernels.tangent import TangentKernel, cotangents, require_theta


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


def to_frame(e: np.ndarray, lower: np.ndarray) -> np.ndarray:
    """E⁻¹ h E⁻ᵀ: the frame components of h_ij."""
    half = np.linalg.solve(e, lower)
    return np.swapaxes(np.linalg.solve(e, np.swapaxes(half, -1, -2)), -1, -2)


def from_frame(e: np.ndarray, components: np.ndarray) -> np.ndarray:
    """E h Eᵀ: the tensor h_ij with these frame components."""
    return e @ components @ np.swapaxes(e, -1, -2)


def pulled(e: np.ndarray, upper: np.ndarray) -> np.ndarray:
    """Eᵀ D E: the frame components of D^{kl}, the adjoint of `from_frame`."""
    return np.swapaxes(e, -1, -2) @ upper @ e


def symmetric(values: np.ndarray) -> np.ndarray:
    """½(h + hᵀ)."""
    return 0.5 * (values + np.swapaxes(values, -1, -2))


@final
@dataclass(frozen=True)
class Kronecker(TangentKernel):
    """Θ_ijkl = δ_ik δ_jl K(x, x'): the frozen kernel of independent components, eq. (2.23) of Halverson and Ruehle.

    On points the dimension is that of their coordinates.
    """

    kernel: Kernel

    def __post_init__(self) -> None:
        _require_scalar(self, self.kernel)

    def theta(self, x: Any, y: Any = None, g_x: Any = None, g_y: Any = None) -> np.ndarray:
        """δ_ik δ_jl K."""
        delta = np.eye(np.shape(x)[1])
        return _outer(self.kernel, x, y, np.einsum("ik,jl->ijkl", delta, delta))

    def apply(self, x: Any, y: Any, cotangent: np.ndarray, g_x: Any = None, g_y: Any = None,
              block: int | None = None) -> np.ndarray:
        """Σ_q K(x_p, y_q) D(y_q)."""
        return self.kernel.apply(x, y, cotangents(cotangent, len(x if y is None else y)), block)


@final
@dataclass(frozen=True)
class Symmetrised(TangentKernel):
    """Θ_ijkl = ½(δ_ik δ_jl + δ_il δ_jk) K(x, x'): `Kronecker` on symmetric tensors."""

    kernel: Kernel

    def __post_init__(self) -> None:
        _require_scalar(self, self.kernel)

    def theta(self, x: Any, y: Any = None, g_x: Any = None, g_y: Any = None) -> np.ndarray:
        """½(δ_ik δ_jl + δ_il δ_jk) K."""
        delta = np.eye(np.shape(x)[1])
        both = np.einsum("ik,jl->ijkl", delta, delta) + np.einsum("il,jk->ijkl", delta, delta)
        return _outer(self.kernel, x, y, 0.5 * both)

    def apply(self, x: Any, y: Any, cotangent: np.ndarray, g_x: Any = None, g_y: Any = None,
              block: int | None = None) -> np.ndarray:
        """Σ_q K(x_p, y_q) ½(D + Dᵀ)(y_q)."""
        return self.kernel.apply(x, y, symmetric(cotangents(cotangent, len(x if y is None else y))), block)


@final
@dataclass(frozen=True)
class Covariant(TangentKernel):
    """Θ(x, x') = S(x) w(x)^{−1/2} K(x, x') w(x')^{−1/2} S(x')ᵀ, S = E⊗E, with the lower Cholesky frame g = E Eᵀ.

    It evolves with the metric and is positive; w is the density of the measure of the inner product. As K tends to
    the delta function it tends to ½(g_ik g_jl + g_il g_jk) δ(x − x')/w, Perelman's kernel.

    On points, the metrics there are needed; w is √det g unless `w_x` (p,), `w_y` (q,) are given.
    """

    kernel: Kernel

    def __post_init__(self) -> None:
        _require_scalar(self, self.kernel)

    def theta(self, x: Any, y: Any = None, g_x: Any = None, g_y: Any = None, w_x: Any = None,
              w_y: Any = None) -> np.ndarray:
        """½(M_ik M_jl + M_il M_jk) K/√(w w'), M = E(x) E(x')ᵀ."""
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
        """w^{−1/2} E (Σ_q K w'^{−1/2} E'ᵀ ½(D + Dᵀ) E') Eᵀ."""
        left, root = _frames(x, g_x, w_x)
        right, root_y = (left, root) if y is None else _frames(y, g_y, w_y)
        inner = pulled(right, symmetric(cotangents(cotangent, len(right)))) / root_y[:, None, None]
        return from_frame(left, self.kernel.apply(x, y, inner, block)) / root[:, None, None]


def _require_scalar(structure: TangentKernel, kernel: Any) -> None:
    if not isinstance(kernel, Kernel):
        raise InputError(f"{type(structure).__name__} is made of a scalar kernel, such as GaussianKernel(0.1), and "
                         f"{kernel!r} was given.")


def _outer(kernel: Kernel, x: Any, y: Any, tensor: np.ndarray) -> np.ndarray:
    require_theta(len(x), len(x if y is None else y), len(tensor))
    return np.multiply.outer(kernel.matrix(x, y), tensor)


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
