"""Estimate of the spectral radius of a linearised rate by a nonlinear power iteration.

Sommeijer, Shampine and Verwer, "RKC: an explicit solver for parabolic PDEs", J. Comput. Appl. Math. 88 (1998).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from geomflow.flow.cursor import Cursor

_ITERATIONS = 60
_ACCURACY = 0.01
_SAFETY = 1.2


def estimate_radius(cursor: Cursor) -> float:
    """1.2 times the converged power iterate ‖f(y + v) − f(y)‖ / ‖v‖, from a fixed start direction v.

    Uses the rows "new" and "error"; costs up to 60 evaluations of the rate.
    """
    rate = cursor.rate()
    probe, answer = cursor.work["new"], cursor.work["error"]
    length = np.sqrt(np.finfo(float).eps) * max(float(np.linalg.norm(cursor.y)), 1e-6)
    direction = np.random.default_rng(0).standard_normal(probe.shape)
    radius = 0.0
    for _ in range(_ITERATIONS):
        norm = float(np.linalg.norm(direction))
        if not 0 < norm < np.inf:
            break
        np.add(cursor.y, direction * (length / norm), out=probe)
        cursor.evaluate(cursor.t, "new", "error")
        np.subtract(answer, rate, out=direction)
        previous, radius = radius, float(np.linalg.norm(direction)) / length
        if abs(radius - previous) <= _ACCURACY * radius:
            break
    return _SAFETY * radius
