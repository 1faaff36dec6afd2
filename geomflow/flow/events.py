"""Events that end a run: what is watched, when it ends the run and how, and where inside a step it happens."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from scipy.optimize import brentq

from geomflow.core.errors import InputError
from geomflow.core.numbers import finite_number, real_number
from geomflow.core.outcome import Outcome, OutcomeKind

if TYPE_CHECKING:
    from geomflow.flow.cursor import Cursor
    from geomflow.flow.problem import Problem
    from geomflow.flow.steppers.stepper import Stepper

class TerminalEvent(ABC):
    """Watches a run after each step. Subclasses are frozen dataclasses and must be pure functions of t and the state.

    located  the run ends where the number crosses zero, found by a root search with steps of the run's own stepper;
             otherwise at the end of the step in which it happened
    """

    located: ClassVar[bool] = False

    def check(self, problem: Problem) -> None:  # noqa: B027
        """Raise `InputError` if this problem cannot be watched so."""

    @abstractmethod
    def measure(self, cursor: Cursor) -> float:
        """The watched number at the cursor: positive as long as nothing happens, unless `happened` says otherwise."""

    def happened(self, before: float | None, after: float) -> bool:
        """Whether the step from `before` to `after` ends the run; `before` is None at the start."""
        return after <= 0

    @abstractmethod
    def outcome(self, t: float, value: float) -> Outcome:
        """How the run ended if it ends here."""


@dataclass(frozen=True)
class Event(TerminalEvent):
    """Ends the run as finished where function(t, state) changes sign, found by a root search to 1e-9 of the step.

    The function may give a truth value too: then the run ends where that changes. Raises InputError for a name that is
    not text or a function that cannot be called, and, from the run, for NaN and all else that is not one real number.

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
        message = f"the event '{self.name}' happened at t = {t:.9g}. Take it out of events to go on to t1."
        return Outcome(OutcomeKind.finished, message, t)

    def __repr__(self) -> str:
        return f"Event({self.name!r})"


@dataclass(frozen=True)
class CurvatureBlowUp(TerminalEvent):
    """Ends the run as singular when the problem's curvature (units 1/length²) reaches `threshold`."""

    threshold: float

    def __post_init__(self) -> None:
        object.__setattr__(self, "threshold", real_number(self.threshold, "the curvature threshold"))
        if not self.threshold > 0:
            raise InputError(f"the curvature threshold {self.threshold} must be positive.")

    def check(self, problem: Problem) -> None:
        """The problem must have a curvature."""
        if problem.curvature is None:
            raise InputError("this flow has no curvature to watch: use Event(name, function) on what it has.")

    def measure(self, cursor: Cursor) -> float:
        """threshold − curvature; a curvature that is not a number counts as reached."""
        assert cursor.problem.curvature is not None
        value = self.threshold - cursor.problem.curvature(cursor.t, cursor.y)
        return value if value == value else -float("inf")

    def outcome(self, t: float, value: float) -> Outcome:
        """Singular."""
        message = (
            f"curvature reached {self.threshold - value:.6g} at t = {t:.9g}, above the threshold {self.threshold:.6g}. "
            "To follow the singularity further, refine the grid and raise the threshold of CurvatureBlowUp."
        )
        return Outcome(OutcomeKind.singular, message, t)


@dataclass(frozen=True)
class PositivityLoss(TerminalEvent):
    """Ends the run as singular when the problem's positivity, say its least eigenvalue, falls to `floor`."""

    floor: float = 1e-6

    def __post_init__(self) -> None:
        object.__setattr__(self, "floor", finite_number(self.floor, "the floor of PositivityLoss"))

    def check(self, problem: Problem) -> None:
        """The problem must have something that is positive."""
        if problem.positivity is None:
            raise InputError("nothing in this flow has to stay positive: use Event(name, function) on what it has.")

    def measure(self, cursor: Cursor) -> float:
        """positivity − floor."""
        assert cursor.problem.positivity is not None
        return cursor.problem.positivity(cursor.t, cursor.y) - self.floor

    def outcome(self, t: float, value: float) -> Outcome:
        """Singular."""
        message = (
            f"what must stay positive fell to {self.floor + value:.6g} at t = {t:.9g}, below the floor {self.floor:.6g}"
            " of PositivityLoss. To go nearer to the degenerate metric, lower the floor; to avoid it, change the state."
        )
        return Outcome(OutcomeKind.singular, message, t)


@dataclass(frozen=True)
class SteadyState(TerminalEvent):
    """Ends the run as steady when the residual max |dy/dt| over components and points falls to `tolerance`."""

    tolerance: float = 1e-8

    def __post_init__(self) -> None:
        object.__setattr__(self, "tolerance", real_number(self.tolerance, "the tolerance of SteadyState"))
        if not self.tolerance > 0:
            raise InputError(f"the tolerance {self.tolerance} of SteadyState must be positive.")

    def measure(self, cursor: Cursor) -> float:
        """residual − tolerance."""
        return cursor.residual() - self.tolerance

    def outcome(self, t: float, value: float) -> Outcome:
        """Steady."""
        message = (
            f"the residual max |dy/dt| fell to {self.tolerance + value:.3g} at t = {t:.9g}. "
            f"For a smaller residual lower the tolerance {self.tolerance:.3g} of SteadyState."
        )
        return Outcome(OutcomeKind.steady, message, t)


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

    ends_there = after == 0 and at(1 - _ACCURACY) != 0
    fraction = 1.0 if ends_there else float(brentq(scaled, 0.0, 1.0, xtol=_ACCURACY))
    return at(max(fraction, _ACCURACY))


def _scale(before: float, after: float) -> float:
    """A size by which products and quotients of numbers of this size neither underflow nor overflow."""
    sizes = [abs(value) for value in (before, after) if 0 < abs(value) < math.inf]
    return max(sizes, default=1.0)
