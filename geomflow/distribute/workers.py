"""The noun `Workers`: who does a list of tasks, here or on a cluster, with results in order."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, final

from geomflow.core.progress import counted
from geomflow.core.threads import at_most, each, one_thread_products, threads


class Workers(ABC):
    """Those who do tasks. What they return does not depend on who they are, how many, or in which order they end.

    A task is a call of a function that depends on its arguments alone; what is shared and kept is not changed by it.
    Products of matrices in a task take one thread, so that their last digits are the same everywhere.
    """

    @property
    @abstractmethod
    def count(self) -> int:
        """How many tasks are done at a time."""

    @abstractmethod
    def done(self, function: Callable[..., Any], *tasks: Iterable[Any], common: Sequence[Any] = ()
             ) -> Iterator[tuple[int, Any]]:
        """The number and the result of each task, as soon as it is done, in any order.

        Parameters
        ----------
        function, *tasks, common
            As `map` takes them.
        """

    @abstractmethod
    def share(self, value: Any) -> Any:
        """A handle of a value that many tasks need: it travels once to each worker, and outlives those that die.

        Handles stand for their values in the arguments of `map`, `done` and `keep`.

        Parameters
        ----------
        value : object
            What can be pickled.
        """

    @abstractmethod
    def keep(self, function: Callable[..., Any], *tasks: Iterable[Any], common: Sequence[Any] = ()) -> list[Any]:
        """Handles of results that stay where they are computed; what is lost with a worker is computed again.

        Parameters
        ----------
        function, *tasks, common
            As `map` takes them.
        """

    def map(self, function: Callable[..., Any], *tasks: Iterable[Any], common: Sequence[Any] = ()) -> list[Any]:
        """[function(*common, a, b, ...) for a, b, ... in zip(*tasks)].

        Parameters
        ----------
        function : callable
            One task: a function that depends on its arguments alone.
        *tasks : iterables
            Its last arguments, task by task.
        common : sequence
            Its first arguments, the same for all tasks: they travel once, as if shared.

        Notes
        -----
        An error of a task is raised here as it is. Raises `WorkersLostError` where nobody is left to do the tasks.
        """
        lists = [list(each) for each in tasks]
        results: list[Any] = [None] * min(map(len, lists), default=0)
        for number, result in counted(self.done(function, *lists, common=common), len(results), "tasks"):
            results[number] = result
        return results


@final
@dataclass(frozen=True)
class Here(Workers):
    """This process, on several threads or in sequence.

    Parameters
    ----------
    most : int, optional
        So many threads at most, all of `threads()` unless given; 1 is in sequence.

    Notes
    -----
    Threads gain for functions that release the interpreter lock, as compiled ones do. In sequence, `done` yields each
    result before the next task begins, and a task may use all threads itself.

    Examples
    --------
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
        yield from enumerate(self._on_threads(function, *tasks, common=common))

    def map(self, function: Callable[..., Any], *tasks: Iterable[Any], common: Sequence[Any] = ()) -> list[Any]:
        """As every worker does."""
        return (super().map if self.most == 1 else self._on_threads)(function, *tasks, common=common)

    def _on_threads(self, function: Callable[..., Any], *tasks: Iterable[Any], common: Sequence[Any]) -> list[Any]:
        with at_most(self.most), one_thread_products():
            return each(lambda task: function(*common, *task), zip(*tasks))

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
