"""The common form of programs on grids, and the checks of what they are called with."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from geomflow.core.errors import ShapeError
from geomflow.field.cell_program import to_cell

if TYPE_CHECKING:
    from geomflow.core.program import Program
    from geomflow.field.mesh import Mesh


class Operator(ABC):
    """A program on a grid: packed fields in, packed outputs out."""

    @abstractmethod
    def __call__(
        self, fields: np.ndarray, parameters: Sequence[float] = (), out: np.ndarray | None = None
    ) -> np.ndarray:
        """Outputs (n_outputs, *grid) for fields (n_fields, *grid) and the program's parameters, in order.

        Writes into `out` where given. Raises ShapeError for fields or parameters of the wrong number.
        """


def cell_version(program: Program, grid: Mesh) -> Program:
    """The program itself on a rectangular torus, else rewritten in lattice directions."""
    return program if grid.torus.is_rectangular else to_cell(program, grid.torus)


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
        return np.empty(wanted)
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
    return rows
