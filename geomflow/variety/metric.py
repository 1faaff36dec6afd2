"""Hermitian metrics on a variety, Kähler metrics in a class, Fubini–Study, and what differs from it by ∂∂̄φ."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, final

import numpy as np
from numpy.typing import NDArray

from geomflow.core import archive
from geomflow.core.errors import InputError, StoreError
from geomflow.core.hermitian import log_determinant
from geomflow.core.notebook import Facts, InNotebook
from geomflow.variety.jets import Curvature, first_order, from_jets, log_jets, log_metric, second_order
from geomflow.variety.sections import checked_class, stored_class

if TYPE_CHECKING:
    from geomflow.core.archive import Archive
    from geomflow.variety.hypersurface import Hypersurface
    from geomflow.variety.points import Points

#: Every metric that has a place on disk, by the name of its kind.
KINDS: dict[str, type[HermitianMetric]] = {}


class HermitianMetric(InNotebook):
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
    def at(self, points: Points) -> NDArray[np.complex128]:
        """g_{ab̄}, shape (P, n, n).

        Parameters
        ----------
        points : Points
            Where; arrays are in their local coordinates, P of them.
        """

    def log_determinant(self, points: Points) -> np.ndarray:
        """log det g_{ab̄}, (P,); NaN where g is not positive.

        Parameters
        ----------
        points : Points
            Where; arrays are in their local coordinates, P of them.
        """
        return log_determinant(self.at(points))

    def in_chart(self, points: Points) -> Points:
        """The points in local coordinates in which g is known best: as they are, unless it lives in one chart.

        Parameters
        ----------
        points : Points
            Where; arrays are in their local coordinates, P of them.
        """
        return points

    def check(self, points: Points) -> None:
        """Raise `InputError` if the points are on another variety.

        Parameters
        ----------
        points : Points
            Where; arrays are in their local coordinates, P of them.
        """
        if not self.variety.same_as(points.variety):
            raise InputError(f"the metric is on the {self.variety}, the points on the {points.variety}")

    def __facts__(self) -> Facts:
        yield "metric", repr(self)
        yield "on", self.variety
        if (report := getattr(self, "report", None)) is not None:
            yield from report.__facts__()

    def save(self, path: str | Path) -> None:
        """Write to an .npz file that `geomflow.load_metric` reads, whole or not at all. Raises `StoreError`.

        Parameters
        ----------
        path : path
            An .npz file; it is replaced in one step.
        """
        if not self.kind:
            raise StoreError(f"{self!r} cannot be stored: no file holds a {type(self).__name__}")
        archive.write(path, self.kind, variety=self.variety.to_json(), **self.record())

    def record(self) -> dict[str, Any]:
        """What the metric is made of besides its variety: arrays, numbers and texts by name."""
        raise StoreError(f"no file holds a {type(self).__name__}")

    @classmethod
    def from_record(cls, file: Archive, variety: Hypersurface) -> HermitianMetric:
        """The metric of a `record`. Raises `StoreError` for what is none.

        Parameters
        ----------
        file : Archive
            An opened file.
        variety : Hypersurface
            The variety Q = 0.
        """
        raise StoreError(f"no file holds a {cls.__name__}")


class PolarisedMetric(HermitianMetric):
    """A Kähler metric g = ∂∂̄K in the class Σ_i t_i H_i of a polarisation with real t_i (K ~ Σ t_i log|z_i|²).

    A new metric defines `kahler_class`, `potential`, `at` and `jets`.
    """

    def __facts__(self) -> Facts:
        return [*super().__facts__(), ("Kähler class", self.kahler_class)]

    @property
    @abstractmethod
    def kahler_class(self) -> tuple[float, ...]:
        """The coefficients t_i of the Kähler class in hyperplane classes."""

    @abstractmethod
    def potential(self, points: Points) -> np.ndarray:
        """K at the scaled representatives, (P,); it depends on the patch by the real part of a holomorphic function.

        Parameters
        ----------
        points : Points
            Where; arrays are in their local coordinates, P of them.
        """

    @abstractmethod
    def jets(self, points: Points) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """(∂_a∂_b̄K, ∂_a∂_c∂_b̄K, ∂_a∂_c∂_b̄∂_d̄K): shapes (P, a, b), (P, a, c, b) and (P, a, c, b, d).

        Parameters
        ----------
        points : Points
            Where; arrays are in their local coordinates, P of them.
        """

    def curvature(self, points: Points) -> Curvature:
        """Riemann, Ricci and scalar curvature, exact up to rounding.

        Parameters
        ----------
        points : Points
            Where; arrays are in their local coordinates, P of them.
        """
        return from_jets(*self.jets(points))

    def correction(self, points: Points) -> np.ndarray:
        """φ = K − Σ t_i log|z_i|², a function on the variety that does not depend on the patch, (P,).

        Parameters
        ----------
        points : Points
            Where; arrays are in their local coordinates, P of them.
        """
        result: np.ndarray = self.potential(points) - FubiniStudy(self.variety, self.kahler_class).potential(points)
        return result


@final
class FubiniStudy(PolarisedMetric, kind="geomflow Fubini-Study metric 1"):
    """K = Σ_i t_i log|z_i|² (t_i = 1 unless given), the pull-back of Fubini–Study of each factor.

    Parameters
    ----------
    variety : Hypersurface
        The variety Q = 0.
    kahler_class : sequence of float, optional
        The t_i > 0, one for each factor; all one unless given.
    """

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

    def at(self, points: Points) -> NDArray[np.complex128]:
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
        """The derivatives of φ that `jets` has of K.

        Parameters
        ----------
        points : Points
            P of them.
        """

    def potential(self, points: Points) -> np.ndarray:
        """K = Σ t_i log|z_i|² + φ at the scaled representatives, (P,)."""
        result: np.ndarray = self.reference.potential(points) + self.correction(points)
        return result

    def jets(self, points: Points) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Derivatives of K up to the fourth."""
        known, own = self.reference.jets(points), self.correction_jets(points)
        return known[0] + own[0], known[1] + own[1], known[2] + own[2]
