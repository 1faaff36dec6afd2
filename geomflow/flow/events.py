"""What ends a run, events and failures, and the sentences that say so."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from geomflow.core.content import content, differences
from geomflow.core.errors import InputError, NotFiniteError, PositivityError
from geomflow.core.numbers import real_number
from geomflow.core.outcome import Outcome, OutcomeKind
from geomflow.flow.problem import Problem, Violation

if TYPE_CHECKING:
    from geomflow.flow.control import Stepper
    from geomflow.flow.cursor import Cursor
    from geomflow.flow.run import Run


class TerminalEvent(ABC):
    """Watches a run after each step. Subclasses are frozen dataclasses and must be pure functions of t and the state.

    located  the run ends where the number crosses zero, found by a root search with steps of the run's own stepper;
             otherwise at the end of the step in which it happened
    """

    located: ClassVar[bool] = False

    def check(self, problem: Problem) -> None:  # noqa: B027
        """Raise `InputError` if this problem cannot be watched so.

        Parameters
        ----------
        problem : Problem
            What is to be run.
        """

    @abstractmethod
    def measure(self, cursor: Cursor) -> float:
        """The watched number at the cursor: positive as long as nothing happens, unless `happened` says otherwise.

        Parameters
        ----------
        cursor : Cursor
            Where the run is.
        """

    def happened(self, before: float | None, after: float) -> bool:
        """Whether a step ends the run.

        Parameters
        ----------
        before : float or None
            The number before the step; None at the start.
        after : float
            The number after it.
        """
        return after <= 0

    def follows(self, other: Mapping[str, Any]) -> bool:
        """Whether a run that another event has not ended cannot have been ended by this one.

        Parameters
        ----------
        other : mapping
            The content of another event, as stores hold it.
        """
        return not differences(other, content(self))

    @abstractmethod
    def outcome(self, t: float, value: float) -> Outcome:
        """How the run ended if it ends here.

        Parameters
        ----------
        t : float
            When it happened.
        value : float
            The number there.
        """


@dataclass(frozen=True)
class Event(TerminalEvent):
    """Ends the run as finished where function(t, state) changes sign, found by a root search to 1e-9 of the step.

    The function may give a truth value too: then the run ends where that changes. Raises InputError for a name that is
    not text or a function that cannot be called, and, from the run, for NaN and all else that is not one real number.

    Parameters
    ----------
    name : str
        For messages and stores.
    function : function of (t, state)
        Gives a real number or a truth value.

    Examples
    --------
    >>> half = Event("half the volume", lambda t, state: state.volume() - 0.5)
    """

    name: str
    function: Callable[[float, Any], float]

    located: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if not (isinstance(self.name, str) and callable(self.function)):
            raise InputError(f"Event takes a name and a function of (t, state), not {self.name!r}, {self.function!r}.")

    def measure(self, cursor: Cursor) -> float:
        """The user's number; 1 and −1 for truth values."""
        value, what = self.function(cursor.t, cursor.state()), f"the event '{self.name}' at t = {cursor.t:.9g}"
        if isinstance(value, bool | np.bool_):
            return 1.0 if value else -1.0
        number = real_number(value, what)
        if math.isnan(number):
            raise InputError(f"{what} is NaN, which has no sign: let the function give a number wherever the run goes.")
        return number

    def happened(self, before: float | None, after: float) -> bool:
        """A change of sign, from either side; a zero at the start is where the run starts from.

        Raises InputError where the number is zero at the start and still after a step: there is no sign to change.
        """
        if before == 0 == after:
            raise InputError(f"the event '{self.name}' is 0 at the start and still after a step, and has no sign that "
                             "could change: let its function be positive at first and negative afterwards, or give a "
                             "truth value. Numbers below 4.9e-324 are 0 too.")
        return before is not None and before != 0 and (after == 0 or (before > 0) != (after > 0))

    def outcome(self, t: float, value: float) -> Outcome:
        """Finished."""
        message = (f"the event '{self.name}' happened at t = {t:.9g}. To go on, leave it out of events: a run in a "
                   "store continues with resume=True, another from its last state with t0=solution.outcome.time.")
        return Outcome(OutcomeKind.finished, message, t)

    def __repr__(self) -> str:
        return f"Event({self.name!r})"


_ACCURACY = 1e-9  # of the step


def locate(event: TerminalEvent, cursor: Cursor, stepper: Stepper, t_old: float, before: float, after: float) -> float:
    """Move the cursor to the first zero of the watched number in the step just taken; returns the number there.

    Steps of the run's own stepper from t_old, each with its full accuracy, replace interpolation: stiff problems have
    no good interpolant. A zero counts as past the event, as where a number falls to zero and stays there.
    """
    length, scale, past = cursor.t - t_old, _scale(before, after), -math.copysign(1.0, before)

    def at(fraction: float) -> float:
        cursor.retreat(t_old, stepper.rate_known)
        t = t_old + fraction * length
        stepper.attempt(cursor, t)
        cursor.advance(t, stepper.rate_known)
        return event.measure(cursor)

    def scaled(fraction: float) -> float:
        value = at(fraction) if fraction > 0 else before
        return float(np.clip(value / scale, -1.0, 1.0)) if value != 0 else past

    from scipy.optimize import brentq

    ends_there = after == 0 and at(1 - _ACCURACY) != 0
    fraction = 1.0 if ends_there else float(brentq(scaled, 0.0, 1.0, xtol=_ACCURACY))
    return at(max(fraction, _ACCURACY))


def _scale(before: float, after: float) -> float:
    """A size by which products and quotients of numbers of this size neither underflow nor overflow."""
    sizes = [abs(value) for value in (before, after) if 0 < abs(value) < math.inf]
    return max(sizes, default=1.0)


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


def ill_posed(run: Run) -> Outcome | None:
    """The equation has turned ill-posed on the way; None where it has not."""
    t, judge = run.cursor.t, run.plan.problem.growth
    growth = judge(t, run.cursor.y) if judge else None
    if growth is None:
        return None
    message = (f"ill-posed from t = {t:.9g}, or a few steps before: {growth}. The equation has turned with its time or "
               f"its state: take t1 < {t:.6g}, or forced=True to go on all the same, as a demonstration.")
    return Outcome(OutcomeKind.singular, message, t)


def no_step(run: Run, dt: float, fault: Violation | None) -> Outcome:
    """No step could be taken: the geometry ended if positivity is lost or curvature grew, else the numbers failed."""
    if (turned := ill_posed(run)) is not None:
        return turned
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
