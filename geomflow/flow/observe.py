"""Numbers watched along a run: integrals and extremes of expressions in the state, all in one pass."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from geomflow.core import graph as gr
from geomflow.core.program import Program, Stage
from geomflow.field.operators import discretise

if TYPE_CHECKING:
    from geomflow.field.grid import Grid


@dataclass(frozen=True)
class Monitor:
    """The number `name`: the integral over the torus (dx), the mean, the maximum or the minimum of `node`."""

    name: str
    reduction: Literal["integral", "mean", "max", "min"]
    node: gr.Node


class Observer:
    """Evaluates monitors at a state: one generated routine for all their expressions, then reductions."""

    def __init__(self, program: Program, stages: Sequence[Stage], monitors: Sequence[Monitor], grid: Grid,
                 statics: np.ndarray | None) -> None:
        self._monitors = tuple(monitors)
        self._nodes = list(dict.fromkeys(m.node for m in monitors))
        outputs = tuple((f"observed_{n}", node) for n, node in enumerate(self._nodes))
        inner = Program(program.coordinates, program.fields, program.statics, (), (*stages, Stage(outputs)))
        self._operator = discretise(inner, grid, statics) if monitors else None
        self._volume = grid.torus.cell_volume

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the monitors, in order."""
        return tuple(m.name for m in self._monitors)

    def __call__(self, t: float, y: np.ndarray) -> dict[str, float]:
        """The monitors at the packed state y."""
        if self._operator is None:
            return {}
        rows = dict(zip(self._nodes, self._operator(y), strict=True))
        return {m.name: self._reduce(m.reduction, rows[m.node]) for m in self._monitors}

    def _reduce(self, reduction: str, values: Any) -> float:
        if reduction == "integral":
            return float(values.mean()) * self._volume
        return float(getattr(values, reduction)())
