"""Writing a run as it goes."""

from __future__ import annotations

import contextlib
import glob
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from geomflow.core.errors import StoreError
from geomflow.io import layout


def lock_directory(path: Path) -> contextlib.ExitStack:
    """Lock a directory for writing, until what is returned is closed or the process dies.

    Nothing is locked where there are no locks. Raises `StoreError` if another process has it.
    """
    lock = contextlib.ExitStack()
    try:
        import fcntl
    except ImportError:
        return lock
    descriptor = os.open(path, os.O_RDONLY)
    lock.callback(os.close, descriptor)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        lock.close()
        message = f"another run is writing to the store '{path}': wait for it, or choose another path."
        raise StoreError(message) from error
    except OSError:  # a file system without locks
        lock.close()
    return lock


@dataclass(frozen=True)
class Store:
    """Where and how a run is kept: `solve(..., store=Store("run.zarr"))`; a bare path does too.

    Parameters
    ----------
    path : str or path
        The directory of the store, made by the run.
    every : float
        Seconds between commits of a run that keeps no state meanwhile; kept states are committed at once.
    seed : int, optional
        The seed that the state was made with, for the record.
    configuration : mapping, optional
        What the run was configured with, JSON-able, for the record.

    Notes
    -----
    A run that goes on from its store ends at the same bits as one that never stopped on processors of one kind: others
    may have other vector instructions.
    """

    path: str | os.PathLike[str]
    every: float = 60.0
    seed: int | None = None
    configuration: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Checkpoint:
    """What is added to a store at once, and counts from the next commit on.

    states, times    newly kept states, packed (ncomp, *grid)
    notes            newly noted monitors, name -> numbers, "time" among them
    present          the state where the run is, or None if it is the last kept state
    facts            JSON-able numbers that go with it: the time, the run's memory, the outcome, ...
    branch           the state from which a longer run would go another way, if that is known; its numbers are
                     facts["fork"]
    """

    times: Sequence[float]
    states: Sequence[np.ndarray]
    notes: Mapping[str, np.ndarray]
    present: np.ndarray | None
    facts: Mapping[str, Any]
    branch: np.ndarray | None = None


@dataclass(frozen=True)
class Truncation:
    """The beginning of a stored run: how many states and notes are left of it, and the facts of the run there."""

    states: int
    notes: int
    facts: Mapping[str, Any]


