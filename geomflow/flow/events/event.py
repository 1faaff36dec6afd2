"""A user's own event."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from geomflow.core.errors import InputError
from geomflow.core.numbers import real_number
from geomflow.core.outcome import Outcome, OutcomeKind
from geomflow.flow.events.watch import Watch

if TYPE_CHECKING:
    from geomflow.flow.cursor import Cursor


@dataclass(frozen=True)
class Event(Watch):
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
