"""Routines on periodic grids: programs of pointwise expressions in fields and their finite differences."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from geomflow.codegen.emit import GridEmitter
from geomflow.codegen.plan import GridPlan
from geomflow.codegen.routine import SECONDS_PER_OPERATION, CompiledSource, run_grid, use_threads
from geomflow.codegen.stencils import check_order
from geomflow.codegen.text import function, listed
from geomflow.core import graph as gr
from geomflow.core.errors import GridTooSmallError, InputError, ShapeError
from geomflow.core.memory import aligned
from geomflow.core.program import Program

CACHE_BYTES = 2**19
"""Planes that one thread works on should fit in so much memory."""

LARGEST_DIMENSION = 4
"""Grids have one to this many axes."""


def compile_grid(program: Program, order: int = 4) -> GridRoutine:
    """A routine that evaluates a program with centred differences.

    Parameters
    ----------
    program : Program
        Stages of pointwise expressions in fields and their derivatives, on one to four axes.
    order : int
        The order of accuracy of the differences: 2, 4, 6 or 8.

    Notes
    -----
    Raises InputError for another order or axes beyond four, UnknownFunctionError for a function without code.

    Examples
    --------
    >>> from geomflow.core import graph as gr
    >>> from geomflow.core.program import Stage
    >>> heat = Program(("x",), ("u",), (), (), (Stage((("u_t", gr.jet("u", (2,))),)),))
    >>> u = np.cos(2 * np.pi * np.arange(64) / 64)[None]
    >>> float(abs(compile_grid(heat, 8)(u, (1 / 64,)) + 4 * np.pi**2 * u).max()) < 1e-7
    True
    """
    return GridRoutine(program, check_order(order))


class GridRoutine:
    """A program compiled for periodic grids of any shape; values do not depend on the number of threads.

    Call it with `fields` of shape (n_fields, *grid), component-major, and the grid's `spacing`.

    Parameters
    ----------
    program : Program
        What is compiled.
    order : int
        The order of accuracy of the differences: 2, 4, 6 or 8.
    """

    def __init__(self, program: Program, order: int) -> None:
        if not 1 <= program.dimension <= LARGEST_DIMENSION:
            raise InputError(f"a grid has 1 to {LARGEST_DIMENSION} axes, and the program has {program.dimension} "
                             "coordinates")
        self.program, self.order = program, order
        lifted = _with_outer_axis(program) if program.dimension == 1 else program
        self._plan = GridPlan(lifted, order)
        self._text, self.operations, self.divisions = source(self._plan)

    def __repr__(self) -> str:
        return (f"Routine of order {self.order} on grids in ({', '.join(self.program.coordinates)}) that computes "
                f"{', '.join(self.program.outputs)}, {self.operations} operations a point")

    @property
    def source(self) -> str:
        """The text of the generated module."""
        return self._text

    @property
    def path(self) -> Path:
        """The file of the generated module."""
        return self._compiled.path

    @property
    def minimum_points(self) -> int:
        """The fewest points along any axis that the stencils fit in."""
        return self._plan.minimum_points

    @cached_property
    def _compiled(self) -> CompiledSource:
        from numba import types

        grid, numbers = types.Array(types.float64, self._plan.dimension + 1, "C"), types.Array(types.float64, 1, "C")
        return CompiledSource("grid", self._text, (grid, grid, numbers, numbers, grid, *[types.int64] * 4))

    def __call__(self, fields: NDArray[np.float64], spacing: Sequence[float], parameters: ArrayLike = (),
                 statics: NDArray[np.float64] | None = None,
                 out: NDArray[np.float64] | None = None) -> NDArray[np.float64]:
        """The outputs of the last stage.

        Parameters
        ----------
        fields : (n_fields, *grid) float array
            The evolving components.
        spacing : (d,) floats
            The distance of two points along each axis.
        parameters : (n_parameters,) floats, optional
            Numbers for the program's parameters, in order.
        statics : (n_statics, *grid) float array, optional
            The given arrays.
        out : (n_outputs, *grid) float array, optional
            Where the result is written, C-contiguous; a new array unless given.

        Notes
        -----
        Raises ShapeError, GridTooSmallError and InputError for arrays that do not fit the program.
        """
        grid = self._grid(np.shape(fields))
        steps = self._vector("spacing", spacing, self.program.dimension)
        numbers = self._vector("parameters", parameters, len(self.program.parameters))
        given = np.empty((0, *grid)) if statics is None else statics
        given = self._array("statics", given, (len(self.program.statics), *grid))
        arrays = [self._array("fields", fields, (len(self.program.fields), *grid)), given]
        arrays.append(aligned((len(self.program.outputs), *grid)) if out is None else self._out(out, arrays, grid))
        if self.program.dimension == 1:
            arrays = [a.reshape(len(a), 1, *grid) for a in arrays]
            steps = np.array([1.0, *steps])
        self._run(arrays[0], arrays[1], numbers, steps, arrays[2])
        return arrays[2].reshape(len(arrays[2]), *grid) if out is None else out

    def _run(self, fields: Any, statics: Any, parameters: Any, spacing: Any, out: Any) -> None:
        shape = out.shape[1:]
        if use_threads(prod(shape) * self.operations * SECONDS_PER_OPERATION):
            run_grid(self._compiled, (fields, statics, parameters, spacing, out), *self._tile(shape))
        else:
            self._compiled.function(fields, statics, parameters, spacing, out, 0, shape[0], 0, shape[1])

    def _tile(self, shape: tuple[int, ...]) -> tuple[int, int]:
        """Planes and lines that one thread takes at a time; a function of the grid only."""
        lead = max(self._plan.leads)
        if len(shape) == 2:
            return max(-(-shape[0] // 64), min(32, -(-shape[0] // 8)), 16 * lead, 1), shape[1]
        reach = self._plan.outer_reach
        sources = len(self.program.fields) + len(self.program.statics)
        line_bytes = 8 * prod(shape[2:]) * sources * (2 * reach + 1)
        lines = max(CACHE_BYTES // line_bytes - 2 * (reach + lead), 4 * lead, 8)
        tiles = max(1, round(shape[1] / lines))
        return max(-(-shape[0] // 8), 4 * lead, 1), -(-shape[1] // tiles)

    def _grid(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        if len(shape) != self.program.dimension + 1:
            raise ShapeError(f"fields must have {self.program.dimension + 1} axes (component and "
                             f"{', '.join(self.program.coordinates)}), but their shape is {shape}")
        grid = shape[1:]
        if min(grid) < self.minimum_points:
            raise GridTooSmallError(f"the stencils of order {self.order} need at least {self.minimum_points} points "
                                    f"along each axis, but the grid is {' x '.join(map(str, grid))}; "
                                    "take more points or a lower order")
        return grid

    def _array(self, name: str, array: Any, shape: tuple[int, ...]) -> NDArray[np.float64]:
        if type(array) is np.ndarray and array.dtype == np.float64 and array.flags.carray and array.shape == shape:
            return array  # of which the routine is compiled; for a small grid the checks below take as long as it
        if np.shape(array) != shape:
            raise ShapeError(f"{name} must have shape {shape}, not {np.shape(array)}")
        if np.iscomplexobj(array):
            raise InputError(f"{name} must be real, and their type is {array.dtype}")
        return np.require(array, np.float64, ("C", "A", "W"))

    def _vector(self, name: str, values: ArrayLike, size: int) -> NDArray[np.float64]:
        vector = np.array(values, dtype=np.float64).reshape(-1)
        if len(vector) != size:
            raise InputError(f"{size} {name} are needed, but {len(vector)} were given")
        return vector

    def _out(self, out: NDArray[np.float64], given: Sequence[NDArray[np.float64]],
             grid: tuple[int, ...]) -> NDArray[np.float64]:
        shape = (len(self.program.outputs), *grid)
        if out.shape != shape or out.dtype != np.float64 or not out.flags.c_contiguous:
            raise ShapeError(f"out must be a C-contiguous float64 array of shape {shape}, "
                             f"not {out.dtype} of shape {out.shape}")
        if not (out.flags.writeable and out.flags.aligned):
            raise InputError("out cannot be written to; give an array of its own")
        for name, array in zip(("fields", "statics"), given):
            if array.size and np.may_share_memory(out, array):
                raise InputError(f"out overlaps {name}; give an array of its own")
        return out


def _with_outer_axis(program: Program) -> Program:
    """The same program on a grid with a first axis of one point."""
    jets = {leaf: gr.jet(leaf.data[0], (0, *leaf.data[1]))
            for stage in program.stages for leaf in gr.leaves(stage.nodes) if leaf.op == "jet"}
    stages = tuple(stage.substituted(jets) for stage in program.stages)
    lifted = object.__new__(Program)
    outer = "outer" + max((*program.coordinates, *program.fields, *program.parameters), key=len)
    for name, value in (("coordinates", (outer, *program.coordinates)), ("fields", program.fields),
                        ("statics", program.statics), ("parameters", program.parameters), ("stages", stages)):
        object.__setattr__(lifted, name, value)
    return lifted


_TEMPLATE = '''\
"""A geomflow routine on periodic grids in ({coordinates}), order {order}.

