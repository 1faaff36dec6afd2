"""Curvature of a Kähler metric and its differential operators, written once over any ring with derivations.

The derivations are ∂_1..∂_n, ∂_1̄..∂_n̄ and `matrix[a, b]` = g_{ab̄}, ds² = 2 g_{ab̄} dz^a dz̄^b:

    R_{ab̄} = −∂_a∂_b̄ log det g,   R = 2 g^{ab̄} R_{ab̄},   Δ_∂ f = g^{ab̄} ∂_a∂_b̄ f with g^{ab̄} = `inverse[b, a]`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import product
from typing import Any, Generic, TypeVar, final

import numpy as np

from geomflow.symbolic.linear import determinant, inverse
from geomflow.symbolic.ring import HALF, E, Ring

R = TypeVar("R", bound=Ring[Any])


def complex_hessian(ring: Ring[E], f: E, dim: int) -> np.ndarray:
    """`result[a, b]` = ∂_a ∂_b̄ f."""
    slopes = ring.differential(np.array(f, object), range(dim))
    return ring.differential(slopes, range(dim, 2 * dim))


@final
@dataclass(frozen=True, eq=False)
class KahlerTensors(Generic[R]):
    """The tensors of a Kähler metric `matrix[a, b]` = g_{ab̄} over a ring, each computed once, on first use."""

    ring: R
    matrix: np.ndarray
    known_inverse: np.ndarray | None = None
    """The inverse matrix where it is known otherwise, as that of unknowns beside the metric is."""

    @property
    def dim(self) -> int:
        """The complex dimension n."""
        return len(self.matrix)

    @cached_property
    def determinant(self) -> Any:
        """det g_{ab̄}."""
        return determinant(self.ring, self.matrix)

    @property
    def leading_minors(self) -> list[Any]:
        """The determinants of the upper left blocks, the last one det g: all positive where g is (Sylvester)."""
        return [*(determinant(self.ring, self.matrix[:k, :k]) for k in range(1, self.dim)), self.determinant]

    @cached_property
    def inverse(self) -> np.ndarray:
        """The inverse matrix: g^{ab̄} = `inverse[b, a]`."""
        if self.known_inverse is not None:
            return self.known_inverse
        return inverse(self.ring, self.matrix, mirror=self.ring.mirror)

    @cached_property
    def ricci(self) -> np.ndarray:
        """`[a, b]` = R_{ab̄} = −∂_b̄(∂_a det g / det g)."""
        n = self.dim
        slopes = self.ring.differential(np.array(self.determinant, object), range(n)) / self.determinant
        return -self.ring.differential(slopes, range(n, 2 * n))

    @cached_property
    def scalar(self) -> Any:
        """R = 2 g^{ab̄} R_{ab̄}."""
        return self.ring.number(2) * self.trace(self.ricci)

    @cached_property
    def riemann(self) -> np.ndarray:
        """`[a, b, c, d]` = R_{ab̄cd̄} = −∂_c∂_d̄ g_{ab̄} + g^{ef̄} ∂_c g_{af̄} ∂_d̄ g_{eb̄}."""
        ring, n = self.ring, self.dim
        holomorphic = ring.differential(self.matrix, range(n))
        conjugate = ring.differential(self.matrix, range(n, 2 * n))
        lifted = ring.multiply(self.inverse, conjugate.reshape(n, -1)).reshape(n, n, n)
        result = ring.array((n,) * 4)
        for a, b, c, d in np.ndindex(result.shape):
            bent = ring.dot(zip(holomorphic[a, :, c], lifted[:, b, d], strict=True))
            result[a, b, c, d] = bent - ring.d(holomorphic[a, b, c], n + d)
        return result

    @cached_property
    def riemann_squared(self) -> Any:
        """|Rm|² of the real metric: 4 R_{ab̄cd̄} R^{ab̄cd̄}; 48 for the Fubini–Study metric of CP²."""
        ring, n, inverse, riemann = self.ring, self.dim, self.inverse, self.riemann
        mixed = ring.array((n,) * 4)
        for a, e, c, f in np.ndindex(mixed.shape):
            mixed[a, e, c, f] = ring.dot(
                (inverse[b, e] * inverse[d, f], riemann[a, b, c, d]) for b, d in product(range(n), repeat=2)
            )
        swapped = mixed.transpose(1, 0, 3, 2)
        return ring.real(ring.number(4) * ring.dot(zip(mixed.flat, swapped.flat, strict=True)))

    # operators

    def hessian(self, f: Any) -> np.ndarray:
        """`[a, b]` = ∂_a∂_b̄ f."""
        return complex_hessian(self.ring, f, self.dim)

    def laplacian(self, f: Any) -> Any:
        """Δ_∂ f = g^{ab̄} ∂_a∂_b̄ f, half of the real Laplacian."""
        return self.trace(self.hessian(f))

    def outer(self, s: Any, t: Any) -> np.ndarray:
        """`[a, b]` = ½(∂_a s ∂_b̄ t + ∂_a t ∂_b̄ s)."""
        n = self.dim
        ds, dt = (self.ring.differential(np.array(u, object), range(2 * n)) for u in (s, t))
        return self.ring.scaled(np.multiply.outer(ds[:n], dt[n:]) + np.multiply.outer(dt[:n], ds[n:]), HALF)

    def pairing(self, s: Any, t: Any) -> Any:
        """⟨∂s, ∂t⟩ = Re g^{ab̄} ∂_a s ∂_b̄ t."""
        return self.trace(self.outer(s, t))

    def trace(self, tensor: np.ndarray) -> Any:
        """g^{ab̄} T_{ab̄}, real."""
        return self.ring.real(self.ring.dot(zip(self.inverse.T.flat, tensor.flat, strict=True)))

    def raised(self, tensor: np.ndarray) -> np.ndarray:
        """`[c, d]` = T^{cd̄} = g^{cb̄} g^{ad̄} T_{ab̄}."""
        return self.ring.multiply(self.inverse, tensor, self.inverse).T

    def contracted(self, first: np.ndarray, second: np.ndarray) -> Any:
        """S_{ab̄} T^{b̄a}, real."""
        return self.ring.real(self.ring.dot(zip(self.raised(first).flat, second.flat, strict=True)))

    def composed(self, first: np.ndarray, second: np.ndarray) -> np.ndarray:
        """`[a, b]` = ½(S_{ac̄} g^{c̄e} T_{eb̄} + T_{ac̄} g^{c̄e} S_{eb̄})."""
        one, other = (self.ring.multiply(x, self.inverse, y) for x, y in ((first, second), (second, first)))
        return self.ring.scaled(one + other, HALF)
