"""Values that travel between processes in one piece."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from dataclasses import dataclass
from pickle import PickleBuffer
from typing import Any, final

import numpy as np

#: What needs no care.
_PLAIN = (type(None), bool, int, float, complex, str, slice)


@final
@dataclass(frozen=True, eq=False)
class Whole:
    """A value whose arrays are, at the other end, as they were made here: writable and aligned in memory.

    Out of the buffers of a message they would not be, and sums over unaligned arrays are added in another order.
    """

    value: Any

    def __reduce_ex__(self, protocol: Any) -> tuple[Callable[..., Whole], tuple[Any, ...]]:
        import cloudpickle

        buffers: list[PickleBuffer] = []
        content = cloudpickle.dumps(self.value, protocol=5, buffer_callback=buffers.append)
        parts = buffers if protocol >= 5 else [bytes(buffer.raw()) for buffer in buffers]
        return _opened, (content, *parts)

    def __sizeof__(self) -> int:
        from dask.sizeof import sizeof

        return sizeof(self.value)


def wrapped(value: Any) -> Any:
    """The value, ready to travel."""
    return value if isinstance(value, _PLAIN) else Whole(value)


def unwrapped(value: Any) -> Any:
    """The value of before."""
    return value.value if isinstance(value, Whole) else value


def _opened(content: bytes, *buffers: Any) -> Whole:
    """The value, its buffers copied to where memory is aligned."""
    return Whole(pickle.loads(content, buffers=[_copied(buffer) for buffer in buffers]))


def _copied(buffer: Any) -> np.ndarray:
    return np.array(np.frombuffer(memoryview(buffer).cast("B"), np.uint8))
