"""What an event is: a number to watch, when it ends the run, and how."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar

from geomflow.core.outcome import Outcome

if TYPE_CHECKING:
    from geomflow.flow.cursor import Cursor
    from geomflow.flow.problem import Problem


class Watch(ABC):
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
