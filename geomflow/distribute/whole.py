"""Values that travel between processes in one piece."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pickle import PickleBuffer
from typing import Any, final

#: What needs no care.
_PLAIN = (type(None), bool, int, float, complex, str, slice)


@final
@dataclass(frozen=True, eq=False)
class Whole:
    """A value whose arrays are, at the other end, as they were made here: writable and aligned in memory.

    Out of the buffers of a message they would not be, and sums over unaligned arrays are added in another order.
    """

    value: Any

    def __reduce_ex__(self, protocol: Any) -> tuple[Callable[[Any], Whole], tuple[Any]]:
        import cloudpickle

        # protocol 4 puts arrays inline; the bytes themselves may travel beside a message without being copied
        content = cloudpickle.dumps(self.value, protocol=4)
        return _opened, (PickleBuffer(content) if protocol >= 5 else content,)

    def __sizeof__(self) -> int:
        from dask.sizeof import sizeof

        return sizeof(self.value)


def wrapped(value: Any) -> Any:
    """The value, ready to travel."""
    return value if isinstance(value, _PLAIN) else Whole(value)


def unwrapped(value: Any) -> Any:
    """The value of before."""
    return value.value if isinstance(value, Whole) else value


def _opened(content: bytes | memoryview) -> Whole:
    import cloudpickle

    return Whole(cloudpickle.loads(content))
