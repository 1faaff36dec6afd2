"""Where inside a step an event happened."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import brentq

if TYPE_CHECKING:
    from geomflow.flow.cursor import Cursor
    from geomflow.flow.events.watch import Watch
    from geomflow.flow.steppers.stepper import Stepper

_ACCURACY = 1e-9  # of the step


def locate(cursor: Cursor, stepper: Stepper, watch: Watch, t_old: float, before: float, after: float) -> float:
    """Move the cursor to the first zero of the watched number in the step just taken; returns the number there.

    Steps of the run's own stepper from t_old, each with its full accuracy, replace interpolation: stiff problems have
    no good interpolant. A zero counts as past the event, as where a number falls to zero and stays there.
    """
    length, scale, past = cursor.t - t_old, _scale(before, after), -math.copysign(1.0, before)

    def at(fraction: float) -> float:
        cursor.retreat(t_old, stepper.rate_known)
        t = t_old + fraction * length
        stepper.attempt(cursor, t)
        cursor.advance(t, stepper.rate_known)
        return watch.measure(cursor)

    def scaled(fraction: float) -> float:
        value = at(fraction) if fraction > 0 else before
        return float(np.clip(value / scale, -1.0, 1.0)) if value != 0 else past

    ends_there = after == 0 and at(1 - _ACCURACY) != 0
    fraction = 1.0 if ends_there else float(brentq(scaled, 0.0, 1.0, xtol=_ACCURACY))
    return at(max(fraction, _ACCURACY))


def _scale(before: float, after: float) -> float:
    """A size by which products and quotients of numbers of this size neither underflow nor overflow."""
    sizes = [abs(value) for value in (before, after) if 0 < abs(value) < math.inf]
    return max(sizes, default=1.0)
