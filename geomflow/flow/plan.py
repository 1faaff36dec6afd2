"""Everything that is fixed before a run starts: the times to hit, what is recorded, and the means to integrate."""

from __future__ import annotations

import hashlib
import math
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from geomflow.core.content import content
from geomflow.core.errors import InputError
from geomflow.core.memory import require
from geomflow.core.numbers import real_number, require_unmasked
from geomflow.flow.control import StepController, Stepper
from geomflow.flow.cursor import Cursor
from geomflow.flow.events import TerminalEvent
from geomflow.flow.problem import Problem

_SNAP = 1e-9
_BYTES_A_TIME = 64  # in an array, as an object, and in a tuple


def stop_times(t0: float, t1: float, save_at: int | Sequence[float] | np.ndarray | None) -> tuple[float, ...]:
    """Increasing times in (t0, t1] at which states are kept; t1 is the last.

    `save_at`: None for t1 alone, a number n for n equal parts of the run, or times.
    Raises `InputError` for times that are not numbers, not finite, not increasing, or outside of the run, and
    `MemoryLimitError` for more times than memory holds.
    """
    t0, t1 = real_number(t0, "t0"), real_number(t1, "t1")
    _check_span(t0, t1)
    if save_at is None:
        return (t1,)
    if isinstance(save_at, (int, np.integer)) and not isinstance(save_at, bool):
        if save_at < 1:
            raise InputError(f"save_at = {save_at} must be at least 1 part.")
        named = f"the {save_at} save times" if save_at < sys.maxsize else "that many save times"
        require(_BYTES_A_TIME * int(save_at), named, "keep fewer states with save_at")
        return tuple(float(t) for t in np.linspace(t0, t1, int(save_at) + 1)[1:])
    return _listed(t0, t1, save_at)


def _check_span(t0: float, t1: float) -> None:
    if not math.isfinite(t1 - t0):
        raise InputError(f"t0 = {t0} and t1 = {t1} must be finite, and the time between them too.")
    if t1 <= t0:
        raise InputError(f"t1 = {t1} must be greater than t0 = {t0}; flows run forward in time.")


def _listed(t0: float, t1: float, save_at: Sequence[float] | np.ndarray | bool) -> tuple[float, ...]:
    require_unmasked(save_at, "save_at")
    try:
        times = np.atleast_1d(np.asarray(save_at, dtype=float))
    except OverflowError:
        raise InputError("save_at has a time beyond double precision (1.8e308): choose larger units.") from None
    except (TypeError, ValueError):
        raise InputError(f"save_at = {save_at!r} must be a number of parts or a list of times.") from None
    if times.ndim != 1 or times.size == 0 or isinstance(save_at, bool):
        raise InputError(f"save_at = {save_at!r} must be a number of parts or a list of times.")
    if not np.isfinite(times).all():
        raise InputError(f"save_at has a time that is not finite: {times[~np.isfinite(times)][0]}.")
    if (np.diff(times) <= 0).any():
        worst = int(np.argmax(np.diff(times) <= 0))
        raise InputError(f"save_at must increase, but {times[worst + 1]} follows {times[worst]}.")
    times = np.unique(_snapped(times, t0, t1))
    if times[0] < t0 or times[-1] > t1:
        bad = times[0] if times[0] < t0 else times[-1]
        raise InputError(f"the save time {bad} is outside of the run from t0 = {t0} to t1 = {t1}.")
    inside = [float(t) for t in times if t > t0]
    return tuple(inside) if inside and inside[-1] == t1 else (*inside, t1)


def _snapped(times: np.ndarray, t0: float, t1: float) -> np.ndarray:
    """The times, where they miss the ends of the run by rounding only, at these ends.

    From t0 = 0 on, small times are no rounding.
    """
    rounding = min(least_step(t1, t0, 0.0), _SNAP * (t1 - t0))
    times = np.where(np.abs(times - t1) < rounding, t1, times)
    return np.where((times > t0 - rounding) & (times < t0 + min(rounding, least_step(t0, t0, 0.0))), t0, times)


def next_time(t: float, dt: float, stop: float) -> float:
    """End of a step of about dt from t that hits `stop` exactly and leaves no sliver before it."""
    remaining = stop - t
    if dt >= remaining * (1 - _SNAP):
        return stop
    return t + dt if is_free(t, dt, stop) else t + remaining / 2


def is_free(t: float, dt: float, stop: float) -> bool:
    """Whether a step of about dt from t is the same for this stop and any later one."""
    return 2 * dt <= (stop - t) * (1 + _SNAP)


def least_step(t: float, t0: float, first: float) -> float:
    """Steps below this do not move the time any more, of a run whose first step was to have the length `first`."""
    return float(16 * np.finfo(float).eps * max(abs(t), abs(t0), first))


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


@dataclass(frozen=True)
class Plan:
    """A problem, the means to integrate it from t0, and the times to hit; `stops[-1]` is the end.

    `flow` and `state` are what the problem was bound from.
    """

    flow: Any
    state: Any
    problem: Problem
    stepper: Stepper
    control: StepController
    events: tuple[TerminalEvent, ...]
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
            "tolerances": [getattr(self.control, name, None) for name in ("rtol", "atol")],
            "events": [repr(event) for event in self.events],
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
            "events": [content(event) for event in self.events],
            "monitor_every": self.monitor_every,
            "monitors": self.monitors.content(),
        }
