"""The Fubini–Study metric of the embedding, and metrics that differ from it by ∂∂̄ of a function."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, final

import numpy as np

from geomflow.variety.bundles import checked_class, stored_class
from geomflow.variety.jets import first_order, log_jets, log_metric, second_order
from geomflow.variety.metric import PolarisedMetric

if TYPE_CHECKING:
    from geomflow.core.archive import Archive
    from geomflow.variety.hypersurface import Hypersurface
    from geomflow.variety.points import Points

@final
class FubiniStudy(PolarisedMetric, kind="geomflow Fubini-Study metric 1"):
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
        result: np.ndarray = np.log(self.variety.ambient.norms(points.coordinates)) @ np.array(self._class)
        return result

    def at(self, points: Points) -> np.ndarray:
        """g_{ab̄}, shape (P, n, n)."""
        self.check(points)
        parts = [t * log_metric(gram) for t, gram in zip(self._class, self._grams(points, 1))]
        total: np.ndarray = np.sum(parts, axis=0)
        return total

    def jets(self, points: Points) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Derivatives of K up to the fourth."""
        self.check(points)
        parts = [log_jets(gram, self.variety.dim) for gram in self._grams(points, 2)]
        return tuple(sum(t * part[i] for t, part in zip(self._class, parts)) for i in range(3))  # type: ignore[return-value]

    def _grams(self, points: Points, order: int) -> list[np.ndarray]:
        """For each factor the Gram matrix of the jets of its coordinates."""
        frame = first_order(points) if order == 1 else second_order(points)
        size = self.variety.ambient.size
        jets = np.array(frame[:, :, 1 : 1 + size])
        jets[:, 0] = points.coordinates
        parts = (jets[:, :, block] for block in self.variety.ambient.blocks)
        return [part @ np.swapaxes(part.conj(), 1, 2) for part in parts]

    def record(self) -> dict[str, np.ndarray]:
        """The class."""
        return {"class": np.array(self.kahler_class)}

    @classmethod
    def from_record(cls, file: Archive, variety: Hypersurface) -> FubiniStudy:
        """The metric of that class."""
        return cls(variety, stored_class(file, variety, "class"))

    def __repr__(self) -> str:
        return f"Fubini–Study metric of the {self.variety}"


class CorrectedMetric(PolarisedMetric):
    """g = g_FS + ∂∂̄φ with φ one function on the variety: closed, in the class of g_FS, and the same in every patch.

    A new one defines `reference`, g_FS, and `correction`, `correction_jets` and `at`.
    """

    reference: FubiniStudy

    @property
    def kahler_class(self) -> tuple[float, ...]:
        """The t_i of the reference Σ t_i log|z_i|²."""
        return self.reference.kahler_class

    @abstractmethod
    def correction(self, points: Points) -> np.ndarray:
        """φ, (P,)."""

    @abstractmethod
    def correction_jets(self, points: Points) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The derivatives of φ that `jets` has of K."""

    def potential(self, points: Points) -> np.ndarray:
        """K = Σ t_i log|z_i|² + φ at the scaled representatives, (P,)."""
        result: np.ndarray = self.reference.potential(points) + self.correction(points)
        return result

    def jets(self, points: Points) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Derivatives of K up to the fourth."""
        known, own = self.reference.jets(points), self.correction_jets(points)
        return known[0] + own[0], known[1] + own[1], known[2] + own[2]
