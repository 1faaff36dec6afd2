"""Variation by structure of functionals of a real metric, and of a dilaton beside it, dimension-free.

With δg_ij = h_ij and h = g^{ij}h_ij the rules are

    δ dV = ½ h dV,     δg^{ij} = −h^{ij},     δR = −R^{ij}h_ij + ∇^i∇^jh_ij − Δh,
    δR_ij = ½(∇^k∇_ih_jk + ∇^k∇_jh_ik − Δh_ij − ∇_i∇_jh),
    δ⟨∇s,∇t⟩ = ⟨∇δs,∇t⟩ + ⟨∇s,∇δt⟩ − h^{ij}∇_is∇_jt,
    δ(Δs) = Δδs − h^{ij}∇_i∇_js − ∇_ih^{ij}∇_js + ½⟨∇h,∇s⟩,
    δf = ½ h    for f = log(dV/dm) with dm fixed,

each followed by an integration by parts against its weight. Gradients are tensors: scalars times g, Ric, Hessians, ...
Derivatives of scalars are carried to the terms by the chain rule, so that what cancels is seen to cancel.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import product
from typing import ClassVar, final

from geomflow.core import graph as gr
from geomflow.symbolic.ring import HALF
from geomflow.symbolic.variation.algebra import Algebra, Laplacian, Pairing, Scalar, Term, Variation, by_key, no_rule


@final
@dataclass(frozen=True)
class Dilaton(Term):
    """f: an unknown function beside the metric, or log(dV/dm) with the measure dm fixed."""

    fixed_measure: bool

    stem: ClassVar[str] = "f"


@final
@dataclass(frozen=True)
class RicciSquared(Term):
    """|Ric|² = R_ijR^{ij}."""

    stem: ClassVar[str] = "ricci_squared"


@final
@dataclass(frozen=True)
class RicciDivergence(Term):
    """∇_i∇_j(λR^{ij})."""

    weight: gr.Node
    stem: ClassVar[str] = "ricci_divergence"


@final
@dataclass(frozen=True)
class Component(Term):
    """g_ij in the chart: not a scalar, and known only to densities that users write."""

    label: str
    place: tuple[int, int]

    @property
    def name(self) -> str:
        """g_xx, g_xy, ..."""
        return self.label


@final
@dataclass(frozen=True)
class Tensor:
    """A symmetric tensor of two lower indices.

    kind: "metric" g, "ricci" Ric, "hessian" ∇∇s, "outer" ½(∇s⊗∇t + ∇t⊗∇s), "ricci_square" R_ikR^k_j,
    "rough" ∇^k∇_kT_ij and "swapped" ½(∇^k∇_iT_kj + ∇^k∇_jT_ki) of T = λ Ric.
    """

    kind: str
    scalars: tuple[gr.Node, ...] = ()


DILATON = "f"
METRIC, RICCI, RICCI_SQUARE = Tensor("metric"), Tensor("ricci"), Tensor("ricci_square")


@dataclass
class MetricAlgebra(Algebra):
    """Scalars of a metric; `fixed_measure` says whether f is log(dV/dm) or an unknown of its own."""

    fixed_measure: bool = False

    @property
    def dilaton(self) -> gr.Node:
        """f."""
        return self.symbol(Dilaton(self.fixed_measure))

    @property
    def ricci_squared(self) -> gr.Node:
        """|Ric|²."""
        return self.symbol(RicciSquared())

    def pairing(self, s: gr.Node, t: gr.Node) -> gr.Node:
        """⟨∇s, ∇t⟩ by the chain rule."""
        first, second = self.slopes(s), self.slopes(t)
        return gr.add(*(a * b * self.symbol(Pairing(*by_key(x, y))) for x, a in first for y, b in second))

    def laplacian(self, s: gr.Node) -> gr.Node:
        """Δs by the chain rule: with ∇s = Σ c ∇x it is Σ (c Δx + ⟨∇c, ∇x⟩)."""
        return gr.add(*(c * self.symbol(Laplacian(x)) + self.pairing(c, x) for x, c in self.slopes(s)))

    def divergence(self, weight: gr.Node, s: gr.Node) -> gr.Node:
        """div(λ∇s)."""
        return self.pairing(weight, s) + weight * self.laplacian(s)


@final
@dataclass
class MetricVariation(Variation[MetricAlgebra]):
    """The first variation ∫ (E^{ij}h_ij + E_f δf) dV of ∫ s dV: E as scalars times tensors, E_f for a free f."""

    tensors: dict[Tensor, gr.Node] = field(default_factory=dict)
    dilaton: gr.Node = gr.ZERO

    def add(self, tensor: Tensor, weight: gr.Node) -> None:
        """Add weight * tensor."""
        self.tensors[tensor] = self.tensors.get(tensor, gr.ZERO) + weight

    def add_hessian(self, weight: gr.Node, s: gr.Node) -> None:
        """Add weight * ∇∇s, by the chain rule: with ∇s = Σ c ∇x it is Σ (c ∇∇x + sym(∇c ⊗ ∇x))."""
        for x, c in self.algebra.slopes(s):
            self.add(Tensor("hessian", (x,)), weight * c)
            self.add_outer(weight, c, x)

    def add_outer(self, weight: gr.Node, s: gr.Node, t: gr.Node) -> None:
        """Add weight * sym(∇s ⊗ ∇t), by the chain rule."""
        for (x, a), (y, b) in product(self.algebra.slopes(s), self.algebra.slopes(t)):
            self.add(Tensor("outer", by_key(x, y)), weight * a * b)

    def _tidy(self) -> None:
        """Drop the tensors whose coefficients vanish identically."""
        self.tensors = {t: c for t, c in self.tensors.items() if c is not gr.ZERO and not gr.is_zero(c)}
        self.dilaton = gr.ZERO if gr.is_zero(self.dilaton) else self.dilaton

    def _vary_volume(self, integrand: gr.Node) -> None:
        self.add(METRIC, HALF * integrand)

    def _vary_term(self, term: Term, w: gr.Node) -> None:
        use = self.algebra
        match term:
            case Dilaton(fixed_measure=True):
                self.add(METRIC, HALF * w)
            case Dilaton():
                self.dilaton += w
            case Scalar():
                self.add(RICCI, -w)
                self.add_hessian(gr.ONE, w)
                self.add(METRIC, -use.laplacian(w))
            case Pairing(s, t):
                self.spread(s, -use.divergence(w, t))
                self.spread(t, -use.divergence(w, s))
                self.add_outer(-w, s, t)
            case Laplacian(s):
                self.spread(s, use.laplacian(w))
                self.add_outer(gr.ONE, w, s)
                self.add(METRIC, -HALF * use.divergence(w, s))
            case RicciSquared():
                self._vary_ricci_squared(w)
            case _:
                raise no_rule(term)

    def _vary_ricci_squared(self, w: gr.Node) -> None:
        """∫ w δ|Ric|² dV, w|Ric|² = wR_ijR_kl g^{ik}g^{jl}."""
        self.add(Tensor("swapped", (w,)), gr.constant(2))
        self.add(Tensor("rough", (w,)), gr.constant(-1))
        self.add(METRIC, -self.algebra.symbol(RicciDivergence(w)))
        self.add(RICCI_SQUARE, -2 * w)
