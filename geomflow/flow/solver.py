"""The one verb: solve."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar, final

import numpy as np

from geomflow.core.errors import InputError
from geomflow.core.numbers import real_number, whole
from geomflow.core.progress import waiting
from geomflow.flow.carried_out import carried_out
from geomflow.flow.continuation import Continuation, Parts, gone_on, parts_facts
from geomflow.flow.control import StepController, Stepper
from geomflow.flow.events import TerminalEvent
from geomflow.flow.flow import Flow
from geomflow.flow.plan import Monitors, Plan, UserMonitor, stop_times
from geomflow.flow.problem import Bindable, Problem
from geomflow.flow.solution import Solution
from geomflow.flow.steppers.choose import fitting_stepper, resolve_stepper
from geomflow.io.layout import piece_path
from geomflow.io.reader import StoredRun
from geomflow.io.store import RunWriter, Store
from geomflow.symbolic.ansatz import Reduction
from geomflow.symbolic.functionals.derived import DerivedFlow

S = TypeVar("S")
"""The kind of state."""

_ATOL_SHARE = 1e-3


def solve(
    flow: Bindable | DerivedFlow | Reduction,
    state: S,
    t1: float,
    *,
    t0: float = 0.0,
    stepper: Stepper | str | None = None,
    control: StepController | None = None,
    rtol: float | None = None,
    atol: float | None = None,
    save_at: int | Sequence[float] | np.ndarray | None = None,
    events: Iterable[TerminalEvent] | TerminalEvent = (),
    monitors: Mapping[str, UserMonitor] | None = None,
    monitor_every: int = 1,
    max_steps: int = 100_000,
    store: Store | str | os.PathLike[str] | None = None,
    resume: bool = False,
    change_monitors: bool = False,
    progress: bool | None = None,
    after: Continuation | None = None,
) -> Solution[S]:
    """Run a flow from a state at time t0 to time t1.

    A singularity, a steady state, Ctrl-C or `max_steps` end the run with an outcome, not with an exception. SIGTERM is
    heard after the step, and has its effect when the run is kept; what a function of yours raises is raised when the
    run up to the step before is kept. Raises `InputError` (also a ValueError) for arguments that make no sense,
    `UnknownNameError` for an unknown stepper, `MemoryLimitError` if the kept states do not fit, before anything is
    computed, and `StoreError` for a store that exists already, or that holds another run than the one to resume.

    Parameters
    ----------
    flow : Flow, DerivedFlow, Reduction or Bindable
        Anything with `flow.bind(state) -> Problem`, a gradient flow as it is derived, or the equations that an ansatz
        reduces a flow to.
    state : Field or other state
        Where the run starts, of a kind that the flow acts on.
    t1, t0 : float
        The last time and the first, in the flow's own units.
    stepper : Stepper, str or None
        A stepper, its name ("rk4", "rk23", "rk45", "rkc", "semi-implicit", "rosenbrock", "scipy"), or None for the
        flow's.
    control : StepController or None
        Step control; None for the stepper's own, with `rtol` and `atol`.
    rtol, atol : float or None
        A step may err by atol + rtol·max|y|, component by component. Unless given, rtol is the problem's own (1e-6 on
        tori and varieties, 1e-11 for metrics with symmetry), and atol 0.001 rtol·max|y0| (max(1, |y0|) for these,
        whose unknowns are run by their logarithms).
    save_at : int, sequence of float or None
        Times at which states are kept, or into how many parts to divide the run; t0 and the end always are.
    events : TerminalEvent or iterable of these
        What may end the run: CurvatureBlowUp, CurvatureGrowth, PositivityLoss, SteadyState, Event.
    monitors : mapping or None
        name -> function(t, state), recorded besides the flow's own.
    monitor_every : int
        Monitors are recorded every so many steps, and with each kept state.
    max_steps : int
        The run is interrupted after so many.
    store : str, path or Store
        Path of a new store (or `Store`) in which the run is kept as it goes.
    resume : bool
        Continue the run in the store, or begin it there; to the same bits, on a processor of the same kind.
        All that determines its numbers must be the same, but t1 may be later: then it goes on from the last
        step that the earlier t1 has not shaped, to the same bits as a run to t1 at once. Events may be left
        out, or their thresholds moved away: then it goes on where one of them had ended it.
    change_monitors : bool
        Let a continued run be watched by other monitors; a number is NaN where it was not watched.
    progress : bool or None
        Show a bar: True, False, or None for only on a terminal.
    after : Continuation or None
        How the flow goes on after the end of a run, such as Surgery(radius=0.02): the runs that follow, to the same
        t1 with the same options, are `solution.pieces`.
    """
    if after is not None:
        _require_rule(after, state)
    bound, t0 = as_flow(flow), real_number(t0, "t0")
    wanted = (events,) if isinstance(events, TerminalEvent) else tuple(events)
    way = _Way(bound, stepper, control, rtol, atol, wanted, monitors, whole(monitor_every, "monitor_every", 1),
               whole(max_steps, "max_steps", 1), resume, change_monitors, progress, after)
    return way.run(state, t0, stop_times(t0, t1, save_at), store)


@final
@dataclass(frozen=True)
class _Way:
    """How runs of a flow are made, whatever state they start from; as the arguments of `solve`."""

    flow: Bindable
    stepper: Stepper | str | None
    control: StepController | None
    rtol: float | None
    atol: float | None
    events: tuple[TerminalEvent, ...]
    monitors: Mapping[str, UserMonitor] | None
    monitor_every: int
    max_steps: int
    resume: bool
    change_monitors: bool
    progress: bool | None
    after: Continuation | None

    def run(self, state: Any, t0: float, stops: tuple[float, ...],
            store: Store | str | os.PathLike[str] | None) -> Solution[Any]:
        """A run from a state, with its pieces."""
        plan = self._plan(state, t0, stops)
        sol = carried_out(plan, store, self.resume, self.change_monitors, self.progress)
        if self.after is None:
            return sol
        kept = store if store is None or isinstance(store, Store) else Store(store)

        def piece(number: int, start: Any, t: float) -> Solution[Any]:
            own = None if kept is None else replace(kept, path=piece_path(Path(kept.path), number))
            return self.run(start, t, tuple(stop for stop in stops if stop > t), own)

        return gone_on(sol, self.after, plan.t1, piece, lambda parts: _keep_parts(kept, parts))

    def _plan(self, state: Any, t0: float, stops: tuple[float, ...]) -> Plan:
        flow = self.flow
        with waiting(f"preparing {getattr(flow, 'name', 'the flow')}", self.progress):
            problem = _bind(flow.starting(t0) if isinstance(flow, Flow) else flow, state)
        rtol = problem.rtol if self.rtol is None else real_number(self.rtol, "rtol")
        atol = _absolute(problem, rtol, self.atol)
        chosen = _stepper(flow, problem, self.stepper, rtol, atol)
        return Plan(
            flow=flow,
            state=state if problem.template is None else problem.template,
            problem=problem,
            stepper=chosen,
            control=self.control or chosen.control(rtol, atol),
            events=_events(problem, (*self.events, *(self.after.events if self.after else ()))),
            monitors=Monitors(problem, self.monitors),
            t0=t0,
            stops=stops,
            max_steps=self.max_steps,
            monitor_every=self.monitor_every,
        )


def _require_rule(after: Any, state: Any) -> None:
    if not isinstance(after, Continuation):
        raise InputError(f"after must be a rule such as Surgery(radius=0.02), not {after!r}.")
    after.check(state)


def _keep_parts(store: Store | None, parts: Parts) -> None:
    """Note the cuts and how many pieces there are in the store of a run that is over."""
    if store is None:
        return
    facts, known = parts_facts(parts.cuts, len(parts.states)), StoredRun(store.path).header
    if json.loads(json.dumps(facts)) != {name: known.get(name) for name in facts}:
        writer = RunWriter(Path(store.path))
        writer.note(**facts)
        writer.close()


def as_flow(flow: Any) -> Bindable:
    """`flow` itself if it can be bound; a derived gradient flow as its descent, reduced equations as a flow.

    Raises InputError for anything else, and says what to call where a functional was given.
    """
    if isinstance(flow, type):
        raise InputError(f"solve needs a flow, not its class: write {flow.__name__}(...).")
    if hasattr(flow, "bind"):
        found: Bindable = flow
        return found
    if hasattr(flow, "rates") and hasattr(flow, "system"):
        from geomflow.flow.equations.derived import Descent

        return Descent(flow)
    if isinstance(flow, Reduction):
        from geomflow.flow.reduced.equations import ReducedFlow

        return ReducedFlow(flow)
    hint = f"; a functional's flow is {flow.name}.gradient_flow()" if hasattr(flow, "gradient_flow") else ""
    raise InputError(f"solve needs a flow such as RicciFlow(), not {flow!r}{hint}.")


def _bind(flow: Bindable, state: Any) -> Problem:
    problem = flow.bind(state)
    if problem.y0.dtype != np.float64 or problem.y0.ndim < 1:
        raise InputError(f"a packed state must be float64 of shape (ncomp, *grid), not {problem.y0.dtype}.")
    return problem


def _stepper(flow: Bindable, problem: Problem, given: Stepper | str | None, rtol: float, atol: float) -> Stepper:
    if given is None:
        choose = getattr(flow, "default_stepper", fitting_stepper)
        given = choose(problem)
    return resolve_stepper(given, rtol, atol)


def _absolute(problem: Problem, rtol: float, atol: float | None) -> float:
    """The default absolute tolerance: of logarithms rtol, of others relative to the initial state."""
    if atol is not None:
        return real_number(atol, "atol")
    if problem.unit:
        return rtol * problem.unit
    largest = float(np.abs(problem.y0).max(initial=0.0))
    return _ATOL_SHARE * rtol * (largest if 0 < largest < math.inf else 1.0)


def _events(problem: Problem, wanted: tuple[TerminalEvent, ...]) -> tuple[TerminalEvent, ...]:
    kinds = {type(event) for event in wanted}
    events = (*(event for event in problem.events if type(event) not in kinds), *wanted)
    for event in events:
        if not isinstance(event, TerminalEvent):
            raise InputError(f"an event must be such as SteadyState() or Event(name, function), not {event!r}.")
        event.check(problem)
    return events
