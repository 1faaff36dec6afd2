"""The run ends when curvature blows up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from geomflow.core.errors import InputError
from geomflow.core.numbers import real_number
from geomflow.core.outcome import Outcome, OutcomeKind
from geomflow.flow.events.watch import Watch

if TYPE_CHECKING:
    from geomflow.flow.cursor import Cursor
    from geomflow.flow.problem import Problem


@dataclass(frozen=True)
class CurvatureBlowUp(Watch):
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
