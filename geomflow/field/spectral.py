"""Programs on spectral grids: jets by Fourier transforms, then generated point routines, stage by stage."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, final

import numpy as np

from geomflow.codegen import Program, Stage, compile_points
from geomflow.core import graph as gr
from geomflow.core import memory
from geomflow.field.derivatives import cell_jets
from geomflow.field.operators import Operator, checked_fields, checked_out, checked_parameters

if TYPE_CHECKING:
    from geomflow.codegen import PointRoutine
    from geomflow.field.grid import Grid


@final
@dataclass(frozen=True, eq=False)
class SpectralOperator(Operator):
    """A program whose stages are (leaves, point routine); jets are filled by Fourier transforms."""

    program: Program
    stages: tuple[tuple[tuple[gr.Node, ...], PointRoutine], ...]
    grid: Grid
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
        routine.packed(values.reshape(len(leaves), -1), outputs.reshape(len(outputs), -1))


def make_spectral(
    program: Program, grid: Grid, statics: np.ndarray | None, n_parameters: int, extra: tuple[float, ...]
) -> SpectralOperator:
    """The operator of a program in cell coordinates on a spectral grid; states the memory of its jets."""
    stages = tuple(_compiled_stage(stage) for stage in program.stages)
    arrays = max(len(leaves) + len(stage.names) for stage, (leaves, _) in zip(program.stages, stages))
    memory.require(
        arrays * grid.nbytes,
        f"the {arrays} arrays of derivatives and results on {grid!r}",
        "use a smaller grid or stencils, which keep no derivatives",
    )
    return SpectralOperator(program, stages, grid, statics, n_parameters, extra)


@lru_cache(maxsize=256)
def _compiled_stage(stage: Stage) -> tuple[tuple[gr.Node, ...], PointRoutine]:
    leaves = tuple(gr.leaves(stage.expressions))
    return leaves, compile_points(stage.expressions, leaves)
