"""What all compiled routines have in common: a source, a file, machine code."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Any

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
        from geomflow.codegen.calls import address

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
