"""How runs end, and the sentences that say so."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from geomflow.core.errors import NotFiniteError, PositivityError
from geomflow.core.outcome import Outcome, OutcomeKind
from geomflow.flow.problem import Violation

if TYPE_CHECKING:
    from geomflow.flow.cursor import Cursor
    from geomflow.flow.run import Run

_BLOW_UP = 100.0  # growth of curvature that counts as a blow-up
_OVERFLOW = 1e100  # steps become too short long before a singularity at a finite time gets here


def size(cursor: Cursor) -> float:
    """What grows at a singularity: the problem's curvature, or the residual where there is none."""
    curvature = cursor.problem.curvature
    return float(curvature(cursor.t, cursor.y)) if curvature else cursor.residual()


def check_initial(cursor: Cursor) -> None:
    """Raise `NotFiniteError` or `PositivityError` if the initial state or its rate cannot be used."""
    _require_finite(cursor.y, "the initial state")
    fault = cursor.problem.check(cursor.t, cursor.y) if cursor.problem.check else None
    if fault is not None:
        raise PositivityError(f"the initial state is not allowed: {fault}. Change the state.")
    if cursor.problem.advance is None:
        _require_finite(cursor.rate(), "the rate at the initial state")


def _require_finite(values: np.ndarray, what: str) -> None:
    bad = np.argwhere(~np.isfinite(values))
    if len(bad):
        place = tuple(int(i) for i in bad[0])
        raise NotFiniteError(f"{what} is {values[place]} in component {place[0]} at the point {place[1:]}.")


def reached(run: Run) -> Outcome:
    """The last time was reached."""
    message = f"reached t = {run.cursor.t:.9g} in {_plural(run.steps, 'step')}."
    return Outcome(OutcomeKind.finished, message, run.cursor.t)


def too_many_steps(run: Run) -> Outcome:
    """The step limit was reached."""
    elapsed = run.cursor.t - run.plan.t0
    done = elapsed / (run.plan.t1 - run.plan.t0)
    message = (
        f"stopped at t = {run.cursor.t:.9g} ({done:.3g} of the run) after max_steps = {run.plan.max_steps} steps, "
        f"of {elapsed / run.steps:.3g} on average. Raise max_steps, loosen rtol, or take another stepper than "
        f"'{run.plan.stepper.name}'."
    )
    return Outcome(OutcomeKind.interrupted, message, run.cursor.t)


def stopped(run: Run, why: str) -> Outcome:
    """The run was stopped from outside."""
    message = f"stopped at t = {run.cursor.t:.9g} of {run.plan.t1:.9g} by {why}; what was computed so far is kept."
    return Outcome(OutcomeKind.interrupted, message, run.cursor.t)


def failed(run: Run, error: BaseException) -> Outcome:
    """A function of the user's raised."""
    message = f"stopped at t = {run.cursor.t:.9g} by {type(error).__name__}: {error}; what was computed so far is kept."
    return Outcome(OutcomeKind.interrupted, message, run.cursor.t)


def no_step(run: Run, dt: float, fault: Violation | None) -> Outcome:
    """No step could be taken: the geometry ended if positivity is lost or curvature grew, else the numbers failed."""
    t, problem = run.cursor.t, run.plan.problem
    now = size(run.cursor)
    what = "curvature" if problem.curvature else "the rate"
    growth = f"{what} went from {run.first_size:.6g} to {now:.6g}"
    lost = fault is not None and fault.kind == "positivity"
    grew = _BLOW_UP * run.first_size < now < _OVERFLOW
    if run.plan.control.retries and (lost or grew):
        cause = f"positivity is lost ({fault} after the next step)" if lost else "the solution blows up"
        message = (
            f"at t = {t:.9g} {cause}; {growth}. Compare with a finer grid to see that the singularity is the flow's; "
            f"to stop before it take t1 < {t:.6g} or an event such as CurvatureBlowUp."
        )
        return Outcome(OutcomeKind.singular, message, t)
    return Outcome(OutcomeKind.diverged, _divergence(run, dt, fault, growth), t)


def _divergence(run: Run, dt: float, fault: Violation | None, growth: str) -> str:
    cause = f"{fault}" if fault else "the error estimate is too large"
    message = f"at t = {run.cursor.t:.9g} a step of {dt:.3g} with '{run.plan.stepper.name}' fails: {cause}; {growth}. "
    if run.plan.control.retries and size(run.cursor) >= _OVERFLOW:
        return message + (f"The numbers overflow without a singularity: take t1 < {run.cursor.t:.6g}, or an equation "
                          "that does not grow, as one with the sign of its highest derivatives wrong does.")
    if run.plan.control.retries:
        return message + "Refine the grid, smooth the initial state, or take an implicit stepper."
    if run.plan.stepper.remedy:
        return message + run.plan.stepper.remedy
    return message + f"Take a smaller step than {dt:.3g}, or control by error: control=ErrorControl()."


def _plural(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
