"""A connection to a Dask scheduler."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from geomflow.core.errors import InputError, MissingExtraError
from geomflow.distribute.errors import SchedulerNotFoundError

if TYPE_CHECKING:
    from distributed import Client

#: Seconds in which a scheduler must answer.
TIMEOUT = 5.0


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
    text = str(address).strip()
    protocol, _, place = text.rpartition("://")
    host, _, port = place.rpartition(":")
    if not host or not port.isdigit() or not 0 < int(port) < 65536:
        raise InputError(f"'{address}' is no address of a scheduler: give host and port, such as 192.168.0.1:8786, as "
                         "'dask scheduler' prints them")
    return f"{protocol or 'tcp'}://{place}"


def _client(address: str, timeout: float) -> Client:
    from distributed import Client

    try:
        return Client(address, timeout=timeout, set_as_default=False)
    except (OSError, TimeoutError, ValueError) as error:
        why = "" if isinstance(error, OSError | TimeoutError) else f" ({error})"
        raise SchedulerNotFoundError(
            f"no scheduler answers at {address} within {timeout:g} s{why}: start one with 'dask scheduler' and workers "
            "with 'dask worker ADDRESS', or take --workers N (workers=N) for processes of this machine") from None
