"""Variation by structure of functionals of a Kähler potential, dimension-free.

With δφ = ψ, ψ_{ab̄} = ∂_a∂_b̄ψ and Δ_∂ = g^{ab̄}∂_a∂_b̄ the rules are

    δ log det g = tr g⁻¹δg = Δ_∂ψ,      δv = v Δ_∂ψ,      δ(dμ_J) = Δ_∂ψ dμ_J,      δg^{ab̄} = −ψ^{ab̄},
    δ(Δ_∂s) = Δ_∂δs − ψ^{ab̄}s_{ab̄},
    δ⟨∂s,∂t⟩ = ⟨∂δs,∂t⟩ + ⟨∂s,∂δt⟩ − ψ^{ab̄}∂_as ∂_b̄t,
    δ⟨∂∂̄s,∂∂̄t⟩ = ⟨∂∂̄δs,∂∂̄t⟩ + ⟨∂∂̄s,∂∂̄δt⟩ − ψ^{ab̄}(s_{ac̄}t^{c̄}{}_{b̄} + t_{ac̄}s^{c̄}{}_{b̄}),

each followed by an integration by parts against its weight λ, dμ_J being covariantly constant:
∫ λ T^{ab̄}ψ_{ab̄} dμ_J = ∫ ψ ∇_a∇_b̄(λT^{ab̄}) dμ_J. Pairings are real: ⟨∂s,∂t⟩ = Re g^{ab̄}∂_as ∂_b̄t.
The form Ω is flat, so that R_{ab̄} = −∂_a∂_b̄ log v and R = −2Δ_∂ log v.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar, final

from geomflow.core import graph as gr
from geomflow.core.graph.node import Rational, split
from geomflow.symbolic.ring import HALF
from geomflow.symbolic.variation.algebra import (
    Algebra,
    Laplacian,
    Pairing,
    Scalar,
    Term,
    Variation,
    by_key,
    code,
    expanded,
    no_rule,
)

MEAN_TRACE, MASS = gr.symbol("c_chi"), gr.symbol("mu_Omega")
"""c = ∫ tr χ dμ_J/∫ dμ_J and ∫ dμ_Ω, numbers of the Kähler class."""


@final
@dataclass(frozen=True)
class Potential(Term):
    """φ itself."""

    stem: ClassVar[str] = "phi"


@final
@dataclass(frozen=True)
class Ratio(Term):
    """v = dμ_J/dμ_Ω = det g/(κ|Ω|²)."""

    stem: ClassVar[str] = "v"


@final
@dataclass(frozen=True)
class ReferenceRatio(Term):
    """dμ_0/dμ_J = det g_0/det g, with g_0 the reference metric at φ = 0."""

    stem: ClassVar[str] = "reference_ratio"


@final
@dataclass(frozen=True)
class FormTrace(Term):
    """tr_ω χ = g^{ab̄}χ_{ab̄} of the given form χ."""

    stem: ClassVar[str] = "trace_chi"


@final
@dataclass(frozen=True)
class HessianPairing(Term):
    """⟨∂∂̄s, ∂∂̄t⟩ = s_{ab̄}t^{b̄a}."""

    first: gr.Node
    second: gr.Node
    stem: ClassVar[str] = "hessians"


@final
@dataclass(frozen=True)
class DoubleDivergence(Term):
    """∇_a∇_b̄(λ T^{ab̄}): T is Re ∂^as ∂^b̄t ("outer"), s^{ac̄}t_c̄^b̄ ("product"), s^{ab̄} ("hessian") or χ^{ab̄} ("form")."""

    kind: str
    weight: gr.Node
    scalars: tuple[gr.Node, ...] = ()

    @property
    def name(self) -> str:
        """The kind and the codes of what it is made of."""
        return "_".join(["divdiv", self.kind, *map(code, self.arguments)])

    @property
    def arguments(self) -> tuple[gr.Node, ...]:
        """λ, then s and t."""
        return (self.weight, *self.scalars)


@final
@dataclass
class PotentialAlgebra(Algebra):
    """Scalars of a Kähler potential over a flat form Ω."""

    @property
    def phi(self) -> gr.Node:
        """φ."""
        return self.symbol(Potential())

    @property
    def v(self) -> gr.Node:
        """v = det g/(κ|Ω|²)."""
        return self.symbol(Ratio())

    @property
    def reference_ratio(self) -> gr.Node:
        """det g_0/det g."""
        return self.symbol(ReferenceRatio())

    @property
    def form_trace(self) -> gr.Node:
        """tr_ω χ."""
        return self.symbol(FormTrace())

    def laplacian(self, s: gr.Node) -> gr.Node:
        """Δ_∂ s; constants fall away, factors come out and Δ_∂ log v = −R/2, the rest stays under one Δ_∂."""
        moving, log_v = self.moving(s), gr.log(self.v)
        curved = sum(c for c, a in moving if a is log_v)
        factor, rest = split(gr.linear(0, [(c, a) for c, a in moving if a is not log_v]))
        straight = gr.ZERO if rest is gr.ZERO else factor * self.symbol(Laplacian(rest))
        return straight - HALF * curved * self.scalar

    def moving(self, s: gr.Node, factor: Rational = 1) -> list[tuple[Rational, gr.Node]]:
        """The terms of a sum that are not constant, with their factors."""
        if s.op == "add":
            pairs = zip(s.data[1], s.args, strict=True)
            return [pair for c, a in pairs for pair in self.moving(a, factor * c)]
        return [(factor, s)] if self.leaves(s) else []

    def slope(self, s: gr.Node) -> tuple[Rational, gr.Node]:
        """The pair (c, u) with ∂s = c ∂u: constants dropped, a factor taken out."""
        return split(gr.linear(0, self.moving(s)))

    def pairing(self, s: gr.Node, t: gr.Node) -> gr.Node:
        """⟨∂s, ∂t⟩; zero where one of them is constant."""
        return self._bilinear(Pairing, s, t)

    def _bilinear(self, kind: type[Pairing] | type[HessianPairing], s: gr.Node, t: gr.Node) -> gr.Node:
        (a, first), (b, second) = self.slope(s), self.slope(t)
        if first is gr.ZERO or second is gr.ZERO:
            return gr.ZERO
        return a * b * self.symbol(kind(*by_key(first, second)))

    @property
    def ricci_squared(self) -> gr.Node:
        """|Ric|² = 2 R_{ab̄}R^{b̄a}."""
        return 2 * self.hessian_pairing(gr.log(self.v), gr.log(self.v))

    def double_divergence_of_hessian(self, weight: gr.Node, s: gr.Node) -> gr.Node:
        """∇_a∇_b̄(λ s^{ab̄}) = ⟨∂∂̄λ, ∂∂̄s⟩ + 2⟨∂λ, ∂Δ_∂s⟩ + λΔ_∂²s: on a Kähler manifold ∇_b̄s^{ab̄} = ∇^aΔ_∂s."""
        inner = self.laplacian(s)
        return self.hessian_pairing(weight, s) + 2 * self.pairing(weight, inner) + weight * self.laplacian(inner)

    def hessian_pairing(self, s: gr.Node, t: gr.Node) -> gr.Node:
        """⟨∂∂̄s, ∂∂̄t⟩; zero where one of them is constant."""
        return self._bilinear(HessianPairing, s, t)

    def double_divergence(self, kind: str, weight: gr.Node, *scalars: gr.Node) -> gr.Node:
        """∇_a∇_b̄(λ T^{ab̄}); zero where the weight is or a scalar is constant."""
        if weight is gr.ZERO or any(not self.leaves(s) for s in scalars):
            return gr.ZERO
        return self.symbol(DoubleDivergence(kind, weight, by_key(*scalars)))


@final
@dataclass
class PotentialVariation(Variation[PotentialAlgebra]):
    """The gradient of ∫ s dμ_J in the metric ∫ψψ' dμ_J.

    laplacian  the scalar S of the part Δ_∂S;  rest  what is not of this form
    paths      coefficients of energies along tφ, by kind
    """

    laplacian: gr.Node = gr.ZERO
    rest: gr.Node = gr.ZERO
    paths: dict[str, gr.Node] = field(default_factory=dict)

    @property
    def gradient(self) -> gr.Node:
        """Δ_∂S + rest."""
        return self.algebra.laplacian(self.laplacian) + self.rest

    def add_path(self, kind: str, c: gr.Node) -> None:
        """Add c times an energy along tφ, whose gradient is 1 ("volume") or tr_ω χ − c_χ ("form")."""
        self.paths[kind] = c
        self.rest += c if kind == "volume" else c * (self.algebra.form_trace - MEAN_TRACE)

    def _tidy(self) -> None:
        self.laplacian = expanded(self.laplacian)

    def _vary_volume(self, integrand: gr.Node) -> None:
        self.laplacian += integrand

    def _vary_term(self, term: Term, w: gr.Node) -> None:
        use = self.algebra
        match term:
            case Potential():
                self.rest += w
            case Ratio():
                self.laplacian += w * use.v
            case ReferenceRatio():
                self.laplacian -= w * use.reference_ratio
            case Scalar():
                self.spread(gr.log(use.v), use.laplacian(-2 * w))
                self.rest += 2 * use.double_divergence_of_hessian(w, gr.log(use.v))
            case FormTrace():
                self.rest -= use.double_divergence("form", w)
            case Laplacian(s):
                self.spread(s, use.laplacian(w))
                self.rest -= use.double_divergence_of_hessian(w, s)
            case Pairing(s, t):
                self.spread(s, -(use.pairing(w, t) + w * use.laplacian(t)))
                self.spread(t, -(use.pairing(w, s) + w * use.laplacian(s)))
                self.rest -= use.double_divergence("outer", w, s, t)
            case HessianPairing(s, t):
                self.spread(s, use.double_divergence_of_hessian(w, t))
                self.spread(t, use.double_divergence_of_hessian(w, s))
                self.rest -= 2 * use.double_divergence("product", w, s, t)
            case _:
                raise no_rule(term)
