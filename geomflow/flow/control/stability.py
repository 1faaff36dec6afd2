"""Steps as long as an explicit method stays stable."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from geomflow.core.errors import InputError
from geomflow.core.numbers import real_number
from geomflow.flow.control.control import Control, Pace

if TYPE_CHECKING:
    from geomflow.flow.cursor import Cursor
    from geomflow.flow.steppers.stepper import Stepper

_FEWEST = 20


@dataclass(frozen=True)
class StabilityBound(Control):
    """dt = safety · (the method's longest stable step for the spectrum of the rate), anew at each step.

    For parabolic problems this resolves every mode that a grid resolves; the error in time is not measured. A run has
    at least 20 steps. A step that is not allowed is tried again at a quarter, and the cap is lifted by two a step.
    """

    safety: float = 0.8

    def __post_init__(self) -> None:
        object.__setattr__(self, "safety", real_number(self.safety, "safety"))
        if not 0 < self.safety <= 1:
            raise InputError(f"safety = {self.safety} must be in (0, 1].")

    def start(self, cursor: Cursor, stepper: Stepper, span: float) -> Pace:
        """No cap but the least number of steps."""
        if not math.isfinite(stepper.real_stability):
            raise InputError(f"{stepper!r} is stable for any step: give it control=ErrorControl() or FixedStep(dt).")
        return Pace(span / _FEWEST, ceiling=span / _FEWEST)

    def step(self, cursor: Cursor, stepper: Stepper, pace: Pace) -> float:
        """The stability limit here, below the cap."""
        return min(pace.dt, self.safety * stepper.stable_step(cursor.spectral_radius(), cursor.oscillation()))

    def accept(self, pace: Pace, dt: float, ratio: float, stepper: Stepper) -> Pace:
        """Lift a cap that a rejection has lowered."""
        return Pace(min(2 * pace.dt, pace.ceiling), ceiling=pace.ceiling)

    def reject(self, pace: Pace, dt: float, ratio: float, stepper: Stepper) -> Pace | None:
        """A cap of a quarter."""
        return Pace(dt / 4, ceiling=pace.ceiling)
