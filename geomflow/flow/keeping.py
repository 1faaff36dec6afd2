"""Between runs and stores: keep a run as it goes, save and load solutions."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from geomflow.core.errors import StoreError
from geomflow.core.outcome import Outcome, OutcomeKind
from geomflow.flow.solution import Solution, States
from geomflow.io.fields import describe_field, rebuild_field
from geomflow.io.reader import StoredRun
from geomflow.io.store import Commit, Cut, RunWriter, Store

if TYPE_CHECKING:
    from geomflow.flow.run import Run


class Keeper:
    """Commits a run to its store whenever a state was kept, and every so many seconds; the numbers do not notice."""

    def __init__(self, run: Run, writer: RunWriter, every: float) -> None:
        self._writer = writer
        self._every = every
        self._mark(run)

    @classmethod
    def create(cls, run: Run, store: Store, identity: Mapping[str, Any]) -> Keeper:
        """Start a store for a run that has begun; `identity` is its plan's."""
        header = _header(run.plan.state, run.plan.problem.description, run.plan.recipe(), store)
        header["identity"] = json.dumps(identity)
        return cls(run, RunWriter.create(Path(store.path), header, commit_of(run, 0, 0)), store.every)

    @classmethod
    def reopen(cls, run: Run, store: Store, identity: Mapping[str, Any], cut: Cut | None,
               new: Sequence[str]) -> Keeper:
        """Continue the store of a run that was recalled from it, or from a cut; `new` are monitors that it lacks."""
        writer = RunWriter.reopen(Path(store.path), cut)
        told = {"configuration": dict(store.configuration)} if store.configuration else {}
        writer.describe(recipe=run.plan.recipe(), identity=json.dumps(identity), **told)
        writer.watch_also(new)
        return cls(run, writer, store.every)

    def keep(self, run: Run) -> None:
        """Commit if it is time to. A store that cannot be written interrupts the run, which stays in memory."""
        due = time.monotonic() - self._last >= self._every
        if due or len(run.record.times) > self._states or run.outcome:
            try:
                self._writer.commit(commit_of(run, self._states, self._notes))
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


def commit_of(run: Run, states: int, notes: int) -> Commit:
    """What a run has beyond its first `states` states and `notes` notes."""
    record, cursor = run.record, run.cursor
    rows = np.array(record.rows[notes:], dtype=float).reshape(-1, len(record.names))
    columns = {name: rows[:, i] for i, name in enumerate(record.names)}
    return Commit(
        times=record.times[states:],
        states=record.states[states:],
        notes={"time": record.monitor_times[notes:], **columns},
        checkpoint=None if record.times[-1] == cursor.t else cursor.y,
        facts={
            "time": cursor.t,
            "memory": json.dumps(run.memory()),
            "outcome": None if run.outcome is None else asdict(run.outcome),
            "reached": run.reached,
            "costs": [run.steps, run.rejected, cursor.evaluations],
            "fork": run.fork and {**asdict(run.fork.place), "memory": json.dumps(run.fork.place.memory)},
        },
        fork=run.fork and run.fork.y,
    )


def _unwritten(run: Run, error: StoreError) -> Outcome:
    reached = f" The run itself: {run.outcome.message}" if run.outcome else ""
    message = (
        f"stopped at t = {run.cursor.t:.9g}: {error} What was computed is in this solution: save it elsewhere with "
        f"save(path), or continue the store with resume=True.{reached}"
    )
    return Outcome(OutcomeKind.interrupted, message, run.cursor.t)


def _header(state: Any, description: Mapping[str, Any], recipe: Mapping[str, Any], store: Store) -> dict[str, Any]:
    facts, given = describe_field(state)
    return {
        "description": description,
        "recipe": recipe,
        "identity": None,
        "seed": store.seed,
        "configuration": dict(store.configuration),
        "state": facts,
        "given": given,
    }


def load(path: str | os.PathLike[str], like: Any = None) -> Solution:
    """The solution in the store at `path`, of a run that has ended or not; states are read when asked for.

    Fields are rebuilt as they were. Of other states, such as those of networks, the store keeps the packed numbers:
    give any state of the same kind, ``load(path, like=model.on(grid))``, to have them unpacked.

    Raises `StoreError` if there is no store, or one that is damaged or of another format.
    """
    return stored_solution(StoredRun(path), like)


def stored_solution(stored: StoredRun, like: Any = None) -> Solution:
    """The solution from the last commit of a store, which ends where the run was."""
    header, notes = stored.header, stored.notes
    template = rebuild_field(header["state"], stored.given) if header["state"] else like
    packed = stored.history
    times = np.array([*stored.times, stored.facts["time"]][: len(packed)])
    return Solution(
        times=times,
        states=States(packed, template.unpack if template else _as_it_is),
        monitor_times=notes.pop("time"),
        monitors=notes,
        outcome=_outcome(stored),
        steps=stored.facts["costs"][0],
        rejected=stored.facts["costs"][1],
        rate_evaluations=stored.facts["costs"][2],
        description=header["description"],
        recipe=header["recipe"],
        template=template,
    )


def _outcome(stored: StoredRun) -> Outcome:
    outcome = stored.facts["outcome"]
    if outcome is not None:
        return Outcome(OutcomeKind(outcome["kind"]), outcome["message"], outcome["time"])
    t = stored.facts["time"]
    message = f"the run was cut off after t = {t:.9g}; continue it with resume=True (--resume)."
    return Outcome(OutcomeKind.interrupted, message, t)


def save_solution(solution: Solution, path: str | os.PathLike[str]) -> None:
    """Write a solution to a new store. Raises `StoreError`."""
    header = _header(solution.template, solution.description, solution.recipe, Store(path))
    facts = {
        "time": float(solution.times[-1]),
        "memory": "null",
        "outcome": asdict(solution.outcome),
        "costs": [solution.steps, solution.rejected, solution.rate_evaluations],
    }
    states = [solution.states.packed(i) for i in range(len(solution.states))]
    notes = {"time": solution.monitor_times, **solution.monitors}
    RunWriter.create(Path(path), header, Commit(solution.times.tolist(), states, notes, None, facts)).close()


def _as_it_is(packed: np.ndarray) -> np.ndarray:
    return packed

