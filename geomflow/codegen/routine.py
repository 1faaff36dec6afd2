"""What all compiled routines have in common: a source, a file, machine code, and running it on several threads."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from geomflow.codegen import cache
from geomflow.core.errors import RoutineError

PARALLEL_FROM = 3e-4
"""Seconds of work from which on several threads are used."""

SECONDS_PER_OPERATION = 2e-11
"""A guess of what one arithmetic operation takes in a vector."""


class CompiledSource:
    """A generated source that defines `block`, compiled for one signature when it is first needed.

    Machine code is loaded from Numba's cache; where that is damaged it is made anew.
    """

    def __init__(self, kind: str, text: str, types: tuple[Any, ...]) -> None:
        self.text, self.types = text, types
        self._module = cache.load(kind, text)

    @property
    def path(self) -> Path:
        """The file that holds the source."""
        return Path(str(self._module.__file__))

    @cached_property
    def function(self) -> Callable[..., None]:
        """The compiled `block`."""
        function: Callable[..., None] = self._dispatcher
        return function

    @cached_property
    def address(self) -> int:
        """Where the machine code of `block` lies."""
        from geomflow.codegen.mathematics import address

        return address(self._dispatcher)

    @cached_property
    def _dispatcher(self) -> Any:
        try:
            cache.verify(self._module)
            return self._compiled()
        except OSError as error:
            self._module = cache.move(self._module, self.text, error)
        except Exception:
            self._module = cache.renew(self._module, self.text)
        try:
            return self._compiled()
        except Exception as error:
            raise RoutineError(f"the generated routine in {self.path} cannot be compiled: {error}") from error

    def _compiled(self) -> Any:
        dispatcher = self._module.block
        if not dispatcher.signatures:
            dispatcher.compile(self.types)
            cache.seal(self._module)
        return dispatcher


def use_threads(seconds: float) -> bool:
    """Whether work that takes one thread so long is shared between several."""
    import numba

    return seconds > PARALLEL_FROM and numba.get_num_threads() > 1 and os.cpu_count() != 1


# Several threads: drivers are compiled once for each kind of routine and call blocks by address, so that compiling a
# routine means compiling its block, once and serially.

_HEAD = '''\
"""{title}: the block at an address, on several threads."""

from numba import njit, prange

from geomflow.codegen.mathematics import call


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


@lru_cache(maxsize=8)
def _grid_driver(axes: int) -> CompiledSource:
    from numba import types

    text = _GRID.format(title=f"A geomflow driver of grid routines on {axes} axes")
    grid, numbers = types.Array(types.float64, axes + 1, "C"), types.Array(types.float64, 1, "C")
    flags = types.Array(types.int64, 1, "C")
    return CompiledSource("driver", text, (types.int64, grid, grid, numbers, numbers, grid, *[types.int64] * 2, flags))


@lru_cache(maxsize=8)
def _points_driver(is_complex: bool) -> CompiledSource:
    from numba import types

    text = _POINTS.format(title=f"A geomflow driver of {'complex' if is_complex else 'real'} routines on points")
    array = types.Array(types.complex128 if is_complex else types.float64, 2, "C")
    flags = types.Array(types.int64, 1, "C")
    return CompiledSource("driver", text, (types.int64, array, array, types.int64, flags))


def _check(failed: Any, block: CompiledSource) -> None:
    if failed.any():
        raise RoutineError(f"the routine in {block.path} ran out of memory for its buffers; use fewer threads")
