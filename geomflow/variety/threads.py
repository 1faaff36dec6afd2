"""Points in blocks, on a few threads; the result does not depend on their number."""

from __future__ import annotations

from geomflow.core.threads import each, threads

__all__ = ["BLOCK", "each", "slices", "threads"]

#: Points handled at once by compiled loops: large enough to hide the call, small enough for the cache.
BLOCK = 2048


def slices(total: int, size: int = BLOCK) -> list[slice]:
    """Consecutive slices of at most `size` that cover `range(total)`, an empty one for none.

    >>> slices(5, 2)
    [slice(0, 2, None), slice(2, 4, None), slice(4, 5, None)]
    """
    return [slice(start, min(start + size, total)) for start in range(0, max(total, 1), size)]
