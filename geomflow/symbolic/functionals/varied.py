"""What is varied exactly: an integrand, its Euler derivatives, and the first variation in both ways."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any, ClassVar

from geomflow.core import graph as gr
from geomflow.core.errors import require_known
from geomflow.core.progress import waiting
from geomflow.symbolic.functionals.geometries import needs
from geomflow.symbolic.functionals.gradient import Gradient
from geomflow.symbolic.functionals.linear import Linearisation
from geomflow.symbolic.variation.display import explained
from geomflow.symbolic.variation.realise import Realisation
from geomflow.symbolic.variation.residues import Certificate, all_vanish
from geomflow.symbolic.variation.staged import Staged, euler_operator


@dataclass(frozen=True)
class Varied(ABC):
    """∫ L over a geometry, with what a kind of functional brings, and what follows from it.

    Parameters
    ----------
    geometry : Torus, ComplexTorus, Chart or ComplexChart
        Over which is integrated.
    """

    geometry: Any

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
