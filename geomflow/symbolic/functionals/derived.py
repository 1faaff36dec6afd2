"""Gradients of functionals, and the flows that descend them as data: programs of rates over real coordinates.

The outline of a gradient is written here once; what it is made of for metrics and for Kähler potentials is in `metric`
and `potential`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, final

import numpy as np
import sympy

from geomflow.core import graph as gr
from geomflow.core.errors import ShapeError
from geomflow.core.notebook import Facts, InNotebook
from geomflow.core.program import Average, Elliptic, InnerProduct, Program, Stage, needed
from geomflow.symbolic.functionals.linear import Background, Linearisation, PrincipalSymbol, wave_vector
from geomflow.symbolic.show import InLatex, mathml
from geomflow.symbolic.variation.staged import Staged

if TYPE_CHECKING:
    from geomflow.symbolic.functionals.functional import Functional


@final
@dataclass(frozen=True)
class GradientSystem:
    """Everything that is computed along a run of a gradient flow, over real coordinates.

    Parameters
    ----------
    program : Program
        The rate ∂_t of each unknown, last one that is solved for; its parameters are the average and what is left open.
    stages : tuple of Stage
        Named inner expressions that the densities and the symbol stand on, in order.
    energy : Node
        The density of c E by d^dx, c the functional's `factor`.
    dissipation : Node
        The density of ‖c grad E‖² by d^dx: d(c E)/dt = −∫ dissipation.
    average : Average, optional
        A parameter that is an average over the state.
    inner : InnerProduct, optional
        The inner product that is descended in, where it is a pointwise one.
    elliptic : Elliptic, optional
        An unknown that is solved for at each state.
    backward : tuple of str
        Unknowns whose equation is parabolic backward in time only.
    """

    program: Program
    stages: tuple[Stage, ...]
    energy: gr.Node
    dissipation: gr.Node
    average: Average | None = None
    inner: InnerProduct | None = None
    elliptic: Elliptic | None = None
    backward: tuple[str, ...] = ()

    @property
    def unknowns(self) -> tuple[str, ...]:
        """The evolving components, in packed order."""
        return self.program.fields[: len(self.program.outputs)]

    @property
    def rates(self) -> tuple[gr.Node, ...]:
        """∂_t of each field."""
        return self.program.results

    @property
    def open_parameters(self) -> tuple[str, ...]:
        """The numbers that the functional leaves open."""
        return tuple(n for n in self.program.parameters if self.average is None or n != self.average.parameter)

    @property
    def density_stages(self) -> tuple[Stage, ...]:
        """The stages that energy and dissipation stand on."""
        return needed(self.stages, [self.energy, self.dissipation])

    def substituted(self, values: Mapping[gr.Node, gr.Node]) -> GradientSystem:
        """The system with numbers for what the functional leaves open.

        Parameters
        ----------
        values : mapping of Node to Node
            Numbers for symbols.
        """
        energy, dissipation = gr.substitute([self.energy, self.dissipation], values)
        return GradientSystem(
            self.program.substituted(values), tuple(stage.substituted(values) for stage in self.stages), energy,
            dissipation, self.average and self.average.substituted(values),
            self.inner and self.inner.substituted(values), self.elliptic, self.backward)


def gradient_system(coordinates: tuple[str, ...], rates: Mapping[str, gr.Node], stages: tuple[Stage, ...],
                    energy: gr.Node, dissipation: gr.Node, *, statics: Sequence[str] = (), mean: Average | None = None,
                    inner: InnerProduct | None = None, elliptic: Elliptic | None = None,
                    backward: tuple[str, ...] = ()) -> GradientSystem:
    """A system of rates by field, each of its parts on those of the stages that it needs.

    Parameters
    ----------
    coordinates : tuple of str
        Real.
    rates : mapping of str to Node
        ∂_t of each unknown.
    stages : tuple of Stage
        What the nodes may stand on; each part keeps those that it needs.
    energy, dissipation : Node
        Densities by d^dx.
    statics : sequence of str
        Names of given functions.
    mean : Average, optional
        A parameter that is an average over the state.
    inner : InnerProduct, optional
        What is descended in, where it is pointwise.
    elliptic : Elliptic, optional
        An unknown that is solved for at each state.
    backward : tuple of str
        Unknowns that run backward in time.
    """
    fields = (*rates, elliptic.field) if elliptic else tuple(rates)
    nodes = [*rates.values(), energy, dissipation, *(node for stage in stages for node in stage.nodes)]
    found = (leaf.data for leaf in gr.leaves(nodes) if leaf.op == "symbol")
    parameters = tuple(name for name in found if name not in coordinates)
    final = Stage(tuple((f"rate_{name}", rate) for name, rate in rates.items()))
    program = Program(coordinates, fields, tuple(statics), parameters, (*needed(stages, final.nodes), final))
    if mean is not None:
        mean = replace(mean, stages=needed(stages, [mean.top, mean.bottom]))
    if inner is not None:
        inner = replace(inner, stages=needed(stages, [inner.measure]))
    return GradientSystem(program, stages, energy, dissipation, mean, inner, elliptic, backward)


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
                               statics=self.statics(realise, nodes), mean=mean, inner=inner,
                               elliptic=self.solved(realise))


@final
@dataclass(frozen=True)
class DerivedFlow(InNotebook, InLatex):
    """∂_t u = −c grad E, derived by varying a functional, c its `factor`.

    `system(**setting)` gives all that is computed over real coordinates, over the flat reference metric unless the
    setting names another.

    Parameters
    ----------
    functional : Functional
        E.
    metric : str
        The metric that is descended in.
    equation : sympy.Eq
        In the usual notation.
    system : callable
        From a setting to a GradientSystem. For potentials the setting may name another reference metric, `reference`,
        an (n, n) Hermitian matrix of numbers or nodes, and the numbers of its Kähler class, `kahler_class`, which are
        needed where the reference varies.
    linear : callable
        The linearisation at the flat metric.
    """

    latex_style: ClassVar[str] = "\\displaystyle "

    functional: Functional
    metric: str
    equation: sympy.Eq
    system: Callable[..., GradientSystem] = field(repr=False)
    linear: Callable[[], Linearisation] = field(repr=False)

    def __content__(self) -> dict[str, Any]:
        """What the flow is: all else follows from these."""
        return {"functional": self.functional, "metric": self.metric}

    @property
    def name(self) -> str:
        """The functional's name and the metric's."""
        return f"{self.functional.name}-{self.metric}"

    @cached_property
    def flat(self) -> GradientSystem:
        """The flow over the flat reference."""
        return self.system()

    @property
    def stages(self) -> tuple[Stage, ...]:
        """The inner stages that the rates stand on, over the flat reference."""
        return self.flat.program.inner

    @property
    def rates(self) -> Mapping[str, gr.Node]:
        """∂_t of each field, by name, over the flat reference."""
        return dict(zip(self.flat.unknowns, self.flat.rates, strict=True))

    @property
    def order(self) -> int:
        """The order of the linearised flow at the flat metric; 0 where that vanishes."""
        return self.linearisation.order

    @cached_property
    def linearisation(self) -> Linearisation:
        """The linearised flow at the flat metric."""
        return self.linear()

    def decay_rate(self, wave: Sequence[Any]) -> Any:
        """The slowest decay rate of a small plane wave e^{ik·x}; negative where it grows.

        Parameters
        ----------
        wave : (d,) sequence of numbers
            The wave vector k over the real coordinates.
        """
        return self.linearisation.decay_rate(wave)

    def principal_symbol(self, **setting: Any) -> PrincipalSymbol:
        """The principal symbol at any state, over jets of the state and of the stages.

        Parameters
        ----------
        **setting
            As `system` takes.
        """
        whole = self.system(**setting)
        return PrincipalSymbol.of(Staged.of(whole.program), whole.unknowns)

    def explain(self) -> str:
        """The steps of the derivation, then what is known of the flow."""
        verdict = self.linearisation.verdict
        shown = str(self).partition(": ")[2]
        descent = f"Gradient in the {self.metric} metric, descent of {self.functional.factor} E: {shown}"
        return "\n".join([self.functional.explain(), descent, verdict, *self.functional.remarks])

    def __str__(self) -> str:
        return f"{self.name}: {sympy.sstr(self.equation.lhs)} = {sympy.sstr(self.equation.rhs)}"

    def __facts__(self) -> Facts:
        E = self.functional
        scaled = "E" if E.factor == 1 else f"{E.factor} E"
        return [("equation", mathml(self.latex_style + self.latex())), ("functional", str(E)),
                ("descent", f"of {scaled} in the {self.metric} metric")]

    def __exact__(self) -> sympy.Eq:
        return self.equation

    def _latex(self, printer: Any = None) -> str:
        return str(sympy.latex(self.equation))
