"""Programs on grids: one interface for fused stencil routines and for arrays of derivatives.

`discretise(program, grid)` gives a callable from packed fields (n_fields, *grid) to packed outputs (n_outputs, *grid).
On stencil grids it is one generated routine with fused loops (`codegen.compile_grid`), made to be called many times; on
spectral grids all jets are taken first, as arrays, and generated point routines are applied to them, stage by stage
(`pointwise`). That serves on stencil grids too where something is asked for once, where fused loops would be too large,
and on more axes than they are written for: point routines compile in a fraction of the time that fused ones take, at
the price of memory for every derivative.

On general lattices the Cartesian jets of a program are first rewritten, on the graph, in the lattice directions. With
X = Σ_a s_a e_a a jet ∂^index u becomes Σ c_m ∂_s^m u (see `geomflow.field.derivatives`), and a coordinate X_j becomes
Σ_a E_{aj} s_a. The entries of E^{-1} and E are parameters of the rewritten program, so that one generated routine
serves every lattice with the same zeros.

Derivatives along axes of one point vanish, on the graph, before anything is generated, and fused loops run over the
other axes alone.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, final

import numpy as np

from geomflow.codegen import GridRoutine, PointRoutine, compile_grid, compile_points
from geomflow.codegen.grid import LARGEST_DIMENSION
from geomflow.core import graph as gr
from geomflow.core import memory
from geomflow.core.errors import ShapeError
from geomflow.core.program import Program, Stage
from geomflow.field.derivatives import TRANSFORMED, CellJets, expand, way_to
from geomflow.field.lattice import FlatTorus
from geomflow.field.mesh import Mesh


@dataclass(frozen=True, eq=False)
class Operator(ABC):
    """A program on a grid: packed fields in, packed outputs out.

    Parameters
    ----------
    program : Program
        Expressions in jets along the lattice directions.
    grid : Mesh
        Where they are computed.
    statics : (n_statics, *grid) array or None
        Given arrays, in the order of `program.statics`.
    extra : tuple of float
        The numbers of the lattice, the program's last parameters.
    """

    program: Program
    grid: Mesh
    statics: np.ndarray | None
    extra: tuple[float, ...]

    def __call__(
        self, fields: np.ndarray, parameters: Sequence[float] = (), out: np.ndarray | None = None
    ) -> np.ndarray:
        """Outputs (n_outputs, *grid) for fields (n_fields, *grid) and the program's parameters, in order.

        Writes into `out` where given. Raises ShapeError for fields or parameters of the wrong number.
        """
        rows = checked_fields(self.grid, self.program, fields)
        numbers = checked_parameters(len(self.program.parameters) - len(self.extra), parameters)
        result = checked_out(self.grid, self.program, out)
        self._run(rows, (*numbers, *self.extra), result)
        return result

    @abstractmethod
    def _run(self, fields: np.ndarray, parameters: tuple[float, ...], out: np.ndarray) -> None:
        """Write the outputs of checked fields and all parameters."""


def cell_version(program: Program, grid: Mesh) -> Program:
    """The program in lattice directions, itself on a rectangular torus; without derivatives along axes of one point."""
    on_cell = program if grid.torus.is_rectangular else to_cell(program, grid.torus)
    return on_cell if len(grid.resolved) == grid.dim else _resolved(on_cell, grid.resolved)


@lru_cache(maxsize=128)
def _resolved(program: Program, axes: tuple[int, ...]) -> Program:
    """The program of what depends on the coordinates of some axes alone, without derivatives along the others."""
    roots = [node for stage in program.stages for node in stage.nodes]
    rules = {leaf: gr.ZERO for leaf in gr.leaves(roots) if leaf.op == "jet" and _leaves_axes(leaf.data[1], axes)}
    stages = tuple(stage.substituted(rules) for stage in program.stages) if rules else program.stages
    return replace(program, stages=stages)


def _leaves_axes(index: Sequence[int], axes: Sequence[int]) -> bool:
    return any(times and axis not in axes for axis, times in enumerate(index))


@lru_cache(maxsize=128)
def _restricted(program: Program, axes: tuple[int, ...]) -> Program:
    """The same program over the coordinates of some axes alone; those of the others are 0."""
    roots = [node for stage in program.stages for node in stage.nodes]
    rules = {leaf: gr.jet(leaf.data[0], [leaf.data[1][axis] for axis in axes]) if leaf.op == "jet" else gr.ZERO
             for leaf in gr.leaves(roots) if leaf.op == "jet" or (leaf.data in program.coordinates
             and program.coordinates.index(leaf.data) not in axes)}
    stages = tuple(stage.substituted(rules) for stage in program.stages)
    return replace(program, coordinates=tuple(program.coordinates[axis] for axis in axes), stages=stages)


def checked_fields(grid: Mesh, program: Program, fields: np.ndarray) -> np.ndarray:
    """`fields` as a C-contiguous float64 array (n_fields, *grid)."""
    rows = np.ascontiguousarray(fields, dtype=float)
    wanted = (len(program.fields), *grid.shape)
    if rows.shape != wanted:
        names = ", ".join(program.fields)
        raise ShapeError(f"fields of shape {rows.shape} were given; the program takes {wanted}: ({names}) on the grid.")
    return rows


def checked_out(grid: Mesh, program: Program, out: np.ndarray | None) -> np.ndarray:
    """`out`, or a new array, (n_outputs, *grid), C-contiguous float64."""
    wanted = (len(program.outputs), *grid.shape)
    if out is None:
        return memory.aligned(wanted)
    if out.shape != wanted or out.dtype != np.float64 or not out.flags.c_contiguous:
        raise ShapeError(f"out must be C-contiguous float64 of shape {wanted}; {out.dtype} of {out.shape} was given.")
    return out


def checked_parameters(count: int, parameters: Sequence[float]) -> tuple[float, ...]:
    """`parameters` as `count` floats."""
    values = tuple(float(value) for value in parameters)
    if len(values) != count:
        raise ShapeError(f"{len(values)} parameters were given; the program takes {count}.")
    return values


def checked_statics(grid: Mesh, program: Program, statics: np.ndarray | None) -> np.ndarray | None:
    """`statics` as a C-contiguous float64 array (n_statics, *grid), None when the program has none."""
    if not program.statics:
        return None
    wanted = (len(program.statics), *grid.shape)
    rows = np.empty(0) if statics is None else np.ascontiguousarray(statics, dtype=float)
    if rows.shape != wanted:
        given = "none were given" if statics is None else f"shape {rows.shape} was given"
        raise ShapeError(f"the program needs the static arrays ({', '.join(program.statics)}), {wanted}; {given}.")
    held = memory.aligned(wanted)
    held[...] = rows
    return held


# Programs in lattice directions

Pattern = tuple[tuple[bool, ...], ...]


def cell_parameters(torus: FlatTorus) -> tuple[float, ...]:
    """Values of the parameters that `to_cell` adds, in order: none on rectangular tori."""
    if torus.is_rectangular:
        return ()
    matrices = (torus.dual, torus.directions)
    return tuple(float(value) for matrix in matrices for value in matrix[matrix != 0])


def to_cell(program: Program, torus: FlatTorus) -> Program:
    """The program in cell coordinates; its parameters are followed by the lattice's (`cell_parameters`)."""
    return _rewritten(program, _pattern(torus.dual), _pattern(torus.directions))


