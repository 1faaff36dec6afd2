"""Workers of a Dask cluster, what travels to them, and workers for the length of a block."""

from __future__ import annotations

import os
import pickle
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pickle import PickleBuffer
from queue import Empty, SimpleQueue
from time import monotonic
from typing import TYPE_CHECKING, Any, final

import numpy as np

from geomflow.core.errors import InputError
from geomflow.core.numbers import whole
from geomflow.core.threads import at_most, one_thread_products, threads
from geomflow.distribute.connect import WorkersLostError, check_workers, connected, quiet, started
from geomflow.distribute.workers import ON_THREADS, Workers

if TYPE_CHECKING:
    from distributed import Client, Future

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

        size: int = sizeof(self.value)
        return size


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


#: Seconds without any worker after which all are taken for lost.
PATIENCE = 30.0
#: Seconds between two looks at the cluster while nothing comes in.
_LOOK = 1.0


@final
class DaskWorkers(Workers):
    """The workers of the cluster that a `distributed.Client` is connected to.

    Inputs are held by the scheduler and travel once to each worker that needs them, from it or from one another; a
    worker that dies costs the time of what it was doing and of what it kept, for the others do it again. A task takes
    the threads that GEOMFLOW_THREADS gives the worker, one unless it is set.

    Parameters
    ----------
    client : distributed.Client
        The connection to the scheduler, which stays open.
    patience : float
        Seconds without any worker after which all are taken for lost.

    Notes
    -----
    Raises `WorkersLostError` where there is no worker for so long, and `VersionMismatchError` where workers
    run other versions of what numbers depend on. Numbers are the same, bit for bit, on processors of one kind: others
    may have other vector instructions.
    """

    def __init__(self, client: Client, patience: float = PATIENCE) -> None:
        self.client = client
        self.patience = patience
        self._wait_for_workers()
        check_workers(client)

    @property
    def address(self) -> str:
        """The address of the scheduler."""
        return str(self.client.scheduler.address)

    @property
    def count(self) -> int:
        """The threads of all workers."""
        return sum(self._threads().values())

    def share(self, value: Any) -> Future:
        """A task that returns the value: the scheduler keeps it, and sends it again where it was lost."""
        return self._submitted(_itself, [[value]], ())[0]

    def keep(self, function: Callable[..., Any], *tasks: Iterable[Any], common: Sequence[Any] = ()) -> list[Future]:
        """The tasks as they were sent."""
        return self._submitted(function, [list(each) for each in tasks], common)

    def done(self, function: Callable[..., Any], *tasks: Iterable[Any], common: Sequence[Any] = ()
             ) -> Iterator[tuple[int, Any]]:
        """As they come in; the tasks that are left are cancelled where one fails or the loop is left."""
        futures = self.keep(function, *tasks, common=common)
        ended: SimpleQueue[int] = SimpleQueue()
        for number, future in enumerate(futures):
            future.add_done_callback(lambda _, number=number: ended.put(number))
        try:
            for left in range(len(futures), 0, -1):
                number = self._next(ended, left, len(futures))
                yield number, self._result(futures[number])
                futures[number].release()
        finally:
            _cancel(self.client, futures)

    def _submitted(self, function: Callable[..., Any], tasks: list[list[Any]], common: Sequence[Any]) -> list[Future]:
        from distributed import Future

        if not tasks or not min(map(len, tasks)):
            return []
        held = [value if isinstance(value, Future) else self.share(value) for value in common]
        length = min(map(len, tasks))
        sent = [[a if isinstance(a, Future) else wrapped(a) for a in each[:length]] for each in tasks]
        name = getattr(function, "__qualname__", type(function).__qualname__).rpartition(".")[-1]
        try:
            with quiet():
                futures: list[Future] = self.client.map(_task, *sent, function=wrapped(function), common=held,
                                                        pure=False, key=f"geomflow-{name}")
                return futures
        except (TypeError, AttributeError, ValueError) as error:
            raise InputError(f"{name} with its arguments cannot be sent to other processes ({error}): give functions "
                             "and objects without open files, locks or generators in them.") from error

    def _next(self, ended: SimpleQueue[int], left: int, total: int) -> int:
        """The next task that ended. Raises `WorkersLostError` where nobody can end any."""
        seen = monotonic()
        while True:
            try:
                return ended.get(timeout=_LOOK)
            except Empty:
                now = monotonic()
                seen = now if self._threads() else seen
                if now - seen > self.patience:
                    raise WorkersLostError(self._no_workers(f"{total - left} of {total} tasks are done")) from None

    def _result(self, future: Future) -> Any:
        """What the task returned. Raises its error as it is, and `WorkersLostError`."""
        from distributed import KilledWorker
        from distributed.client import CancelledError
        from distributed.comm import CommClosedError

        try:
            return unwrapped(future.result())
        except KilledWorker as error:
            raise WorkersLostError(
                f"{error.allowed_failures + 1} workers of the cluster at {self.address} died one after another at the "
                "same task, most likely for want of memory: give them more, or take smaller tasks") from None
        except (CancelledError, CommClosedError) as error:
            if future.status == "error" and isinstance(error, CommClosedError):
                raise
            raise WorkersLostError(f"the scheduler at {self.address} is gone: start it again with its workers, and the "
                                   "same command") from None

    def _threads(self) -> dict[str, int]:
        """The threads of each worker; nothing where the scheduler does not answer."""
        try:
            with quiet():
                threads: dict[str, int] = self.client.sync(self.client.scheduler.ncores, callback_timeout=self.patience)
                return threads
        except (OSError, TimeoutError):
            return {}

    def _wait_for_workers(self) -> None:
        start = monotonic()
        while not self._threads():
            if monotonic() - start > self.patience:
                raise WorkersLostError(self._no_workers("nothing is begun"))
            self.client.sync(_pause)

    def _no_workers(self, state: str) -> str:
        return (f"the cluster at {self.address} has had no workers for {self.patience:g} s, and {state}: start some "
                f"with 'dask worker {self.address}', and the same command again")

    def __repr__(self) -> str:
        return f"{self.count} workers of the cluster at {self.address}"


