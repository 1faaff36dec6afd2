"""A run kept in its store as it goes, and one that goes on from there: the run it was started as, or not at all."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from geomflow.core.content import content, differences, in_words, opaque
from geomflow.core.errors import StoreError, warn
from geomflow.core.outcome import Outcome, OutcomeKind
from geomflow.flow.plan import Plan
from geomflow.flow.run import RestartPoint, Run
from geomflow.flow.solution import header_of
from geomflow.io.reader import StoredRun
from geomflow.io.store import Checkpoint, RunWriter, Store, Truncation

_LISTED = 8


class Checkpointer:
    """Commits a run to its store whenever a state was kept, and every so many seconds; the numbers do not notice."""

    def __init__(self, run: Run, writer: RunWriter, every: float) -> None:
        self._writer = writer
        self._every = every
        self._mark(run)

    @classmethod
    def create(cls, run: Run, store: Store, identity: Mapping[str, Any]) -> Checkpointer:
        """Start a store for a run that has begun; `identity` is its plan's."""
        header = header_of(run.plan.state, run.plan.problem.description, run.plan.recipe(), store)
        header["identity"] = json.dumps(identity)
        return cls(run, RunWriter.create(Path(store.path), header, checkpoint_of(run, 0, 0)), store.every)

    @classmethod
    def reopen(cls, run: Run, store: Store, identity: Mapping[str, Any], truncation: Truncation | None,
               new: Sequence[str]) -> Checkpointer:
        """Continue the store of a run that was recalled from it, or truncated; `new` are monitors that it lacks."""
        writer = RunWriter.reopen(Path(store.path), truncation)
        told = {"configuration": dict(store.configuration)} if store.configuration else {}
        writer.describe(recipe=run.plan.recipe(), identity=json.dumps(identity), **told)
        writer.add_monitors(new)
        return cls(run, writer, store.every)

    def save_if_due(self, run: Run) -> None:
        """Commit if it is time to. A store that cannot be written interrupts the run, which stays in memory."""
        due = time.monotonic() - self._last >= self._every
        if due or len(run.record.times) > self._states or run.outcome:
            try:
                self._writer.commit(checkpoint_of(run, self._states, self._notes))
                self._mark(run)
            except StoreError as error:
                run.outcome = _unwritten(run, error)

    def told(self, run: Run) -> str:
        """What became of a run that was kept."""
        return f"The run in '{self._writer.path}' (resume=True continues it): {run.outcome}"

    def close(self) -> None:
        """Let the store go."""
        self._writer.close()

    def _mark(self, run: Run) -> None:
        self._states, self._notes = len(run.record.times), len(run.record.monitor_times)
        self._last = time.monotonic()


def checkpoint_of(run: Run, states: int, notes: int) -> Checkpoint:
    """What a run has beyond its first `states` states and `notes` notes."""
    record, cursor = run.record, run.cursor
    rows = np.array(record.rows[notes:], dtype=float).reshape(-1, len(record.names))
    columns = {name: rows[:, i] for i, name in enumerate(record.names)}
    branch = run.branch
    return Checkpoint(
        times=record.times[states:],
        states=record.states[states:],
        notes={"time": np.array(record.monitor_times[notes:]), **columns},
        present=None if record.times[-1] == cursor.t else cursor.y,
        facts={
            "time": cursor.t,
            "memory": json.dumps(run.memory()),
            "outcome": None if run.outcome is None else asdict(run.outcome),
            "reached": run.reached,
            "costs": [run.steps, run.rejected, cursor.evaluations],
            "fork": branch and {"t": branch.t, "memory": json.dumps(branch.memory), "states": branch.states,
                                "notes": branch.notes},
        },
        branch=branch.y if branch else None,
    )


def _unwritten(run: Run, error: StoreError) -> Outcome:
    reached = f" The run itself: {run.outcome.message}" if run.outcome else ""
    message = (
        f"stopped at t = {run.cursor.t:.9g}: {error} What was computed is in this solution: save it elsewhere with "
        f"save(path), or continue the store with resume=True.{reached}"
    )
    return Outcome(OutcomeKind.interrupted, message, run.cursor.t)


