"""A user's own event."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from geomflow.core.errors import InputError
from geomflow.core.outcome import Outcome, OutcomeKind
from geomflow.flow.events.watch import Watch

if TYPE_CHECKING:
    from geomflow.flow.cursor import Cursor


@dataclass(frozen=True)
class Event(Watch):
    """Ends the run as finished where function(t, state) changes sign, found by a root search to 1e-9 of the step.

    Raises InputError for a name that is not text or a function that cannot be called.

    >>> half = Event("half the volume", lambda t, state: state.volume() - 0.5)
    """

    name: str
    function: Callable[[float, Any], float]

    located: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if not (isinstance(self.name, str) and callable(self.function)):
            raise InputError(f"Event takes a name and a function of (t, state), not {self.name!r}, {self.function!r}.")

    def measure(self, cursor: Cursor) -> float:
        """The user's number."""
        return float(self.function(cursor.t, cursor.state()))

    def happened(self, before: float | None, after: float) -> bool:
        """A change of sign, from either side; a zero at the start is where the run starts from."""
        return before is not None and before != 0 and before * after <= 0

    def outcome(self, t: float, value: float) -> Outcome:
        """Finished."""
        message = f"the event '{self.name}' happened at t = {t:.9g}. Take it out of events to go on to t1."
        return Outcome(OutcomeKind.finished, message, t)

    def __repr__(self) -> str:
        return f"Event({self.name!r})"
