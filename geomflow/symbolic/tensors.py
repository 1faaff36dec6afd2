"""Curvature of a metric and its differential operators, written once over any ring with derivations.

Index order: `derivatives[i, j, k]` = ∂_k g_ij, `christoffel[k, i, j]` = Γ^k_ij, `riemann[l, k, i, j]` = R^l_kij. Signs:
spheres have positive curvature,

    R^l_kij = ∂_i Γ^l_jk − ∂_j Γ^l_ik + Γ^l_im Γ^m_jk − Γ^l_jm Γ^m_ik,   R_kj = R^i_kij,   R = g^kj R_kj.

Only g and its first two derivatives are differentiated, never the inverse: this keeps both graphs and fractions small.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations, combinations_with_replacement, product
from typing import Any, Generic, final

import numpy as np

from geomflow.core.symmetric import packed_places
from geomflow.symbolic.linear import determinant, inverse
from geomflow.symbolic.ring import HALF, E, ExactRing, Ring


class MetricTensors(ABC, Generic[E]):
    """The tensors of a symmetric (d, d) matrix of ring elements, each computed once, on first use."""

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
        ring, dim = self.ring, self.dim
        result = ring.array((dim, dim, dim))
        for i, j in packed_places(dim):
            result[i, j] = result[j, i] = [ring.d(self.matrix[i, j], k) for k in range(dim)]
        return result

    @cached_property
    def christoffel_lower(self) -> np.ndarray:
        """`[m, i, j]` = Γ_m,ij = ½(∂_i g_mj + ∂_j g_mi − ∂_m g_ij)."""
        dg, dim, half = self.derivatives, self.dim, self.ring.number(HALF)
        result = self.ring.array((dim, dim, dim))
        for m, (i, j) in product(range(dim), packed_places(dim)):
            result[m, i, j] = result[m, j, i] = half * (dg[m, j, i] + dg[m, i, j] - dg[i, j, m])
        return result

    @cached_property
    def christoffel(self) -> np.ndarray:
        """`[k, i, j]` = Γ^k_ij = g^{km} Γ_m,ij."""
        ring, dim, inverse, lower = self.ring, self.dim, self.inverse, self.christoffel_lower
        result = ring.array((dim, dim, dim))
        for k, (i, j) in product(range(dim), packed_places(dim)):
            result[k, i, j] = result[k, j, i] = ring.dot(zip(inverse[k], lower[:, i, j], strict=True))
        return result

    @cached_property
    def riemann_lower(self) -> np.ndarray:
        """`[l, k, i, j]` = R_lkij, all of its symmetries used.

        R_lkij = ½(∂_i∂_k g_lj − ∂_i∂_l g_kj − ∂_j∂_k g_li + ∂_j∂_l g_ki) − Γ_m,il Γ^m_jk + Γ_m,jl Γ^m_ik.
        """
        ring, dim, lower, gamma = self.ring, self.dim, self.christoffel_lower, self.christoffel
        result = ring.array((dim,) * 4)
        for (l, k), (i, j) in combinations_with_replacement(list(combinations(range(dim), 2)), 2):
            value = self._second_part(l, k, i, j) + ring.dot(
                (sign * lower[m, a, l], gamma[m, b, k]) for m in range(dim) for sign, a, b in ((-1, i, j), (1, j, i))
            )
            for (p, q), (r, s) in {((l, k), (i, j)), ((i, j), (l, k))}:
                result[p, q, r, s] = result[q, p, s, r] = value
                result[q, p, r, s] = result[p, q, s, r] = -value
        return result

    def _second_part(self, l: int, k: int, i: int, j: int) -> E:
        ring, dg = self.ring, self.derivatives
        terms = [ring.d(dg[l, j, k], i), -ring.d(dg[k, j, l], i), -ring.d(dg[l, i, k], j), ring.d(dg[k, i, l], j)]
        return ring.number(HALF) * ring.total(terms)

    @cached_property
    def riemann(self) -> np.ndarray:
        """`[l, k, i, j]` = R^l_kij."""
        return self.first_raised(self.riemann_lower)

    @cached_property
    def ricci(self) -> np.ndarray:
        """`[k, j]` = R_kj = g^{li} R_lkij."""
        inverse, riemann = self.inverse, self.riemann_lower
        indices = list(product(range(self.dim), repeat=2))
        return self.ring.symmetric(
            self.dim, lambda k, j: self.ring.dot((inverse[l, i], riemann[l, k, i, j]) for l, i in indices)
        )

    @cached_property
    def scalar(self) -> E:
        """R = g^{ij} R_ij."""
        return self.trace(self.ricci)

    @cached_property
    def einstein(self) -> np.ndarray:
        """`[i, j]` = R_ij − ½ R g_ij."""
        half = self.ring.number(HALF) * self.scalar
        return self.ring.symmetric(self.dim, lambda i, j: self.ricci[i, j] - half * self.matrix[i, j])

    @cached_property
    def weyl_lower(self) -> np.ndarray:
        """The Weyl tensor W_lkij = R_lkij − (P ∧ g)_lkij with the Schouten tensor P; zero below dimension 4.

        P = (Ric − R g / (2(d−1))) / (d−2), (P ∧ g)_lkij = P_li g_kj + P_kj g_li − P_lj g_ki − P_ki g_lj.
        """
        ring, dim, g, riemann = self.ring, self.dim, self.matrix, self.riemann_lower
        result = ring.array((dim,) * 4)
        if dim < 4:
            return result
        share = ring.number(HALF / (dim - 1)) * self.scalar
        outer = ring.number(2 * HALF / (dim - 2))
        schouten = ring.symmetric(dim, lambda i, j: outer * (self.ricci[i, j] - share * g[i, j]))
        for (l, k), (i, j) in product(combinations(range(dim), 2), repeat=2):
            wedge = ((l, i, k, j, -1), (k, j, l, i, -1), (l, j, k, i, 1), (k, i, l, j, 1))
            value = riemann[l, k, i, j] + ring.dot((s * schouten[a, b], g[c, e]) for a, b, c, e, s in wedge)
            result[l, k, i, j] = result[k, l, j, i] = value
            result[k, l, i, j] = result[l, k, j, i] = -value
        return result

    @cached_property
    def weyl(self) -> np.ndarray:
        """`[l, k, i, j]` = W^l_kij."""
        return self.first_raised(self.weyl_lower)

    @cached_property
    def riemann_squared(self) -> E:
        """|Rm|² = R_lkij R^lkij (the Kretschmann scalar), through the metric on bivectors."""
        ring, inverse = self.ring, self.inverse
        pairs = list(combinations(range(self.dim), 2))

        def lifted(first: tuple[int, int], second: tuple[int, int]) -> E:
            (l, k) = first
            return ring.dot((inverse[l, p] * inverse[k, q] - inverse[l, q] * inverse[k, p],
                             self.riemann_lower[(p, q, *second)]) for p, q in pairs)

        entries = {places: lifted(*places) for places in product(pairs, repeat=2)}
        return ring.number(4) * ring.dot((entry, entries[b, a]) for (a, b), entry in entries.items())

    # operators

    def gradient(self, f: E) -> np.ndarray:
        """`[i]` = (∇f)^i = g^{ij} ∂_j f."""
        slopes = self.ring.differential(np.array(f, object), range(self.dim))
        return self.ring.multiply(self.inverse, slopes[:, None]).ravel()

    def hessian(self, f: E) -> np.ndarray:
        """`[i, j]` = ∇_i∇_j f = ∂_i∂_j f − Γ^k_ij ∂_k f."""
        ring, gamma = self.ring, self.christoffel
        slopes = [ring.d(f, k) for k in range(self.dim)]
        return ring.symmetric(
            self.dim, lambda i, j: ring.d(slopes[j], i) - ring.dot(zip(gamma[:, i, j], slopes, strict=True))
        )

    def laplacian(self, f: E) -> E:
        """Δf = g^{ij} ∇_i∇_j f: at most zero on maxima."""
        return self.trace(self.hessian(f))

    def outer(self, s: E, t: E) -> np.ndarray:
        """`[i, j]` = ½(∂_i s ∂_j t + ∂_j s ∂_i t)."""
        ds, dt = ([self.ring.d(u, i) for i in range(self.dim)] for u in (s, t))
        return self.ring.symmetric(self.dim, lambda i, j: (ds[i] * dt[j] + dt[i] * ds[j]) * HALF)

    def pairing(self, s: E, t: E) -> E:
        """⟨∇s, ∇t⟩ = g^{ij} ∂_i s ∂_j t."""
        return self.trace(self.outer(s, t))

    def trace(self, tensor: np.ndarray) -> E:
        """g^{ij} T_ij of a symmetric tensor; of the Ricci tensor, the scalar curvature."""
        dim, inverse = self.dim, self.inverse
        pairs = [(inverse[i, i], tensor[i, i]) for i in range(dim)]
        pairs += [(inverse[i, j] + inverse[i, j], tensor[i, j]) for i, j in combinations(range(dim), 2)]
        return self.ring.dot(pairs)

    def first_raised(self, tensor: np.ndarray) -> np.ndarray:
        """The first index raised: g^{lm} T_m... ."""
        return self.ring.multiply(self.inverse, tensor.reshape(self.dim, -1)).reshape(tensor.shape)

    def raised(self, tensor: np.ndarray) -> np.ndarray:
        """`[i, j]` = T^{ij} = g^{ik} T_kl g^{lj} of a symmetric tensor."""
        half, inverse = self.first_raised(tensor), self.inverse
        return self.ring.symmetric(self.dim, lambda i, j: self.ring.dot(zip(half[i], inverse[:, j], strict=True)))

    def covariant_derivative(self, tensor: np.ndarray) -> np.ndarray:
        """`[..., k]` = ∇_k T of a tensor with lower indices: ∇_k T_ij = ∂_k T_ij − Γ^m_ki T_mj − Γ^m_kj T_im."""
        ring, gamma, result = self.ring, self.christoffel, self.ring.differential(tensor)
        for place in np.ndindex(result.shape):
            *indices, k = place
            for position, i in enumerate(indices):
                moved = tensor[(*indices[:position], slice(None), *indices[position + 1 :])]
                result[place] = result[place] - ring.dot(zip(gamma[:, k, i], moved, strict=True))
        return result

    def divergence(self, tensor: np.ndarray) -> np.ndarray:
        """`[j]` = (div T)_j = g^{ik} ∇_k T_ij; of the Einstein tensor, zero (contracted Bianchi)."""
        ring, nabla, result = self.ring, self.covariant_derivative(tensor), self.ring.array(self.dim)
        for j in range(self.dim):
            result[j] = ring.dot(zip(self.inverse.flat, nabla[:, j].flat, strict=True))
        return result

    def lie_derivative(self, field: np.ndarray, tensor: np.ndarray | None = None) -> np.ndarray:
        """(L_X T)_ij = X^k ∂_k T_ij + T_kj ∂_i X^k + T_ik ∂_j X^k, of the metric itself unless T is given."""
        ring, dim, t = self.ring, self.dim, self.matrix if tensor is None else tensor
        dx, result = ring.differential(field), ring.array((dim, dim))
        for i, j in product(range(dim), repeat=2):
            moved = [(field[k], ring.d(t[i, j], k)) for k in range(dim)]
            left, right = zip(t[:, j], dx[:, i], strict=True), zip(t[i], dx[:, j], strict=True)
            result[i, j] = ring.dot([*moved, *left, *right])
        return result

    def deturck_field(self, background: np.ndarray | None = None) -> np.ndarray:
        """W^k = g^{ij}(Γ^k_ij − Γ̄^k_ij): Ricci–DeTurck flow is ∂_t g = −2 Ric + L_W g.

        The background connection `[k, i, j]` is flat unless given.
        """
        flat, result = self.ring.array((self.dim,) * 3), self.ring.array(self.dim)
        for k, difference in enumerate(self.christoffel - (flat if background is None else background)):
            result[k] = self.trace(difference)
        return result


@final
@dataclass(frozen=True, eq=False)
class RingTensors(MetricTensors[Any]):
    """The tensors of a matrix over a given ring."""

    base: ExactRing[Any]
    matrix: np.ndarray

    @property
    def ring(self) -> ExactRing[Any]:
        return self.base
