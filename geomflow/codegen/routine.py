"""What all compiled routines have in common: a source, a file, machine code, and running it on several threads."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from geomflow.codegen import cache
from geomflow.codegen.compiling import tell_of_compiling
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
        from geomflow.codegen.threaded import address

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
            tell_of_compiling()
            dispatcher.compile(self.types)
            cache.seal(self._module)
        return dispatcher


def use_threads(seconds: float) -> bool:
    """Whether work that takes one thread so long is shared between several."""
    from geomflow.codegen.threaded import threads

    return seconds > PARALLEL_FROM and threads() > 1 and os.cpu_count() != 1


# Several threads: drivers are compiled once for each kind of routine and call blocks by address, so that compiling a
# routine means compiling its block, once and serially.

_DRIVER = '''\
"""{title}: the block at an address, on several threads."""

from numba import njit

from geomflow.codegen.threaded import call_each


@njit(cache=True, nogil=True, error_model="numpy")
def block(address, {arguments}, ranges, failed, threads):
    call_each(address, ({arguments}), {numbers}, ranges, failed, threads)
'''


def run_grid(block: CompiledSource, arrays: tuple[Any, ...], size: int, lines: int) -> None:
    """Run a grid routine in chunks of `size` planes and `lines` lines."""
    n_i, n_j = arrays[-1].shape[1:3]
    _run(_grid_driver(arrays[-1].ndim - 1), block, arrays, [
        (i, min(n_i, i + size), j, min(n_j, j + lines)) for i in range(0, n_i, size) for j in range(0, n_j, lines)])


def run_points(block: CompiledSource, arguments: Any, outputs: Any, size: int) -> None:
    """Run a routine on points in chunks of `size` points."""
    count = outputs.shape[1]
    _run(_points_driver(outputs.dtype.kind == "c"), block, (arguments, outputs),
         [(start, min(count, start + size)) for start in range(0, count, size)])


def _run(driver: CompiledSource, block: CompiledSource, arrays: tuple[Any, ...], ranges: list[tuple[int, ...]]) -> None:
    import numba

    failed, threads = np.zeros(len(ranges), dtype=np.int64), numba.get_num_threads()  # which starts them
    driver.function(block.address, *arrays, np.array(ranges, dtype=np.int64), failed, threads)
    if failed.any():
        raise RoutineError(f"the routine in {block.path} ran out of memory for its buffers; use fewer threads")


@lru_cache(maxsize=8)
def _grid_driver(axes: int) -> CompiledSource:
    from numba import types

    grid, numbers = types.Array(types.float64, axes + 1, "C"), types.Array(types.float64, 1, "C")
    return _driver(f"A geomflow driver of grid routines on {axes} axes", 4, fields=grid, statics=grid,
                   parameters=numbers, spacing=numbers, out=grid)


@lru_cache(maxsize=8)
def _points_driver(is_complex: bool) -> CompiledSource:
    from numba import types

    array = types.Array(types.complex128 if is_complex else types.float64, 2, "C")
    return _driver(f"A geomflow driver of {'complex' if is_complex else 'real'} routines on points", 2,
                   arguments=array, outputs=array)


def _driver(title: str, numbers: int, **kinds: Any) -> CompiledSource:
    from numba import types

    text = _DRIVER.format(title=title, arguments=", ".join(kinds), numbers=numbers)
    whole = types.int64
    ranges, failed = types.Array(whole, 2, "C"), types.Array(whole, 1, "C")
    return CompiledSource("driver", text, (whole, *kinds.values(), ranges, failed, whole))
