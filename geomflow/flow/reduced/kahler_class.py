"""Kähler classes of metrics on a span along a run: whether they are in their cone, and how they leave it.

A class is the pair (a, b), or b where a = 0 is a point. It is a Kähler class where 0 < a < b. As a → 0 the divisor at
the first end contracts, as b − a → 0 the fibre collapses, and all dies where both vanish together (J. Song,
B. Weinkove, J. reine angew. Math. 659, 2011).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from geomflow.field.reduced.grid import ReducedGrid
from geomflow.field.reduced.span import ends_in
from geomflow.flow.problem import Violation
from geomflow.symbolic.ansatz.span import ends_of

if TYPE_CHECKING:
    from geomflow.flow.solution import Solution

TOGETHER = 1e-6
"""Of the time since the start: lengths that vanish in less than this share of it after each other vanish together."""


def class_lengths(grid: ReducedGrid, y: np.ndarray) -> tuple[float, ...]:
    """What is positive: b − a, and a unless it is 0.

    Parameters
    ----------
    grid : ReducedGrid
        On a span.
    y : (fields, *grid) array
        Regular fields.
    """
    low, high = ends_in(grid, dict(zip((f.name for f in grid.ansatz.regular.fields), y, strict=True)))
    return (high - low, low) if len(ends_of(grid.ansatz)) > 1 else (high,)


def class_lost(grid: ReducedGrid, y: np.ndarray) -> Violation | None:
    """What of 0 < a < b does not hold.

    Parameters
    ----------
    grid : ReducedGrid
        On a span.
    y : (fields, *grid) array
        Regular fields.
    """
    length, *first = class_lengths(grid, y)
    if not length > 0:
        return Violation("positivity", "the length b - a of the span", length)
    if first and not first[0] > 0:
        return Violation("positivity", "the first end of the span", first[0])
    return None


def end_monitors(grid: ReducedGrid, y: np.ndarray) -> dict[str, float]:
    """The ends that move, by name.

    Parameters
    ----------
    grid : ReducedGrid
        On a span.
    y : (fields, *grid) array
        Regular fields.
    """
    names = [f.name for f in grid.ansatz.regular.fields]
    return {end.name: float(y[names.index(end.name)].flat[0]) for end in ends_of(grid.ansatz)}


def class_end(solution: Solution[Any]) -> tuple[str, float, float] | None:
    """How the class leaves its cone, when, and what that may be off by; None where there is none or it does not.

    Parameters
    ----------
    solution : Solution
        Whose monitors are the ends.
    """
    ends = [end.name for end in ends_of(solution.last.grid.ansatz)]
    if not ends or not set(ends) <= solution.monitors.keys():
        return None
    times, last = solution.monitor_times, solution[ends[-1]]
    if len(ends) == 1:
        time, error = vanishing(times, last)
        return ("extinction", time, error) if np.isfinite(time) else None
    first = solution[ends[0]]
    (low, wrong), (length, off) = vanishing(times, first), vanishing(times, last - first)
    if not np.isfinite(min(low, length)):
        return None
    if abs(low - length) <= TOGETHER * (min(low, length) - float(times[0])):
        return "extinction", min(low, length), max(wrong, off)
    return ("contraction", low, wrong) if low < length else ("collapse", length, off)


def vanishing(times: np.ndarray, lengths: np.ndarray) -> tuple[float, float]:
    """When a length vanishes, by the straight line through its last values, and by how much another line differs.

    Parameters
    ----------
    times, lengths : (M,) array
        At increasing times.
    """
    now, left = float(times[-1]), float(lengths[-1])
    before = np.flatnonzero(lengths >= 2 * left)
    if not len(before) or not left > 0:
        return np.inf, np.inf
    places = before[-1], (before[-1] + len(times) - 1) // 2
    found = [now + left * (now - times[k]) / (lengths[k] - left) for k in places if lengths[k] > left]
    return float(found[0]), float(np.ptp(found))
