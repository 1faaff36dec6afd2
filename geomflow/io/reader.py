"""Reading a stored run, finished or not."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, overload

import numpy as np

from geomflow.io.layout import read_array, read_commit, require_whole


class StoredRun:
    """The last commit of a store. States are read when they are asked for.

    Raises `StoreError`, when made or when read, for a store that is missing, damaged, or of another format.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        self._attributes = read_commit(self.path)
        self._shapes: dict[str, tuple[int, ...]] = self._attributes["shapes"]

    @property
    def header(self) -> dict[str, Any]:
        """Description, recipe, versions, seed, configuration, state: what was known before the run."""
        description = dict(self._attributes["description"])
        names = [name for name in self._shapes if "/" not in name and name not in ("time", "state")]
        if names:
            description["axes"] = {name: self._read(name).tolist() for name in names}
        return {**self._attributes, "description": description}

    @property
    def facts(self) -> dict[str, Any]:
        """What goes with the last commit: time, outcome, counts, ..."""
        facts: dict[str, Any] = self._attributes["facts"]
        return facts

    @property
    def memory(self) -> dict[str, Any] | None:
        """The run's memory, to continue it; None for a saved solution."""
        memory: dict[str, Any] | None = json.loads(self.facts["memory"])
        return memory

    @property
    def times(self) -> np.ndarray:
        """Times of the kept states."""
        return require_whole(self.path, "time", self._read("time"))

    @property
    def states(self) -> StoredStates:
        """Kept states, packed."""
        return StoredStates(self.path, self._shapes["state"])

    @property
    def notes(self) -> dict[str, np.ndarray]:
        """Monitors by name, "time" among them."""
        prefix = "monitors/"
        return {name[len(prefix) :]: self._read(name) for name in self._shapes if name.startswith(prefix)}

    @property
    def given(self) -> dict[str, np.ndarray]:
        """Arrays that the state object needs."""
        prefix = "given/"
        return {name[len(prefix) :]: self._read(name) for name in self._shapes if name.startswith(prefix)}

    @property
    def history(self) -> StoredStates:
        """Kept states, and the state where the run is if it is another."""
        tail = None if self.facts["slot"] is None else self.checkpoint
        return StoredStates(self.path, self._shapes["state"], tail)

    @property
    def checkpoint(self) -> np.ndarray:
        """The packed state where the run is."""
        slot = self.facts["slot"]
        if slot is None:
            return self.states[-1]
        name = f"checkpoint/{slot}"
        return require_whole(self.path, name, self._read(name))

    def _read(self, name: str) -> np.ndarray:
        return read_array(self.path, name, self._shapes[name])


class StoredStates(Sequence[np.ndarray]):
    """Packed states (ncomp, *grid) on disk, read one at a time; `tail`, if any, is the last."""

    def __init__(self, path: Path, shape: tuple[int, ...], tail: np.ndarray | None = None) -> None:
        self._path = path
        self._shape = shape
        self._tail = tail

    def __len__(self) -> int:
        return self._shape[0] + (self._tail is not None)

    @overload
    def __getitem__(self, index: int) -> np.ndarray: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[np.ndarray]: ...
    def __getitem__(self, index: int | slice) -> Any:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        place = range(len(self))[index]
        if place == self._shape[0] and self._tail is not None:
            return self._tail
        return require_whole(self._path, "state", read_array(self._path, "state", self._shape, place))
