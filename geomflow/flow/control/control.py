"""What a step control is: the length of the next step, and the judgement on the last."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from geomflow.flow.cursor import Cursor
    from geomflow.flow.steppers.stepper import Stepper


@dataclass(frozen=True)
class Pace:
    """All that a control remembers from step to step.

    dt       length of the next step, unless a save time is nearer
    error    error ratio of the last accepted step
    held     the last attempt was rejected, so the next step must not be longer
    ceiling  dt is never longer than this
    """

    dt: float
    error: float = 1.0
    held: bool = False
    ceiling: float = math.inf


class Control(ABC):
    """Chooses step lengths. Subclasses are frozen dataclasses; what changes along a run is in the `Pace`.

    retries  a rejected step is tried again with a smaller length
    """

    retries: ClassVar[bool] = True

    @abstractmethod
    def start(self, cursor: Cursor, stepper: Stepper, span: float) -> Pace:
        """The pace at the start of a run over the time `span`."""

    def step(self, cursor: Cursor, stepper: Stepper, pace: Pace) -> float:
        """Length of the next step from the cursor's state."""
        return pace.dt

    def ratio(self, cursor: Cursor, stepper: Stepper) -> float:
        """Error of the candidate over what is allowed; a step is accepted up to 1."""
        return 0.0

    @abstractmethod
    def accept(self, pace: Pace, dt: float, ratio: float, stepper: Stepper) -> Pace:
        """The pace after an accepted step of length dt."""

    @abstractmethod
    def reject(self, pace: Pace, dt: float, ratio: float, stepper: Stepper) -> Pace | None:
        """The pace after a rejected step; `ratio` is NaN if the candidate was not allowed. None gives up."""
