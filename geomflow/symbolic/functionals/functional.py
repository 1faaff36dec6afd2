"""The noun `Functional`: an integral over a geometry that can be varied exactly."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property, singledispatch
from typing import Any, ClassVar, Literal

import sympy

from geomflow.core import graph as gr
from geomflow.core.errors import InputError, require_known
from geomflow.core.exact_numbers import fraction_of
from geomflow.core.graph.node import exact
from geomflow.core.notebook import Facts, InNotebook
from geomflow.core.numbers import finite_number
from geomflow.core.progress import waiting
from geomflow.symbolic.functionals.derived import DerivedFlow, Gradient
from geomflow.symbolic.functionals.linear import Linearisation
from geomflow.symbolic.show import InLatex, mathml
from geomflow.symbolic.variation.display import explained
from geomflow.symbolic.variation.realise import Realisation
from geomflow.symbolic.variation.residues import Certificate, all_vanish
from geomflow.symbolic.variation.staged import Staged, euler_operator

Measure = Literal["dV", "dm", "dmu", "omega"]
"""What a user's own density is integrated against: the first two on real geometries, the others on complex ones."""


@dataclass(frozen=True)
class Functional(InNotebook, InLatex):
    """E[u] = ∫ L over a geometry: of a real metric, or of a Kähler potential.

    Sums and rational multiples of functionals of the same kind are functionals. `gradient_flow` descends
    `factor` * E: that is E itself except where the literature ascends (Perelman) or runs at another speed.

    Parameters
    ----------
    geometry : Torus, ComplexTorus, Chart or ComplexChart
        Over which is integrated.
    """

    geometry: Any

    latex_style: ClassVar[str] = "\\displaystyle "

    name: ClassVar[str] = ""
    definition: ClassVar[str] = ""
    source: ClassVar[str] = ""
    metrics: ClassVar[tuple[str, ...]] = ()

    factor: ClassVar[Fraction | int] = 1
    """The multiple of E that gradient flow descends."""

    parameters: ClassVar[Mapping[str, gr.Node]] = {}
    """Values of the parameters of the definition, where they have one on a torus."""

    remarks: ClassVar[tuple[str, ...]] = ()
    """What a user should know before running a gradient flow."""

    complex_geometry: ClassVar[bool]
    """Whether it is integrated over a geometry with complex coordinates."""

    dims: ClassVar[tuple[int, ...]]
    """The dimensions of these."""

    def __post_init__(self) -> None:
        """Check the geometry: InputError where it is not of this kind or not of these dimensions."""
        needs(type(self).__name__, self.geometry, self.complex_geometry, self.dims)

    @property
    def coordinates(self) -> tuple[str, ...]:
        """The real coordinates."""
        chart = getattr(self.geometry, "real_chart", None)
        return tuple((chart or self.geometry).coordinates)

    @property
    def values(self) -> dict[gr.Node, gr.Node]:
        """The parameters that have a value, as replacements."""
        return {gr.symbol(name): value for name, value in self.parameters.items()}

    # what a kind of functional brings

    @property
    @abstractmethod
    def unknowns(self) -> tuple[str, ...]:
        """The names of the functions that E is varied by, in packed order."""

    @property
    @abstractmethod
    def place(self) -> str:
        """The dimension, in words."""

    @abstractmethod
    def new_algebra(self) -> Any:
        """An algebra for the scalars of the integrand."""

    @abstractmethod
    def integrand(self, use: Any) -> gr.Node:
        """s, with E = ∫ s against the volume.

        Parameters
        ----------
        use : MetricAlgebra or PotentialAlgebra
            The scalars by structure that are at hand: `use.scalar` is R, and so on.
        """

    def energy_integrand(self, use: Any) -> gr.Node:
        """The density of E at solutions, where `integrand` holds multipliers beside it.

        Parameters
        ----------
        use : MetricAlgebra or PotentialAlgebra
            The scalars by structure that are at hand: `use.scalar` is R, and so on.
        """
        return self.integrand(use)

    @abstractmethod
    def deriving(self, use: Any, tag: str = "", **setting: Any) -> Realisation[Any, Any]:
        """An algebra's scalars in coordinates for deriving, where the inverse metric is a stage.

        Parameters
        ----------
        use : MetricAlgebra or PotentialAlgebra
            The scalars by structure that are at hand: `use.scalar` is R, and so on.
        tag : str
            What the names of its stages begin with.
        **setting
            For potentials another reference metric (`reference`, (n, n) Hermitian, of numbers or nodes) and the
            numbers of its Kähler class (`kahler_class`); `values` replace parameters.
        """

    @abstractmethod
    def realisation(self, use: Any, **setting: Any) -> Realisation[Any, Any]:
        """An algebra's scalars over real coordinates for running, parameters with values replaced.

        Parameters
        ----------
        use : MetricAlgebra or PotentialAlgebra
            The scalars by structure that are at hand: `use.scalar` is R, and so on.
        **setting
            For potentials another reference metric (`reference`, (n, n) Hermitian, of numbers or nodes) and the
            numbers of its Kähler class (`kahler_class`); `values` replace parameters.
        """

    def lagrangian(self, realise: Any, integrand: gr.Node) -> gr.Node:
        """The density of E by d^dx, from its integrand by structure.

        Parameters
        ----------
        realise : Realisation
            Coordinates, with scalars in them.
        integrand : Node
            By structure.
        """
        density: gr.Node = realise.value(integrand) * realise.frame.volume
        return density

    @abstractmethod
    def first_variation(self) -> Any:
        """δE by structure, as scalars (and tensors) that the variation is integrated against."""

    @abstractmethod
    def closed_form(self, use: Any, given: Any) -> Any:
        """A first variation that is given by structure.

        Parameters
        ----------
        use : MetricAlgebra or PotentialAlgebra
            The scalars by structure that are at hand: `use.scalar` is R, and so on.
        given : Node or mapping
            The gradient by structure; see `certify_gradient`.
        """

    @abstractmethod
    def structure(self, realise: Any, found: Any) -> list[gr.Node]:
        """E_u(L) by d^dx for every unknown u, from a first variation by structure.

        Parameters
        ----------
        realise : Realisation
            Coordinates, with scalars in them.
        found : MetricVariation or PotentialVariation
            δE by structure.
        """

    @property
    @abstractmethod
    def differential(self) -> Staged:
        """The density of δE by d^dx, linear in the fields δφ = psi, or δg_ij = h_xx, h_xy, ... and δf = h_f."""

    @abstractmethod
    def gradient(self, metric: str | None = None) -> Gradient:
        """The gradient with respect to a metric on the space of what E is varied by, by name.

        Raises UnknownNameError for an unknown metric, InputError where the gradient is not local in it.

        Parameters
        ----------
        metric : str, optional
            One of `metrics`; the first unless given.
        """

    # what follows

    @cached_property
    def density(self) -> Staged:
        """L with E = ∫ L d^dx, on its stages over real coordinates."""
        return self.density_over()

    def density_over(self, **setting: Any) -> Staged:
        """L with E = ∫ L d^dx in another setting, such as another reference metric; see `realisation`.

        Parameters
        ----------
        **setting
            For potentials another reference metric (`reference`, (n, n) Hermitian, of numbers or nodes) and the
            numbers of its Kähler class (`kahler_class`); `values` replace parameters.
        """
        use = self.new_algebra()
        realise = self.realisation(use, **setting)
        return realise.staged([self.lagrangian(realise, self.energy_integrand(use))])

    def euler(self) -> Staged:
        """E_u(L) for every unknown by the Euler operator on jets, L the density by d^dx."""
        use = self.new_algebra()
        realise = self.deriving(use)
        density = self.lagrangian(realise, self.integrand(use))
        return euler_operator(density, self.unknowns, realise.stages, realise.frame.axes, realise.frame.groups)

    def second_variation_at(self, background: Any = "flat", metric: str | None = None) -> Linearisation:
        """The linearised gradient flow at a constant metric: exact decay rates of plane waves.

        Parameters
        ----------
        background : "flat" or (dim, dim) matrix
            A constant metric of exact numbers; "flat" is δ_ij on a real geometry, ½ δ_ab on a complex one.
        metric : str, optional
            One of `metrics`; the first unless given.
        """
        return self.gradient(metric).linearised_at(background)

    def explain(self) -> str:
        """The steps of the derivation by structure, as text."""
        found = self.first_variation()
        source = [f"Source: {self.source}"] if self.source else []
        return "\n".join([str(self), *source, *explained(found, self.integrand(found.algebra))])

    def difference(self, found: Any) -> Staged:
        """The Euler derivatives minus those of a variation given by structure: zero if they agree.

        Parameters
        ----------
        found : MetricVariation or PotentialVariation
            δE by structure.
        """
        euler, realise = self.euler(), self.deriving(found.algebra, "structure_")
        expected = self.structure(realise, found)
        outputs = tuple(e - x for e, x in zip(euler.outputs, expected, strict=True))
        return Staged(euler.coordinates, euler.groups, (*euler.stages, *realise.own_stages), outputs)

    @waiting("deriving twice")
    def certify(self) -> Certificate:
        """Whether the Euler operator on jets and the variation by structure agree, decided at random jets."""
        statement = f"Euler operator minus variation by structure of {self.name} in {self.place}"
        return Certificate(statement, all_vanish(self.difference(self.first_variation())))

    def certify_gradient(self, textbook: Callable[[Any], Any]) -> Certificate:
        """Whether the Euler operator gives a closed form.

        Parameters
        ----------
        textbook : callable
            From an algebra to the closed form: of a metric {tensor: coefficient} by dV, "f" for the part along f;
            of a potential the gradient in Mabuchi's metric.
        """
        use = self.new_algebra()
        holds = all_vanish(self.difference(self.closed_form(use, textbook(use))))
        return Certificate(f"gradient of {self.name} minus the closed form in {self.place}", holds)

    @waiting("deriving")
    def gradient_flow(self, metric: str | None = None) -> DerivedFlow:
        """The descent of `factor` * E in the metric.

        Parameters
        ----------
        metric : str, optional
            One of `metrics`; the first unless given.
        """
        gradient = self.gradient(metric)
        return DerivedFlow(self, gradient.metric, gradient.equation, gradient.system, gradient.linearised_at)

    @property
    def equation(self) -> sympy.Eq:
        """The gradient flow's equation in the usual notation."""
        return self.gradient_flow().equation

    def __call__(self, state: Any, parameters: Mapping[str, Any] | None = None, measure: Any = None) -> float:
        """E at a state, such as grid.potential(...) or grid.metric(...), or a model's state on a grid.

        Monitors along a flow record `factor` times this.

        Raises InputError for a state of another kind or on another torus, a parameter without a value, and a measure
        where there is none to give; PositivityError for a metric that is not positive.

        Parameters
        ----------
        state : PotentialField, MetricField or model state
            On the torus of the functional.
        parameters : mapping of str to number, optional
            Numbers for what the functional leaves open: the τ of Perelman's W.
        measure : optional
            The reference measure dm/dx in f = log(dV/dm), anything positive that ``grid.scalar`` takes: dx itself
            unless given, also where f is an unknown of its own.
        """
        return value_at(getattr(state, "field", lambda: state)(), self, parameters or {}, measure)

    def terms(self) -> Terms:
        """This functional as a sum of multiples."""
        return ((1, self),)

    def __add__(self, other: Functional) -> Functional:
        if not isinstance(other, Functional):
            return NotImplemented
        return summed(self, (*self.terms(), *other.terms()))

    def __mul__(self, factor: int | float | Fraction) -> Functional:
        if isinstance(factor, bool) or not isinstance(factor, int | float | Fraction):
            return NotImplemented
        finite_number(factor, "the factor of a functional")
        number = exact(fraction_of(factor) if isinstance(factor, float) else factor)
        return summed(self, tuple((c * number, e) for c, e in self.terms()))

    __rmul__ = __mul__

    def __truediv__(self, divisor: int | Fraction) -> Functional:
        return self * (Fraction(1) / Fraction(divisor))

    def __neg__(self) -> Functional:
        return self * -1

    def __sub__(self, other: Functional) -> Functional:
        return self + (-other)

    def __facts__(self) -> Facts:
        yield "functional", str(self)
        yield "over", self.geometry
        yield "of", self.unknowns
        yield "gradients", self.metrics
        if self.source:
            yield "source", self.source
        yield "gradient flow", mathml(self.latex_style + self.latex())

    def __str__(self) -> str:
        return f"{self.name}: {self.definition}"

    def __exact__(self) -> sympy.Eq:
        return self.equation

    def _latex(self, printer: Any = None) -> str:
        return str(sympy.latex(self.equation))

    def checked_metric(self, metric: str | None) -> str:
        """The metric's name, the first one offered by default.

        Parameters
        ----------
        metric : str, optional
            One of `metrics`; the first unless given.
        """
        if metric is None:
            return self.metrics[0]
        require_known(f"metric for the gradient of {self.name}", metric, self.metrics)
        return metric

    @staticmethod
    def from_density(geometry: Any, density: Any, *, measure: Measure | None = None,
                     name: str = "density") -> Functional:
        """∫ density over a geometry, varied like the functionals that come with the package.

        On a real geometry the density is written in R, Ric2 (= |Ric|²), f, `laplacian(s)` and `dot(s, t)`
        (= ⟨∇s, ∇t⟩). On a complex geometry it is written in R, Ric2, phi, v (= dμ_J/dμ_Ω), `laplacian` and `dot`
        (Riemannian: Δ = 2Δ_∂, ⟨∇s,∇t⟩ = 2⟨∂s,∂t⟩). Components of the metric (g_xx, ...), coordinates and partial
        derivatives `d(s, x)` are read too: every density is put to the test of a random change of coordinates.

        Raises InputError for a density that is complex or not covariant, ExpressionError for one that cannot be read.

        Parameters
        ----------
        geometry : Torus, ComplexTorus, Chart or ComplexChart
            Over which is integrated.
        density : str, sympy.Expr or callable
            In these words, as symbols where it is sympy's, or a function of the algebra that returns a node.
        measure : str, optional
            "dV", where an f is an unknown beside g, or "dm", fixed, with f = log(dV/dm); on a complex geometry "dmu",
            dμ_J, or "omega", dμ_Ω, fixed. The first unless given.
        name : str
            The functional's.

        Examples
        --------
        >>> import geomflow as gf
        >>> E = Functional.from_density(gf.Torus(dim=2), "R^2 + 1")
        >>> print(E.equation.rhs)
        2*R*R_ij + g_ij*(-R**2/2 + 2*Laplacian(R) - 1/2) - 2*Hessian(R)
        """
        known, kind = DENSITIES[is_complex(geometry)]
        chosen = measure or known[0]
        if chosen not in known:
            raise InputError(f"measure must be {known[0]!r} or {known[1]!r} on this geometry; it is {measure!r}.")
        return kind(geometry, density, chosen, name)


