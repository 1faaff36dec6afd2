"""The tensors of a metric over any ring, each computed once, on first use."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Generic, TypeVar, final

import numpy as np

from geomflow.symbolic import curvature as cv
from geomflow.symbolic.linear import determinant, inverse
from geomflow.symbolic.ring import HALF, E, ExactRing, Ring


class MetricTensors(ABC, Generic[E]):
    """The curvature of a symmetric (d, d) matrix of ring elements.

    Index order as everywhere: `christoffel[k, i, j]` = Γ^k_ij, `riemann_lower[l, k, i, j]` = R_lkij.
    """

    matrix: np.ndarray

    @property
    @abstractmethod
    def ring(self) -> Ring[E]:
        """The ring of the components, whose first d derivations are along the coordinates."""

    @property
    def dim(self) -> int:
        """d."""
        return len(self.matrix)

    @cached_property
    def determinant(self) -> E:
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
    def scalar(self) -> E:
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
    def riemann_squared(self) -> E:
        """|Rm|²."""
        return cv.riemann_squared(self.ring, self.inverse, self.riemann_lower)

    def laplacian(self, f: E) -> E:
        """Δf = g^{ij}(∂_i∂_j f − Γ^k_ij ∂_k f)."""
        return cv.laplacian(self.ring, self.inverse, self.christoffel, f)

    def hessian(self, f: E) -> np.ndarray:
        """`[i, j]` = ∇_i∇_j f."""
        return cv.hessian(self.ring, self.christoffel, f)

    def gradient(self, f: E) -> np.ndarray:
        """`[i]` = g^{ij} ∂_j f."""
        return cv.gradient(self.ring, self.inverse, f)

    def outer(self, s: E, t: E) -> np.ndarray:
        """`[i, j]` = ½(∂_i s ∂_j t + ∂_j s ∂_i t)."""
        ds, dt = ([self.ring.d(u, i) for i in range(self.dim)] for u in (s, t))
        return cv.symmetric(self.ring, self.dim, lambda i, j: (ds[i] * dt[j] + dt[i] * ds[j]) * HALF)

    def pairing(self, s: E, t: E) -> E:
        """⟨∇s, ∇t⟩ = g^{ij} ∂_i s ∂_j t."""
        return cv.trace(self.ring, self.inverse, self.outer(s, t))

    def raised(self, tensor: np.ndarray) -> np.ndarray:
        """`[i, j]` = T^{ij} = g^{ik} T_kl g^{lj} of a symmetric tensor."""
        half, d = self.ring.multiply(self.inverse, tensor), range(self.dim)
        return cv.symmetric(self.ring, self.dim,
                            lambda i, j: self.ring.dot((half[i, l], self.inverse[l, j]) for l in d))

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
class RingTensors(MetricTensors[Any]):
    """The tensors of a matrix over a given ring."""

    base: ExactRing[Any]
    matrix: np.ndarray

    @property
    def ring(self) -> ExactRing[Any]:
        return self.base


R = TypeVar("R", bound=Ring[Any])


@final
@dataclass(frozen=True, eq=False)
class KahlerTensors(Generic[R]):
    """The tensors of a Kähler metric `matrix[a, b]` = g_{ab̄} over a ring with derivations ∂_a, ∂_ā."""

    ring: R
    matrix: np.ndarray
    known_inverse: np.ndarray | None = None
    """The inverse matrix where it is known otherwise, as that of unknowns beside the metric is."""

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
        if self.known_inverse is not None:
            return self.known_inverse
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

    def hessian(self, f: Any) -> np.ndarray:
        """`[a, b]` = ∂_a∂_b̄ f."""
        return cv.complex_hessian(self.ring, f, len(self.matrix))

    def trace(self, tensor: np.ndarray) -> Any:
        """g^{ab̄} T_{ab̄}, real."""
        return cv.complex_trace(self.ring, self.inverse, tensor)

    def outer(self, s: Any, t: Any) -> np.ndarray:
        """`[a, b]` = ½(∂_a s ∂_b̄ t + ∂_a t ∂_b̄ s)."""
        ring, n = self.ring, len(self.matrix)
        ds, dt = ([ring.d(u, k) for k in range(2 * n)] for u in (s, t))
        half, result = ring.number(HALF), ring.array((n, n))
        for a, b in np.ndindex(n, n):
            result[a, b] = half * (ds[a] * dt[n + b] + dt[a] * ds[n + b])
        return result

    def pairing(self, s: Any, t: Any) -> Any:
        """⟨∂s, ∂t⟩ = Re g^{ab̄} ∂_a s ∂_b̄ t."""
        return self.trace(self.outer(s, t))

    def raised(self, tensor: np.ndarray) -> np.ndarray:
        """`[c, d]` = T^{cd̄} = g^{cb̄} g^{ad̄} T_{ab̄}."""
        return self.ring.multiply(self.inverse, tensor, self.inverse).T

    def contracted(self, first: np.ndarray, second: np.ndarray) -> Any:
        """S_{ab̄} T^{b̄a}, real."""
        lifted = self.ring.multiply(self.inverse, first, self.inverse)
        return self.ring.real(self.ring.dot((lifted[b, a], second[a, b]) for a, b in np.ndindex(second.shape)))

    def composed(self, first: np.ndarray, second: np.ndarray) -> np.ndarray:
        """`[a, b]` = ½(S_{ac̄} g^{c̄e} T_{eb̄} + T_{ac̄} g^{c̄e} S_{eb̄})."""
        one, other = (self.ring.multiply(x, self.inverse, y) for x, y in ((first, second), (second, first)))
        half, result = self.ring.number(HALF), self.ring.array(one.shape)
        for place in np.ndindex(result.shape):
            result[place] = half * (one[place] + other[place])
        return result
