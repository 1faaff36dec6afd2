"""The tensors of a metric over any ring, each computed once, on first use."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Generic, TypeVar, final

import numpy as np

from geomflow.symbolic import curvature as cv
from geomflow.symbolic.linear import determinant, inverse
from geomflow.symbolic.ring import ExactRing, Ring


class MetricTensors(ABC):
    """The curvature of a symmetric (d, d) matrix of ring elements.

    Index order as everywhere: `christoffel[k, i, j]` = Γ^k_ij, `riemann_lower[l, k, i, j]` = R_lkij.
    """

    matrix: np.ndarray

    @property
    @abstractmethod
    def ring(self) -> Any:
        """The ring of the components, whose first d derivations are along the coordinates."""

    @property
    def dim(self) -> int:
        """d."""
        return len(self.matrix)

    @cached_property
    def determinant(self) -> Any:
        """det g."""
        return determinant(self.ring, self.matrix)

    @cached_property
    def inverse(self) -> np.ndarray:
        """g^{ij}."""
        return inverse(self.ring, self.matrix)

    @cached_property
    def derivatives(self) -> np.ndarray:
        """`[i, j, k]` = ∂_k g_ij."""
        return cv.first_derivatives(self.ring, self.matrix)

    @cached_property
    def christoffel_lower(self) -> np.ndarray:
        """`[m, i, j]` = Γ_m,ij."""
        return cv.christoffel_lower(self.ring, self.derivatives)

    @cached_property
    def christoffel(self) -> np.ndarray:
        """`[k, i, j]` = Γ^k_ij."""
        return cv.christoffel(self.ring, self.inverse, self.christoffel_lower)

    @cached_property
    def riemann_lower(self) -> np.ndarray:
        """`[l, k, i, j]` = R_lkij."""
        return cv.riemann_lower(self.ring, self.derivatives, self.christoffel_lower, self.christoffel)

    @cached_property
    def riemann(self) -> np.ndarray:
        """`[l, k, i, j]` = R^l_kij."""
        return cv.raise_first(self.ring, self.inverse, self.riemann_lower)

    @cached_property
    def ricci(self) -> np.ndarray:
        """`[i, j]` = R_ij."""
        return cv.ricci(self.ring, self.inverse, self.riemann_lower)

    @cached_property
    def scalar(self) -> Any:
        """R = g^{ij} R_ij."""
        return cv.trace(self.ring, self.inverse, self.ricci)

    @cached_property
    def einstein(self) -> np.ndarray:
        """`[i, j]` = R_ij − ½ R g_ij."""
        return cv.einstein(self.ring, self.matrix, self.ricci, self.scalar)

    @cached_property
    def weyl_lower(self) -> np.ndarray:
        """`[l, k, i, j]` = W_lkij."""
        return cv.weyl_lower(self.ring, self.matrix, self.riemann_lower, self.ricci, self.scalar)

    @cached_property
    def weyl(self) -> np.ndarray:
        """`[l, k, i, j]` = W^l_kij."""
        return cv.raise_first(self.ring, self.inverse, self.weyl_lower)

    @cached_property
    def riemann_squared(self) -> Any:
        """|Rm|²."""
        return cv.riemann_squared(self.ring, self.inverse, self.riemann_lower)

    def laplacian(self, f: Any) -> Any:
        """Δf = g^{ij}(∂_i∂_j f − Γ^k_ij ∂_k f)."""
        return cv.laplacian(self.ring, self.inverse, self.christoffel, f)

    def hessian(self, f: Any) -> np.ndarray:
        """`[i, j]` = ∇_i∇_j f."""
        return cv.hessian(self.ring, self.christoffel, f)

    def gradient(self, f: Any) -> np.ndarray:
        """`[i]` = g^{ij} ∂_j f."""
        return cv.gradient(self.ring, self.inverse, f)

    def divergence(self, tensor: np.ndarray) -> np.ndarray:
        """`[j]` = g^{ik} ∇_k T_ij."""
        return cv.divergence(self.ring, self.inverse, self.christoffel, tensor)

    def lie_derivative(self, field: np.ndarray, tensor: np.ndarray | None = None) -> np.ndarray:
        """(L_X T)_ij, of the metric itself unless another (0, 2) tensor is given."""
        return cv.lie_derivative(self.ring, field, self.matrix if tensor is None else tensor)

    def deturck_field(self, background: np.ndarray | None = None) -> np.ndarray:
        """W^k = g^{ij}(Γ^k_ij − Γ̄^k_ij); the background connection `[k, i, j]` is flat unless given."""
        flat = self.ring.array((self.dim,) * 3)
        return cv.deturck_field(self.ring, self.inverse, self.christoffel, flat if background is None else background)


@final
@dataclass(frozen=True, eq=False)
class RingTensors(MetricTensors):
    """The tensors of a matrix over a given ring."""

    base: ExactRing
    matrix: np.ndarray

    @property
    def ring(self) -> ExactRing:
        return self.base


R = TypeVar("R", bound=Ring)


@final
@dataclass(frozen=True, eq=False)
class KahlerTensors(Generic[R]):
    """The tensors of a Kähler metric `matrix[a, b]` = g_{ab̄} over a ring with derivations ∂_a, ∂_ā."""

    ring: R
    matrix: np.ndarray

    @cached_property
    def determinant(self) -> Any:
        """det g_{ab̄}."""
        return determinant(self.ring, self.matrix)

    @property
    def leading_minors(self) -> list[Any]:
        """The determinants of the upper left blocks, the last one det g: all positive where g is (Sylvester)."""
        sizes = range(1, len(self.matrix))
        return [*(determinant(self.ring, self.matrix[:k, :k]) for k in sizes), self.determinant]

    @cached_property
    def inverse(self) -> np.ndarray:
        """The inverse matrix: g^{ab̄} = `inverse[b, a]`."""
        return inverse(self.ring, self.matrix, mirror=self.ring.mirror)

    @cached_property
    def ricci(self) -> np.ndarray:
        """`[a, b]` = R_{ab̄} = −∂_b̄(∂_a det g / det g)."""
        n = len(self.matrix)
        result = self.ring.array((n, n))
        for a in range(n):
            slope = self.ring.d(self.determinant, a) / self.determinant
            result[a] = [-self.ring.d(slope, n + b) for b in range(n)]
        return result

    @cached_property
    def scalar(self) -> Any:
        """R = 2 g^{ab̄} R_{ab̄}."""
        return self.ring.number(2) * cv.complex_trace(self.ring, self.inverse, self.ricci)

    @cached_property
    def riemann(self) -> np.ndarray:
        """`[a, b, c, d]` = R_{ab̄cd̄}."""
        return cv.kahler_riemann(self.ring, self.matrix, self.inverse)

    @cached_property
    def riemann_squared(self) -> Any:
        """|Rm|² of the real metric."""
        return cv.kahler_riemann_squared(self.ring, self.inverse, self.riemann)

    def laplacian(self, f: Any) -> Any:
        """Δ_∂ f = g^{ab̄} ∂_a∂_b̄ f."""
        return cv.complex_laplacian(self.ring, self.inverse, f)
