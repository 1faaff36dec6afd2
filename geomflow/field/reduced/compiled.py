"""Expressions in regular fields, compiled for a grid of an ansatz."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from geomflow.core import graph as gr
from geomflow.core.errors import InputError
from geomflow.core.program import Average
from geomflow.field.reduced.closing import Closing
from geomflow.field.reduced.evaluate import Evaluated
from geomflow.symbolic.ansatz import Mean
from geomflow.symbolic.ansatz.axis import HIGH_ROOT, LOW_ROOT, SINE

if TYPE_CHECKING:
    from geomflow.field.reduced.grid import ReducedGrid


def compiled_nodes(grid: ReducedGrid, nodes: Sequence[gr.Node], means: Sequence[Mean] = (),
                   extra: Sequence[str] = ()) -> Evaluated:
    """Nodes in jets of the regular fields, and of `extra` functions, for their values at the points.

    Parameters
    ----------
    grid : ReducedGrid
        With its bases, and given arrays.
    nodes : sequence of Node
        What `ansatz.regular` makes of expressions.
    means : sequence of Mean
        Numbers of the whole manifold that nodes hold.
    extra : sequence of str
        Names of further functions, which are given behind the fields.
    """
    regular = grid.ansatz.regular
    weights = grid.weights
    if means and grid.is_infinite:
        raise InputError("the rate holds an integral over the manifold, which is infinite: leave mean, integral and "
                         "volume out, and take flows that are not normalised.")
    averages = [_average(grid, mean, float(weights.sum())) for mean in means]
    whole = [*nodes, *(node for average in averages for node in (average.top, average.bottom))]
    closings = {Closing(r.field, f"square_{r.field}", r.rate, f"closing{-r.rate}"): None
                for r in regular.remainders(whole)}
    squares = {f"square_{f.name}": grid.square(f) for f in regular.fields if f.factor is not None}
    bases = [*(grid.basis_of(f) for f in regular.fields), *(grid.basis for _ in extra)]
    return Evaluated(list(nodes), [*(f.name for f in regular.fields), *extra], bases, {**grid.statics, **squares},
                     averages, tuple(closings), weights)


def _average(grid: ReducedGrid, mean: Mean, whole: float) -> Average:
    regular = grid.ansatz.regular
    bottom = gr.constant(Fraction(1 / whole)) if mean.bottom is None else regular.node(mean.bottom)
    return Average(mean.name, regular.node(mean.top), bottom)


def integral_weights(grid: ReducedGrid) -> np.ndarray:
    """w with w · f = ∫ f dx for volume densities, which are odd about ends where they hold an odd power of the root."""
    if len(grid.bases) != 1 or grid.is_infinite:
        return grid.basis.weights
    return grid.bases[0].root_weights(*odd_ends(grid))


def odd_ends(grid: ReducedGrid) -> tuple[bool, bool]:
    """Whether the density of volumes is odd about the first end of the one coordinate, and about the last."""
    (name,) = grid.coordinates
    density = grid.ansatz.regular.node(grid.ansatz.relative_measure.density)
    held = {leaf.data for leaf in gr.leaves([density]) if leaf.op == "symbol"}
    both, low, high = (f"{root}_{name}" in held for root in (SINE, LOW_ROOT, HIGH_ROOT))
    return both != low, both != high
