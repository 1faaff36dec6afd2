"""Functionals of a Kähler potential: integrands by structure, gradients in four metrics, derived flows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, ClassVar, final

from geomflow.core import graph as gr
from geomflow.core.errors import InputError
from geomflow.symbolic.functionals.explain import explain_potential
from geomflow.symbolic.functionals.functional import (
    Functional,
    FunctionalSum,
    Terms,
    check_alike,
    needs,
    real_coordinates,
)
from geomflow.symbolic.functionals.linear import Linearisation
from geomflow.symbolic.functionals.potential_gradient import PotentialGradient
from geomflow.symbolic.variation.kahler_frame import MEAN_TRACE, PHI, KahlerClass, KahlerFrame
from geomflow.symbolic.variation.kahler_realise import KahlerRealisation
from geomflow.symbolic.variation.potentials import PotentialAlgebra, Variation, vary
from geomflow.symbolic.variation.staged import Staged

HALF = Fraction(1, 2)
Paths = Mapping[str, gr.Node]


def flat_matrix(dim: int) -> list[list[Fraction]]:
    """½ δ_ab, the flat unit metric."""
    return [[HALF * (a == b) for b in range(dim)] for a in range(dim)]


def combined(forms: Sequence[tuple[Fraction | int, Any]]) -> list[list[tuple[Any, Any]]]:
    """Σ c χ of pairs (c, χ) of matrices with entries x or (re, im), as pairs."""
    size = range(len(forms[0][1]))
    entries = [[[(c * re, c * im) for c, (re, im) in ((c, parts(chi[a][b])) for c, chi in forms)] for b in size]
               for a in size]
    return [[tuple(map(sum, zip(*entry, strict=True))) for entry in row] for row in entries]  # type: ignore[misc]


def parts(entry: Any) -> tuple[Any, Any]:
    """(re, im) of an entry of a matrix of exact numbers."""
    return entry if isinstance(entry, tuple) else (entry, 0)


class PotentialFunctional(Functional):
    """E(φ) = ∫ s dμ_J + Σ c ∫_0^1 ∫ φ ... dμ_t dt over ω_φ = ω_0 + i∂∂̄φ, in complex dimension 1, 2 and 3.

    A subclass gives the integrand s by structure; `paths` adds energies along tφ ("volume": ∫∫ φ dμ_t dt, "form":
    ∫∫ φ (tr_t χ − c) dμ_t dt with c = ∫tr χ dμ/∫dμ) with constant coefficients. Gradients: "mabuchi" ∫ψψ' dμ_J, "L2"
    ∫ψψ' dμ_Ω, "dirichlet" ∫⟨∂ψ,∂ψ'⟩ dμ_J.
    """

    metrics: ClassVar[tuple[str, ...]] = ("mabuchi", "L2", "dirichlet")
    dims: ClassVar[tuple[int, ...]] = (1, 2, 3)

    @property
    def fields(self) -> tuple[str, ...]:
        """φ."""
        return (PHI,)

    def paths(self) -> Paths:
        """Coefficients of the energies along paths."""
        return {}

    @property
    def form(self) -> Any:
        """The constant form χ, (n, n) Hermitian; ½ δ unless a functional has its own."""
        return flat_matrix(self.geometry.dim)

    def check(self) -> None:
        """Check the geometry; called by subclasses when they are made."""
        needs(type(self).__name__, self.geometry, True, self.dims)

    def plus(self, terms: Terms) -> PotentialFunctional:
        """A sum of multiples; all must be functionals of a potential over the same geometry."""
        check_alike(self, terms, PotentialFunctional)
        return PotentialSum(terms)

    @property
    def place(self) -> str:
        """The complex dimension."""
        return f"complex dimension {self.geometry.dim}"

    def new_algebra(self) -> PotentialAlgebra:
        """An algebra for scalars of a potential."""
        return PotentialAlgebra()

    @property
    def differential(self) -> Staged:
        """ψ times the gradient in Mabuchi's metric times the density of dμ_J, ψ the field psi."""
        found = self.first_variation()
        realise = self.realisation(found.algebra)
        frame, gradient = realise.frame, realise.value(found.gradient)
        return realise.staged([frame.leaf("psi") * gradient * 2**frame.dim * frame.kappa * frame.ratio])

    def first_variation(self) -> Variation:
        """δE = ∫ ψ (Δ_∂S + rest) dμ_J, by structure."""
        use = PotentialAlgebra()
        found = vary(use, self.integrand(use))
        paths = self.paths()
        found.rest += paths.get("volume", gr.ZERO)
        if "form" in paths:
            found.rest += paths["form"] * (use.form_trace - MEAN_TRACE)
        return found

    def frame(self, real: bool = False, reference: Any = None, kahler_class: KahlerClass | None = None) -> KahlerFrame:
        """Coordinates for deriving (Wirtinger) or running (real), over the flat unit metric unless given.

        A reference metric that varies needs the numbers of its class. Raises InputError where they are missing.
        """
        n = self.geometry.dim
        base = flat_matrix(n) if reference is None else reference
        frame = KahlerFrame(n, base, self.form, kahler_class, real, real_coordinates(self.geometry))
        if any(leaf.op == "jet" for leaf in gr.leaves([frame.kappa])):
            raise InputError(f"{self.name} over a reference metric that varies needs the numbers of its Kähler class, "
                             "kahler_class=KahlerClass(kappa, cofactors, cell).")
        return frame

    def deriving(self, use: PotentialAlgebra, tag: str = "") -> KahlerRealisation:
        """An algebra's scalars in Wirtinger coordinates."""
        return KahlerRealisation(use, self.frame(), tag)

    def realisation(self, use: PotentialAlgebra, **setting: Any) -> KahlerRealisation:
        """An algebra's scalars over real coordinates, parameters with values replaced; see `frame`."""
        return KahlerRealisation(use, self.frame(True, **setting), values=self.values)

    def lagrangian(self, realise: KahlerRealisation, integrand: gr.Node) -> gr.Node:
        """The density of E by d^{2n}x, dμ_J = 2ⁿκ v d^{2n}x."""
        frame = realise.frame
        scale = 2**frame.dim * frame.kappa
        terms = [scale * frame.ratio * realise.value(integrand)]
        for kind, coefficient in self.paths().items():
            c = realise.value(coefficient)
            if c is not gr.ZERO:
                terms.append(c * frame.path_density(kind))
        return gr.add(*terms)

    def closed_form(self, use: PotentialAlgebra, given: gr.Node) -> Variation:
        """The variation whose gradient in Mabuchi's metric is given."""
        return Variation(use, rest=given)

    def structure(self, realise: KahlerRealisation, found: Variation) -> list[gr.Node]:
        """The gradient in Mabuchi's metric times dμ_J/d^{2n}x."""
        frame = realise.frame
        return [2**frame.dim * frame.kappa * frame.ratio * realise.value(found.gradient)]

    def gradient(self, metric: str | None = None) -> PotentialGradient:
        """The gradient in "mabuchi", "L2" or "dirichlet"."""
        return PotentialGradient(self, self.checked_metric(metric))

    def second_variation_at(self, background: Any = "flat", metric: str | None = None) -> Linearisation:
        """The linearised gradient flow at φ = 0 over the flat metric ½ δ, or over a constant g_{ab̄}."""
        reference = None if isinstance(background, str) and background == "flat" else background
        return self.gradient(metric).linearised_over(reference)

    def explain(self) -> str:
        """The steps of the derivation by structure."""
        return explain_potential(self)


@final
@dataclass(frozen=True)
class PotentialSum(FunctionalSum, PotentialFunctional):
    """Σ c E over pairs (c, E)."""

    summands: Terms

    @property
    def form(self) -> Any:
        """Σ c χ over the summands with an energy along a path of forms, in which that is linear; else ½ δ."""
        forms = [(c, e.form) for c, e in self.summands if "form" in e.paths()]
        return combined(forms) if forms else flat_matrix(self.geometry.dim)

    def paths(self) -> Paths:
        """Σ c times the coefficients; those of forms are in `form`."""
        total: dict[str, gr.Node] = {}
        for c, e in self.summands:
            for kind, coefficient in e.paths().items():
                total[kind] = total.get(kind, gr.ZERO) + c * coefficient
        return total | ({"form": gr.ONE} if "form" in total else {})
