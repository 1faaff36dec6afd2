"""Writing a run as it goes."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from geomflow.core.errors import StoreError
from geomflow.io.creation import lay_out
from geomflow.io.layout import read_commit, write_commit
from geomflow.io.lock import lock_directory


@dataclass(frozen=True)
class Store:
    """Where and how a run is kept: `solve(..., store=Store("run.zarr"))`; a bare path does too.

    path           directory of the store, made by the run
    every          seconds between commits of a run that keeps no state meanwhile; kept states are committed at once
    seed           the seed that the state was made with, for the record
    configuration  what the run was configured with, JSON-able, for the record

    A run that goes on from its store ends at the same bits as one that never stopped on processors of one kind: others
    may have other vector instructions.
    """

    path: str | os.PathLike[str]
    every: float = 60.0
    seed: int | None = None
    configuration: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Commit:
    """What a commit adds to a store.

    states, times    newly kept states, packed (ncomp, *grid)
    notes            newly noted monitors, name -> numbers, "time" among them
    checkpoint       the state where the run is, or None if it is the last kept state
    facts            JSON-able numbers that go with it: the time, the run's memory, the outcome, ...
    """

    times: Sequence[float]
    states: Sequence[np.ndarray]
    notes: Mapping[str, Sequence[float]]
    checkpoint: np.ndarray | None
    facts: Mapping[str, Any]


class RunWriter:
    """A store open for writing, by one process at a time."""

    def __init__(self, path: Path, attributes: dict[str, Any]) -> None:
        import zarr

        self.path = path
        self._attributes = attributes
        self._committed: dict[str, tuple[int, ...]] = attributes.pop("shapes")
        self._lock = lock_directory(path)
        with storing(path):
            self._arrays = {name: zarr.open_array(path / name, mode="r+") for name in self._committed}
        self._slot = int(attributes["facts"].get("slot") or 0)

    @classmethod
    def create(cls, path: Path, header: Mapping[str, Any], first: Commit) -> RunWriter:
        """Make a new store with its first commit, which has one state at least.

        `header` holds "description", "recipe", "seed", "configuration", "state" and "given" (arrays by name).
        Nothing is visible at `path` before it is whole. Raises `StoreError` if something is there already.
        """
        if path.exists() and (not path.is_dir() or any(path.iterdir())):
            raise StoreError(
                f"there is something at '{path}' already, which is not overwritten: continue it with resume=True "
                "(--resume), or choose another path."
            )
        partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
        with storing(path):
            try:
                lay_out(partial, first.states[0].shape, header, list(first.notes))
                writer = cls(partial, read_commit(partial))
                writer.commit(first)
                writer.close()
                os.rename(partial, path)
            except BaseException:
                shutil.rmtree(partial, ignore_errors=True)
                raise
        return cls(path, read_commit(path))

    @classmethod
    def reopen(cls, path: Path) -> RunWriter:
        """Open a store to continue it; what a dead process has left beyond its last commit is cut off."""
        writer = cls(path, read_commit(path))
        with storing(path):
            for left in path.rglob("*.partial"):
                left.unlink(missing_ok=True)
            for name, array in writer._arrays.items():
                if array.shape != writer._committed[name]:
                    array.resize(writer._committed[name])
        return writer

    def describe(self, recipe: Mapping[str, Any]) -> None:
        """Replace the recipe, from the next commit on."""
        self._attributes["recipe"] = dict(recipe)

    def commit(self, commit: Commit) -> None:
        """Write everything, then make it count. Raises `StoreError`; the last commit stays whole."""
        with storing(self.path):
            self._append("time", np.asarray(commit.times, dtype=float))
            if len(commit.states):
                self._append("state", np.stack(commit.states))
            for name, values in commit.notes.items():
                self._append(f"monitors/{name}", np.asarray(values, dtype=float))
            slot = None
            if commit.checkpoint is not None:
                slot = self._slot = 1 - self._slot
                self._arrays[f"checkpoint/{slot}"][...] = commit.checkpoint
            attributes = {**self._attributes, "facts": {**commit.facts, "slot": slot}}
            write_commit(self.path, attributes, self._arrays)
            self._committed = {name: array.shape for name, array in self._arrays.items()}

    def _append(self, name: str, values: np.ndarray) -> None:
        if len(values):
            array, start = self._arrays[name], self._committed[name][0]
            array.resize((start + len(values), *array.shape[1:]))
            array[start:] = values

    def close(self) -> None:
        """Let other processes write."""
        self._lock.close()


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
