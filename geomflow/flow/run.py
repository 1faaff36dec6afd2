"""A run: the loop that steps, judges, detects events and records."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np

from geomflow.core.outcome import Outcome
from geomflow.flow import events
from geomflow.flow.control import ControllerState
from geomflow.flow.cursor import Cursor
from geomflow.flow.plan import Plan, is_free, least_step, next_time
from geomflow.flow.problem import Violation

JUDGED_EVERY = 10
"""After so many steps it is looked at whether the equation is still well-posed, and at each time that is kept."""


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

    def rename(self, names: tuple[str, ...]) -> None:
        """Go on under other names; numbers are NaN where they were not noted."""
        rows = [dict(zip(self.names, row, strict=True)) for row in self.rows]
        self.rows = [tuple(row.get(name, math.nan) for name in names) for row in rows]
        self.names = names

    def truncate(self, states: int, notes: int) -> None:
        """Forget all but the first states and notes."""
        del self.times[states:], self.states[states:]
        del self.monitor_times[notes:], self.rows[notes:]

    def columns(self) -> dict[str, np.ndarray]:
        """The monitors as arrays by name."""
        table = np.array(self.rows, dtype=float).reshape(len(self.rows), len(self.names))
        return {name: table[:, i].copy() for i, name in enumerate(self.names)}


@dataclass(frozen=True)
class RestartPoint:
    """Where a run was before a step, to go back to: the time, its memory, and how much it had kept and noted.

    y  the packed state, where the run has moved on
    """

    t: float
    memory: dict[str, Any]
    states: int
    notes: int
    y: np.ndarray | None = None


class Run:
    """A plan being carried out. All that continues it is in `memory()`, the state, and the record.

    first_control_state  the controller's state at the start, which may depend on the last time
    branch   before the first step that the last time, or an event, has shaped: a run to a later time, or without the
             event, goes another way from there
    reached  the run has ended because the last time was reached
    """

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.cursor = Cursor(plan.problem, plan.t0, plan.problem.y0, plan.stepper.rows)
        self.record = Record()
        self.control_state = ControllerState(math.nan)
        self.steps = 0
        self.rejected = 0
        self.stops_hit = 0
        self.first_size = math.nan
        self.first_control_state = self.control_state
        self.branch: RestartPoint | None = None
        self.reached = False
        self.outcome: Outcome | None = None
        self._measured: list[float] = []

    @np.errstate(all="ignore")
    def begin(self) -> None:
        """Check the initial state, keep it, choose the first step; an event may end the run at once."""
        plan, cursor = self.plan, self.cursor
        plan.stepper.check(cursor)
        events.check_initial(cursor)
        self.first_size = events.size(cursor)
        self.control_state = self.first_control_state = plan.control.start(cursor, plan.stepper, plan.t1 - plan.t0)
        self._measured = [event.measure(cursor) for event in plan.events]
        for event, value in zip(plan.events, self._measured, strict=True):
            if event.happened(None, value):
                self.outcome = event.outcome(cursor.t, value)
                break
        self.keep()

    @np.errstate(all="ignore")
    def step(self) -> None:
        """One accepted step with its events and records; sets `outcome` if the run ends.

        What a user's function raises, or Ctrl-C, leaves the run where it was before the step.
        """
        if self.steps >= self.plan.max_steps:
            self.outcome = events.too_many_steps(self)
            return
        self._place()
        before, order, measured = self._here(), self.cursor.work.order, list(self._measured)
        try:
            if self._move(before):
                self._detect(before)
                self._settle()
        except BaseException:
            self.cursor.work.order, self._measured, self.outcome = order, measured, None
            self._return(before)
            raise

    def _place(self) -> None:
        """Put points elsewhere where the problem asks for it: the state is the same, and so a step goes on from it."""
        place = self.plan.problem.place
        found = place(self.cursor.t, self.cursor.y) if place else None
        if found is not None:
            self.cursor.replace(found)
            self._measured = [event.measure(self.cursor) for event in self.plan.events]

    def _here(self) -> RestartPoint:
        return RestartPoint(self.cursor.t, self.memory(), len(self.record.times), len(self.record.monitor_times))

    def _move(self, before: RestartPoint) -> bool:
        """Try steps until one is accepted; False if none can be."""
        plan, cursor = self.plan, self.cursor
        fault: Violation | None = None
        while True:
            stop = plan.stops[self.stops_hit]
            dt = plan.control.step(cursor, plan.stepper, self.control_state)
            if dt < min(least_step(cursor.t, plan.t0, self.first_control_state.dt), stop - cursor.t):
                self.outcome = events.no_step(self, dt, fault)
                return False
            if stop == plan.t1 and self.branch is None and not is_free(cursor.t, dt, stop):
                self.branch = replace(before, y=cursor.y.copy())
            t_new = next_time(cursor.t, dt, stop)
            dt = t_new - cursor.t
            self.outcome = plan.stepper.attempt(cursor, t_new)
            if self.outcome:
                return False
            ratio, fault = self._judge(t_new)
            if fault is None and ratio <= 1:
                self.control_state = plan.control.accept(self.control_state, dt, ratio, plan.stepper)
                cursor.advance(t_new, plan.stepper.rate_known)
                self.steps += 1
                return True
            self.rejected += 1
            shorter = plan.control.reject(self.control_state, dt, ratio, plan.stepper)
            if shorter is None:
                self.outcome = events.no_step(self, dt, fault)
                return False
            self.control_state = shorter

    def _judge(self, t_new: float) -> tuple[float, Violation | None]:
        """Error ratio of the candidate and what is wrong with it; the ratio is NaN if it is not allowed."""
        problem, work = self.plan.problem, self.cursor.work
        if not np.isfinite(work.peaks("new")).all():
            return math.nan, Violation("domain", "the state", math.nan)
        fault = problem.check(t_new, work["new"]) if problem.check else None
        if fault is not None:
            return math.nan, fault
        return self.plan.control.ratio(self.cursor, self.plan.stepper), None

    def _detect(self, before: RestartPoint) -> None:
        """See whether an event ends the run; one without it goes on from before the step."""
        for i, event in enumerate(self.plan.events):
            last, now = self._measured[i], event.measure(self.cursor)
            self._measured[i] = now
            if event.happened(last, now):
                if event.located:
                    now = events.locate(event, self.cursor, self.plan.stepper, before.t, last, now)
                self.outcome = event.outcome(self.cursor.t, now)
                self.branch = self.branch or replace(before, y=self.cursor.before.copy())
                return

    def _settle(self) -> None:
        """Keep the state at a save time, note the monitors, and see whether the end is reached."""
        plan, t = self.plan, self.cursor.t
        at_stop = t == plan.stops[self.stops_hit]
        if at_stop:
            self.stops_hit += 1
        if self.outcome is None and (at_stop or self.steps % JUDGED_EVERY == 1):
            self.outcome = events.ill_posed(self)
        if at_stop and self.stops_hit == len(plan.stops) and self.outcome is None:
            self.outcome, self.reached = events.reached(self), True
        if at_stop or self.outcome:
            self.keep()
        elif self.steps % plan.monitor_every == 0:
            self.record.note(t, plan.monitors.measure(self.cursor))

    def keep(self) -> None:
        """Keep the present state and note the monitors."""
        self.record.keep(self.cursor.t, self.cursor.y)
        self.record.note(self.cursor.t, self.plan.monitors.measure(self.cursor))

    def memory(self) -> dict[str, Any]:
        """The plain numbers that continue this run together with t, the state, and the record."""
        return {
            "cursor": self.cursor.memory(),
            "pace": asdict(self.control_state),
            "steps": self.steps,
            "rejected": self.rejected,
            "stops_hit": self.stops_hit,
            "first_size": self.first_size,
            "first_pace": asdict(self.first_control_state),
        }

    @np.errstate(all="ignore")
    def recall(self, t: float, y: np.ndarray, memory: dict[str, Any]) -> None:
        """Continue at time t from what `memory()` gave, the record being filled: the same bits follow."""
        self.cursor.y[...] = y
        self._return(RestartPoint(t, memory, len(self.record.times), len(self.record.monitor_times)))
        self._measured = [event.measure(self.cursor) for event in self.plan.events]

    def _return(self, point: RestartPoint) -> None:
        """Go to a point whose state is there already."""
        memory = point.memory
        self.cursor.t = point.t
        self.cursor.recall(memory["cursor"])
        self.record.truncate(point.states, point.notes)
        self.control_state = ControllerState(**memory["pace"])
        self.first_control_state = ControllerState(**memory["first_pace"])
        self.steps, self.rejected = memory["steps"], memory["rejected"]
        self.stops_hit, self.first_size = memory["stops_hit"], memory["first_size"]
