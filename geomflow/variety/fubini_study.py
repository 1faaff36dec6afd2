"""The Fubini–Study metric of the embedding."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, final

import numpy as np

from geomflow.core.errors import InputError
from geomflow.core.numbers import finite_number
from geomflow.variety import jetframes
from geomflow.variety.logforms import log_jets, log_metric
from geomflow.variety.metric import VarietyMetric

if TYPE_CHECKING:
    from geomflow.variety.hypersurface import Hypersurface
    from geomflow.variety.points import Points

#: Decimal digits of the largest and the smallest volume of a class.
_VOLUME_DIGITS = 120


@final
class FubiniStudy(VarietyMetric):
    """K = Σ_i t_i log|z_i|² (t_i = 1 unless given), the pull-back of Fubini–Study of each factor."""

    def __init__(self, variety: Hypersurface, kahler_class: Sequence[float] | None = None) -> None:
        self.variety = variety
        self._class = checked_class(variety, kahler_class)

    @property
    def kahler_class(self) -> tuple[float, ...]:
        """The t_i."""
        return self._class

    def potential(self, points: Points) -> np.ndarray:
        """Σ t_i log|z_i|² at the scaled representatives, (P,)."""
        return np.log(self.variety.ambient.norms(points.coordinates)) @ np.array(self._class)

    def at(self, points: Points) -> np.ndarray:
        """g_{ab̄}, shape (P, n, n)."""
        self.check(points)
        return sum(t * log_metric(gram) for t, gram in zip(self._class, self._grams(points, 1)))

    def jets(self, points: Points) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Derivatives of K up to the fourth."""
        self.check(points)
        parts = [log_jets(gram, self.variety.dim) for gram in self._grams(points, 2)]
        return tuple(sum(t * part[i] for t, part in zip(self._class, parts)) for i in range(3))  # type: ignore[return-value]

    def _grams(self, points: Points, order: int) -> list[np.ndarray]:
        """For each factor the Gram matrix of the jets of its coordinates."""
        frame = jetframes.first_order(points) if order == 1 else jetframes.second_order(points)
        size = self.variety.ambient.size
        jets = np.array(frame[:, :, 1 : 1 + size])
        jets[:, 0] = points.coordinates
        parts = (jets[:, :, block] for block in self.variety.ambient.blocks)
        return [part @ np.swapaxes(part.conj(), 1, 2) for part in parts]

    def __repr__(self) -> str:
        return f"Fubini–Study metric of the {self.variety}"


def checked_class(variety: Hypersurface, kahler_class: Sequence[float] | None) -> tuple[float, ...]:
    """The t_i as floats, 1 for each factor unless given.

    Raises `InputError` where one is no positive number, or where the volume's square, of which errors are made, may be
    no double.
    """
    count = len(variety.ambient.dims)
    try:
        found = (1.0,) * count if kahler_class is None else tuple(finite_number(t, "t") for t in kahler_class)
    except (TypeError, InputError):
        found = ()
    if len(found) != count or not all(t > 0 for t in found):
        raise InputError(
            f"the Kähler class {kahler_class} must be one positive number for each factor of {variety.ambient}"
        )
    digits = _VOLUME_DIGITS // variety.dim
    if np.any(np.abs(np.log10(found)) > digits):
        raise InputError(f"the Kähler class {found} is beyond 10^±{digits}, its volume squared beyond doubles: "
                         "give a multiple of it, whose metrics are that multiple of these")
    return found
