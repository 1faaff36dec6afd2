"""One colour scale for everything that shares a colour bar."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from geomflow.plot.quantities import Quantity


@dataclass(frozen=True)
class Scale:
    """Colours over centre ± limit; `cut` where some finite value lies beyond."""

    centre: float
    limit: float
    cut: bool = False

    @property
    def ends(self) -> tuple[float, float]:
        """The least and the largest value that has a colour of its own."""
        return self.centre - self.limit, self.centre + self.limit


def scale_of(quantities: Iterable[Quantity], limit: float | None = None) -> Scale:
    """The scale of quantities of one kind: their neutral value, or the mean of all where they have none, ± `limit`.

    `limit` is the largest finite distance from it unless given; 1 where all are constant to rounding, or not finite.
    """
    low, high, total, count, centre = np.inf, -np.inf, 0.0, 0, None
    for item in quantities:
        finite = item.values[np.isfinite(item.values)]
        centre = item.centre
        if finite.size:
            low, high = min(low, float(finite.min())), max(high, float(finite.max()))
            total, count = total + float(finite.sum()), count + finite.size
    if centre is None:
        centre = total / count if count else 0.0
    distance = max(high - centre, centre - low)
    room = distance if count and distance > 1e-12 * max(1.0, abs(centre)) else 1.0
    return Scale(centre, room) if limit is None else Scale(centre, limit, bool(distance > limit))
