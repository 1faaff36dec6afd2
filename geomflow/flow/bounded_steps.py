"""Steps of a given length, or below a bound: controllers that do not measure the error in time."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from geomflow.core.errors import InputError
from geomflow.core.numbers import real_number
from geomflow.flow.control import ControllerState, StepController, Stepper

if TYPE_CHECKING:
    from geomflow.flow.cursor import Cursor


@dataclass(frozen=True)
class FixedStep(StepController):
    """Every step has length dt, but for the last before a save time; nothing is tried again.

    Parameters
    ----------
    dt : float
        The length of the steps, positive.
    """

    dt: float

    retries: ClassVar[bool] = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "dt", real_number(self.dt, "dt"))
        if not 0 < self.dt < math.inf:
            raise InputError(f"dt = {self.dt} must be positive and finite.")

    def start(self, cursor: Cursor, stepper: Stepper, span: float) -> ControllerState:
        """The given length."""
        return ControllerState(self.dt)

    def accept(self, last: ControllerState, dt: float, ratio: float, stepper: Stepper) -> ControllerState:
        """The same again."""
        return last

    def reject(self, last: ControllerState, dt: float, ratio: float, stepper: Stepper) -> ControllerState | None:
        """Give up: the user wants this length or nothing."""
        return None


_FEWEST = 20


class CappedSteps(StepController):
    """Steps below a cap: one that is not allowed is tried again at a quarter, and the cap is lifted by two a step."""

    @staticmethod
    def capped(longest: float) -> ControllerState:
        """The start, with a cap that is never lifted beyond `longest`."""
        return ControllerState(longest, ceiling=longest)

    def accept(self, last: ControllerState, dt: float, ratio: float, stepper: Stepper) -> ControllerState:
        """Lift a cap that a rejection has lowered."""
        return ControllerState(min(2 * last.dt, last.ceiling), ceiling=last.ceiling)

    def reject(self, last: ControllerState, dt: float, ratio: float, stepper: Stepper) -> ControllerState | None:
        """A cap of a quarter."""
        return ControllerState(dt / 4, ceiling=last.ceiling)


@dataclass(frozen=True)
class StabilityBound(CappedSteps):
    """dt = safety · (the method's longest stable step for the spectrum of the rate), anew at each step.

    For parabolic problems this resolves every mode that a grid resolves; the error in time is not measured. A run has
    at least 20 steps. A step that is not allowed is tried again at a quarter, and the cap is lifted by two a step.

    Parameters
    ----------
    safety : float
        In (0, 1].
    """

    safety: float = 0.8

    def __post_init__(self) -> None:
        object.__setattr__(self, "safety", real_number(self.safety, "safety"))
        if not 0 < self.safety <= 1:
            raise InputError(f"safety = {self.safety} must be in (0, 1].")

    def start(self, cursor: Cursor, stepper: Stepper, span: float) -> ControllerState:
        """No cap but the least number of steps."""
        if not math.isfinite(stepper.real_stability):
            raise InputError(f"{stepper!r} is stable for any step: give it control=ErrorControl() or FixedStep(dt).")
        return self.capped(span / _FEWEST)

    def step(self, cursor: Cursor, stepper: Stepper, last: ControllerState) -> float:
        """The stability limit here, below the cap."""
        return min(last.dt, self.safety * stepper.stable_step(cursor.spectral_radius(), cursor.oscillation()))
