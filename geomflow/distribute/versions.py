"""Whether workers run what this process runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from geomflow.distribute.errors import VersionMismatchError

if TYPE_CHECKING:
    from distributed import Client


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
