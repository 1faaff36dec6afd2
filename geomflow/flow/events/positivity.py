"""The run ends when positivity is nearly lost."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from geomflow.core.errors import InputError
from geomflow.core.numbers import finite_number
from geomflow.core.outcome import Outcome, OutcomeKind
from geomflow.flow.events.watch import Watch

if TYPE_CHECKING:
    from geomflow.flow.cursor import Cursor
    from geomflow.flow.problem import Problem


@dataclass(frozen=True)
class PositivityLoss(Watch):
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