def _pattern(matrix: np.ndarray) -> Pattern:
    return tuple(tuple(bool(value != 0) for value in row) for row in matrix)


@lru_cache(maxsize=128)
def _rewritten(program: Program, dual: Pattern, directions: Pattern) -> Program:
    roots = [node for stage in program.stages for node in stage.nodes]
    rules = {leaf: rule for leaf in gr.leaves(roots) if (rule := _rule(leaf, program, dual, directions)) is not None}
    stages = tuple(stage.substituted(rules) for stage in program.stages)
    extra = (*_names("dual", dual), *_names("direction", directions))
    return Program(program.coordinates, program.fields, program.statics, (*program.parameters, *extra), stages)


def _rule(leaf: gr.Node, program: Program, dual: Pattern, directions: Pattern) -> gr.Node | None:
    """What a leaf becomes, or None where it stays."""
    if leaf.op == "jet":
        field, index = leaf.data
        terms = expand(index, lambda j, a: _entry("dual", dual, j, a), gr.ONE)
        return gr.add(*(factor * gr.jet(field, cell_index) for cell_index, factor in terms.items()))
    if leaf.data in program.coordinates:
        j = program.coordinates.index(leaf.data)
        parts = [(_entry("direction", directions, a, j), gr.symbol(name)) for a, name in enumerate(program.coordinates)]
        return gr.add(*(factor * symbol for factor, symbol in parts if isinstance(factor, gr.Node)))
    return None


