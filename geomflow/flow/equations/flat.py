"""The leading symbol of a metric's rate at the flat metric, from which a gauge takes its order and its strength.

A rate that is covariant has, at the flat metric, a symbol on the components h_ab across the wave vector alone, and by
symmetry two numbers: one on their traceless part, one on their trace.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from geomflow.core import graph as gr
from geomflow.core.program import Stage

_SIMPLE = 1000
"""Numbers that are fractions with denominators up to this are written as these."""

_ROUNDING = 1e-12
"""Beside the damping at another time."""


def order_of(rates: np.ndarray, stages: Sequence[Stage], names: Sequence[str]) -> int:
    """The highest order of differentiation of the fields with these names in the rates, through all stages."""
    known = dict.fromkeys(names, 0)
    for stage in (*stages, Stage(tuple((f"rate {n}", node) for n, node in enumerate(rates.flat)))):
        for name, node in stage.outputs:
            reached = [known[leaf.data[0]] + sum(leaf.data[1]) for leaf in gr.leaves([node])
                       if leaf.op == "jet" and leaf.data[0] in known]
            if reached:
                known[name] = max(reached)
    return max((order for name, order in known.items() if name.startswith("rate ")), default=0)


@dataclass(frozen=True)
class Damping:
    """How a rate damps waves of order one at the flat metric: −λ of its leading symbol λ|k|^order; NaN where undefined.

    Parameters
    ----------
    traceless, trace : float
        Of metrics across the wave vector; `traceless` is NaN in dimension 2, where there are none.
    """

    traceless: float
    trace: float

    def vanishes_beside(self, other: Damping) -> bool:
        """Whether this is nothing but rounding, and the other is not."""
        own, others = (np.abs([damping.traceless, damping.trace]) for damping in (self, other))
        return bool(np.nanmax([*own, 0.0]) <= _ROUNDING * np.nanmax([*others, 0.0]) > 0)

    @property
    def scale(self) -> Fraction:
        """The first that is positive, as a fraction; 1 where there is none."""
        for value in (self.traceless, self.trace):
            if value > 0 and np.isfinite(value):
                simple = Fraction(value).limit_denominator(_SIMPLE)
                return simple if abs(float(simple) - value) < 1e-12 * value else Fraction(value)
        return Fraction(1)


def damping_at_flat(rates: np.ndarray, stages: Sequence[Stage], metric: np.ndarray, order: int,
                    axis: int = 0, numbers: Mapping[str, float] | None = None) -> Damping:
    """The damping of waves along an axis, other fields constant and all numbers of the whole state 1.

    Waves e^{ix} are taken as e^{κx}, whose derivatives are real; the part with κ^order is kept.

    Parameters
    ----------
    rates, metric : (d, d) array of nodes
        The metric's rate, and its components.
    stages : sequence of Stage
        What the rates stand on.
    order : int
        Even.
    axis : int
        One that the metric may depend on.
    numbers : mapping, optional
        Values of the time, by its name, and of the other fields, 0 where they are not given.
    """
    dim, across = len(metric), [n for n in range(len(metric)) if n != axis]
    mixed = (across[0], across[-1])
    last = Stage(tuple((f"rate {place}", rates[place]) for place in (mixed, (across[-1], across[-1]))))
    wave = np.zeros((2, order + 1))
    values = {name: np.float64(number) for name, number in (numbers or {}).items()}
    values |= {entry.data[0]: np.float64(i == j) for (i, j), entry in np.ndenumerate(metric)}
    slopes = dict[str, np.ndarray]()
    for n, places in enumerate(([mixed] if dim > 2 else [], [(i, i) for i in across])):
        for place in places:
            slopes.setdefault(metric[place].data[0], wave.copy())[n, 0] = 1.0
    with np.errstate(all="ignore"):
        for stage in (*stages, last):
            found = gr.tangents(stage.nodes, *_jets(stage, values, slopes, axis))
            for name, (value, slope, _) in zip(stage.names, found, strict=True):
                values[name], slopes[name] = value, wave if slope is None else slope
    sign = -((-1.0) ** (order // 2))
    symbols = [sign * float(slopes[name][n, order]) for n, name in enumerate(last.names)]
    return Damping(symbols[0] if dim > 2 else np.nan, symbols[1])


def _jets(stage: Stage, values: dict[str, Any], slopes: dict[str, np.ndarray],
          axis: int) -> tuple[dict[gr.Node, Any], ...]:
    """What constants and waves along an axis are at the leaves of a stage."""
    at: dict[gr.Node, Any] = {}
    along: dict[gr.Node, Any] = {}
    for leaf in gr.leaves(stage.nodes):
        if leaf.op == "symbol":
            at[leaf] = values.get(leaf.data, np.float64(1))
            continue
        name, index = leaf.data
        times = index[axis]
        at[leaf] = values.get(name, np.float64(0)) if not any(index) else np.float64(0)
        if name in slopes and sum(index) == times:
            along[leaf] = np.zeros_like(slopes[name])
            along[leaf][:, times:] = slopes[name][:, : slopes[name].shape[1] - times]
    return at, along
