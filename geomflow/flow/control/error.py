"""Steps by error: a proportional–integral controller in the maximum norm."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from geomflow.core.errors import InputError
from geomflow.core.numbers import real_number
from geomflow.flow.control.control import Control, Pace

if TYPE_CHECKING:
    from geomflow.flow.cursor import Cursor
    from geomflow.flow.steppers.stepper import Stepper

_SAFETY = 0.9
_SHRINK, _GROW = 0.2, 5.0
_SMALLEST_RATIO = 1e-8
_TINY = 1e-300


@dataclass(frozen=True)
class ErrorControl(Control):
    """Keeps the error of each step below atol + rtol·max|y|, component by component, each at its worst point.

    The maximum norm sees a singularity that forms at one point, does not depend on the resolution, and does not depend
    on the order of summation. The next step is dt·0.9·r_n^(−0.7/k)·r_{n−1}^(0.4/k) with error ratios r and k one more
    than the order of the estimate (Gustafsson's PI controller; Hairer and Wanner II, section IV.2).
    """

    rtol: float = 1e-6
    atol: float = 1e-9
    largest: float = math.inf

    def __post_init__(self) -> None:
        for name in ("rtol", "atol", "largest"):
            object.__setattr__(self, name, real_number(getattr(self, name), name))
        if not (self.rtol >= 0 and self.atol >= 0 and 0 < self.rtol + self.atol < math.inf):
            raise InputError(f"rtol = {self.rtol} and atol = {self.atol} must be finite, not negative, nor both 0.")
        if not self.largest > 0:
            raise InputError(f"the largest step, {self.largest}, must be positive.")

    def start(self, cursor: Cursor, stepper: Stepper, span: float) -> Pace:
        """First step after Hairer, Nørsett and Wanner I, section II.4, with one extra rate."""
        if stepper.estimate_order is None:
            raise InputError(f"{stepper!r} has no error estimate: give it control=FixedStep(dt) or StabilityBound().")
        scale = self._scale(cursor, "y")
        size = float((cursor.work.peaks("y") / scale).max())
        slope = float((_rate_peaks(cursor) / scale).max())
        probe = 0.01 * size / slope if min(size, slope) > 1e-5 else 1e-6 * span
        probe = min(probe, span)
        cursor.work.combine("new", {"y": 1.0, "rate": probe})
        cursor.evaluate(cursor.t + probe, "new", "error")
        cursor.work.combine("error", {"error": 1.0, "rate": -1.0})
        bend = float((cursor.work.peaks("error") / scale).max()) / probe
        worst = max(slope, bend)
        if not math.isfinite(worst):
            return Pace(1e-3 * probe)
        best = (0.01 / worst) ** (1 / (stepper.estimate_order + 1)) if worst > 1e-15 else 1e-3 * span
        return Pace(min(100 * probe, best, span))

    def step(self, cursor: Cursor, stepper: Stepper, pace: Pace) -> float:
        """The pace, below the largest step, and below the stability limit of a method that knows it."""
        dt = min(pace.dt, self.largest)
        if stepper.needs_radius:
            dt = min(dt, stepper.stable_step(cursor.spectral_radius(), cursor.oscillation()))
        return dt

    def ratio(self, cursor: Cursor, stepper: Stepper) -> float:
        """max over components of max|error| / (atol + rtol·max|y|)."""
        return float((cursor.work.peaks("error") / self._scale(cursor, "y", "new")).max())

    def accept(self, pace: Pace, dt: float, ratio: float, stepper: Stepper) -> Pace:
        """Longer or shorter by the PI rule; a step cut short by a save time does not shorten the next."""
        ratio = max(ratio, _SMALLEST_RATIO)
        power = 1 / _exponent(stepper)
        factor = _SAFETY * ratio ** (-0.7 * power) * pace.error ** (0.4 * power)
        factor = min(max(factor, _SHRINK), 1.0 if pace.held else _GROW)
        after = dt * factor
        return Pace(max(after, pace.dt) if dt < 0.99 * pace.dt else after, ratio)

    def reject(self, pace: Pace, dt: float, ratio: float, stepper: Stepper) -> Pace | None:
        """Shorter as the error asks, or by four if the candidate was not allowed."""
        factor = max(_SHRINK, _SAFETY * ratio ** (-1 / _exponent(stepper))) if math.isfinite(ratio) else 0.25
        return Pace(dt * factor, pace.error, held=True)

    def _scale(self, cursor: Cursor, *names: str) -> np.ndarray:
        peaks = np.max([cursor.work.peaks(name) for name in names], axis=0)
        return self.atol + self.rtol * peaks + _TINY


def _exponent(stepper: Stepper) -> int:
    return (stepper.estimate_order or 0) + 1


def _rate_peaks(cursor: Cursor) -> np.ndarray:
    cursor.rate()
    return cursor.work.peaks("rate")