DENSITIES: dict[bool, tuple[tuple[str, ...], Callable[..., Functional]]] = {}
"""By whether the geometry is complex: the measures, and the functionals of users' own densities against them."""

Terms = tuple[tuple[Fraction | int, Any], ...]
"""Pairs (c, E) of a sum Σ c E."""


@singledispatch
def summed(functional: Functional, terms: Terms) -> Functional:
    """Σ c E over the terms, all of the kind of the functional. What knows a kind of functional registers how."""
    raise InputError(f"{functional.name} is of no kind that is added.")


@singledispatch
def value_at(state: Any, functional: Functional, parameters: Mapping[str, Any], measure: Any) -> float:
    """E at a state. What knows a kind of state registers how; InputError for others."""
    raise InputError(f"{functional.name} is evaluated at a field on a grid, such as grid.potential(...) or "
                     f"grid.metric(...); a {type(state).__name__} was given.")


def is_complex(geometry: Any) -> bool:
    """Whether the geometry has complex coordinates: twice as many real ones as its dimension."""
    return bool(len(geometry.coordinates) == 2 * geometry.dim)


def needs(name: str, geometry: Any, complex_geometry: bool, dims: tuple[int, ...]) -> None:
    """Check that a functional can live on the geometry.

    Raises InputError that says what it needs.
    """
    if not (hasattr(geometry, "coordinates") and hasattr(geometry, "dim")):
        raise InputError(f"{name} is integrated over a geometry such as gf.Torus(dim=2), not a "
                         f"{type(geometry).__name__}")
    wanted = "a Kähler potential on a complex geometry, ComplexTorus(dim=...)" if complex_geometry else \
        "a metric on a real geometry, Torus(dim=...)"
    if is_complex(geometry) != complex_geometry:
        kind = "complex" if is_complex(geometry) else "real"
        raise InputError(f"{name} is a functional of {wanted}; the geometry given is {kind}, of dimension "
                         f"{geometry.dim}.")
    if geometry.dim not in dims:
        kind = "complex" if complex_geometry else "real"
        raise InputError(f"{name} is offered in {kind} dimension {', '.join(map(str, dims))}; the geometry has "
                         f"dimension {geometry.dim}.")
