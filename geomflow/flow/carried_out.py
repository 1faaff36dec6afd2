"""Plans carried out, in memory or in a store: from the start or from what is kept, to the end or a signal."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from geomflow.core.errors import InputError, StoreError
from geomflow.core.memory import require
from geomflow.core.outcome import OutcomeKind
from geomflow.core.progress import Bar
from geomflow.flow.checkpoints import Checkpointer, resumed_run
from geomflow.flow.events import failed, stopped
from geomflow.flow.interrupts import Interrupts
from geomflow.flow.plan import Plan
from geomflow.flow.run import Run
from geomflow.flow.solution import Solution, States, stored_solution
from geomflow.io.reader import StoredRun
from geomflow.io.store import Store

S = TypeVar("S")
"""The kind of state."""

_ATOL_SHARE = 1e-3


def carried_out(plan: Plan, store: Store | str | os.PathLike[str] | None, resume: bool, change_monitors: bool,
                progress: bool | None) -> Solution[Any]:
    """A run from its beginning, or from what its store holds, to its end."""
    kept = len(plan.stops) + 2
    size = kept * plan.problem.y0.nbytes
    require(size, f"the {kept} kept states", "keep fewer with save_at, or take a smaller grid")
    if store is None:
        if resume:
            raise InputError("resume=True needs the store to continue: give store=path.")
        run = Run(plan)
        run.begin()
        return _finish(run, progress, None)
    return _stored(plan, store if isinstance(store, Store) else Store(store), resume, change_monitors, progress)


def _stored(plan: Plan, store: Store, resume: bool, change_monitors: bool,
            progress: bool | None) -> Solution[Any]:
    identity = plan.identity()
    if resume and Path(store.path).exists():
        stored = StoredRun(store.path)
        resumed = resumed_run(plan, stored, store, identity, change_monitors)
        if resumed is None:
            return stored_solution(stored, plan.state)
        if stored.header.get("cuts"):
            raise StoreError(f"the run in '{store.path}' was cut, and its pieces are kept there: continue it with the "
                             "rule that it was cut by, or choose another path for a run without it.")
        return _finish(resumed.run, progress, resumed.checkpointer(store, identity))
    run = Run(plan)
    run.begin()
    return _finish(run, progress, Checkpointer.create(run, store, identity))


def _finish(run: Run, progress: bool | None, checkpointer: Checkpointer | None) -> Solution[Any]:
    """Carry on to the end; a request to terminate that came meanwhile has its effect when all is kept."""
    interrupts = Interrupts()
    try:
        _carry_on(run, progress, checkpointer, interrupts)
    finally:
        if checkpointer:
            checkpointer.close()
        interrupts.deliver()
    return _solution(run)


def _carry_on(run: Run, progress: bool | None, checkpointer: Checkpointer | None, interrupts: Interrupts) -> None:
    """Step until there is an outcome, or a signal comes; what a user's function raises is raised when all is kept."""
    t0 = run.plan.t0
    bar = Bar("t", run.plan.t1 - t0, progress, str(run.plan.problem.description.get("flow", "")),
              run.cursor.t - t0)
    try:
        with interrupts:
            while run.outcome is None:
                run.step()
                if interrupts.heard and run.outcome is None:
                    run.outcome = stopped(run, interrupts.heard)
                _after_step(run, checkpointer)
                bar.show(run.cursor.t - t0, f"{run.steps} steps")
    except KeyboardInterrupt:
        run.outcome = stopped(run, "Ctrl-C")
        if checkpointer:
            checkpointer.save_if_due(run)
    except BaseException as error:
        run.outcome = failed(run, error)
        if checkpointer:
            checkpointer.save_if_due(run)
            error.add_note(checkpointer.told(run))
        raise
    finally:
        bar.close()


def _after_step(run: Run, checkpointer: Checkpointer | None) -> None:
    """Keep the last state of a run that cannot go on; one that can be continued goes on from its checkpoint."""
    if run.outcome and run.outcome.kind is not OutcomeKind.interrupted:
        run.keep()
    if checkpointer:
        checkpointer.save_if_due(run)


def _solution(run: Run) -> Solution[Any]:
    """The solution from a run that has ended, at the state where it ended."""
    run.keep()
    assert run.outcome is not None
    return Solution(
        times=np.array(run.record.times),
        states=States(run.record.states, run.plan.problem.unpack),
        monitor_times=np.array(run.record.monitor_times),
        monitors=run.record.columns(),
        outcome=run.outcome,
        steps=run.steps,
        rejected=run.rejected,
        rate_evaluations=run.cursor.evaluations,
        description=run.plan.problem.description,
        recipe=run.plan.recipe(),
        template=run.plan.state,
    )