def _entry(name: str, pattern: Pattern, i: int, j: int) -> gr.Node | int:
    return gr.symbol(f"lattice_{name}_{i}{j}") if pattern[i][j] else 0


def _names(name: str, pattern: Pattern) -> tuple[str, ...]:
    return tuple(f"lattice_{name}_{i}{j}" for i, row in enumerate(pattern) for j, there in enumerate(row) if there)


# The two kinds of operators


@final
@dataclass(frozen=True, eq=False)
class PointwiseOperator(Operator):
    """A program whose stages are (leaves, point routine); jets are arrays, made by the discretisation of the grid."""

    stages: tuple[tuple[tuple[gr.Node, ...], PointRoutine], ...]

    def _run(self, fields: np.ndarray, parameters: tuple[float, ...], out: np.ndarray) -> None:
        program = self.program
        arrays = dict(zip(program.fields, fields))
        if self.statics is not None:
            arrays.update(zip(program.statics, self.statics))
        known = dict(zip(program.parameters, parameters)) | dict(zip(program.coordinates, self._axes()))
        for stage, (leaves, routine) in zip(program.stages, self.stages):
            inner = (len(stage.names), *self.grid.shape)
            outputs = out if stage is program.stages[-1] else memory.aligned(inner)
            self._stage(leaves, routine, arrays, known, outputs)
            arrays.update(zip(stage.names, outputs))

    def _axes(self) -> list[np.ndarray]:
        """The cell coordinates as arrays that broadcast."""
        lines = [h * np.arange(n) for h, n in zip(self.grid.spacing, self.grid.shape)]
        return list(np.meshgrid(*lines, indexing="ij", sparse=True))

    def _stage(
        self, leaves: Sequence[gr.Node], routine: PointRoutine, arrays: Mapping[str, np.ndarray],
        known: Mapping[str, Any], outputs: np.ndarray,
    ) -> None:
        """Writes the outputs of one stage, (n_outputs, *grid)."""
        values = memory.aligned((len(leaves), *self.grid.shape))
        rows: dict[str, dict[tuple[int, ...], np.ndarray]] = {}
        for row, leaf in zip(values, leaves):
            if leaf.op == "jet":
                rows.setdefault(leaf.data[0], {})[leaf.data[1]] = row
            else:
                row[...] = known[leaf.data]
        for name, places in rows.items():
            jet = CellJets(self.grid.discretisation, self.grid.spacing, arrays[name], places)
            for index in places:
                jet(index)
        routine.packed(values.reshape(len(leaves), self.grid.size), outputs.reshape(len(outputs), self.grid.size))