class UnverifiedRunWarning(UserWarning):
    """A run goes on with objects that cannot be compared with those that it was started with."""


@dataclass(frozen=True)
class ResumedRun:
    """A stored run about to go on: from where it is, or truncated; `new` are monitors that it was not watched by."""

    run: Run
    truncation: Truncation | None
    new: tuple[str, ...]

    def checkpointer(self, store: Store, identity: Mapping[str, Any]) -> Checkpointer:
        """Its store, open."""
        return Checkpointer.reopen(self.run, store, identity, self.truncation, self.new)


def resumed_run(plan: Plan, stored: StoredRun, store: Store, identity: Mapping[str, Any],
                change_monitors: bool) -> ResumedRun | None:
    """The run of a plan, continued from its store; None if it has ended for good.

    A run to a later last time is continued from the last step that the first last time has not shaped, and one without
    the event that ended it from before the step in which that happened, so that it is the run that would have gone
    there at once, to the bit.

    Raises `StoreError` if the store holds another run, with a list of what differs, or a saved solution.
    """
    if stored.memory is None:
        raise StoreError(f"the store '{stored.path}' is a saved solution, which cannot be continued: run it again.")
    _require_same(plan, stored, store, identity)
    halted = _is_over(stored, plan.t1) and not stored.facts["reached"] and _has_fewer_events(identity, stored)
    begun = _begun_otherwise(plan, stored, halted)
    truncation = _truncation(plan, stored, begun, halted)
    if truncation is None and _is_over(stored, plan.t1):
        return None
    run = Run(plan)
    had = tuple(name for name in stored.notes if name != "time")
    new = _new_monitors(tuple(plan.monitors.measure(run.cursor)), had, stored, identity, change_monitors)
    _recall(run, stored, truncation)
    run.record.rename((*had, *new))
    return ResumedRun(run, truncation, new)


def _require_same(plan: Plan, stored: StoredRun, store: Store, identity: Mapping[str, Any]) -> None:
    """Raise `StoreError` if what is stored is not the beginning of this run."""
    header = stored.header
    whole, here = json.loads(header["identity"]), _compared(json.loads(json.dumps(identity)))
    found = [*differences(_compared(whole), here), *_other_times(plan, header["recipe"]["save_at"]),
             *_further_events(plan, whole["events"])]
    if store.seed is not None:
        found += differences(header["seed"], store.seed, "seed")
    derived = [change for change in found if change[0] == "initial" or change[0].startswith("initial.")]
    found = [change for change in found if change not in derived] or found
    if found:
        listed = "; ".join(f"{path} is {in_words(old)} there and {in_words(new)} here" for path, old, new
                           in found[:_LISTED])
        more = f"; and {len(found) - _LISTED} more" if len(found) > _LISTED else ""
        raise StoreError(f"the store '{stored.path}' holds another run: {listed}{more}. Continue it with what it was "
                         "started with, or choose another path.")
    if unknown := opaque(here):
        warn(f"the run in '{stored.path}' is continued on your word that these are what it was started with: "
             f"{', '.join(unknown)}. They cannot be compared; frozen dataclasses can.", UnverifiedRunWarning)


def _compared(identity: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in identity.items() if key not in ("monitors", "events")}


def _further_events(plan: Plan, there: Sequence[Any]) -> list[tuple[str, Any, Any]]:
    """The events that might have ended the stored run where none of its own did."""
    return [found for i, event in enumerate(plan.events) if not any(map(event.follows, there))
            for found in differences(there[i] if i < len(there) else None, content(event), f"events[{i}]")]


def _has_fewer_events(identity: Mapping[str, Any], stored: StoredRun) -> bool:
    """Whether an event of the stored run is left out, or its threshold is farther away."""
    here = json.loads(json.dumps(identity["events"]))
    return any(all(differences(old, new) for new in here) for old in json.loads(stored.header["identity"])["events"])


def _other_times(plan: Plan, old: Sequence[float]) -> list[tuple[str, Any, Any]]:
    """What differs in the times to hit: the last may be later, and what lies beyond it is free."""
    if plan.t1 < old[-1]:
        return [("t1", old[-1], plan.t1)]
    there, here = list(old[:-1]), [t for t in plan.stops if t < old[-1]]
    return [] if there == here else [("save_at", there, here)]


