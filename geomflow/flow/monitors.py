"""What is recorded along a run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from geomflow.core.errors import InputError
from geomflow.flow.cursor import Cursor
from geomflow.flow.problem import Problem

UserMonitor = Callable[[float, Any], float]
RESIDUAL = "residual"


class Monitors:
    """The problem's own monitors, the user's functions of (t, state), and the residual max |dy/dt|."""

    def __init__(self, problem: Problem, user: Mapping[str, UserMonitor] | None) -> None:
        self._own = dict(problem.monitors)
        self._user = dict(user or {})
        for name, function in self._user.items():
            if name in self._own or name == RESIDUAL:
                raise InputError(f"the monitor '{name}' exists already: give yours another name.")
            if not callable(function):
                raise InputError(f"the monitor '{name}' must be a function of (t, state), not {function!r}.")

    @property
    def names(self) -> tuple[str, ...]:
        """All names, the residual last."""
        return (*self._own, *self._user, RESIDUAL)

    def measure(self, cursor: Cursor) -> dict[str, float]:
        """All numbers at the cursor."""
        values = {name: float(function(cursor.t, cursor.y)) for name, function in self._own.items()}
        if self._user:
            state = cursor.state()
            values |= {name: float(function(cursor.t, state)) for name, function in self._user.items()}
        return {**values, RESIDUAL: cursor.residual()}
