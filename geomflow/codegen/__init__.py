"""From exact expressions to compiled routines. This floor knows no geometry."""

from geomflow.codegen.points import compile
from geomflow.codegen.grid import GridRoutine, compile_grid
from geomflow.codegen.points import PointRoutine, compile_points

Routine = PointRoutine | GridRoutine

__all__ = ["GridRoutine", "PointRoutine", "Routine", "compile", "compile_grid", "compile_points"]