def _begun_otherwise(plan: Plan, stored: StoredRun, halted: bool) -> Run | None:
    """The run begun anew, if it begins with another step than the stored one, or that was over at its start."""
    memory = stored.memory
    over_at_once = halted and not stored.facts["costs"][0]
    if memory is None or (plan.t1 == stored.header["recipe"]["save_at"][-1] and not over_at_once):
        return None
    run = Run(plan)
    run.begin()
    same = asdict(run.first_control_state) == memory["first_pace"] and not over_at_once
    return None if run.outcome or same else run


def _truncation(plan: Plan, stored: StoredRun, begun: Run | None, halted: bool) -> Truncation | None:
    """What of a stored run a run to a later time, or one without the event that ended it, shares with it, if not all.

    Raises `StoreError` where it would have to go back to before an event, and the store does not hold that.
    """
    if begun:
        return Truncation(1, 1, {**checkpoint_of(begun, 0, 0).facts, "fork": None, "slot": None})
    branch, end = stored.facts["fork"], stored.header["recipe"]["save_at"][-1]
    if branch is None and halted:
        raise StoreError(f"the run in '{stored.path}' was ended by an event, and its store does not hold the step "
                         "before: solve from its last state, t0=solution.outcome.time, in another store.")
    if branch is None or (end in plan.stops and not halted):
        return None
    memory = json.loads(branch["memory"])
    facts = {
        "time": branch["t"],
        "memory": branch["memory"],
        "outcome": None,
        "reached": False,
        "costs": [memory["steps"], memory["rejected"], memory["cursor"]["evaluations"]],
        "fork": None,
        "slot": branch["slot"],
    }
    return Truncation(branch["states"], branch["notes"], facts)


def _is_over(stored: StoredRun, t1: float) -> bool:
    """Whether a stored run has ended for good: not interrupted, nor at a last time that was earlier than t1."""
    facts = stored.facts
    if facts["outcome"] is None or facts["outcome"]["kind"] == OutcomeKind.interrupted:
        return False
    return not (facts["reached"] and t1 > facts["time"])


def _recall(run: Run, stored: StoredRun, to: Truncation | None) -> None:
    """Fill a run with what is stored, up to where it is truncated."""
    facts = to.facts if to else stored.facts
    notes, record, branch = stored.notes, run.record, stored.facts["fork"]
    record.times = stored.times.tolist()
    record.monitor_times = notes.pop("time").tolist()
    record.names = tuple(notes)
    record.rows = list(zip(*(values.tolist() for values in notes.values()), strict=True))
    states = stored.states
    record.states = [states[i] for i in range(to.states if to else len(states))]
    record.truncate(len(record.states), to.notes if to else len(record.rows))
    y = record.states[-1] if facts["slot"] is None else stored.at(facts["slot"])
    run.recall(facts["time"], y, json.loads(facts["memory"]))
    if branch and not to and run.plan.t1 == stored.header["recipe"]["save_at"][-1]:
        run.branch = RestartPoint(branch["t"], json.loads(branch["memory"]), branch["states"], branch["notes"],
                                  stored.at(branch["slot"]))


def _new_monitors(names: Sequence[str], had: Sequence[str], stored: StoredRun, identity: Mapping[str, Any],
                  allowed: bool) -> tuple[str, ...]:
    """The monitors that the stored run was not watched by.

    Raises `StoreError` if there are such, or if there are fewer or others, unless that is allowed.
    """
    there, here = json.loads(stored.header["identity"])["monitors"], json.loads(json.dumps(identity))["monitors"]
    new = tuple(name for name in names if name not in had)
    told = [f"'{name}' is new" for name in new] + [f"'{name}' is gone" for name in had if name not in names]
    told += [f"'{name}' is another function" for name in names
             if name in had and differences(there.get(name), here.get(name))]
    if told and not allowed:
        raise StoreError(f"the run in '{stored.path}' was watched by other monitors: {', '.join(told)}. Continue it "
                         "with those, or say change_monitors=True (--change-monitors): a number is NaN where it was "
                         "not watched.")
    return new
