"""Functionals of a Kähler potential: integrands by structure, and gradients in three metrics."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, ClassVar, final

import sympy

from geomflow.core import graph as gr
from geomflow.core.errors import InputError
from geomflow.core.program import Average, InnerProduct
from geomflow.symbolic.functionals.by_algebra import ByAlgebra
from geomflow.symbolic.functionals.functional import Functional
from geomflow.symbolic.functionals.gradient import Gradient
from geomflow.symbolic.functionals.linear import Background
from geomflow.symbolic.ring import HALF
from geomflow.symbolic.variation.display import written
from geomflow.symbolic.variation.kahler_frame import (
    PHI,
    DerivingKahler,
    KahlerClass,
    KahlerFrame,
    KahlerRealisation,
    RunningKahler,
)
from geomflow.symbolic.variation.potentials import PotentialAlgebra, PotentialVariation
from geomflow.symbolic.variation.staged import Staged

MEAN = "mean"


def flat_matrix(dim: int) -> list[list[Fraction]]:
    """½ δ_ab, the flat unit metric."""
    return [[HALF * (a == b) for b in range(dim)] for a in range(dim)]


def parts(entry: Any) -> tuple[Any, Any]:
    """(re, im) of an entry of a matrix of exact numbers."""
    return entry if isinstance(entry, tuple) else (entry, 0)


class PotentialFunctional(ByAlgebra, Functional):
    """E(φ) = ∫ s dμ_J + Σ c ∫_0^1 ∫ φ ... dμ_t dt over ω_φ = ω_0 + i∂∂̄φ, in complex dimension 1, 2 and 3.

    A subclass gives the integrand s by structure; `paths` adds energies along tφ ("volume": ∫∫ φ dμ_t dt, "form":
    ∫∫ φ (tr_t χ − c) dμ_t dt with c = ∫tr χ dμ/∫dμ) with constant coefficients. Gradients: "mabuchi" ∫ψψ' dμ_J, "L2"
    ∫ψψ' dμ_Ω, "dirichlet" ∫⟨∂ψ,∂ψ'⟩ dμ_J.
    """

    metrics: ClassVar[tuple[str, ...]] = ("mabuchi", "L2", "dirichlet")
    complex_geometry: ClassVar[bool] = True
    dims: ClassVar[tuple[int, ...]] = (1, 2, 3)

    @property
    def unknowns(self) -> tuple[str, ...]:
        """φ."""
        return (PHI,)

    def paths(self) -> Mapping[str, gr.Node]:
        """Coefficients of the energies along paths."""
        return {}

    @property
    def form(self) -> Any:
        """The constant form χ, (n, n) Hermitian; ½ δ unless a functional has its own."""
        return flat_matrix(self.geometry.dim)

    @property
    def place(self) -> str:
        """The complex dimension."""
        return f"complex dimension {self.geometry.dim}"

    def new_algebra(self) -> PotentialAlgebra:
        """An algebra for scalars of a potential."""
        return PotentialAlgebra()

    def deriving(self, use: PotentialAlgebra, tag: str = "", *, reference: Any = None,
                 **setting: Any) -> KahlerRealisation:
        """An algebra's scalars in Wirtinger coordinates, over a constant `reference` metric, ½ δ unless given.

        Parameters
        ----------
        use : PotentialAlgebra
            The scalars by structure.
        tag : str
            What the names of its stages begin with.
        reference : (n, n) Hermitian matrix, optional
            Of exact numbers or pairs (re, im).
        **setting
            `values` replace parameters.
        """
        base = flat_matrix(self.geometry.dim) if reference is None else reference
        return KahlerRealisation(use, DerivingKahler(self.coordinates, base, self.form), tag, **setting)

    def realisation(self, use: PotentialAlgebra, *, reference: Any = None, kahler_class: KahlerClass | None = None,
                    **setting: Any) -> KahlerRealisation:
        """An algebra's scalars over real coordinates and a reference metric, ½ δ unless given; parameters replaced.

        A reference metric that varies needs the numbers of its class. Raises InputError where they are missing.

        Parameters
        ----------
        use : PotentialAlgebra
            The scalars by structure.
        reference : (n, n) Hermitian matrix, optional
            Of exact numbers, pairs (re, im) or nodes; needs `kahler_class` where it varies.
        kahler_class : KahlerClass, optional
            The numbers of its class.
        **setting
            `tag` begins the names of stages.
        """
        base = flat_matrix(self.geometry.dim) if reference is None else reference
        frame = RunningKahler(self.coordinates, base, self.form, kahler_class)
        if any(leaf.op == "jet" for leaf in gr.leaves([frame.kappa])):
            raise InputError(f"{self.name} over a reference metric that varies needs the numbers of its Kähler class, "
                             "kahler_class=KahlerClass(kappa, cofactors, cell).")
        return KahlerRealisation(use, frame, values=self.values, **setting)

    @property
    def differential(self) -> Staged:
        """ψ times the gradient in Mabuchi's metric times the density of dμ_J, ψ the field psi."""
        found = self.first_variation()
        realise = self.realisation(found.algebra)
        return realise.staged([realise.frame.leaf("psi") * self.structure(realise, found)[0]])

    def first_variation(self) -> PotentialVariation:
        """δE = ∫ ψ (Δ_∂S + rest) dμ_J, by structure."""
        use = PotentialAlgebra()
        found = PotentialVariation.of(use, self.integrand(use))
        for kind, coefficient in self.paths().items():
            found.add_path(kind, coefficient)
        return found

    def lagrangian(self, realise: KahlerRealisation, integrand: gr.Node) -> gr.Node:
        """The density of E by d^{2n}x, with the energies along paths."""
        paths = {kind: realise.value(c) for kind, c in self.paths().items()}
        energies = [c * realise.frame.path_density(kind) for kind, c in paths.items() if c is not gr.ZERO]
        return gr.add(super().lagrangian(realise, integrand), *energies)

    def closed_form(self, use: PotentialAlgebra, given: gr.Node) -> PotentialVariation:
        """The variation whose gradient in Mabuchi's metric is given."""
        return PotentialVariation(use, rest=given)

    def structure(self, realise: KahlerRealisation, found: PotentialVariation) -> list[gr.Node]:
        """The gradient in Mabuchi's metric times dμ_J/d^{2n}x."""
        return [realise.frame.volume * realise.value(found.gradient)]

    def gradient_in(self, metric: str | None = None) -> PotentialGradient:
        """The gradient in "mabuchi", "L2" or "dirichlet"."""
        return PotentialGradient(self, self.checked_metric(metric))


