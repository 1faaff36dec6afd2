"""Whether metrics of an ansatz are positive, where unknowns of any sign let them be indefinite."""

from __future__ import annotations

from typing import TYPE_CHECKING

from geomflow.field.reduced.compiled import compiled_nodes
from geomflow.field.reduced.evaluate import Evaluated
from geomflow.symbolic.ansatz.measure import on_orbit
from geomflow.symbolic.ansatz.span import span_of

if TYPE_CHECKING:
    from geomflow.field.reduced.grid import ReducedGrid


def leading_minors(grid: ReducedGrid) -> Evaluated | None:
    """The leading principal minors at the points, all positive where the metric is (Sylvester).

    None where all unknowns are logarithms, and nothing else can be lost; on a span these are its ends.
    """
    regular, metric = grid.ansatz.regular, grid.ansatz.metric
    if all(f.exponent for f in regular.fields) or span_of(grid.ansatz) is not None:
        return None
    minors = [on_orbit(metric.matrix[:k, :k].det(), metric.chart, grid.coordinates) for k in range(1, metric.dim + 1)]
    return compiled_nodes(grid, [regular.node(minor) for minor in minors])