def pointwise(program: Program, grid: Mesh, statics: np.ndarray | None = None) -> PointwiseOperator:
    """The operator of a program on a grid, with all its derivatives held in memory.

    Raises ShapeError when the statics do not fit and MemoryLimitError when the derivatives do not.

    Parameters
    ----------
    program : Program
        Expressions in jets of fields.
    grid : Mesh
        Where they are computed.
    statics : (n_statics, *grid) array or None
        Given arrays, in the order of `program.statics`.
    """
    on_cell = cell_version(program, grid)
    stages = tuple(_compiled_stage(stage) for stage in on_cell.stages)
    arrays = held_arrays(on_cell)
    memory.require(
        arrays * grid.nbytes,
        f"the {arrays} arrays of derivatives and results on {grid!r}",
        "use a smaller grid",
    )
    rows = checked_statics(grid, program, statics)
    return PointwiseOperator(on_cell, grid, rows, cell_parameters(grid.torus), stages)


def held_arrays(program: Program) -> int:
    """The most arrays of a grid's shape that a pointwise operator holds at a time beside the fields and the statics.

    These are the results of all stages so far, the leaves of the stage, and the derivatives on the way to them.
    """
    most = results = 0
    for stage in program.stages:
        leaves = gr.leaves(stage.nodes)
        wanted = {leaf.data for leaf in leaves if leaf.op == "jet"}
        passed = {(name, lower) for name, index in wanted for lower in way_to(index)}
        beside = Counter(name for name, _ in passed - wanted)
        results += len(stage.names)
        most = max(most, results + len(leaves) + max(beside.values(), default=0) + (TRANSFORMED if passed else 0))
    return most


@lru_cache(maxsize=256)
def _compiled_stage(stage: Stage) -> tuple[tuple[gr.Node, ...], PointRoutine]:
    leaves = tuple(gr.leaves(stage.nodes))
    return leaves, compile_points(stage.nodes, leaves)


@final
@dataclass(frozen=True, eq=False)
class StencilOperator(Operator):
    """A generated routine with its grid's spacing, static arrays and lattice parameters filled in."""

    routine: GridRoutine

    def _run(self, fields: np.ndarray, parameters: tuple[float, ...], out: np.ndarray) -> None:
        spacing = [self.grid.spacing[axis] for axis in self.grid.resolved]
        statics = None if self.statics is None else self._rows(self.statics)
        self.routine(self._rows(fields), spacing, parameters, statics=statics, out=self._rows(out))

    def _rows(self, array: np.ndarray) -> np.ndarray:
        """(n, *grid) without the axes of one point, a view."""
        return array.reshape(len(array), *(self.grid.shape[axis] for axis in self.grid.resolved))


def discretise(program: Program, grid: Mesh, statics: np.ndarray | None = None) -> Operator:
    """The program on the grid.

    Raises ShapeError when they do not fit and MemoryLimitError when the derivatives would not fit in memory.

    Parameters
    ----------
    program : Program
        Expressions in jets of fields.
    grid : Mesh
        Where they are computed.
    statics : (n_statics, *grid) array or None
        Given arrays, in the order of `program.statics`.
    """
    on_cell = cell_version(program, grid)
    if grid.order is None or len(grid.resolved) > LARGEST_DIMENSION or most_jets(on_cell) > FUSED_JETS:
        return pointwise(program, grid, statics)
    rows = checked_statics(grid, program, statics)
    routine = _compiled(on_cell if len(grid.resolved) == grid.dim else _restricted(on_cell, grid.resolved), grid.order)
    return StencilOperator(on_cell, grid, rows, cell_parameters(grid.torus), routine)


FUSED_JETS = 200
"""Stages with more derivatives than this are not fused: a general metric in dimension four has 150 and compiles in
seconds, one in dimension five 315."""


def most_jets(program: Program) -> int:
    """The largest number of distinct jets in a stage of the program."""
    return max(sum(leaf.op == "jet" for leaf in gr.leaves(stage.nodes)) for stage in program.stages)


@lru_cache(maxsize=256)
def _compiled(program: Program, order: int) -> GridRoutine:
    return compile_grid(program, order)
