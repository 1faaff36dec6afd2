"""Running the block of any routine on several threads.

Drivers are compiled once for each kind of routine and call blocks by address: compiling a routine then means
compiling its block, once and serially.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from geomflow.codegen.routine import CompiledSource
from geomflow.core.errors import RoutineError

_HEAD = '''\
"""{title}: the block at an address, on several threads."""

from numba import njit, prange

from geomflow.codegen.calls import call


@njit(cache=True, nogil=True, parallel=True, error_model="numpy")
'''

_GRID = _HEAD + '''\
def block(address, fields, statics, parameters, spacing, out, size, lines, failed):
    n_i, n_j = out.shape[1], out.shape[2]
    across = (n_j + lines - 1) // lines
    for chunk in prange(len(failed)):
        start, first = chunk // across * size, chunk % across * lines
        stop, last = min(n_i, start + size), min(n_j, first + lines)
        failed[chunk] = call(address, (fields, statics, parameters, spacing, out, start, stop, first, last))
'''

_POINTS = _HEAD + '''\
def block(address, arguments, outputs, size, failed):
    count = outputs.shape[1]
    for chunk in prange(len(failed)):
        start = chunk * size
        failed[chunk] = call(address, (arguments, outputs, start, min(count, start + size)))
'''


def run_grid(block: CompiledSource, arrays: tuple[Any, ...], size: int, lines: int) -> None:
    """Run a grid routine in chunks of `size` planes and `lines` lines."""
    n_i, n_j = arrays[-1].shape[1:3]
    failed = np.zeros(-(-n_i // size) * -(-n_j // lines), dtype=np.int64)
    _grid_driver(arrays[-1].ndim - 1).function(block.address, *arrays, size, lines, failed)
    _check(failed, block)


def run_points(block: CompiledSource, arguments: Any, outputs: Any, size: int) -> None:
    """Run a routine on points in chunks of `size` points."""
    failed = np.zeros(-(-outputs.shape[1] // size), dtype=np.int64)
    _points_driver(outputs.dtype.kind == "c").function(block.address, arguments, outputs, size, failed)
    _check(failed, block)


@cache
def _grid_driver(axes: int) -> CompiledSource:
    from numba import types

    text = _GRID.format(title=f"A geomflow driver of grid routines on {axes} axes")
    grid, numbers = types.Array(types.float64, axes + 1, "C"), types.Array(types.float64, 1, "C")
    flags = types.Array(types.int64, 1, "C")
    return CompiledSource("driver", text, (types.int64, grid, grid, numbers, numbers, grid, *[types.int64] * 2, flags))


@cache
def _points_driver(is_complex: bool) -> CompiledSource:
    from numba import types

    text = _POINTS.format(title=f"A geomflow driver of {'complex' if is_complex else 'real'} routines on points")
    array = types.Array(types.complex128 if is_complex else types.float64, 2, "C")
    flags = types.Array(types.int64, 1, "C")
    return CompiledSource("driver", text, (types.int64, array, array, types.int64, flags))


def _check(failed: Any, block: CompiledSource) -> None:
    if failed.any():
        raise RoutineError(f"the routine in {block.path} ran out of memory for its buffers; use fewer threads")
