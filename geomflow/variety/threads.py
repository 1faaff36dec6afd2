"""Work in blocks on a few threads; the result does not depend on their number."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

#: Points handled at once by compiled loops: large enough to hide the call, small enough for the cache.
BLOCK = 2048


def threads() -> int:
    """The number of threads: GEOMFLOW_THREADS, else NUMBA_NUM_THREADS, else the cores this process may use."""
    asked = os.environ.get("GEOMFLOW_THREADS") or os.environ.get("NUMBA_NUM_THREADS", "")
    return int(asked) if asked.isdigit() and int(asked) > 0 else len(os.sched_getaffinity(0))


def each(work: Callable[..., Any], blocks: Iterable[Any]) -> list[Any]:
    """`[work(b) for b in blocks]`, on all threads, in order; `work` must release the interpreter lock to gain."""
    blocks = list(blocks)
    workers = min(threads(), len(blocks))
    if workers <= 1:
        return [work(block) for block in blocks]
    with ThreadPoolExecutor(workers) as pool:
        return list(pool.map(work, blocks))


def slices(total: int, size: int = BLOCK) -> list[slice]:
    """Consecutive slices of at most `size` that cover `range(total)`.

    >>> slices(5, 2)
    [slice(0, 2, None), slice(2, 4, None), slice(4, 5, None)]
    """
    return [slice(start, min(start + size, total)) for start in range(0, total, size)]
