"""Says that machine code is being made, which takes seconds the first time."""

from __future__ import annotations

from contextlib import ExitStack
from functools import cache
from typing import Any

from geomflow.core.progress import waiting, watched


@cache
def tell_of_compiling() -> None:
    """From now on: whatever Numba compiles for longer than two seconds is told where somebody looks."""
    from numba.core import event

    class Told(event.Listener):  # type: ignore[misc]
        """A compilation is waited for; those of what it calls are parts of it."""

        def __init__(self) -> None:
            self.open: list[ExitStack] = []

        def on_start(self, what: Any) -> None:
            """Begin to wait."""
            if watched():
                self.open.append(ExitStack())
                self.open[-1].enter_context(waiting(f"compiling {_name(what)}, kept for the next time"))

        def on_end(self, what: Any) -> None:
            """Wait no more."""
            if watched() and self.open:
                self.open.pop().close()

    event.register("numba:compile", Told())


def _name(what: Any) -> str:
    """The name of the function, or of the file where that is generated."""
    function = what.data["dispatcher"].py_func
    return str(function.__module__ if function.__name__ == "block" else function.__name__)
