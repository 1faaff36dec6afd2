"""The noun `Workers`: who does a list of tasks, here or on a cluster, with results in order."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any


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
        """The number and the result of each task, as soon as it is done, in any order; arguments as in `map`."""

    @abstractmethod
    def share(self, value: Any) -> Any:
        """A handle of a value that many tasks need: it travels once to each worker, and outlives those that die.

        Handles stand for their values in the arguments of `map`, `done` and `keep`.
        """

    @abstractmethod
    def keep(self, function: Callable[..., Any], *tasks: Iterable[Any], common: Sequence[Any] = ()) -> list[Any]:
        """Handles of results that stay where they are computed; what is lost with a worker is computed again."""

    def map(self, function: Callable[..., Any], *tasks: Iterable[Any], common: Sequence[Any] = ()) -> list[Any]:
        """[function(*common, a, b, ...) for a, b, ... in zip(*tasks)]; what is `common` travels once, as if shared.

        An error of a task is raised here as it is. Raises `WorkersLostError` where nobody is left to do the tasks.
        """
        lists = [list(each) for each in tasks]
        results: list[Any] = [None] * min(map(len, lists), default=0)
        for number, result in self.done(function, *lists, common=common):
            results[number] = result
        return results
