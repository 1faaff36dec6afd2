"""Steps of one length."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from geomflow.core.errors import InputError
from geomflow.core.numbers import real_number
from geomflow.flow.control.control import Control, Pace

if TYPE_CHECKING:
    from geomflow.flow.cursor import Cursor
    from geomflow.flow.steppers.stepper import Stepper


@dataclass(frozen=True)
class FixedStep(Control):
    """Every step has length dt, but for the last before a save time; nothing is tried again."""

    dt: float

    retries: ClassVar[bool] = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "dt", real_number(self.dt, "dt"))
        if not 0 < self.dt < math.inf:
            raise InputError(f"dt = {self.dt} must be positive and finite.")

    def start(self, cursor: Cursor, stepper: Stepper, span: float) -> Pace:
        """The given length."""
        return Pace(self.dt)

    def accept(self, pace: Pace, dt: float, ratio: float, stepper: Stepper) -> Pace:
        """The same again."""
        return pace

    def reject(self, pace: Pace, dt: float, ratio: float, stepper: Stepper) -> Pace | None:
        """Give up: the user wants this length or nothing."""
        return None
