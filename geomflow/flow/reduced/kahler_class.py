"""Kähler classes of metrics on a span along a run: whether they are in their cone, and how they leave it."""

from __future__ import annotations

import numpy as np

from geomflow.field.reduced.grid import ReducedGrid
from geomflow.field.reduced.span import ends_in
from geomflow.flow.problem import Violation


def class_lost(grid: ReducedGrid, y: np.ndarray) -> Violation | None:
    """What of 0 < a < b does not hold.

    Parameters
    ----------
    grid : ReducedGrid
        On a span.
    y : (fields, *grid) array
        Regular fields.
    """
    low, high = ends_in(grid, {f.name: row for f, row in zip(grid.ansatz.regular.fields, y, strict=True)})
    if not high > low:
        return Violation("positivity", "the length b - a of the span", high - low)
    if low < 0 or (low == 0 and len(y) > 2):
        return Violation("positivity", "the first end of the span", low)
    return None
