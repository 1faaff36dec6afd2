"""What is varied exactly: an integrand, its Euler derivatives, and the first variation in both ways."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, ClassVar

from geomflow.core import graph as gr
from geomflow.core.progress import waiting
from geomflow.symbolic.functionals.geometries import needs
from geomflow.symbolic.functionals.linear import Linearisation
from geomflow.symbolic.variation.residues import Certificate, all_vanish
from geomflow.symbolic.variation.staged import Staged


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

    @abstractmethod
    def first_variation(self) -> Any:
        """δE by structure, as scalars (and tensors) that the variation is integrated against."""

    @property
    @abstractmethod
    def differential(self) -> Staged:
        """The density of δE by d^dx, linear in the fields δφ = psi, or δg_ij = h_xx, h_xy, ... and δf = h_f."""

    @abstractmethod
    def gradient_in(self, metric: Any = None) -> Any:
        """The gradient with respect to a metric on the space of what E is varied by, by name.

        Raises UnknownNameError for an unknown metric, InputError where the gradient is not local in it.

        Parameters
        ----------
        metric : str, optional
            One of `metrics`; the first unless given.
        """

    @property
    @abstractmethod
    def density(self) -> Staged:
        """L with E = ∫ L d^dx, on its stages over real coordinates."""

    @abstractmethod
    def euler(self) -> Staged:
        """E_u(L) for every unknown by the Euler operator on jets, L the density by d^dx."""

    @abstractmethod
    def difference(self, found: Any) -> Staged:
        """The Euler derivatives minus those of a variation given by structure: zero if they agree.

        Parameters
        ----------
        found : MetricVariation, PotentialVariation or FirstVariation
            δE by structure.
        """

    @abstractmethod
    def certify_gradient(self, textbook: Any) -> Certificate:
        """Whether the gradient is a closed form.

        Parameters
        ----------
        textbook : callable or mapping
            The closed form.
        """

    @abstractmethod
    def explain(self) -> str:
        """The steps of the derivation by structure, as text."""

    # what follows

    def second_variation_at(self, background: Any = "flat", metric: str | None = None) -> Linearisation:
        """The linearised gradient flow at a constant metric: exact decay rates of plane waves.

        Parameters
        ----------
        background : "flat" or (dim, dim) matrix
            A constant metric of exact numbers; "flat" is δ_ij on a real geometry, ½ δ_ab on a complex one.
        metric : str, optional
            One of `metrics`; the first unless given.
        """
        found: Linearisation = self.gradient_in(metric).linearised_at(background)
        return found

    @waiting("deriving twice")
    def certify(self) -> Certificate:
        """Whether the Euler operator on jets and the variation by structure agree, decided at random jets."""
        statement = f"Euler operator minus variation by structure of {self.name} in {self.place}"
        return Certificate(statement, all_vanish(self.difference(self.first_variation())))
