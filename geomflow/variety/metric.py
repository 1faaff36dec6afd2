"""What every Kähler metric on a hypersurface can do."""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from geomflow.core.errors import InputError
from geomflow.core.hermitian import log_determinant

if TYPE_CHECKING:
    from geomflow.variety.curvature import Curvature
    from geomflow.variety.hypersurface import Hypersurface
    from geomflow.variety.points import Points


class VarietyMetric(ABC):
    """A Kähler metric g = ∂∂̄K on a hypersurface, in the class Σ_i t_i H_i (K ~ Σ t_i log|z_i|²).

    Arrays are in the local coordinates of the given points (their patch, their eliminated coordinate); `g[p, a, b]` is
    g_{ab̄}, the first index holomorphic. A new metric defines `potential` and `jets`, or `at` and `curvature`.
    """

    variety: Hypersurface

    @property
    @abstractmethod
    def kahler_class(self) -> tuple[float, ...]:
        """The coefficients t_i of the Kähler class in hyperplane classes."""

    @abstractmethod
    def potential(self, points: Points) -> np.ndarray:
        """K at the scaled representatives, (P,); it depends on the patch by the real part of a holomorphic function."""

    @abstractmethod
    def at(self, points: Points) -> np.ndarray:
        """g_{ab̄}, shape (P, n, n)."""

    @abstractmethod
    def jets(self, points: Points) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """(∂_a∂_b̄K, ∂_a∂_c∂_b̄K, ∂_a∂_c∂_b̄∂_d̄K): shapes (P, a, b), (P, a, c, b) and (P, a, c, b, d)."""

    def log_determinant(self, points: Points) -> np.ndarray:
        """log det g_{ab̄}, (P,); NaN where g is not positive."""
        return log_determinant(self.at(points))

    def curvature(self, points: Points) -> Curvature:
        """Riemann, Ricci and scalar curvature, exact up to rounding."""
        from geomflow.variety.curvature import from_jets

        return from_jets(*self.jets(points))

    def correction(self, points: Points) -> np.ndarray:
        """φ = K − Σ t_i log|z_i|², a function on the variety that does not depend on the patch, (P,)."""
        reference = np.log(self.variety.ambient.norms(points.coordinates)) @ np.asarray(self.kahler_class)
        return self.potential(points) - reference

    def save(self, path: str | Path) -> None:
        """Write to an .npz file that `load_metric` reads."""
        from geomflow.variety.metricstore import save

        save(self, path)

    def check(self, points: Points) -> None:
        """Raise `InputError` if the points are on another variety."""
        if points.variety is not self.variety and str(points.variety.polynomial) != str(self.variety.polynomial):
            raise InputError(f"the metric is on the {self.variety}, the points on the {points.variety}")
