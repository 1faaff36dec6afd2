"""Workers for the length of a block: processes of this machine, or whatever a caller names."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from time import monotonic, sleep
from typing import TYPE_CHECKING, Any

import numpy as np

from geomflow.core import memory
from geomflow.core.errors import InputError
from geomflow.core.threads import threads
from geomflow.distribute.connect import ClusterError, connected, require_distributed
from geomflow.distribute.dask_workers import DaskWorkers
from geomflow.distribute.workers import ON_THREADS, Workers

if TYPE_CHECKING:
    from distributed import Client

#: Bytes that a worker takes before it has any work.
WORKER = 120_000_000
#: Seconds in which the workers must have started.
STARTING = 60.0
#: Seconds in which they must have stopped by themselves.
STOPPING = 5.0


@contextmanager
def local_workers(number: int | None = None) -> Iterator[DaskWorkers]:
    """So many worker processes of this machine, stopped at the end; as many as `threads()` says unless given.

    The threads are dealt out: each worker takes `threads()` // number of them, at least one. A worker that dies is
    started again. Scripts need no `if __name__ == "__main__"`. Starting takes some seconds: keep the workers for all
    that is to be done. Raises `InputError` for a number below one, `MissingExtraError`, `MemoryLimitError`
    for more processes than memory holds, and `ClusterError`, with the
    end of their log, where workers do not start.

    >>> with local_workers(2) as workers:  # doctest: +SKIP
    ...     points = gf.Fermat(5).sample(100_000, seed=1, workers=workers)
    """
    number = checked_number(threads() if number is None else number)
    memory.require(number * WORKER, f"{number:,} worker processes", "start fewer")
    require_distributed()
    from distributed import LocalCluster
    from distributed.gc import disable_gc_diagnosis

    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="geomflow-workers-",
                                                                      ignore_cleanup_errors=True)))
        # the scheduler runs in a thread of this process; workers are processes of their own
        cluster = stack.enter_context(LocalCluster(n_workers=0, dashboard_address="127.0.0.1:0", host="127.0.0.1",
                                                   silence_logs=logging.CRITICAL + 1))
        disable_gc_diagnosis()  # what it does at every garbage collection swallows a Ctrl-C that comes then
        processes = [_started(cluster.scheduler_address, name, number, folder) for name in range(number)]
        stack.callback(_stop, processes)
        client = stack.enter_context(connected(cluster.scheduler_address))
        _wait(client, processes, folder)
        yield DaskWorkers(client)


def checked_number(number: int) -> int:
    """The number of workers. Raises `InputError` unless it is a whole number >= 1."""
    if isinstance(number, bool) or not isinstance(number, int) or number < 1:
        raise InputError(f"the number of workers is {number!r}; give a whole number >= 1")
    return number


def _started(scheduler: str, name: int, number: int, folder: Path) -> subprocess.Popen[bytes]:
    """One process that keeps one worker alive; what they say goes to a file."""
    command = [sys.executable, "-m", "distributed.cli.dask_worker", scheduler, "--name", str(name), "--nworkers", "1",
               "--nthreads", "1", "--no-dashboard", "--local-directory", str(folder), "--memory-limit",
               str(memory.total() // number), "--death-timeout", str(int(STARTING))]
    with open(folder / f"{name}.log", "wb") as log:
        return subprocess.Popen(command, env=_environment(number), stdin=subprocess.DEVNULL, stdout=log,
                                stderr=subprocess.STDOUT, start_new_session=True)


def _environment(number: int) -> dict[str, str]:
    """The environment of a worker: its share of the threads, and the modules that this process finds."""
    share = str(max(1, threads() // number))
    paths = os.pathsep.join(path or os.getcwd() for path in sys.path)
    return {**os.environ, "GEOMFLOW_THREADS": share, "PYTHONPATH": paths, "DASK_LOGGING__DISTRIBUTED": "warning"}


def _wait(client: Client, processes: Sequence[subprocess.Popen[bytes]], folder: Path) -> None:
    """Wait until all workers are there. Raises `ClusterError` where one is not."""
    limit = monotonic() + STARTING
    while len(client.nthreads()) < len(processes):
        ended = [name for name, process in enumerate(processes) if process.poll() is not None]
        if ended or monotonic() > limit:
            log = (folder / f"{ended[0] if ended else 0}.log").read_text(errors="replace").strip().splitlines()
            raise ClusterError(f"{len(processes)} worker processes did not start ({' / '.join(log[-3:]) or 'silently'}"
                               "): take fewer, or none")
        sleep(0.02)


def _stop(processes: Sequence[subprocess.Popen[bytes]]) -> None:
    """End the processes; they end by themselves once their scheduler is gone, and are killed if they do not."""
    for process in processes:
        process.terminate()
    limit = monotonic() + STOPPING
    for process in processes:
        try:
            process.wait(max(0.0, limit - monotonic()))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


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
