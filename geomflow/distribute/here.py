"""Workers in this process: one task after another, or on threads."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, final

from geomflow.core.threads import at_most, each, one_thread_products, threads
from geomflow.distribute.workers import Workers


@final
@dataclass(frozen=True)
class Here(Workers):
    """This process: on `most` threads at most (all of `threads()` unless given), or with most = 1 in sequence.

    Threads gain for functions that release the interpreter lock, as compiled ones do. In sequence, `done` yields each
    result before the next task begins, and a task may use all threads itself.

    >>> Here().map(pow, [2, 3], [5, 2])
    [32, 9]
    """

    most: int | None = None

    @property
    def count(self) -> int:
        """The number of threads."""
        with at_most(self.most):
            return threads()

    def done(self, function: Callable[..., Any], *tasks: Iterable[Any], common: Sequence[Any] = ()
             ) -> Iterator[tuple[int, Any]]:
        """In order: on threads when all are done, in sequence one by one."""
        if self.most == 1:
            for number, task in enumerate(zip(*tasks)):
                with one_thread_products():
                    result = function(*common, *task)
                yield number, result
            return
        with at_most(self.most), one_thread_products():
            results = each(lambda task: function(*common, *task), zip(*tasks))
        yield from enumerate(results)

    def share(self, value: Any) -> Any:
        """The value itself."""
        return value

    def keep(self, function: Callable[..., Any], *tasks: Iterable[Any], common: Sequence[Any] = ()) -> list[Any]:
        """The results themselves."""
        return self.map(function, *tasks, common=common)


#: This process on all threads, for compiled functions.
ON_THREADS = Here()
#: This process, one task after another; each task may use all threads.
IN_SEQUENCE = Here(most=1)
