"""Programs on grids: one interface for fused stencil routines and for Fourier derivatives.

`discretise(program, grid)` gives a callable from packed fields (n_fields, *grid) to packed outputs (n_outputs, *grid).
On stencil grids it is one generated routine with fused loops (`codegen.compile_grid`), made to be called many times; on
spectral grids jets are arrays and generated point routines are applied to them (`geomflow.field.pointwise`). On general
lattices the Cartesian jets of the program are first rewritten, on the graph, in the lattice directions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, final

import numpy as np

from geomflow.codegen import compile_grid
from geomflow.core import graph as gr
from geomflow.core.program import Program
from geomflow.field.cell_program import cell_parameters
from geomflow.field.interface import (
    Operator,
    cell_version,
    checked_fields,
    checked_out,
    checked_parameters,
    checked_statics,
)
from geomflow.field.pointwise import pointwise

if TYPE_CHECKING:
    from geomflow.codegen import GridRoutine
    from geomflow.field.mesh import Mesh


@final
@dataclass(frozen=True, eq=False)
class StencilOperator(Operator):
    """A generated routine with its grid's spacing, static arrays and lattice parameters filled in."""

    routine: GridRoutine
    grid: Mesh
    statics: np.ndarray | None
    n_parameters: int
    extra: tuple[float, ...]

    def __call__(
        self, fields: np.ndarray, parameters: Sequence[float] = (), out: np.ndarray | None = None
    ) -> np.ndarray:
        rows = checked_fields(self.grid, self.routine.program, fields)
        values = (*checked_parameters(self.n_parameters, parameters), *self.extra)
        result = checked_out(self.grid, self.routine.program, out)
        return self.routine(rows, self.grid.spacing, values, statics=self.statics, out=result)


def discretise(program: Program, grid: Mesh, statics: np.ndarray | None = None) -> Operator:
    """The program on the grid; `statics` are given arrays (n_statics, *grid) in the order of `program.statics`.

    Raises ShapeError when they do not fit and MemoryLimitError when the derivatives would not fit in memory.
    """
    if grid.order is None or most_jets(program) > FUSED_JETS:
        return pointwise(program, grid, statics)
    rows = checked_statics(grid, program, statics)
    routine = _compiled(cell_version(program, grid), grid.order)
    return StencilOperator(routine, grid, rows, len(program.parameters), cell_parameters(grid.torus))


FUSED_JETS = 100
"""Stages with more derivatives than this are not fused: a fused general metric in dimension four, with 150, takes most
of a minute to compile, and its point routine two seconds."""


def most_jets(program: Program) -> int:
    """The largest number of distinct jets in a stage of the program."""
    return max(sum(leaf.op == "jet" for leaf in gr.leaves(stage.nodes)) for stage in program.stages)


@lru_cache(maxsize=256)
def _compiled(program: Program, order: int) -> GridRoutine:
    return compile_grid(program, order)
