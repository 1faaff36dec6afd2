"""Work on a few threads, in order; the result does not depend on their number."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from threading import Lock
from typing import Any

from threadpoolctl import ThreadpoolController

from geomflow.core.progress import counted

#: Points handled at once by compiled loops: large enough to hide the call, small enough for the cache.
BLOCK = 2048

_MOST: ContextVar[int | None] = ContextVar("most threads", default=None)


def threads() -> int:
    """The number of threads: GEOMFLOW_THREADS, else NUMBA_NUM_THREADS, else the cores this process may use.

    Never more than an enclosing `at_most` says.
    """
    asked = os.environ.get("GEOMFLOW_THREADS") or os.environ.get("NUMBA_NUM_THREADS", "")
    number = int(asked) if asked.isdigit() and int(asked) > 0 else len(os.sched_getaffinity(0))
    most = _MOST.get()
    return number if most is None else min(number, most)


@contextmanager
def at_most(number: int | None) -> Iterator[None]:
    """Within it, `threads()` in this thread is `number` at most; None changes nothing.

    >>> with at_most(1):
    ...     threads()
    1
    """
    token = _MOST.set(_MOST.get() if number is None else number)
    try:
        yield
    finally:
        _MOST.reset(token)


def each(work: Callable[..., Any], blocks: Iterable[Any]) -> list[Any]:
    """`[work(b) for b in blocks]`, on all threads, in order; `work` must release the interpreter lock to gain."""
    blocks = list(blocks)
    workers = min(threads(), len(blocks))
    if workers <= 1:
        return [work(block) for block in counted(blocks, len(blocks))]
    with ThreadPoolExecutor(workers) as pool:
        return list(counted(pool.map(work, blocks), len(blocks)))


def slices(total: int, size: int = BLOCK) -> list[slice]:
    """Consecutive slices of at most `size` that cover `range(total)`, an empty one for none.

    >>> slices(5, 2)
    [slice(0, 2, None), slice(2, 4, None), slice(4, 5, None)]
    """
    return [slice(start, min(start + size, total)) for start in range(0, max(total, 1), size)]


@contextmanager
def one_thread_products() -> Iterator[None]:
    """Matrix products inside take one thread each, where blocks share out the cores already.

    Their last digits then do not depend on the number of threads. The limit is that of the whole process: it is set
    by the first thread that enters and lifted by the last that leaves.
    """
    _SINGLE.enter()
    try:
        yield
    finally:
        _SINGLE.leave()


class _Single:
    """The limit of one thread a product, and how many are inside."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._inside = 0
        self._limit: Any = None

    def enter(self) -> None:
        """Set the limit, for the first."""
        with self._lock:
            if self._inside == 0:
                self._limit = _controller("scipy.linalg" in sys.modules).limit(limits=1, user_api="blas")
            self._inside += 1

    def leave(self) -> None:
        """Lift it, for the last."""
        with self._lock:
            self._inside -= 1
            if self._inside == 0:
                self._limit.restore_original_limits()


_SINGLE = _Single()


@cache
def _controller(scipy: bool) -> ThreadpoolController:
    """The linear-algebra libraries that are loaded: numpy's, and scipy's own where it is."""
    return ThreadpoolController()
