"""A connection to a Dask scheduler."""

from __future__ import annotations

import socket
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from geomflow.core.errors import InputError, MissingExtraError
from geomflow.distribute.errors import SchedulerNotFoundError

if TYPE_CHECKING:
    from distributed import Client

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
    from geomflow.distribute.quiet import unlogged

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