@final
@dataclass(frozen=True)
class PotentialGradient(Gradient):
    """The gradient of a functional of a potential in one metric."""

    functional: PotentialFunctional
    metric: str

    left: ClassVar[str] = PHI

    @property
    def scalar(self) -> gr.Node:
        """The gradient by structure; in the Dirichlet metric, up to its mean.

        Raises InputError in the Dirichlet metric when E' is not Δ_∂ of a local expression.
        """
        found: PotentialVariation = self.variation
        use = found.algebra
        if self.metric == "mabuchi":
            return found.gradient
        if self.metric == "L2":
            return use.v * found.gradient
        if use.leaves(found.rest):
            raise InputError(f"the gradient of {self.functional.name} in the Dirichlet metric solves −Δ_∂η = grad E "
                             "with a right-hand side that is not Δ_∂ of a local expression; use metric='mabuchi'.")
        return -found.laplacian

    def written(self, factor: Fraction | int = 1) -> sympy.Expr:
        """A multiple of the gradient in the usual notation."""
        mean = gr.symbol(MEAN) if self.metric == "dirichlet" else gr.ZERO
        return written(self.variation.algebra, factor * self.scalar + factor * mean)

    def components(self, realise: KahlerRealisation) -> dict[str, gr.Node]:
        """The gradient as a function beside φ."""
        return {PHI: realise.value(self.scalar)}

    def square(self, realise: KahlerRealisation, components: Mapping[str, gr.Node]) -> gr.Node:
        """The square in the metric, against its measure."""
        inner = self.inner(realise)
        if inner is not None:
            return components[PHI] ** 2 * inner.measure
        field = realise.field(self.scalar)
        return realise.frame.pairing(field, field) * realise.frame.volume

    def inner(self, realise: KahlerRealisation) -> InnerProduct | None:
        """∫ψψ' dμ_J or ∫ψψ' dμ_Ω."""
        if self.metric == "dirichlet":
            return None
        covariant = self.metric == "mabuchi"
        return InnerProduct(realise.frame.volume if covariant else realise.frame.flat_volume, covariant)

    def average(self, realise: KahlerRealisation, rates: Mapping[str, gr.Node]) -> Average | None:
        """The mean by dμ_J of what the Dirichlet metric leaves undetermined."""
        volume = realise.frame.volume
        return Average(MEAN, rates[PHI] * volume, volume) if self.metric == "dirichlet" else None

    def statics(self, realise: KahlerRealisation, nodes: Sequence[gr.Node]) -> Sequence[str]:
        """The functions of a reference metric that varies."""
        frame: KahlerFrame[Any] = realise.frame
        assert isinstance(frame, RunningKahler)
        return frame.static_names

    def background(self, given: Any) -> tuple[KahlerRealisation, Background]:
        """φ = 0 over a constant metric."""
        functional = self.functional
        return functional.deriving(self.variation.algebra, reference=given, values=functional.values), {}
