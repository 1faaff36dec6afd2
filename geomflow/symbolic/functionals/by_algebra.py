"""Functionals varied through an algebra of scalars by structure: in coordinates twice, for deriving and for running."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from functools import cached_property
from typing import Any

from geomflow.core import graph as gr
from geomflow.core.errors import require_known
from geomflow.symbolic.functionals.varied import Varied
from geomflow.symbolic.variation.display import explained
from geomflow.symbolic.variation.realise import Realisation
from geomflow.symbolic.variation.residues import Certificate, all_vanish
from geomflow.symbolic.variation.staged import Staged, euler_operator


class ByAlgebra(Varied):
    """Varied through an algebra of scalars by structure, which brings all but its realisation in coordinates."""

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

    def energy_integrand(self, use: Any) -> gr.Node:
        """The density of E at solutions, where `integrand` holds multipliers beside it.

        Parameters
        ----------
        use : MetricAlgebra or PotentialAlgebra
            The scalars by structure that are at hand: `use.scalar` is R, and so on.
        """
        return self.integrand(use)

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