Computes {outputs}
of fields {fields}{statics}{parameters}.
Arrays are component-major: fields[component, {axes}]; {meaning}.
{operations} operations a point.

A thread works on the planes start <= i < stop{tile}.

n_i, h_i      points and spacing along axis i          i_2           i and its periodic neighbours up to 2 away
w_ii          weights of the second derivative along i: of the point itself and of its neighbours
odd, even     weighted sums over the points around one: of u(+s) - u(-s), of u(+s) + u(-s)
row, at       where a line of an array begins          at_u_i        the lines of u around i
left, right   the piece of the last axis in work       turn          whole periods beyond the axis
loop, outer   range, innermost and around other loops  when          if
d0_i          first derivatives along i, stored because others are made of them (stage 0)
line0         lines continued beyond the piece         stage0        the last planes of the outputs of stage 0
across0       derivatives along the line, computed before what is made of them
"""

'''
_ARGUMENTS = "fields, statics, parameters, spacing, out, start, stop, first, last"


def source(plan: GridPlan) -> tuple[str, int, int]:
    """The text of a grid routine, its number of operations a point, and how many of them are divisions."""
    program, emitter = plan.program, GridEmitter(plan)
    body = emitter.body()
    axes = "ijkl"[: plan.dimension]
    text = _TEMPLATE.format(
        coordinates=listed(program.coordinates), order=plan.order, outputs=listed(program.outputs),
        fields=listed(program.fields), statics=f" and given {listed(program.statics)}" if program.statics else "",
        parameters=f" with parameters {listed(program.parameters)}" if program.parameters else "",
        axes=", ".join(axes), meaning=listed([f"{a} counts along {x}" for a, x in zip(axes, program.coordinates)]),
        operations=emitter.operations, tile="" if plan.dimension == 2 else " and the lines first <= j < last")
    return text + function("grid", _ARGUMENTS, body), emitter.operations, emitter.divisions
