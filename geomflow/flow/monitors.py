"""What is recorded along a run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from geomflow.core.content import content
from geomflow.core.errors import InputError
from geomflow.core.numbers import real_number
from geomflow.flow.cursor import Cursor
from geomflow.flow.problem import Problem

UserMonitor = Callable[[float, Any], float]
RESIDUAL = "residual"


class Monitors:
    """The problem's own monitors, the user's functions of (t, state), and the residual, the size of dy/dt."""

    def __init__(self, problem: Problem, user: Mapping[str, UserMonitor] | None) -> None:
        self._problem = problem
        if user is not None and not isinstance(user, Mapping):
            raise InputError(f"monitors must map names to functions of (t, state), and {user!r} does not.")
        self._user = dict(user or {})
        for name, function in self._user.items():
            if name in problem.monitors or name == RESIDUAL:
                raise InputError(f"the monitor '{name}' exists already: give yours another name.")
            if not name or "/" in name or name.startswith(".") or name == "time":
                raise InputError(f"'{name}' cannot name a monitor: leave out '/', a leading '.', and 'time'.")
            if not callable(function):
                raise InputError(f"the monitor '{name}' must be a function of (t, state), not {function!r}.")

    def content(self) -> dict[str, Any]:
        """The user's functions by name, as plain data."""
        return {name: content(function) for name, function in self._user.items()}

    def measure(self, cursor: Cursor) -> dict[str, float]:
        """All numbers at the cursor, always under the same names in the same order."""
        problem, t = self._problem, cursor.t
        values = {name: float(function(t, cursor.y)) for name, function in problem.monitors.items()}
        if problem.observe:
            values |= {name: float(value) for name, value in problem.observe(t, cursor.y).items()}
        if self._user:
            state = cursor.state()
            values |= {name: _number(name, function(t, state)) for name, function in self._user.items()}
        return {**values, RESIDUAL: cursor.residual()}


def _number(name: str, value: Any) -> float:
    if isinstance(value, bool | np.bool_):
        return float(value)
    return real_number(value, f"the monitor '{name}' must return one number: what it gave")
