"""The coefficients of all derivatives in a program, at some points of a state: what its linearisation is made of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from geomflow.core import graph as gr
from geomflow.core.errors import NotFiniteError
from geomflow.core.program import Program, Stage
from geomflow.field.grid import Grid
from geomflow.field.operators import PointwiseOperator, pointwise

POINTS = 24
"""Grid points at which the symbol is looked at."""


@dataclass(frozen=True)
class Slope:
    """The values (points,) of the coefficient of ∂^index of `name` in output `row` of `stage`."""

    stage: int
    row: int
    name: str
    index: tuple[int, ...]
    values: np.ndarray


class Slopes:
    """The coefficient of every derivative at some grid points, of all stages of a program.

    Parameters
    ----------
    program : Program
        Rates of all components.
    grid : Grid
        Where the states live.
    statics : array or None
        Given arrays of the program.
    """

    def __init__(self, program: Program, grid: Grid, statics: np.ndarray | None) -> None:
        self.program, self.grid, self._statics = program, grid, statics

    @np.errstate(all="ignore")
    def __call__(self, y: np.ndarray, parameters: Sequence[float]) -> list[Slope]:
        """At a packed state y, where the program's parameters have these values.

        Raises NotFiniteError where the coefficient of a derivative is infinite at all points.
        """
        program, found = self.program, list[Slope]()
        values, points = self._leaves(y, parameters)
        for number, stage in enumerate(program.stages):
            moving = {*program.fields, *(name for inner in program.stages[:number] for name in inner.names)}
            jets = [leaf for leaf in gr.leaves(stage.nodes) if leaf.op == "jet" and leaf.data[0] in moving]
            derivatives = _finite(jets, gr.jacobian(stage.nodes, values, jets, points))
            found += [Slope(number, row, jet.data[0], jet.data[1], derivatives[row, n])
                      for row in range(len(stage.names)) for n, jet in enumerate(jets) if derivatives[row, n].any()]
        return found

    @cached_property
    def _shown(self) -> list[gr.Node]:
        """Coordinates and derivatives in the program."""
        return [leaf for leaf in gr.leaves([node for stage in self.program.stages for node in stage.nodes])
                if leaf.op == "jet" or leaf.data in self.program.coordinates]

    @cached_property
    def _operator(self) -> PointwiseOperator:
        final = Stage(tuple((f"leaf_{n}", leaf) for n, leaf in enumerate(self._shown)))
        program = replace(self.program, stages=(*self.program.inner, final))
        return pointwise(program, self.grid, self._statics)

    def _leaves(self, y: np.ndarray, parameters: Sequence[float]) -> tuple[dict[gr.Node, Any], int]:
        """Parameters, and coordinates and derivatives at some grid points; and how many points these are."""
        known: dict[gr.Node, Any] = {gr.symbol(name): np.float64(value) for name, value in
                                     zip(self.program.parameters, parameters, strict=True)}
        if not self._shown:
            return known, 1
        some = sampled(self._operator(y, parameters))
        return known | dict(zip(self._shown, some, strict=True)), some.shape[1]


def _finite(jets: Sequence[gr.Node], derivatives: np.ndarray) -> np.ndarray:
    """The coefficients (rows, jets, points), 0 where single ones are infinite, as at a zero of u in √u."""
    infinite = np.isinf(derivatives)
    for jet, everywhere in zip(jets, infinite.all(axis=2).any(axis=0), strict=True):
        if everywhere and any(jet.data[1]):
            raise NotFiniteError(f"the equation is singular where it starts: the coefficient of a derivative of "
                                 f"'{jet.data[0]}' is infinite. Start from another state, or at another time t0.")
    return np.where(infinite, 0.0, derivatives)


def sampled(rows: np.ndarray) -> np.ndarray:
    """Rows (n, *grid) at the grid points at which the symbol is looked at, (n, points)."""
    flat = rows.reshape(len(rows), -1)
    return flat[:, :: max(1, flat.shape[1] // POINTS)]
