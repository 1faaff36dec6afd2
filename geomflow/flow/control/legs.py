"""Legs of equal length for steppers that choose their own steps inside."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from geomflow.core.errors import InputError
from geomflow.flow.control.control import Control, Pace

if TYPE_CHECKING:
    from geomflow.flow.cursor import Cursor
    from geomflow.flow.steppers.stepper import Stepper


@dataclass(frozen=True)
class Legs(Control):
    """`count` legs over the run; one that fails is tried again at a quarter, and legs grow back by two."""

    count: int = 50

    def __post_init__(self) -> None:
        if self.count < 1:
            raise InputError(f"the number of legs, {self.count}, must be at least 1.")

    def start(self, cursor: Cursor, stepper: Stepper, span: float) -> Pace:
        """Legs of one `count`-th of the run."""
        return Pace(span / self.count, ceiling=span / self.count)

    def accept(self, pace: Pace, dt: float, ratio: float, stepper: Stepper) -> Pace:
        """Twice as long, up to the full leg."""
        return Pace(min(2 * pace.dt, pace.ceiling), ceiling=pace.ceiling)

    def reject(self, pace: Pace, dt: float, ratio: float, stepper: Stepper) -> Pace | None:
        """A quarter."""
        return Pace(dt / 4, ceiling=pace.ceiling)
