"""What a run is, and how a stored one goes on: with everything that determines its numbers, or not at all."""

from __future__ import annotations

import json
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from geomflow.core.content import differences, in_words, opaque
from geomflow.core.errors import StoreError
from geomflow.core.outcome import OutcomeKind
from geomflow.flow.keeping import Keeper, commit_of
from geomflow.flow.plan import Plan
from geomflow.flow.run import Fork, Place, Run
from geomflow.io.reader import StoredRun
from geomflow.io.store import Cut, Store

_LISTED = 8


class UnverifiedRunWarning(UserWarning):
    """A run goes on with objects that cannot be compared with those that it was started with."""


@dataclass(frozen=True)
class Going:
    """A stored run about to go on: from where it is, or from a cut; `new` are monitors that it was not watched by."""

    run: Run
    cut: Cut | None
    new: tuple[str, ...]

    def keeper(self, store: Store, identity: Mapping[str, Any]) -> Keeper:
        """Its store, open."""
        return Keeper.reopen(self.run, store, identity, self.cut, self.new)


def resume(plan: Plan, stored: StoredRun, store: Store, identity: Mapping[str, Any],
           change_monitors: bool) -> Going | None:
    """The run of a plan, continued from its store; None if it has ended for good.

    A run to a later last time is continued from the last step that the first last time has not shaped, so that it is
    the run that would have gone there at once, to the bit.

    Raises `StoreError` if the store holds another run, with a list of what differs, or a saved solution.
    """
    if stored.memory is None:
        raise StoreError(f"the store '{stored.path}' is a saved solution, which cannot be continued: run it again.")
    _require_same(plan, stored, store, identity)
    begun = _begun_otherwise(plan, stored)
    cut = _cut_for(plan, stored, begun)
    if cut is None and _is_over(stored, plan.t1):
        return None
    run = Run(plan)
    had = tuple(name for name in stored.notes if name != "time")
    new = _new_monitors(tuple(plan.monitors.measure(run.cursor)), had, stored, identity, change_monitors)
    _recall(run, stored, cut)
    run.record.watch((*had, *new))
    return Going(run, cut, new)


def _require_same(plan: Plan, stored: StoredRun, store: Store, identity: Mapping[str, Any]) -> None:
    """Raise `StoreError` if what is stored is not the beginning of this run."""
    header = stored.header
    there, here = _compared(json.loads(header["identity"])), _compared(json.loads(json.dumps(identity)))
    found = [*differences(there, here), *_other_times(plan, header["recipe"]["save_at"])]
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
        warnings.warn(f"the run in '{stored.path}' is continued on your word that these are what it was started with: "
                      f"{', '.join(unknown)}. They cannot be compared; frozen dataclasses can.", UnverifiedRunWarning,
                      stacklevel=5)


def _compared(identity: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in identity.items() if key != "monitors"}


def _other_times(plan: Plan, old: Sequence[float]) -> list[tuple[str, Any, Any]]:
    """What differs in the times to hit: the last may be later, and what lies beyond it is free."""
    if plan.t1 < old[-1]:
        return [("t1", old[-1], plan.t1)]
    there, here = list(old[:-1]), [t for t in plan.stops if t < old[-1]]
    return [] if there == here else [("save_at", there, here)]


def _begun_otherwise(plan: Plan, stored: StoredRun) -> Run | None:
    """The run begun anew, if with its last time it begins with another step than the stored one."""
    memory = stored.memory
    if memory is None or plan.t1 == stored.header["recipe"]["save_at"][-1]:
        return None
    run = Run(plan)
    run.begin()
    return None if run.outcome or asdict(run.first_pace) == memory["first_pace"] else run


def _cut_for(plan: Plan, stored: StoredRun, begun: Run | None) -> Cut | None:
    """What of a stored run a run to a later time shares with it, if that is not all."""
    if begun:
        return Cut(1, 1, {**commit_of(begun, 0, 0).facts, "fork": None, "slot": None})
    fork, end = stored.facts["fork"], stored.header["recipe"]["save_at"][-1]
    if fork is None or end in plan.stops:
        return None
    memory = json.loads(fork["memory"])
    facts = {
        "time": fork["t"],
        "memory": fork["memory"],
        "outcome": None,
        "reached": False,
        "costs": [memory["steps"], memory["rejected"], memory["cursor"]["evaluations"]],
        "fork": None,
        "slot": fork["slot"],
    }
    return Cut(fork["states"], fork["notes"], facts)


def _is_over(stored: StoredRun, t1: float) -> bool:
    """Whether a stored run has ended for good: not interrupted, nor at a last time that was earlier than t1."""
    facts = stored.facts
    if facts["outcome"] is None or facts["outcome"]["kind"] == OutcomeKind.interrupted:
        return False
    return not (facts["reached"] and t1 > facts["time"])


def _recall(run: Run, stored: StoredRun, cut: Cut | None) -> None:
    """Fill a run with what is stored, up to the cut."""
    facts = cut.facts if cut else stored.facts
    notes, record, fork = stored.notes, run.record, stored.facts["fork"]
    record.times = stored.times.tolist()
    record.monitor_times = notes.pop("time").tolist()
    record.names = tuple(notes)
    record.rows = list(zip(*(values.tolist() for values in notes.values()), strict=True))
    states = stored.states
    record.states = [states[i] for i in range(cut.states if cut else len(states))]
    record.cut(len(record.states), cut.notes if cut else len(record.rows))
    y = record.states[-1] if facts["slot"] is None else stored.at(facts["slot"])
    run.recall(facts["time"], y, json.loads(facts["memory"]))
    if fork and not cut and run.plan.t1 == stored.header["recipe"]["save_at"][-1]:
        place = Place(fork["t"], json.loads(fork["memory"]), fork["states"], fork["notes"])
        run.fork = Fork(place, stored.at(fork["slot"]))


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
