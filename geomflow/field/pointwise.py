"""Programs on grids of any kind: all jets first, as arrays, then generated point routines, stage by stage.

This is how spectral grids compute. On stencil grids it serves what is asked for once: point routines compile in a
fraction of the time that fused ones take, at the price of memory for every derivative.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, final

import numpy as np

from geomflow.codegen import compile_points
from geomflow.core import graph as gr
from geomflow.core import memory
from geomflow.core.program import Program, Stage
from geomflow.field.cell_program import cell_parameters
from geomflow.field.derivatives import cell_jets
from geomflow.field.interface import (
    Operator,
    cell_version,
    checked_fields,
    checked_out,
    checked_parameters,
    checked_statics,
)

if TYPE_CHECKING:
    from geomflow.codegen import PointRoutine
    from geomflow.field.mesh import Mesh


@final
@dataclass(frozen=True, eq=False)
class PointwiseOperator(Operator):
    """A program whose stages are (leaves, point routine); jets are arrays, made by the discretisation of the grid."""

    program: Program
    stages: tuple[tuple[tuple[gr.Node, ...], PointRoutine], ...]
    grid: Mesh
    statics: np.ndarray | None
    n_parameters: int
    extra: tuple[float, ...]

    def __call__(
        self, fields: np.ndarray, parameters: Sequence[float] = (), out: np.ndarray | None = None
    ) -> np.ndarray:
        program = self.program
        arrays = dict(zip(program.fields, checked_fields(self.grid, program, fields)))
        if self.statics is not None:
            arrays.update(zip(program.statics, self.statics))
        numbers = (*checked_parameters(self.n_parameters, parameters), *self.extra)
        known = dict(zip(program.parameters, numbers)) | dict(zip(program.coordinates, self._axes()))
        last = checked_out(self.grid, program, out)
        for stage, (leaves, routine) in zip(program.stages, self.stages):
            outputs = last if stage is program.stages[-1] else np.empty((len(stage.names), *self.grid.shape))
            self._stage(leaves, routine, arrays, known, outputs)
            arrays.update(zip(stage.names, outputs))
        return last

    def _axes(self) -> list[np.ndarray]:
        """The cell coordinates as arrays that broadcast."""
        lines = [h * np.arange(n) for h, n in zip(self.grid.spacing, self.grid.shape)]
        return list(np.meshgrid(*lines, indexing="ij", sparse=True))

    def _stage(
        self, leaves: Sequence[gr.Node], routine: PointRoutine, arrays: dict, known: dict, outputs: np.ndarray
    ) -> None:
        """Writes the outputs of one stage, (n_outputs, *grid)."""
        values = np.empty((len(leaves), *self.grid.shape))
        rows: dict[str, list[tuple[np.ndarray, tuple[int, ...]]]] = {}
        for row, leaf in zip(values, leaves):
            if leaf.op == "jet":
                rows.setdefault(leaf.data[0], []).append((row, leaf.data[1]))
            else:
                row[...] = known[leaf.data]
        for name, wanted in rows.items():
            jet = cell_jets(self.grid.discretisation, self.grid.spacing, arrays[name])
            for row, index in wanted:
                row[...] = jet(index)
        routine.packed(values.reshape(len(leaves), self.grid.size), outputs.reshape(len(outputs), self.grid.size))


def pointwise(program: Program, grid: Mesh, statics: np.ndarray | None = None) -> PointwiseOperator:
    """The operator of a program on a grid, with all its derivatives held in memory.

    Raises ShapeError when the statics do not fit and MemoryLimitError when the derivatives do not.
    """
    on_cell = cell_version(program, grid)
    stages = tuple(_compiled_stage(stage) for stage in on_cell.stages)
    arrays = max(len(leaves) + len(stage.names) for stage, (leaves, _) in zip(on_cell.stages, stages))
    memory.require(
        arrays * grid.nbytes,
        f"the {arrays} arrays of derivatives and results on {grid!r}",
        "use a smaller grid",
    )
    rows = checked_statics(grid, program, statics)
    return PointwiseOperator(on_cell, stages, grid, rows, len(program.parameters), cell_parameters(grid.torus))


@lru_cache(maxsize=256)
def _compiled_stage(stage: Stage) -> tuple[tuple[gr.Node, ...], PointRoutine]:
    leaves = tuple(gr.leaves(stage.nodes))
    return leaves, compile_points(stage.nodes, leaves)
