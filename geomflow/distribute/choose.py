"""Workers from what a caller gives: nothing, a number, an address, a client, or workers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from geomflow.core.errors import InputError
from geomflow.distribute.connect import connected
from geomflow.distribute.dask_workers import DaskWorkers
from geomflow.distribute.here import ON_THREADS
from geomflow.distribute.local import local_workers
from geomflow.distribute.workers import Workers


@contextmanager
def as_workers(given: Any = None, here: Workers = ON_THREADS) -> Iterator[Workers]:
    """The workers that are meant, for the length of a `with`; what is started or opened for it is stopped at the end.

    None        this process: `here`, its threads unless given (IN_SEQUENCE for tasks that use threads themselves)
    a number    so many processes of this machine, started for this: some seconds; see `local_workers`
    a text      the address of a scheduler, such as "tcp://192.168.0.1:8786"
    a client    the cluster of a `distributed.Client`, which stays open
    workers     themselves

    Raises `InputError` for anything else, and what `local_workers` and `connected` raise.

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
