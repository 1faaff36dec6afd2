"""What stands before the loops of a grid routine: sizes, weights of stencils, and buffers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from geomflow.codegen.plan import AXES, GridPlan, last_axis, letters
from geomflow.codegen.reader import plus
from geomflow.codegen.stencils import radius, weights
from geomflow.codegen.text import listed


def sizes(plan: GridPlan, symbols: Mapping[str, str]) -> Iterator[str]:
    """The lines that read extents, spacings and parameters; `symbols` are the variables of the latter."""
    for axis in range(plan.dimension):
        yield f"n_{AXES[axis]} = out.shape[{axis + 1}]"
    for axis, name in enumerate(plan.program.coordinates):
        yield f"h_{AXES[axis]} = spacing[{axis}]  # of {listed([name])}"
    for position, name in enumerate(plan.program.parameters):
        yield f"{symbols[name]} = parameters[{position}]"
    if plan.dimension >= 3:
        for number, lead in enumerate(plan.leads):
            yield f"lines{number} = {plus('last - first', 2 * lead)}"


def stencil_weights(plan: GridPlan) -> Iterator[str]:
    """The lines that compute the weights of all derivatives, from the point itself outwards."""
    used = {(last_axis(index), index[last_axis(index)]) for stage in plan.stages for _, index in stage.differentiated}
    for axis, derivative in sorted(used):
        known = weights(derivative, plan.order)
        reach = radius(derivative, plan.order)
        scale = " * ".join([f"h_{AXES[axis]}"] * derivative)
        ratios = [known[reach + s] for s in range(derivative % 2, reach + 1)]
        values = ", ".join(f"{w.numerator}.0 / ({w.denominator}.0 * {scale})" for w in ratios)
        yield f"w_{AXES[axis] * derivative} = ({values},)"


def buffers(plan: GridPlan, tables: int) -> dict[str, str]:
    """How many numbers each buffer holds, as text, by its name; `tables` are functions of the last coordinate."""
    found = {}

    def needed(name: str, *extents: str | int) -> None:
        found[name] = " * ".join(map(str, (*extents, plan.pitch)))

    for number, stage in enumerate(plan.stages):
        for index, members in stage.prefixes.items():
            ring = [2 * stage.ring_reach + 1] if last_axis(index) == 0 and plan.dimension >= 3 else []
            thick = ["n_k"] if last_axis(index) <= 1 and plan.dimension == 4 else []
            needed(f"d{number}_{letters(index)}", *ring, *thick, len(members))
        if lines := stage.lines(plan.inner):
            needed(f"line{number}", len(lines))
        if stage.across:
            needed(f"across{number}", len(stage.across))
        if number < len(plan.stages) - 1:
            extents = [f"lines{number}", "n_k"][: plan.dimension - 2]
            needed(f"stage{number}", plan.depth(number), *extents, len(plan.program.stages[number].outputs))
    return found | ({"table": f"{tables} * n_{AXES[plan.inner]}"} if tables else {})
