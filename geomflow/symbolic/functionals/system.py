"""Gradient flows as data: programs of rates over real coordinates, with their energy and dissipation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import final

from geomflow.core import graph as gr
from geomflow.core.program import Average, Elliptic, InnerProduct, Program, Stage, needed


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
    averages : tuple of Average
        Parameters that are averages over the state; one may depend on those before it.
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
    averages: tuple[Average, ...] = ()
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
        known = {average.parameter for average in self.averages}
        return tuple(name for name in self.program.parameters if name not in known)

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
            dissipation, tuple(average.substituted(values) for average in self.averages),
            self.inner and self.inner.substituted(values), self.elliptic, self.backward)


def is_distribution(program: Program) -> bool:
    """Whether a sign is differentiated, so that a rate is no function on a grid.

    Parameters
    ----------
    program : Program
        Of rates.
    """
    inner = [node for stage in program.inner for node in stage.nodes]
    return any(node.op == "call" and node.data == "sign" for node in gr.schedule(inner))


def gradient_system(coordinates: tuple[str, ...], rates: Mapping[str, gr.Node], stages: tuple[Stage, ...],
                    energy: gr.Node, dissipation: gr.Node, *, statics: Sequence[str] = (),
                    averages: Sequence[Average] = (), inner: InnerProduct | None = None,
                    elliptic: Elliptic | None = None, backward: tuple[str, ...] = ()) -> GradientSystem:
    """A system of rates by field, each of its parts on that of the stages which it needs.

    Parameters
    ----------
    coordinates : tuple of str
        Real.
    rates : mapping of str to Node
        ∂_t of each unknown.
    stages : tuple of Stage
        What the nodes may stand on; each part keeps the outputs that it needs.
    energy, dissipation : Node
        Densities by d^dx.
    statics : sequence of str
        Names of given functions.
    averages : sequence of Average
        Parameters that are averages over the state.
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
    own = tuple(replace(average, stages=needed(stages, [average.top, average.bottom])) for average in averages)
    if inner is not None:
        inner = replace(inner, stages=needed(stages, [inner.measure]))
    return GradientSystem(program, stages, energy, dissipation, own, inner, elliptic, backward)
