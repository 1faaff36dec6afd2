"""Reading a stored run, finished or not: its header, its facts, and its states as arrays."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

import numpy as np

from geomflow.io import layout

if TYPE_CHECKING:
    pass


class StoredRun:
    """The last commit of a store. States are read when they are asked for.

    Raises `StoreError`, when made or when read, for a store that is missing, damaged, or of another format.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        self._attributes = layout.read_commit(self.path)
        self._nodes: dict[str, dict[str, Any]] = self._attributes.pop("nodes")
        self._shapes: dict[str, tuple[int, ...]] = self._attributes.pop("shapes")

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
    def pieces(self) -> list[Path]:
        """The stores of the runs that went on after this one, as far as they were begun."""
        found: list[Path] = []
        while (path := layout.piece_path(self.path, len(found))).exists():
            found.append(path)
        return found

    @property
    def times(self) -> np.ndarray:
        """Times of the kept states."""
        return self._read("time")

    @property
    def states(self) -> StoredStates:
        """Kept states, packed."""
        return self._states(None)

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
        return self._states(None if self.facts["slot"] is None else self.checkpoint)

    @property
    def checkpoint(self) -> np.ndarray:
        """The packed state where the run is."""
        return self.at(self.facts["slot"])

    def at(self, slot: int | None) -> np.ndarray:
        """The packed state in a slot of the store, or the last kept one."""
        return self.states[-1] if slot is None else self._read(f"checkpoint/{slot}")

    def check(self) -> None:
        """Read everything once, one state at a time."""
        for name in self._shapes:
            if name != "state" and not name.startswith("checkpoint/"):
                self._read(name)
        for _ in self.history:
            pass

    def _states(self, tail: np.ndarray | None) -> StoredStates:
        return StoredStates(self.path, self._nodes["state"], self._read(layout.CHECKS), tail)

    def _read(self, name: str) -> np.ndarray:
        return layout.read_checked(self.path, name, self._nodes[name], self._attributes["digests"])


class StoredStates(Sequence[np.ndarray]):
    """Packed states (ncomp, *grid) on disk, read one at a time; `tail`, if any, is the last."""

    def __init__(self, path: Path, node: dict[str, Any], checksums: np.ndarray, tail: np.ndarray | None) -> None:
        self._path = path
        self._node = node
        self._checksums = checksums
        self._tail = tail

    def __len__(self) -> int:
        return len(self._checksums) + (self._tail is not None)

    @overload
    def __getitem__(self, index: int) -> np.ndarray: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[np.ndarray]: ...
    def __getitem__(self, index: int | slice) -> Any:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        place = range(len(self))[index]
        if place == len(self._checksums) and self._tail is not None:
            return self._tail
        values = layout.read_array(self._path, "state", self._node, place)
        if layout.row_checksum(values) != self._checksums[place]:
            raise layout.damaged(self._path, f"the state {place} of the array 'state' is not what was written")
        return values
