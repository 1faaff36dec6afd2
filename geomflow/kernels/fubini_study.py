"""Gaussian kernels of the Fubini–Study distance on points of a projective space."""

from __future__ import annotations

import warnings
from abc import abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar, final

import numpy as np

from geomflow.core.errors import InputError, ShapeError, UnknownNameError
from geomflow.core.numbers import require_unmasked
from geomflow.distribute import ON_THREADS, Workers
from geomflow.kernels.fubini_study_routines import CHORDAL, GEODESIC
from geomflow.kernels.kernel import Kernel, checked_scale, finite_rows, require_matrix
from geomflow.kernels.tiles import TiledGaussian

PRECISIONS = {"double": np.float64, "single": np.float32}
#: The geodesic Gaussian was found indefinite from about this width on.
WIDE = 0.4


class IndefiniteKernelWarning(UserWarning):
    """A kernel may have negative eigenvalues, so that its flow need not descend."""


class ProjectiveGaussian(Kernel):
    """What the chordal and the geodesic Gaussian share: points, precision and the tiles.

    Points are homogeneous coordinates (p, n + 2) complex, of any length and phase, or sampled points of a variety in
    one projective space. Sums over all pairs take each pair once, in tiles, without the matrix.
    """

    scale: float
    precision: str
    _kind: ClassVar[int]

    @abstractmethod
    def distances(self, x: Any, y: Any = None) -> np.ndarray:
        """The distances of which this is the Gaussian, (p, q)."""

    def read(self, x: Any) -> np.ndarray:
        """Unit vectors as rows re z_0, im z_0, re z_1, ..., (p, 2n + 4)."""
        return unit_features(x)

    def values(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """K(x_p, y_q), (p, q)."""
        same_space(x, y)
        return self._tiled(x).matrix(x, y)

    def diagonal(self, x: Any) -> np.ndarray:
        """One at every point."""
        return np.ones(len(self.read(x)))

    def _sum(self, x: np.ndarray, y: np.ndarray | None, columns: np.ndarray, block: int | None,
             workers: Workers = ON_THREADS) -> np.ndarray:
        same_space(x, x if y is None else y)
        return self._tiled(x).sums(x, y, columns, workers)

    def _tiled(self, x: np.ndarray) -> TiledGaussian:
        # where rounding 1 − cos²d would show in the kernel, all pairs that it can see are formed from differences
        near = 1e-8 if self.scale > 0.03 else min(1e-2, 120 * self.scale**2)
        near = near if self.precision == "double" else 0.0
        return TiledGaussian(self._kind, x.shape[1] // 2, self.scale, near, PRECISIONS[self.precision])


@final
@dataclass(frozen=True)
class FubiniStudyGaussian(ProjectiveGaussian):
    """The chordal Gaussian exp(−sin²d/2s²), positive for every width: a function of |⟨p, q⟩|² with a power series ≥ 0.

    d is the Fubini–Study distance, Halverson and Ruehle, eq. (3.2); for d ≪ 1 it agrees with their (3.5). `precision`
    is that of the tiles, "double" or "single"; relative errors are some 1e-15/s² or 1e-6/s². Raises InputError
    unless the scale is positive.
    """

    scale: float
    precision: str = "double"
    _kind: ClassVar[int] = CHORDAL

    def __post_init__(self) -> None:
        object.__setattr__(self, "scale", checked_scale(self.scale))
        _check_precision(self.precision)

    def distances(self, x: Any, y: Any = None) -> np.ndarray:
        """sin d, (p, q)."""
        return chordal_distance(x, x if y is None else y)


@final
@dataclass(frozen=True)
class FubiniStudyGeodesicGaussian(ProjectiveGaussian):
    """The geodesic Gaussian exp(−d²/2s²), Halverson and Ruehle, eq. (3.5); not positive for wide widths.

    Warns (IndefiniteKernelWarning) from s = 0.4 on, where negative eigenvalues were found: a flow that it drives need
    not descend. `spectrum.smallest_eigenvalue(kernel, points)` says what holds on given points.
    """

    scale: float
    precision: str = "double"
    _kind: ClassVar[int] = GEODESIC

    def __post_init__(self) -> None:
        object.__setattr__(self, "scale", checked_scale(self.scale))
        _check_precision(self.precision)
        if self.scale >= WIDE:
            warnings.warn(
                f"exp(−d²/2s²) of the geodesic distance is not positive for wide widths, and s = {self.scale:g} is "
                f"above {WIDE:g}: look at smallest_eigenvalue(kernel, points), or use the chordal FubiniStudyGaussian.",
                IndefiniteKernelWarning, stacklevel=3)

    def distances(self, x: Any, y: Any = None) -> np.ndarray:
        """d, (p, q)."""
        return geodesic_distance(x, x if y is None else y)


def chordal_distance(x: Any, y: Any) -> np.ndarray:
    """sin d(x_p, y_q) of projective points, (p, q), in [0, 1], with all digits near zero."""
    return _distance(CHORDAL, x, y)


def geodesic_distance(x: Any, y: Any) -> np.ndarray:
    """d(x_p, y_q) = arccos |⟨x, y⟩|/|x||y| of projective points, (p, q), in [0, π/2], with all digits near zero."""
    return _distance(GEODESIC, x, y)


def _distance(kind: int, x: Any, y: Any) -> np.ndarray:
    first, second = unit_features(x), unit_features(y)
    same_space(first, second)
    require_matrix(len(first), len(second))
    squares = TiledGaussian(kind, first.shape[1] // 2, 1.0, near=0.1).matrix(first, second, exponential=False)
    return np.sqrt(squares, out=squares)


def unit_features(x: Any) -> np.ndarray:
    """Homogeneous coordinates as real rows of unit length, (p, 2N); ShapeError, NotFiniteError, InputError at zero."""
    variety = getattr(x, "variety", None)
    if variety is not None and len(variety.ambient.blocks) > 1:
        raise InputError("these points lie in a product of projective spaces; give the coordinates of one factor.")
    require_unmasked(x, "the array of points")
    z = np.ascontiguousarray(getattr(x, "coordinates", x), dtype=complex)
    if z.ndim != 2 or z.shape[1] < 2:
        raise ShapeError(f"projective points are rows of at least two homogeneous coordinates; {z.shape} was given.")
    rows = finite_rows(z.view(float))
    largest = np.abs(rows).max(axis=1, keepdims=True, initial=0.0)
    if not (largest > 0).all():
        raise InputError(f"point {int(np.argmin(largest))} has all coordinates zero: it is not a projective point.")
    rows = rows / largest
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def same_space(x: np.ndarray, y: np.ndarray) -> None:
    """ShapeError where unit features have different numbers of homogeneous coordinates."""
    if x.shape[1] != y.shape[1]:
        raise ShapeError(f"points of {x.shape[1] // 2} and of {y.shape[1] // 2} homogeneous coordinates were given.")


def _check_precision(precision: str) -> None:
    if precision not in PRECISIONS:
        raise UnknownNameError.among("precision", str(precision), PRECISIONS)
