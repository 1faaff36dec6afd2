"""What every Hermitian metric on a variety can do, and what a Kähler metric in a class can besides."""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from geomflow.core import archive
from geomflow.core.errors import InputError, StoreError
from geomflow.core.hermitian import log_determinant
from geomflow.variety.jets import Curvature, from_jets

if TYPE_CHECKING:
    from geomflow.core.archive import Archive
    from geomflow.variety.hypersurface import Hypersurface
    from geomflow.variety.points import Points

#: Every metric that has a place on disk, by the name of its kind.
KINDS: dict[str, type[HermitianMetric]] = {}


class HermitianMetric(ABC):
    """A Hermitian metric on a variety, known by its components at points.

    Arrays are in the local coordinates of the given points (their patch, their eliminated coordinate); `g[p, a, b]` is
    g_{ab̄}, the first index holomorphic. A new metric defines `variety` and `at`. One that files hold names its kind,
    ``class Mine(HermitianMetric, kind="mine")``, says in `record` what it is made of and makes itself in `from_record`;
    `geomflow.load_metric` finds it by the name then.
    """

    variety: Hypersurface
    #: The name of this kind in files; empty for metrics that no file holds.
    kind: ClassVar[str] = ""
    #: Names of parts that a file may lack, which `geomflow.load_metric` takes then.
    asked: ClassVar[frozenset[str]] = frozenset()

    def __init_subclass__(cls, kind: str = "", **options: Any) -> None:
        super().__init_subclass__(**options)
        cls.kind = kind
        archive.register(cls, HermitianMetric, kind, KINDS)

    @abstractmethod
    def at(self, points: Points) -> np.ndarray:
        """g_{ab̄}, shape (P, n, n)."""

    def log_determinant(self, points: Points) -> np.ndarray:
        """log det g_{ab̄}, (P,); NaN where g is not positive."""
        return log_determinant(self.at(points))

    def in_chart(self, points: Points) -> Points:
        """The points in local coordinates in which g is known best: as they are, unless it lives in one chart."""
        return points

    def check(self, points: Points) -> None:
        """Raise `InputError` if the points are on another variety."""
        if not self.variety.same_as(points.variety):
            raise InputError(f"the metric is on the {self.variety}, the points on the {points.variety}")

    def save(self, path: str | Path) -> None:
        """Write to an .npz file that `geomflow.load_metric` reads, whole or not at all. Raises `StoreError`."""
        if not self.kind:
            raise StoreError(f"{self!r} cannot be stored: no file holds a {type(self).__name__}")
        archive.write(path, self.kind, variety=self.variety.to_json(), **self.record())

    def record(self) -> dict[str, Any]:
        """What the metric is made of besides its variety: arrays, numbers and texts by name."""
        raise StoreError(f"no file holds a {type(self).__name__}")

    @classmethod
    def from_record(cls, file: Archive, variety: Hypersurface) -> HermitianMetric:
        """The metric of a `record`. Raises `StoreError` for what is none."""
        raise StoreError(f"no file holds a {cls.__name__}")


class PolarisedMetric(HermitianMetric):
    """A Kähler metric g = ∂∂̄K in the class Σ_i t_i H_i of a polarisation with real t_i (K ~ Σ t_i log|z_i|²).

    A new metric defines `kahler_class`, `potential`, `at` and `jets`.
    """

    @property
    @abstractmethod
    def kahler_class(self) -> tuple[float, ...]:
        """The coefficients t_i of the Kähler class in hyperplane classes."""

    @abstractmethod
    def potential(self, points: Points) -> np.ndarray:
        """K at the scaled representatives, (P,); it depends on the patch by the real part of a holomorphic function."""

    @abstractmethod
    def jets(self, points: Points) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """(∂_a∂_b̄K, ∂_a∂_c∂_b̄K, ∂_a∂_c∂_b̄∂_d̄K): shapes (P, a, b), (P, a, c, b) and (P, a, c, b, d)."""

    def curvature(self, points: Points) -> Curvature:
        """Riemann, Ricci and scalar curvature, exact up to rounding."""
        return from_jets(*self.jets(points))

    def correction(self, points: Points) -> np.ndarray:
        """φ = K − Σ t_i log|z_i|², a function on the variety that does not depend on the patch, (P,)."""
        reference = np.log(self.variety.ambient.norms(points.coordinates)) @ np.asarray(self.kahler_class)
        result: np.ndarray = self.potential(points) - reference
        return result
