"""Everything that is fixed before a run starts."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

from geomflow.core.content import content
from geomflow.flow.control.control import Control
from geomflow.flow.events.watch import Watch
from geomflow.flow.monitors import Monitors
from geomflow.flow.problem import Problem
from geomflow.flow.steppers.stepper import Stepper


@dataclass(frozen=True)
class Plan:
    """A problem, the means to integrate it from t0, and the times to hit; `stops[-1]` is the end.

    `flow` and `state` are what the problem was bound from.
    """

    flow: Any
    state: Any
    problem: Problem
    stepper: Stepper
    control: Control
    watches: tuple[Watch, ...]
    monitors: Monitors
    t0: float
    stops: tuple[float, ...]
    max_steps: int
    monitor_every: int

    @property
    def t1(self) -> float:
        """The last time."""
        return self.stops[-1]

    def recipe(self) -> dict[str, Any]:
        """How the problem is integrated, for the record."""
        return {
            "equation": str(self.problem.description.get("equation", "")),
            "shape": list(self.problem.y0.shape),
            "initial": hashlib.sha256(self.problem.y0.tobytes()).hexdigest(),
            "t0": self.t0,
            "save_at": list(self.stops),
            "stepper": repr(self.stepper),
            "control": repr(self.control),
            "events": [repr(watch) for watch in self.watches],
            "monitor_every": self.monitor_every,
        }

    def identity(self) -> dict[str, Any]:
        """The content of everything that determines the numbers, but for the times to hit; see `core.content`."""
        return {
            "flow": content(self.flow),
            "state": content(self.state),
            "initial": content(self.problem.y0),
            "t0": self.t0,
            "stepper": content(self.stepper),
            "control": content(self.control),
            "events": [content(watch) for watch in self.watches],
            "monitor_every": self.monitor_every,
            "monitors": self.monitors.content(),
        }
