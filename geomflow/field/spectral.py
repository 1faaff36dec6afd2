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
from geomflow.field.operators import Operator, checked_fields, checked_parameters

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
        for stage, (leaves, routine) in zip(program.stages, self.stages):
            outputs = self._stage(leaves, routine, arrays, known)
            arrays.update(zip((name for name, _ in stage.outputs), outputs))
        if out is None:
            return np.ascontiguousarray(outputs)
        out[...] = outputs
        return out

    def _axes(self) -> list[np.ndarray]:
        """The cell coordinates as arrays that broadcast."""
        lines = [h * np.arange(n) for h, n in zip(self.grid.spacing, self.grid.shape)]
        return list(np.meshgrid(*lines, indexing="ij", sparse=True))

    def _stage(self, leaves: Sequence[gr.Node], routine: PointRoutine, arrays: dict, known: dict) -> np.ndarray:
        """The outputs of one stage, (n_outputs, *grid)."""
        fields = {leaf.data[0] for leaf in leaves if leaf.op == "jet"}
        jets = {name: cell_jets(self.grid.discretisation, self.grid.spacing, arrays[name]) for name in fields}
        values = [jets[leaf.data[0]](leaf.data[1]) if leaf.op == "jet" else known[leaf.data] for leaf in leaves]
        result = np.empty((routine.shape[0], *self.grid.shape))
        routine(*np.broadcast_arrays(*values, result[0])[:-1], out=np.moveaxis(result, 0, -1))
        return result


def make_spectral(
    program: Program, grid: Grid, statics: np.ndarray | None, n_parameters: int, extra: tuple[float, ...]
) -> SpectralOperator:
    """The operator of a program in cell coordinates on a spectral grid; states the memory of its jets."""
    stages = tuple(_compiled_stage(stage) for stage in program.stages)
    arrays = max(len(leaves) + len(stage.outputs) for stage, (leaves, _) in zip(program.stages, stages))
    memory.require(
        arrays * grid.nbytes,
        f"the {arrays} arrays of derivatives and results on {grid!r}",
        "use a smaller grid or stencils, which keep no derivatives",
    )
    return SpectralOperator(program, stages, grid, statics, n_parameters, extra)


@lru_cache(maxsize=256)
def _compiled_stage(stage: Stage) -> tuple[tuple[gr.Node, ...], PointRoutine]:
    outputs = [node for _, node in stage.outputs]
    leaves = tuple(gr.leaves(outputs))
    return leaves, compile_points(outputs, leaves)
