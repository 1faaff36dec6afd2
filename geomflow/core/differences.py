"""Derivatives of functions of arrays along a direction, by differences."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

STEP = 1e-5
"""The largest change of a component, in units of the largest of the state: rounding errs by some 1e-11 there, and the
differences by the fourth power of the change of the geometry, which has second derivatives of the state in it."""


def derivative_along(function: Callable[[np.ndarray], np.ndarray], y: np.ndarray, change: np.ndarray,
                     step: float = STEP) -> np.ndarray:
    """dF(y) v = (8(F(y + hv) − F(y − hv)) − (F(y + 2hv) − F(y − 2hv)))/12h, of fourth order in h.

    Parameters
    ----------
    function : function
        F, from an array of the shape of y to one, a new array at each call.
    y : array
        Where the derivative is taken.
    change : array
        v, of the shape of y; h is chosen by its size.
    step : float
        The largest change of a component, in units of the largest of y, or in its own where y is zero.
    """
    length = float(np.abs(change).max())
    if not length:
        return np.zeros_like(y)
    h = step * (float(np.abs(y).max()) or 1.0) / length
    near, far = (function(y + n * h * change) - function(y - n * h * change) for n in (1, 2))
    return np.asarray((8 * near - far) / (12 * h))
