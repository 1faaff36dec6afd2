"""Gradients of functionals.

The outline of a gradient is written here once; what it is made of for metrics and for Kähler potentials is in `metric`
and `potential`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
import sympy

from geomflow.core import graph as gr
from geomflow.core.errors import ShapeError
from geomflow.core.program import Average, Elliptic, InnerProduct
from geomflow.symbolic.functionals.linear import Background, Linearisation, wave_vector
from geomflow.symbolic.functionals.system import GradientSystem, gradient_system


@dataclass(frozen=True)
class Gradient(ABC):
    """The gradient of a functional E in one metric on the space of what it is varied by.

    Parameters
    ----------
    functional : Functional
        E.
    metric : str
        The name of a metric, one of the functional's `metrics`.
    """

    functional: Any
    metric: str

    left: ClassVar[str]
    """What moves, as the equation shows it."""

    # what a kind of functional brings

    @abstractmethod
    def written(self, factor: Fraction | int = 1) -> sympy.Expr:
        """A multiple of the gradient in the usual notation.

        Parameters
        ----------
        factor : Fraction or int
            Which multiple.
        """

    @abstractmethod
    def components(self, realise: Any) -> dict[str, gr.Node]:
        """The gradient by unknown, over the jets of a realisation.

        Parameters
        ----------
        realise : Realisation
            Coordinates, with scalars in them.
        """

    @abstractmethod
    def square(self, realise: Any, components: Mapping[str, gr.Node]) -> gr.Node:
        """‖grad E‖² by d^dx.

        Parameters
        ----------
        realise : Realisation
            Coordinates, with scalars in them.
        components : mapping of str to Node
            What `components` gives there.
        """

    @abstractmethod
    def inner(self, realise: Any) -> InnerProduct | None:
        """The inner product of the metric, where it is a pointwise one.

        Parameters
        ----------
        realise : Realisation
            Coordinates, with scalars in them.
        """

    @abstractmethod
    def statics(self, realise: Any, nodes: Sequence[gr.Node]) -> Sequence[str]:
        """The given functions of a system, whose nodes these are.

        Parameters
        ----------
        realise : Realisation
            Coordinates, with scalars in them.
        nodes : sequence of Node
            Of the rates, densities and stages.
        """

    @abstractmethod
    def background(self, given: Any) -> tuple[Any, Background]:
        """A realisation for deriving at a constant metric, the flat one for None, and the values of its unknowns.

        Parameters
        ----------
        given : (dim, dim) matrix or None
            Of exact numbers.
        """

    def average(self, realise: Any, rates: Mapping[str, gr.Node]) -> Average | None:
        """The parameter that is subtracted from the rates, where the gradient is known up to constants.

        Parameters
        ----------
        realise : Realisation
            Coordinates, with scalars in them.
        rates : mapping of str to Node
            ∂_t of each unknown, up to the parameter.
        """
        return None

    def solved(self, realise: Any) -> Elliptic | None:
        """The unknown that is solved for at each state.

        Parameters
        ----------
        realise : Realisation
            Coordinates, with scalars in them.
        """
        return None

    # what follows

    @cached_property
    def variation(self) -> Any:
        """δE by structure."""
        return self.functional.first_variation()

    @property
    def expression(self) -> sympy.Expr:
        """The gradient in the usual notation."""
        return self.written()

    @property
    def equation(self) -> sympy.Eq:
        """∂_t u = −c grad E."""
        t = sympy.Symbol("t")
        moving = sympy.Derivative(sympy.Function(self.left)(t), t)
        return sympy.Eq(moving, self.written(-self.functional.factor), evaluate=False)

    def linearised_at(self, background: Any = "flat") -> Linearisation:
        """The linearised flow at a constant metric.

        Raises ShapeError if the matrix does not fit the dimension.

        Parameters
        ----------
        background : "flat" or (dim, dim) matrix
            A constant metric of exact numbers; "flat" is δ_ij on a real geometry, ½ δ_ab on a complex one.
        """
        functional, dim = self.functional, self.functional.geometry.dim
        given = None if isinstance(background, str) and background == "flat" else background
        if given is not None and np.shape(given)[:2] != (dim, dim):
            raise ShapeError(f"the background must be 'flat' or a symmetric or Hermitian ({dim}, {dim}) matrix of "
                             f"exact numbers, not {background!r}")
        realise, values = self.background(given)
        rates = {u: -functional.factor * part for u, part in self.components(realise).items()}
        waves = realise.frame.waves(wave_vector(functional.coordinates))
        return Linearisation(functional.coordinates, tuple(rates), realise.staged(list(rates.values())), values, waves)

    def system(self, **setting: Any) -> GradientSystem:
        """Rates, energy and dissipation over real coordinates.

        Parameters
        ----------
        **setting
            For potentials another reference metric (`reference`, (n, n) Hermitian, of numbers or nodes) and the
            numbers of its Kähler class (`kahler_class`); `values` replace parameters.
        """
        functional, factor = self.functional, self.functional.factor
        realise = functional.realisation(self.variation.algebra, **setting)
        components = self.components(realise)
        rates = {u: -factor * part for u, part in components.items()}
        integrand = functional.energy_integrand(self.variation.algebra)
        energy = factor * functional.lagrangian(realise, integrand)
        dissipation, inner = factor**2 * self.square(realise, components), self.inner(realise)
        mean = self.average(realise, rates)
        if mean is not None:
            rates = {u: rate - gr.symbol(mean.parameter) for u, rate in rates.items()}
        nodes = [*rates.values(), energy, dissipation, *(n for s in realise.stages for n in s.nodes)]
        return gradient_system(realise.frame.axes, rates, realise.stages, energy, dissipation,
                               statics=self.statics(realise, nodes), averages=() if mean is None else (mean,),
                               inner=inner, elliptic=self.solved(realise))
