"""A run: the loop that steps, judges, watches and records."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from geomflow.core.outcome import Outcome
from geomflow.flow import endings
from geomflow.flow.control.control import Pace
from geomflow.flow.cursor import Cursor
from geomflow.flow.events.locate import locate
from geomflow.flow.plan import Plan
from geomflow.flow.problem import Violation
from geomflow.flow.record import Record
from geomflow.flow.stops import is_free, least_step, next_time


@dataclass(frozen=True)
class Place:
    """Where a run was before a step: the time, its memory, and how much it had kept and noted."""

    t: float
    memory: dict[str, Any]
    states: int
    notes: int


@dataclass(frozen=True)
class Fork:
    """Where a run to a later last time goes another way: before the first step that the last time has shaped."""

    place: Place
    y: np.ndarray


class Run:
    """A plan being carried out. All that continues it is in `memory()`, the state, and the record.

    first_pace   the pace at the start, which may depend on the last time
    fork         known when the last time has shaped a step
    reached      the run has ended because the last time was reached
    """

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.cursor = Cursor(plan.problem, plan.t0, plan.problem.y0, plan.stepper.rows)
        self.record = Record()
        self.pace = Pace(math.nan)
        self.steps = 0
        self.rejected = 0
        self.stops_hit = 0
        self.first_size = math.nan
        self.first_pace = self.pace
        self.fork: Fork | None = None
        self.reached = False
        self.outcome: Outcome | None = None
        self._watched: list[float] = []

    @np.errstate(all="ignore")
    def begin(self) -> None:
        """Check the initial state, keep it, choose the first step; an event may end the run at once."""
        plan, cursor = self.plan, self.cursor
        plan.stepper.check(cursor)
        endings.check_initial(cursor)
        self.first_size = endings.size(cursor)
        self.pace = self.first_pace = plan.control.start(cursor, plan.stepper, plan.t1 - plan.t0)
        self._watched = [watch.measure(cursor) for watch in plan.watches]
        for watch, value in zip(plan.watches, self._watched, strict=True):
            if watch.happened(None, value):
                self.outcome = watch.outcome(cursor.t, value)
                break
        self.keep()

    @np.errstate(all="ignore")
    def step(self) -> None:
        """One accepted step with its events and records; sets `outcome` if the run ends.

        What a user's function raises, or Ctrl-C, leaves the run where it was before the step.
        """
        if self.steps >= self.plan.max_steps:
            self.outcome = endings.too_many_steps(self)
            return
        before, order, watched = self._place(), self.cursor.work.order, list(self._watched)
        try:
            if self._move(before):
                self._watch(before.t)
                self._settle()
        except BaseException:
            self.cursor.work.order, self._watched, self.outcome = order, watched, None
            self._return(before)
            raise

    def _place(self) -> Place:
        return Place(self.cursor.t, self.memory(), len(self.record.times), len(self.record.monitor_times))

    def _move(self, before: Place) -> bool:
        """Try steps until one is accepted; False if none can be."""
        plan, cursor = self.plan, self.cursor
        fault: Violation | None = None
        while True:
            stop = plan.stops[self.stops_hit]
            dt = plan.control.step(cursor, plan.stepper, self.pace)
            if dt < min(least_step(cursor.t, plan.t0, self.first_pace.dt), stop - cursor.t):
                self.outcome = endings.no_step(self, dt, fault)
                return False
            if stop == plan.t1 and self.fork is None and not is_free(cursor.t, dt, stop):
                self.fork = Fork(before, cursor.y.copy())
            t_new = next_time(cursor.t, dt, stop)
            dt = t_new - cursor.t
            self.outcome = plan.stepper.attempt(cursor, t_new)
            if self.outcome:
                return False
            ratio, fault = self._judge(t_new)
            if fault is None and ratio <= 1:
                self.pace = plan.control.accept(self.pace, dt, ratio, plan.stepper)
                cursor.advance(t_new, plan.stepper.rate_known)
                self.steps += 1
                return True
            self.rejected += 1
            pace = plan.control.reject(self.pace, dt, ratio, plan.stepper)
            if pace is None:
                self.outcome = endings.no_step(self, dt, fault)
                return False
            self.pace = pace

    def _judge(self, t_new: float) -> tuple[float, Violation | None]:
        """Error ratio of the candidate and what is wrong with it; the ratio is NaN if it is not allowed."""
        problem, work = self.plan.problem, self.cursor.work
        if not np.isfinite(work.peaks("new")).all():
            return math.nan, Violation("domain", "the state", math.nan)
        fault = problem.check(t_new, work["new"]) if problem.check else None
        if fault is not None:
            return math.nan, fault
        return self.plan.control.ratio(self.cursor, self.plan.stepper), None

    def _watch(self, t_old: float) -> None:
        """See whether an event ends the run."""
        for i, watch in enumerate(self.plan.watches):
            before, after = self._watched[i], watch.measure(self.cursor)
            self._watched[i] = after
            if watch.happened(before, after):
                if watch.located:
                    after = locate(self.cursor, self.plan.stepper, watch, t_old, before, after)
                self.outcome = watch.outcome(self.cursor.t, after)
                return

    def _settle(self) -> None:
        """Keep the state at a save time, note the monitors, and see whether the end is reached."""
        plan, t = self.plan, self.cursor.t
        at_stop = t == plan.stops[self.stops_hit]
        if at_stop:
            self.stops_hit += 1
            if self.stops_hit == len(plan.stops) and self.outcome is None:
                self.outcome, self.reached = endings.reached(self), True
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
            "pace": asdict(self.pace),
            "steps": self.steps,
            "rejected": self.rejected,
            "stops_hit": self.stops_hit,
            "first_size": self.first_size,
            "first_pace": asdict(self.first_pace),
        }

    @np.errstate(all="ignore")
    def recall(self, t: float, y: np.ndarray, memory: dict[str, Any]) -> None:
        """Continue at time t from what `memory()` gave, the record being filled: the same bits follow."""
        self.cursor.y[...] = y
        self._return(Place(t, memory, len(self.record.times), len(self.record.monitor_times)))
        self._watched = [watch.measure(self.cursor) for watch in self.plan.watches]

    def _return(self, place: Place) -> None:
        """Go to a place whose state is there already."""
        memory = place.memory
        self.cursor.t = place.t
        self.cursor.recall(memory["cursor"])
        self.record.cut(place.states, place.notes)
        self.pace, self.first_pace = Pace(**memory["pace"]), Pace(**memory["first_pace"])
        self.steps, self.rejected = memory["steps"], memory["rejected"]
        self.stops_hit, self.first_size = memory["stops_hit"], memory["first_size"]
