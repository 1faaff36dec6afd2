"""A Dask scheduler with its workers, found at an address or started here; they must run what this process runs."""

from __future__ import annotations

import logging
import os
import socket
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from time import monotonic, sleep
from typing import TYPE_CHECKING

from geomflow.core import memory
from geomflow.core.errors import GeomflowError, InputError, MissingExtraError
from geomflow.core.threads import threads

if TYPE_CHECKING:
    from distributed import Client


class ClusterError(GeomflowError, ConnectionError):
    """A cluster cannot be reached or used."""


class SchedulerNotFoundError(ClusterError):
    """There is no scheduler at an address."""


class VersionMismatchError(ClusterError):
    """Workers run other versions than this process, so that their numbers may differ or their messages not be read."""


class WorkersLostError(ClusterError):
    """Nobody is left to do the tasks."""


@contextmanager
def quiet() -> Iterator[None]:
    """Within it, Dask does not warn that inputs are large: that they travel once is what is meant."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Sending large graph", category=UserWarning)
        yield


@contextmanager
def unlogged() -> Iterator[None]:
    """Within it, nothing that Dask logs in this process is written."""
    import distributed  # noqa: F401  (it sets its handlers up)

    names = [name for name in logging.root.manager.loggerDict if name.partition(".")[0] == "distributed"]
    handlers = [handler for name in names for handler in logging.getLogger(name).handlers]
    levels = [handler.level for handler in handlers]
    for handler in handlers:
        handler.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        for handler, level in zip(handlers, levels):
            handler.setLevel(level)


#: Seconds in which a scheduler must answer.
TIMEOUT = 5.0
#: Bytes that a greeting has at most.
_GREETING = 1 << 20


def require_distributed() -> None:
    """Raise `MissingExtraError` where the package `distributed` is not installed."""
    try:
        import distributed  # noqa: F401
    except ImportError:
        raise MissingExtraError.of("distributed", "cluster") from None


@contextmanager
def connected(address: str, timeout: float = TIMEOUT) -> Iterator[Client]:
    """A client of the scheduler at an address such as "tcp://192.168.0.1:8786", closed at the end.

    Raises `SchedulerNotFoundError` where none answers in `timeout` seconds, `InputError` for what is no address, and
    `MissingExtraError`.
    """
    require_distributed()
    with unlogged():
        client = _client(checked_address(address), timeout)
        try:
            yield client
        finally:
            client.close(timeout=timeout)


def checked_address(address: str) -> str:
    """The address with its protocol, tcp unless it has one. Raises `InputError` where it names no host or no port."""
    protocol, _, place = address.strip().rpartition("://")
    host, _, port = place.rpartition(":")
    if not host or not port.isdigit() or not 0 < int(port) < 65536:
        raise InputError(f"'{address}' is no address of a scheduler: give host and port, such as 192.168.0.1:8786, as "
                         "'dask scheduler' prints them")
    return f"{protocol or 'tcp'}://{place}"


def _client(address: str, timeout: float) -> Client:
    from distributed import Client

    try:
        _knock(address, timeout)
    except OSError as error:
        raise SchedulerNotFoundError(_nobody(address, (error.strerror or str(error)).lower())) from None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # versions are compared by `check_workers`
            return Client(address, timeout=timeout, set_as_default=False)
    except (OSError, ValueError):
        raise SchedulerNotFoundError(_nobody(address, f"no answer of one within {timeout:g} s")) from None


def _knock(address: str, timeout: float) -> None:
    """Raise OSError unless something like a scheduler listens: Dask itself waits for ever where another server does.

    A scheduler greets first, with the length of its greeting in eight bytes; encrypted ones are only called.
    """
    protocol, _, place = address.rpartition("://")
    host, _, port = place.rpartition(":")
    if protocol not in ("tcp", "tls"):
        return
    with socket.create_connection((host.strip("[]"), int(port)), timeout) as line:
        if protocol == "tcp" and not 0 < int.from_bytes(line.recv(8), "little") < _GREETING:
            raise OSError("what answers there is no scheduler")


def _nobody(address: str, why: str) -> str:
    return (f"there is no scheduler at {address} ({why}): start one with 'dask scheduler', workers with 'dask worker "
            "ADDRESS', or take --workers N (workers=N) for processes of this machine")


def check_workers(client: Client) -> None:
    """Raise `VersionMismatchError`, naming a worker and what differs, unless all workers run what this process runs."""
    ask = asker()
    ours = ask()
    for worker, theirs in client.run(ask, on_error="return").items():
        require_same(ours, theirs, worker)


def require_same(ours: Mapping[str, str], theirs: Mapping[str, str] | Exception, worker: str) -> None:
    """Raise `VersionMismatchError` where two answers differ, or where a worker cannot answer."""
    if isinstance(theirs, OSError):
        return  # it is gone already, and does no harm
    if isinstance(theirs, Exception):
        raise VersionMismatchError(f"the worker at {worker} cannot say what it runs ({theirs}): install the same "
                                   "versions of Python and geomflow there")
    odd = [f"{name} {theirs[name]} where this process has {ours[name]}" for name in ours if ours[name] != theirs[name]]
    if odd:
        raise VersionMismatchError(f"the worker at {worker} has {', '.join(odd)}: install the same versions there, so "
                                   "that it returns the same numbers")


def asker() -> Callable[[], dict[str, str]]:
    """A function that tells the versions of Python, geomflow, and what its numbers depend on.

    It is made here, so that it travels as it is written: a worker without geomflow can answer, too.
    """

    def versions() -> dict[str, str]:
        import importlib
        import platform

        found = {"python": ".".join(platform.python_version_tuple()[:2])}
        for name in ("geomflow", "numpy", "scipy", "numba", "distributed"):
            try:
                found[name] = importlib.import_module(name).__version__
            except ImportError:
                found[name] = "(missing)"
        return found

    return versions


#: Bytes that a worker takes before it has any work.
WORKER = 120_000_000
#: Seconds in which the workers must have started.
STARTING = 300.0
#: Seconds in which they must have stopped by themselves.
STOPPING = 5.0


@contextmanager
def started(number: int) -> Iterator[Client]:
    """A client of a scheduler in this process with so many worker processes, stopped at the end.

    Raises `MissingExtraError`, `MemoryLimitError`, and `ClusterError` where workers do not start.
    """
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
        yield client


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
