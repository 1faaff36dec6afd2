"""What an equation of a user's own has beside its rates: given arrays, what must stay positive, and what is watched."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import singledispatch
from typing import TYPE_CHECKING, Any

import numpy as np

from geomflow.core import graph as gr
from geomflow.core.program import Program, Stage
from geomflow.field import Field, HermitianField, MetricField, PotentialField
from geomflow.field.grid import Grid
from geomflow.field.lattice import FlatTorus
from geomflow.field.potential import ReferenceForm, reference_rows
from geomflow.flow.equation import Monitor, equations_of
from geomflow.flow.equations.kahler import LOG_KAPPA, Target, chern_monitors, kahler_monitors, log_det_stage
from geomflow.flow.equations.ricci import minors, ricci_monitors
from geomflow.flow.equations.unknowns import hermitian_of, unknown_form
from geomflow.symbolic.jets import MetricNodes, metric_nodes

if TYPE_CHECKING:
    import sympy

CURVATURES = ("ricci_norm_max", "curvature_size")
"""Monitors that measure the size of a curvature."""


def example(grid: Grid, name: str) -> Field:
    """A field of the kind that its name says: a metric g, on complex tori a potential phi and a Hermitian metric h,
    else a function.
    """
    if name == MetricField.called:
        return grid.metric()
    if name == PotentialField.called and grid.torus.complex_dim:
        return grid.potential()
    if name == HermitianField.called and grid.torus.complex_dim:
        return grid.hermitian()
    return grid.scalar(0)


def written_out(program: Program, torus: FlatTorus) -> list[sympy.Eq]:
    """∂_t of each field = its rate in sympy; κ of a potential is that of the flat unit reference form, 2⁻ⁿ."""
    flat = -torus.complex_dim * gr.log(gr.constant(2))
    return equations_of(program.substituted({gr.symbol(LOG_KAPPA): flat}), torus)


def given_arrays(parts: Mapping[str, Field], still: Mapping[str, Field]) -> tuple[tuple[str, ...], np.ndarray | None]:
    """Names and rows of what does not move: the reference forms of potentials, fields without a rate."""
    names: list[str] = []
    rows: list[np.ndarray] = []
    for part in _potentials(parts).values():
        reference = reference_rows(part)
        if reference is not None:
            names += ReferenceForm.of(part).static_names
            rows.append(reference)
    for name, held in still.items():
        names += held.names(name)
        rows.append(held.pack())
    return tuple(names), np.concatenate(rows) if rows else None


def flat_target(parts: Mapping[str, Field]) -> Target:
    """What v compares with, of the potential among the fields if there is one."""
    for name, part in _potentials(parts).items():
        return Target.flat(part, hermitian_of(part, name))
    return Target(gr.ZERO)


def log_det_stages(parts: Mapping[str, Field]) -> tuple[Stage, ...]:
    """The stages that the monitors of potentials and of Hermitian metrics stand on."""
    found = [hermitian_of(part, name) for name, part in _potentials(parts).items()]
    found += [unknown_form(part, name) for name, part in parts.items() if isinstance(part, HermitianField)]
    return tuple(map(log_det_stage, found))


def _potentials(parts: Mapping[str, Field]) -> dict[str, PotentialField]:
    return {name: part for name, part in parts.items() if isinstance(part, PotentialField)}


def modulo(program: Program, moving: Mapping[str, Field]) -> str | None:
    """"constants" where all that moves is a potential that the rate sees the derivatives of alone."""
    if len(moving) != 1 or not _potentials(moving):
        return None
    (name,) = program.fields
    nodes = [node for stage in program.stages for node in stage.nodes]
    return None if gr.jet(name, (0,) * program.dimension) in gr.leaves(nodes) else "constants"


def positivity(state: Field, parts: Mapping[str, Field]) -> tuple[str, tuple[gr.Node, ...]] | None:
    """What must stay positive: of metrics among the unknowns, of the state itself where it is called otherwise."""
    owners = {state.called: state} if isinstance(state, MetricField | HermitianField) else parts
    nodes = [node for name, part in owners.items() for node in minors_of(part, name)]
    if not nodes:
        return None
    names = [own for name, part in parts.items() for own in part.names(name)]
    called = dict(zip(state.component_names, names, strict=True))
    renamed = {leaf: gr.jet(called[leaf.data[0]], leaf.data[1]) for leaf in gr.leaves(nodes)
               if leaf.op == "jet" and leaf.data[0] in called}
    return "the smallest leading principal minor of g", tuple(gr.substitute(nodes, renamed))


@singledispatch
def minors_of(kind: Any, name: str) -> Sequence[gr.Node]:
    """The leading principal minors of the metric that an unknown of this kind and name is, or has."""
    return ()


@minors_of.register(MetricField)
def _of_metric(kind: MetricField, name: str) -> Sequence[gr.Node]:
    return minors(metric_nodes(kind.grid.torus.coordinates, name)[1])


@minors_of.register(PotentialField)
def _of_potential(kind: PotentialField, name: str) -> Sequence[gr.Node]:
    return hermitian_of(kind, name).minors


@minors_of.register(HermitianField)
def _of_form(kind: HermitianField, name: str) -> Sequence[gr.Node]:
    return unknown_form(kind, name).minors


def monitors_of(parts: Mapping[str, Field], coordinates: tuple[str, ...],
                ignorable: tuple[str, ...] = ()) -> tuple[Monitor, ...]:
    """Volume and curvature of a metric, Chern's of a Hermitian one; the mean and the range of components of all else.
    """
    found: list[Monitor] = []
    for name, part in parts.items():
        if isinstance(part, MetricField):
            metric = MetricNodes(coordinates, metric_nodes(coordinates, name)[1], ignorable)
            found += ricci_monitors(metric, metric.density) if len(coordinates) > 1 else ()
            continue
        if isinstance(part, HermitianField):
            found += chern_monitors(unknown_form(part, name))
            continue
        if isinstance(part, PotentialField):
            kahler = hermitian_of(part, name)
            own = kahler_monitors(kahler, Target.flat(part, kahler).node)
            found += [monitor for monitor in own if monitor.name != "energy"]
        found += ranges(part.names(name), coordinates)
    return tuple(found)


def ranges(names: Sequence[str], coordinates: tuple[str, ...]) -> Iterator[Monitor]:
    """The mean, the least and the largest value of each component."""
    for name in names:
        node = gr.jet(name, (0,) * len(coordinates))
        yield Monitor(f"{name}_mean", "mean", node)
        yield Monitor(f"{name}_min", "min", node)
        yield Monitor(f"{name}_max", "max", node)


def size_of_curvature(monitors: Sequence[Monitor]) -> str | None:
    """The monitor that measures the size of the curvature, if one does."""
    return next((monitor.name for monitor in monitors if monitor.name in CURVATURES), None)
