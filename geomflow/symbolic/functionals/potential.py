"""Functionals of a Kähler potential: integrands by structure, gradients in four metrics, derived flows."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any, ClassVar, final

from geomflow.core import graph as gr
from geomflow.core.errors import InputError
from geomflow.symbolic.functionals.derived import DerivedFlow
from geomflow.symbolic.functionals.functional import Certificate, Functional, needs, real_coordinates, unlike
from geomflow.symbolic.functionals.linear import Linearisation
from geomflow.symbolic.variation.euler import EulerDerivative, euler_operator
from geomflow.symbolic.variation.kahler_frame import MEAN_TRACE, PHI, KahlerClass, KahlerFrame
from geomflow.symbolic.variation.kahler_realise import KahlerRealisation
from geomflow.symbolic.variation.potentials import PotentialAlgebra, Variation, vary
from geomflow.symbolic.variation.staged import Staged, all_vanish

if TYPE_CHECKING:
    from geomflow.symbolic.functionals.potential_gradient import PotentialGradient

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

    @abstractmethod
    def integrand(self, use: PotentialAlgebra) -> gr.Node:
        """s, with E = ∫ s dμ_J + paths."""

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

    def plus(self, terms: tuple[tuple[Fraction | int, Any], ...]) -> PotentialFunctional:
        """A sum of multiples; all must be functionals of a potential over the same geometry."""
        for _, e in terms:
            if not isinstance(e, PotentialFunctional) or e.geometry != self.geometry:
                raise unlike(e, self)
        return PotentialSum(terms)

    @property
    def values(self) -> dict[gr.Node, gr.Node]:
        """The parameters that have a value, as replacements."""
        return {gr.symbol(name): value for name, value in self.parameters.items()}

    @property
    def density(self) -> Staged:
        """L with E = ∫ L d^{2n}x, over the flat unit reference metric."""
        return self.density_over()

    def density_over(self, reference: Any = None, kahler_class: KahlerClass | None = None) -> Staged:
        """L with E = ∫ L d^{2n}x, over another reference metric; see `frame`."""
        use = PotentialAlgebra()
        realise = self.realisation(use, reference=reference, kahler_class=kahler_class)
        return realise.staged([self.lagrangian(realise, self.integrand(use))])

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

    def euler(self) -> EulerDerivative:
        """E_φ(L) by the Euler operator on jets in Wirtinger coordinates, L the density by d^{2n}x."""
        use, frame = PotentialAlgebra(), self.frame()
        realise = KahlerRealisation(use, frame)
        density = self.lagrangian(realise, self.integrand(use))
        return euler_operator(density, [PHI], realise.stages, frame.axes, frame.groups)

    def difference(self, gradient: gr.Node, use: PotentialAlgebra) -> Staged:
        """E_φ(L) − (gradient) dμ_J/d^{2n}x, in stages: zero if `gradient` is the gradient in Mabuchi's metric."""
        euler, frame = self.euler(), self.frame()
        realise = KahlerRealisation(use, frame, "structure_")
        expected = 2**frame.dim * frame.kappa * frame.ratio * realise.value(gradient)
        stages = (*euler.staged.stages, *realise.stages[len(frame.stages):])
        return Staged(frame.axes, frame.groups, stages, (euler.staged.outputs[0] - expected,))

    def certify(self) -> Certificate:
        """Whether the Euler operator and the variation by structure agree."""
        found = self.first_variation()
        holds = all_vanish(self.difference(found.gradient, found.algebra))
        n = self.geometry.dim
        statement = f"Euler operator minus variation by structure of {self.name} in complex dimension {n}"
        return Certificate(statement, holds)

    def certify_gradient(self, textbook: Any) -> Certificate:
        """Whether the Euler operator gives the closed form `textbook(algebra)` as the gradient in Mabuchi's metric."""
        use = PotentialAlgebra()
        holds = all_vanish(self.difference(textbook(use), use))
        statement = f"gradient of {self.name} minus the closed form in complex dimension {self.geometry.dim}"
        return Certificate(statement, holds)

    def gradient(self, metric: str | None = None) -> PotentialGradient:
        """The gradient in "mabuchi", "L2" or "dirichlet"."""
        from geomflow.symbolic.functionals.potential_gradient import PotentialGradient

        return PotentialGradient(self, self.checked_metric(metric))

    def gradient_flow(self, metric: str | None = None) -> DerivedFlow:
        """∂_tφ = −loss grad E."""
        gradient = self.gradient(metric)
        return DerivedFlow(self, gradient.metric, gradient.equation, gradient.system, lambda: gradient.linearisation)

    def second_variation_at(self, background: Any = "flat", metric: str | None = None) -> Linearisation:
        """The linearised gradient flow at φ = 0 over the flat metric ½ δ, or over a constant g_{ab̄}."""
        reference = None if isinstance(background, str) and background == "flat" else background
        return self.gradient(metric).linearised_over(reference)

    def explain(self) -> str:
        """The steps of the derivation by structure."""
        from geomflow.symbolic.functionals.explain import explain_potential

        return explain_potential(self)


@final
@dataclass(frozen=True)
class PotentialSum(PotentialFunctional):
    """Σ c E over pairs (c, E)."""

    summands: tuple[tuple[Fraction | int, PotentialFunctional], ...]
    name: ClassVar[str] = "sum"

    @property
    def geometry(self) -> Any:
        """The common geometry."""
        return self.summands[0][1].geometry

    @property
    def definition(self) -> str:  # type: ignore[override]
        """The sum, written out."""
        return " + ".join(f"{c} {e.name}" for c, e in self.summands)

    @property
    def loss(self) -> Fraction | int:
        """That of the summands where they agree, else 1."""
        found = {e.loss for _, e in self.summands}
        return found.pop() if len(found) == 1 else 1

    @property
    def parameters(self) -> Mapping[str, gr.Node]:
        """Those of all summands."""
        return {k: v for _, e in self.summands for k, v in e.parameters.items()}

    @property
    def remarks(self) -> tuple[str, ...]:
        """Those of all summands."""
        return tuple(dict.fromkeys(r for _, e in self.summands for r in e.remarks))

    @property
    def form(self) -> Any:
        """Σ c χ over the summands with an energy along a path of forms, in which that is linear; else ½ δ."""
        forms = [(c, e.form) for c, e in self.summands if "form" in e.paths()]
        return combined(forms) if forms else flat_matrix(self.geometry.dim)

    def terms(self) -> tuple[tuple[Fraction | int, Any], ...]:
        """The pairs (c, E)."""
        return self.summands

    def integrand(self, use: PotentialAlgebra) -> gr.Node:
        """Σ c s."""
        return gr.add(*(c * e.integrand(use) for c, e in self.summands))

    def paths(self) -> Paths:
        """Σ c times the coefficients; those of forms are in `form`."""
        total: dict[str, gr.Node] = {}
        for c, e in self.summands:
            for kind, coefficient in e.paths().items():
                total[kind] = total.get(kind, gr.ZERO) + c * coefficient
        return total | ({"form": gr.ONE} if "form" in total else {})
