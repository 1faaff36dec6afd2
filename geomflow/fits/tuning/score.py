"""How well a trial did: a number, or an ending that gives none."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, final

import numpy as np

from geomflow.core.errors import InputError, NotFiniteError, PositivityError
from geomflow.core.outcome import Outcome, OutcomeKind
from geomflow.variety.errors import KahlerConeError

Objective = Callable[[dict[str, float], int], Any]
#: Outcomes whose number counts.
WELL = frozenset({OutcomeKind.finished, OutcomeKind.steady})
_FINISHED = Outcome(OutcomeKind.finished, "measured.", 0.0)


@final
@dataclass(frozen=True)
class Score:
    """What an objective may return: the number to be made large, and how the run behind it ended.

    The number counts only where the outcome is finished or steady and the number is finite.
    """

    value: float
    outcome: Outcome = field(default=_FINISHED)

    @property
    def failed(self) -> bool:
        """Whether there is no number to count."""
        return self.outcome.kind not in WELL or not np.isfinite(self.value)


@final
@dataclass(frozen=True)
class Evaluation:
    """One trial as a task: the score of an objective, blow-ups turned into outcomes. Never raises for these."""

    objective: Objective

    def __call__(self, settings: dict[str, float], seed: int) -> Score:
        try:
            with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
                return as_score(self.objective(dict(settings), seed))
        except (PositivityError, KahlerConeError) as error:
            return Score(-np.inf, Outcome(OutcomeKind.singular, str(error), 0.0))
        except (NotFiniteError, ArithmeticError, np.linalg.LinAlgError) as error:
            return Score(-np.inf, Outcome(OutcomeKind.diverged, str(error), 0.0))


def as_score(returned: Any) -> Score:
    """A number or a Score as a Score; a number that is not finite has diverged. InputError for anything else."""
    score = returned if isinstance(returned, Score) else None
    if score is None:
        try:
            score = Score(float(returned))
        except (TypeError, ValueError):
            raise InputError(f"an objective returns a number or a Score, and it returned {returned!r}.") from None
    if score.outcome.kind in WELL and not np.isfinite(score.value):
        return Score(-np.inf, Outcome(OutcomeKind.diverged, f"the objective is {score.value}.", score.outcome.time))
    return score
