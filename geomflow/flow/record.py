"""What a run has produced so far."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np


@dataclass
class Record:
    """Kept states with their times, and the monitors with theirs; grows as the run goes on."""

    names: tuple[str, ...] = ()
    times: list[float] = field(default_factory=list)
    states: list[np.ndarray] = field(default_factory=list)
    monitor_times: list[float] = field(default_factory=list)
    rows: list[Sequence[float]] = field(default_factory=list)

    def keep(self, t: float, y: np.ndarray) -> None:
        """Keep a copy of the state at t, once."""
        if not self.times or self.times[-1] != t:
            self.times.append(t)
            self.states.append(y.copy())

    def note(self, t: float, values: dict[str, float]) -> None:
        """Note the monitors at t, once."""
        if not self.monitor_times:
            self.names = tuple(values)
        if not self.monitor_times or self.monitor_times[-1] != t:
            self.monitor_times.append(t)
            self.rows.append(tuple(values.get(name, math.nan) for name in self.names))

    def watch(self, names: tuple[str, ...]) -> None:
        """Go on under other names; numbers are NaN where they were not noted."""
        rows = [dict(zip(self.names, row, strict=True)) for row in self.rows]
        self.rows = [tuple(row.get(name, math.nan) for name in names) for row in rows]
        self.names = names

    def cut(self, states: int, notes: int) -> None:
        """Forget all but the first states and notes."""
        del self.times[states:], self.states[states:]
        del self.monitor_times[notes:], self.rows[notes:]

    def columns(self) -> dict[str, np.ndarray]:
        """The monitors as arrays by name."""
        table = np.array(self.rows, dtype=float).reshape(len(self.rows), len(self.names))
        return {name: table[:, i].copy() for i, name in enumerate(self.names)}
