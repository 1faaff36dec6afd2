"""How a run ended. Reaching a singularity is an outcome, not an exception."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from geomflow.core.notebook import Facts, InNotebook


class OutcomeKind(StrEnum):
    """The five ways in which a run can end."""

    finished = "finished"
    """The run reached its last time, or the event that the user asked for."""
    steady = "steady"
    """The state does not change any more."""
    singular = "singular"
    """The geometry itself ends: curvature blows up, or the metric stops being positive."""
    diverged = "diverged"
    """The numbers stopped making sense, which is the discretisation's fault."""
    interrupted = "interrupted"
    """The run was stopped from outside: by a signal, the step limit, or a full disk."""


@dataclass(frozen=True)
class Outcome(InNotebook):
    """How a run ended.

    Parameters
    ----------
    kind : OutcomeKind
        Which of the five ways it was.
    message : str
        One sentence, with its numbers, that names what to change.
    time : float
        The time t at the end.

    Examples
    --------
    >>> print(Outcome(OutcomeKind.finished, "reached t = 1 in 12 steps.", 1.0))
    finished: reached t = 1 in 12 steps.
    """

    kind: OutcomeKind
    message: str
    time: float

    def __facts__(self) -> Facts:
        return [(self.kind, self.message), ("time", self.time)]

    def __str__(self) -> str:
        return f"{self.kind}: {self.message}"
