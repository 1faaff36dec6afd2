"""What a run gives back."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, overload

import numpy as np

from geomflow.core.errors import UnknownNameError
from geomflow.core.outcome import Outcome


class States(Sequence[Any]):
    """The kept states, made into state objects when they are asked for; `.packed(i)` is the bare array."""

    def __init__(self, packed: Sequence[np.ndarray], unpack: Callable[[np.ndarray], Any]) -> None:
        self._packed = packed
        self._unpack = unpack

    def packed(self, index: int) -> np.ndarray:
        """The packed array (ncomp, *grid) of one state."""
        return self._packed[index]

    def __len__(self) -> int:
        return len(self._packed)

    @overload
    def __getitem__(self, index: int) -> Any: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Any]: ...
    def __getitem__(self, index: int | slice) -> Any:
        if isinstance(index, slice):
            return States(self._packed[index], self._unpack)
        return self._unpack(self._packed[index])

    def __iter__(self) -> Iterator[Any]:
        return (self[i] for i in range(len(self)))

    def __repr__(self) -> str:
        return f"{len(self)} states"


@dataclass(frozen=True, repr=False)
class Solution:
    """Times, states, monitors and the outcome of a run.

    times             times of the kept states, shape (n,): t0, the save times, and the end
    states            the kept states, unpacked when asked for
    monitor_times     times of the monitors, shape (m,)
    monitors          arrays of shape (m,) by name; `solution["energy"]` is short for `solution.monitors["energy"]`
    outcome           how the run ended
    steps, rejected, rate_evaluations    what it cost
    description       the problem's facts: equation, grid, ...
    recipe            how it was integrated: stepper, control, events, ...
    template          a state of the kind of `states`
    """

    times: np.ndarray
    states: States
    monitor_times: np.ndarray
    monitors: Mapping[str, np.ndarray]
    outcome: Outcome
    steps: int
    rejected: int
    rate_evaluations: int
    description: Mapping[str, Any] = field(default_factory=dict)
    recipe: Mapping[str, Any] = field(default_factory=dict)
    template: Any = None

    @property
    def last(self) -> Any:
        """The last state."""
        return self.states[-1]

    def __getitem__(self, name: str) -> np.ndarray:
        if name not in self.monitors:
            raise UnknownNameError.among("monitor", name, self.monitors)
        return self.monitors[name]

    def __content__(self) -> dict[str, Any]:
        """The numbers, wherever they lie."""
        return {"times": self.times, "states": [self.states.packed(i) for i in range(len(self.states))]}

    def __repr__(self) -> str:
        span = f"t = {self.times[0]:.6g} to {self.times[-1]:.6g}"
        cost = f"{self.steps} steps ({self.rejected} rejected), {self.rate_evaluations} rates"
        return f"Solution over {span}, {len(self.states)} states, {cost}; {self.outcome}"

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write everything to a new store at `path`, which `load` and xarray open.

        Raises `StoreError` if there is something at `path` already or it cannot be written.
        """
        from geomflow.flow.keeping import save_solution

        save_solution(self, path)