class RunWriter:
    """A store open for writing, by one process at a time."""

    def __init__(self, path: Path) -> None:
        import zarr

        self.path = path
        self._lock = lock_directory(path)
        self._attributes = layout.read_commit(path)
        self._nodes: dict[str, Any] = self._attributes.pop("nodes")
        self._committed: dict[str, tuple[int, ...]] = self._attributes.pop("shapes")
        self._digests: dict[str, str] = self._attributes["digests"]
        with storing(path):
            self._arrays = {name: zarr.open_array(path / name, mode="r+") for name in self._committed}
        read = {name: layout.read_checked(path, name, self._nodes[name], self._digests) for name in self._listed()}
        self._sums = {name: layout.running(values) for name, values in read.items()}

    @classmethod
    def create(cls, path: Path, header: Mapping[str, Any], first: Checkpoint) -> RunWriter:
        """Make a new store with its first commit, which has one state at least.

        `header` holds "description", "recipe", "identity", "seed", "configuration", "state" and "given" (arrays by
        name). Nothing is visible at `path` before it is whole; what runs that were killed before that have left there
        is removed. Raises `StoreError` if something is there already.
        """
        if path.exists() and (not path.is_dir() or any(path.iterdir())):
            raise StoreError(
                f"there is something at '{path}' already, which is not overwritten: continue it with resume=True "
                "(--resume), or choose another path."
            )
        partial = partial_path(path)
        with storing(path):
            remove_stillborn(path)
            try:
                layout.lay_out(partial, first.states[0].shape, header, list(first.notes))
                writer = cls(partial)
                writer.commit(first)
                writer.close()
                os.rename(partial, path)
            except BaseException:
                shutil.rmtree(partial, ignore_errors=True)
                raise
        return cls(path)

    @classmethod
    def reopen(cls, path: Path, to: Truncation | None = None) -> RunWriter:
        """Open a store to continue it, from where it is or truncated; what lies beyond is cut off."""
        writer = cls(path)
        with storing(path):
            for left in path.rglob("*.partial"):
                left.unlink(missing_ok=True)
            if to:
                writer._truncate(to)
            for name, array in writer._arrays.items():
                if array.shape != writer._committed[name]:
                    array.resize(writer._committed[name])
        return writer

    def _truncate(self, to: Truncation) -> None:
        """Make the beginning of the run the whole of it, by the one rename of a commit."""
        for name, shape in self._committed.items():
            if name in ("state", *self._listed()):
                self._committed[name] = (to.notes if name.startswith("monitors/") else to.states, *shape[1:])
        for name in self._listed():
            kept = layout.read_array(self.path, name, self._nodes[name])[: self._committed[name][0]]
            self._sums[name] = layout.running(kept)
        self._write_root(to.facts, self._committed, self._sums, self._digests)

    def describe(self, **changes: Any) -> None:
        """Replace the recipe, the configuration or the identity, from the next commit on; note other versions."""
        self._attributes |= changes
        known = [self._attributes["versions"], *self._attributes.get("continued_with", [])]
        if (now := layout.versions()) not in known:
            self._attributes["continued_with"] = [*known[1:], now]

    def note(self, **facts: Any) -> None:
        """Add facts to the last commit."""
        self._attributes |= facts
        self._write_root(self._attributes["facts"], self._committed, self._sums, self._digests)

    def add_monitors(self, names: Sequence[str]) -> None:
        """Make room for further monitors, which are not a number (NaN) so far."""
        import zarr

        rows = self._committed["monitors/time"]
        with storing(self.path):
            for name in (f"monitors/{name}" for name in names):
                array = self._arrays[name] = layout.growing(zarr.open_group(self.path, mode="r+"), name)
                array.resize(rows)
                self._committed[name], self._sums[name] = rows, layout.running(np.full(rows, np.nan))

    def commit(self, new: Checkpoint) -> None:
        """Write everything, then make it count. Raises `StoreError`; the last commit stays whole."""
        sums = {name: total.copy() for name, total in self._sums.items()}
        digests = dict(self._digests)
        with storing(self.path):
            self._append("time", np.asarray(new.times, dtype=float), sums)
            if len(new.states):
                self._append("state", np.stack(new.states), sums)
                checks = np.array([layout.row_checksum(state) for state in new.states], dtype=float)
                self._append(layout.CHECKS, checks, sums)
            for name, values in new.notes.items():
                self._append(f"monitors/{name}", np.asarray(values, dtype=float), sums)
            facts = {**new.facts, **self._points(new, digests)}
            self._write_root(facts, {name: array.shape for name, array in self._arrays.items()}, sums, digests)

    def _points(self, new: Checkpoint, digests: dict[str, str]) -> dict[str, Any]:
        """Write the states that are no kept ones, to slots that the last commit does not need."""
        last = self._attributes["facts"]
        branch = last.get("fork")
        taken = {last.get("slot"), branch and branch["slot"]}
        found: dict[str, Any] = {"slot": None}
        if new.present is not None:
            found["slot"] = self._put(new.present, taken, digests)
        if new.branch is not None:
            slot = branch["slot"] if branch else self._put(new.branch, taken, digests)
            found["fork"] = {**new.facts["fork"], "slot": slot}
        return found

    def _put(self, state: np.ndarray, taken: set[int | None], digests: dict[str, str]) -> int:
        slot = next(slot for slot in layout.SLOTS if slot not in taken)
        taken.add(slot)
        self._arrays[f"checkpoint/{slot}"][...] = state
        digests[f"checkpoint/{slot}"] = layout.checksum(state)
        return slot

    def _append(self, name: str, values: np.ndarray, sums: Mapping[str, Any]) -> None:
        if len(values):
            array, start = self._arrays[name], self._committed[name][0]
            array.resize((start + len(values), *array.shape[1:]))
            array[start:] = values
            if name in sums:
                sums[name].update(layout.packed_bytes(values))

    def _write_root(self, facts: Mapping[str, Any], shapes: dict[str, tuple[int, ...]], sums: dict[str, Any],
                    digests: dict[str, str]) -> None:
        """One rename, after which everything that was written counts."""
        digests = {**digests, **{name: total.hexdigest() for name, total in sums.items()}}
        attributes = {**self._attributes, "facts": dict(facts), "digests": digests}
        layout.write_commit(self.path, attributes, self._arrays, shapes)
        self._attributes, self._committed, self._sums, self._digests = attributes, dict(shapes), sums, digests

    def _listed(self) -> list[str]:
        """The arrays of numbers that grow along the run; the states, which grow too, are summed one by one."""
        return [name for name in self._committed if name in ("time", layout.CHECKS) or name.startswith("monitors/")]

    def close(self) -> None:
        """Let other processes write."""
        self._lock.close()


def partial_path(path: Path, owner: int | str | None = None) -> Path:
    """Where a store is made by a process, hidden, before it takes its place."""
    return path.with_name(f".{path.name}.{os.getpid() if owner is None else owner}.partial")


def remove_stillborn(path: Path) -> None:
    """Remove what processes that are dead have begun to make of a store at `path`."""
    begun = partial_path(path, "*").name
    for left in path.parent.glob(glob.escape(begun).replace("[*]", "*")):
        owner = left.name.split(".")[-2]
        if owner.isdigit() and not _alive(int(owner)):
            shutil.rmtree(left, ignore_errors=True)


def _alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


@contextlib.contextmanager
def storing(path: Path) -> Iterator[None]:
    """Turns what the disk refuses into a `StoreError` that says what."""
    try:
        yield
    except StoreError:
        raise
    except OSError as error:
        parent = next(p for p in (path, *path.absolute().parents) if p.exists())
        free = shutil.disk_usage(parent).free
        reason = error.strerror or str(error)
        message = f"the store '{path}' cannot be written: {reason} ({free / 1e6:.3g} MB are free there)"
        raise StoreError(f"{message}. Free some space or choose another path.") from error
