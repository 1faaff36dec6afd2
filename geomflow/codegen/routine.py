"""What all compiled routines have in common: a source, a file, machine code."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

from geomflow.codegen import cache
from geomflow.core.errors import RoutineError

PARALLEL_FROM = 3e-4
"""Seconds of work from which on several threads are used."""

SECONDS_PER_OPERATION = 1.2e-10
"""A cautious guess of what one arithmetic operation takes."""


class CompiledSource:
    """A generated source with the functions `block` (serial) and `run` (parallel), compiled when first needed."""

    def __init__(self, kind: str, text: str, block_types: Callable[[], tuple[Any, ...]],
                 run_types: Callable[[], tuple[Any, ...]]) -> None:
        self.text = text
        self._module = cache.load(kind, text)
        self._types = {"block": block_types, "run": run_types}

    @property
    def path(self) -> Path:
        """The file that holds the source."""
        return Path(str(self._module.__file__))

    def function(self, name: str) -> Callable[..., None]:
        """`block` or `run`, compiled or loaded from Numba's cache; damaged machine code is made anew."""
        dispatcher = getattr(self._module, name)
        if not dispatcher.signatures:
            dispatcher = self._compiled(name, self._types[name]())
        return dispatcher

    def _compiled(self, name: str, types: tuple[Any, ...]) -> Any:
        try:
            return _compile(self._module, name, types)
        except Exception:
            self._module = cache.forget(self._module)
        try:
            return _compile(self._module, name, types)
        except Exception as error:
            raise RoutineError(f"the generated routine in {self.path} cannot be compiled: {error}") from error


def _compile(module: ModuleType, name: str, types: tuple[Any, ...]) -> Any:
    dispatcher = getattr(module, name)
    dispatcher.compile(types)
    return dispatcher


def use_threads(seconds: float) -> bool:
    """Whether work that takes one thread so long is shared between several."""
    import numba

    return seconds > PARALLEL_FROM and numba.get_num_threads() > 1 and os.cpu_count() != 1
