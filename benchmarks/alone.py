"""One call in a process of its own: its seconds, the peak of its memory less that of what came before, and its result.

A second call, another library's imports and thread pools, or memory that was freed and not returned would blur both.
"""

from __future__ import annotations

import multiprocessing as mp
import resource
import time
from collections.abc import Callable
from typing import Any, NamedTuple


class Run(NamedTuple):
    """What one call took, and what it returned."""

    seconds: float
    bytes: int
    result: Any


def alone(call: Callable[..., Any], data: Callable[[int], tuple[Any, ...]], count: int, warm: int) -> Run | str:
    """`call(*data(count))`, warmed up by `call(*data(warm))`; or the reason why there is none.

    Both are functions of a module, which the process finds by name.
    """
    context = mp.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_child, args=(theirs, call, data, count, warm), daemon=True)
    process.start()
    theirs.close()
    try:
        found: Run | str = ours.recv()
        return found
    except EOFError:
        return "its process died"
    finally:
        process.join()


def _child(pipe: Any, call: Callable[..., Any], data: Callable[[int], tuple[Any, ...]], count: int, warm: int) -> None:
    try:
        call(*data(warm))
        given, before = data(count), _peak()
        start = time.perf_counter()
        result = call(*given)
        seconds = time.perf_counter() - start
        pipe.send(Run(seconds, _peak() - before, result))
    except ModuleNotFoundError as missing:
        pipe.send(str(missing))


def _peak() -> int:
    return 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