def _task(*arguments: Any, function: Any, common: Sequence[Any]) -> Any:
    """One task, on a worker."""
    with at_most(None if os.environ.get("GEOMFLOW_THREADS") else 1), one_thread_products():
        return wrapped(unwrapped(function)(*map(unwrapped, common), *map(unwrapped, arguments)))


def _itself(value: Any) -> Any:
    return value


async def _pause() -> None:
    import asyncio

    await asyncio.sleep(0.1)


def _cancel(client: Client, futures: list[Future]) -> None:
    """Drop the tasks that are not done."""
    left = [future for future in futures if not future.done()]
    if left and client.status == "running":
        with quiet():
            client.cancel(left)


@contextmanager
def local_workers(number: int | None = None) -> Iterator[DaskWorkers]:
    """Worker processes of this machine, stopped at the end.

    The threads are dealt out: each worker takes `threads()` // number of them, at least one. A worker that dies is
    started again. Scripts need no `if __name__ == "__main__"`. Starting takes some seconds: keep the workers for all
    that is to be done.

    Parameters
    ----------
    number : int, optional
        How many; as many as `threads()` says unless given.

    Notes
    -----
    Raises `InputError` for a number below one, `MissingExtraError`, `MemoryLimitError` for more processes than memory
    holds, and `ClusterError`, with the end of their log, where workers do not start.

    Examples
    --------
    >>> with local_workers(2) as workers:  # doctest: +SKIP
    ...     points = gf.Fermat(5).sample(100_000, seed=1, workers=workers)
    """
    with started(whole(threads() if number is None else number, "the number of workers", 1)) as client:
        yield DaskWorkers(client)


@contextmanager
def as_workers(given: Any = None, here: Workers = ON_THREADS) -> Iterator[Workers]:
    """The workers that are meant, for the length of a `with`; what is started or opened for it is stopped at the end.

    Parameters
    ----------
    given : None, int, str, distributed.Client or Workers
        None: this process. A number: so many processes of this machine, started for this, see `local_workers`. A text:
        the address of a scheduler, "tcp://192.168.0.1:8786". A client: its cluster. Workers: themselves.
    here : Workers
        This process, where it is meant: its threads, or IN_SEQUENCE for tasks that use threads themselves.

    Notes
    -----
    Raises `InputError` for anything else, and what `local_workers` and `connected` raise.

    Examples
    --------
    >>> with as_workers() as workers:
    ...     workers.map(len, ["a", "bc"])
    [1, 2]
    """
    if given is None:
        yield here
    elif isinstance(given, Workers):
        yield given
    elif isinstance(given, str):
        with connected(given) as client:
            yield DaskWorkers(client)
    elif isinstance(given, int | np.integer) and not isinstance(given, bool):
        with local_workers(int(given)) as workers:
            yield workers
    elif _is_client(given):
        yield DaskWorkers(given)
    else:
        raise InputError(f"workers={given!r} names no workers; give a number of processes, the address of a Dask "
                         "scheduler, a synchronous distributed.Client, or workers as those of local_workers(2)")


def _is_client(given: Any) -> bool:
    """Whether it is a synchronous `distributed.Client`, found out without importing that package."""
    known = type(given).__module__.partition(".")[0] == "distributed" and hasattr(given, "scheduler_info")
    return known and not given.asynchronous
