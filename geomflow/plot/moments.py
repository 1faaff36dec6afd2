"""Which of the saved times of a run are drawn."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from geomflow.flow import Solution

DEEPEST = 1 / 300
"""The share of a run's life before a singular time that is told apart: what moves later, no eye sees."""


def telling_times(sol: Solution[Any], count: int) -> list[int]:
    """Up to `count` indices of saved times between which the state moves about equally far, first and last included."""
    packed = [sol.states.packed(i) for i in range(len(sol.times))]
    with np.errstate(all="ignore"):
        steps = [float(np.sqrt(np.mean((after - before) ** 2))) for before, after in pairwise(packed)]
    way = np.concatenate([[0.0], np.cumsum(np.nan_to_num(steps, nan=0.0, posinf=0.0))])
    if len(way) <= count or not way[-1] > 0:
        return sorted({int(i) for i in np.linspace(0, len(way) - 1, count).round()})
    return sorted({int(np.argmin(np.abs(way - target))) for target in np.linspace(0, way[-1], count)} | {len(way) - 1})


def times_left(sol: Solution[Any]) -> np.ndarray | None:
    """T − t at the saved times of a run that ended at a singular time T; None of any other run.

    T is that of `sol.singularity` where the run has one, else where 1/|Rm|, going on as a straight line, is 0.
    """
    if sol.outcome.kind != "singular":
        return None
    known = getattr(getattr(sol, "singularity", None), "time", None)
    left = _by_curvature(sol) if known is None else max(float(known - sol.times[-1]), 0.0)
    return np.asarray(sol.times[-1] - sol.times + left)


def _by_curvature(sol: Solution[Any]) -> float:
    """T less the last time, of 1/|Rm| ∝ T − t since it was twice as large."""
    if "riemann_max" not in sol.monitors:
        return 0.0
    size = 1 / np.asarray(sol["riemann_max"], dtype=float)
    before = np.flatnonzero(size >= 2 * size[-1])
    if not len(before):
        return 0.0
    passed = float(sol.monitor_times[-1] - sol.monitor_times[before[-1]])
    return passed * float(size[-1] / (size[before[-1]] - size[-1]))


def picked_times(sol: Solution[Any], count: int) -> list[int]:
    """Up to `count` indices of saved times: even in log(T − t) before a singular time T, else as `telling_times`.

    The first and the last are among them; before T the last is where a 300th of the life is left.
    """
    left = times_left(sol)
    if left is None or len(left) < 2:
        return telling_times(sol, count)
    lowest = max(float(left[-1]), DEEPEST * float(left[0]))
    wanted = np.log(np.geomspace(left[0], lowest, count))
    logs = np.log(np.maximum(left, lowest / 10))
    return sorted({int(np.argmin(np.abs(logs - target))) for target in wanted})
