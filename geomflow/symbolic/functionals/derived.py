"""A derived gradient flow as data: a program of rates over real coordinates, with its energy, ready to run."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, final

import sympy

from geomflow.core import graph as gr
from geomflow.core.program import Average, Elliptic, InnerProduct, Program, Stage, needed
from geomflow.symbolic.functionals.linear import Linearisation, PrincipalSymbol
from geomflow.symbolic.show import InLatex
from geomflow.symbolic.variation.staged import Staged

if TYPE_CHECKING:
    from geomflow.symbolic.functionals.functional import Functional


@final
@dataclass(frozen=True)
class GradientSystem:
    """Everything that is computed along a run of a gradient flow, over real coordinates.

    program       the rate ∂_t of each field, last a field that is solved for; its parameters are the average and what
                  the functional leaves open
    stages        named inner expressions that the densities and the symbol stand on, in order
    energy        density of loss * E by d^dx
    dissipation   density of ‖loss grad E‖² by d^dx: d(loss E)/dt = −∫ dissipation
    average       a parameter that is an average over the state
    inner         the inner product that is descended in, where it is a pointwise one
    elliptic      a field solved for at each state
    backward      fields whose equation is parabolic backward in time only
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
    def fields(self) -> tuple[str, ...]:
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
        """The system with numbers for what the functional leaves open."""
        energy, dissipation = gr.substitute([self.energy, self.dissipation], values)
        return GradientSystem(
            self.program.substituted(values), tuple(stage.substituted(values) for stage in self.stages), energy,
            dissipation, self.average and self.average.substituted(values),
            self.inner and self.inner.substituted(values), self.elliptic, self.backward)


def gradient_system(coordinates: tuple[str, ...], rates: Mapping[str, gr.Node], stages: tuple[Stage, ...],
                    energy: gr.Node, dissipation: gr.Node, *, statics: Sequence[str] = (), mean: Average | None = None,
                    inner: InnerProduct | None = None, elliptic: Elliptic | None = None,
                    backward: tuple[str, ...] = ()) -> GradientSystem:
    """A system of rates by field, each of its parts on those of the stages that it needs."""
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


@final
@dataclass(frozen=True)
class DerivedFlow(InLatex):
    """∂_t u = −loss grad E, derived by varying a functional.

    `system(**setting)` gives all that is computed over real coordinates; for potentials the setting may name another
    reference metric (`reference`, an (n, n) Hermitian matrix of numbers or nodes) and the numbers of its Kähler class
    (`kahler_class`, needed where the reference varies).
    """

    latex_style: ClassVar[str] = "\\displaystyle "

    functional: Functional
    metric: str
    equation: sympy.Eq
    make: Callable[..., GradientSystem] = field(repr=False)
    linear: Callable[[], Linearisation] = field(repr=False)

    def __content__(self) -> dict[str, Any]:
        """What the flow is: all else follows from these."""
        return {"functional": self.functional, "metric": self.metric}

    @property
    def name(self) -> str:
        """The functional's name and the metric's."""
        return f"{self.functional.name}-{self.metric}"

    @property
    def loss(self) -> Fraction | int:
        """The factor of E in what the flow decreases."""
        return self.functional.loss

    def system(self, **setting: Any) -> GradientSystem:
        """The flow over real coordinates."""
        return self.make(**setting)

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
        return dict(zip(self.flat.fields, self.flat.rates, strict=True))

    @property
    def order(self) -> int:
        """The order of the linearised flow at the flat metric; 0 where that vanishes."""
        return self.linearisation.order

    @cached_property
    def linearisation(self) -> Linearisation:
        """The linearised flow at the flat metric."""
        return self.linear()

    def decay_rate(self, wave: Sequence[Any]) -> Any:
        """The slowest decay rate of a small plane wave e^{ik·x}; negative where it grows."""
        return self.linearisation.decay_rate(wave)

    def principal_symbol(self, **setting: Any) -> PrincipalSymbol:
        """The principal symbol at any state, over jets of the state and of the stages."""
        whole = self.system(**setting)
        return PrincipalSymbol.of(Staged.of(whole.program), whole.fields)

    def latex(self) -> str:
        """The equation in LaTeX."""
        return str(sympy.latex(self.equation))

    def explain(self) -> str:
        """The steps of the derivation, then what is known of the flow."""
        verdict = self.linearisation.verdict
        shown = str(self).partition(": ")[2]
        descent = f"Gradient in the {self.metric} metric, descent of {self.loss} E: {shown}"
        return "\n".join([self.functional.explain(), descent, verdict, *self.functional.remarks])

    def __str__(self) -> str:
        return f"{self.name}: {sympy.sstr(self.equation.lhs)} = {sympy.sstr(self.equation.rhs)}"

    def _latex(self, printer: Any = None) -> str:
        return self.latex()
