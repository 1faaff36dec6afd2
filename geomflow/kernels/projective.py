"""Kernels on projective points: Gaussians of the Fubini–Study distance, the nearest point, coordinates as inputs."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, final

import numpy as np

from geomflow.core.errors import InputError, ShapeError, require_known, warn
from geomflow.core.numbers import require_unmasked
from geomflow.core.threads import each
from geomflow.distribute import ON_THREADS, Workers
from geomflow.kernels.blocks import checked_scale, finite_rows, require_matrix, row_blocks
from geomflow.kernels.kernel import Kernel
from geomflow.kernels.tile_rows import CHORDAL, GEODESIC
from geomflow.kernels.tiles import TiledGaussian

PRECISIONS: dict[str, type[np.floating[Any]]] = {"double": np.float64, "single": np.float32}
#: The geodesic Gaussian was found indefinite from about this width on.
WIDE = 0.4


class IndefiniteKernelWarning(UserWarning):
    """A kernel may have negative eigenvalues, so that its flow need not descend."""


@dataclass(frozen=True)
class ProjectiveGaussian(Kernel):
    """What the chordal and the geodesic Gaussian share: points, precision and the tiles.

    Points are homogeneous coordinates (p, n + 2) complex, of any length and phase, or sampled points of a variety in
    one projective space. Sums over all pairs take each pair once, in tiles, without the matrix.
    """

    scale: float
    precision: Literal["double", "single"] = "double"
    _kind: ClassVar[int]

    def __post_init__(self) -> None:
        object.__setattr__(self, "scale", checked_scale(self.scale))
        require_known("precision", self.precision, PRECISIONS)

    @abstractmethod
    def distances(self, x: Any, y: Any = None) -> np.ndarray:
        """The distances of which this is the Gaussian, (p, q).

        Parameters
        ----------
        x : (p, N) array or points
            Homogeneous coordinates.
        y : (q, N) array or points, optional
            Others; x unless given.
        """

    def read(self, x: Any) -> np.ndarray:
        """Unit vectors as rows re z_0, im z_0, re z_1, ..., (p, 2n + 4)."""
        return unit_features(x)

    def values(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """K(x_p, y_q), (p, q)."""
        same_space(x, y)
        return self._tiled(x).matrix(x, y)

    def _fill(self, x: np.ndarray, y: np.ndarray | None, out: np.ndarray) -> None:
        same_space(x, x if y is None else y)
        self._tiled(x).fill(x, y, out)

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

    d is the Fubini–Study distance, Halverson and Ruehle, eq. (3.2); for d ≪ 1 it agrees with their (3.5). Raises
    InputError unless the scale is positive.

    Parameters
    ----------
    scale : float
        s > 0, in radians.
    precision : "double" or "single"
        Of the tiles; relative errors are some 1e-15/s² or 1e-6/s².
    """

    _kind: ClassVar[int] = CHORDAL

    def distances(self, x: Any, y: Any = None) -> np.ndarray:
        """sin d, (p, q)."""
        return chordal_distance(x, x if y is None else y)


@final
@dataclass(frozen=True)
class FubiniStudyGeodesicGaussian(ProjectiveGaussian):
    """The geodesic Gaussian exp(−d²/2s²), Halverson and Ruehle, eq. (3.5); not positive for wide widths.

    Warns (IndefiniteKernelWarning) from s = 0.4 on, where negative eigenvalues were found: a flow that it drives need
    not descend. `spectrum.smallest_eigenvalue(kernel, points)` says what holds on given points.

    Parameters
    ----------
    scale : float
        s > 0, in radians.
    precision : "double" or "single"
        Of the tiles.
    """

    _kind: ClassVar[int] = GEODESIC

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.scale >= WIDE:
            warn(
                f"exp(−d²/2s²) of the geodesic distance is not positive for wide widths, and s = {self.scale:g} is "
                f"above {WIDE:g}: look at smallest_eigenvalue(kernel, points), or use the chordal FubiniStudyGaussian.",
                IndefiniteKernelWarning)

    def distances(self, x: Any, y: Any = None) -> np.ndarray:
        """d, (p, q)."""
        return geodesic_distance(x, x if y is None else y)


def chordal_distance(x: Any, y: Any) -> np.ndarray:
    """sin d(x_p, y_q) of projective points, (p, q), in [0, 1], with all digits near zero.

    Parameters
    ----------
    x : (p, N) array or points
        Homogeneous coordinates.
    y : (q, N) array or points
        Others.
    """
    return _distance(CHORDAL, x, y)


def geodesic_distance(x: Any, y: Any) -> np.ndarray:
    """d(x_p, y_q) = arccos |⟨x, y⟩|/|x||y| of projective points, (p, q), in [0, π/2], with all digits near zero.

    Parameters
    ----------
    x : (p, N) array or points
        Homogeneous coordinates.
    y : (q, N) array or points
        Others.
    """
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


@final
@dataclass(frozen=True)
class NearestKernel(Kernel):
    """K(x, y_q) = 1 for the point y_q nearest to x among all y, and else 0: the Delta kernel of the paper.

    Halverson and Ruehle, section 3.2: "updates the metric at a test point with the metric correction computed for the
    closest point in the training set", in the Fubini–Study distance (3.2). On the points themselves it is the identity,
    each being its own nearest; elsewhere it depends on the whole set y and is not symmetric. `DeltaKernel` is the
    identity everywhere: nothing at points that are not in the set. Projective points as in `FubiniStudyGaussian`;
    the first of equally near points is taken, and overlaps that differ by rounding (distances below 1e-8) are equal.
    """

    def read(self, x: Any) -> np.ndarray:
        """Unit vectors as rows re z_0, im z_0, re z_1, ..., (p, 2N)."""
        return unit_features(x)

    def values(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """One at the nearest y of each x, (p, q)."""
        out = np.zeros((len(x), len(y)))
        out[np.arange(len(x)), nearest_rows(x, y)] = 1.0
        return out

    def diagonal(self, x: Any) -> np.ndarray:
        """One at every point."""
        return np.ones(len(self.read(x)))

    def _sum(self, x: np.ndarray, y: np.ndarray | None, columns: np.ndarray, block: int | None,
             workers: Workers = ON_THREADS) -> np.ndarray:
        return columns.copy() if y is None else columns[:, nearest_rows(x, y)]


def nearest_rows(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """The number of the point y of largest |⟨x_p, y_q⟩| for each x, unit features (p, 2N) and (q, 2N); in blocks."""
    same_space(x, y)
    turned = np.empty_like(y)
    turned[:, ::2], turned[:, 1::2] = -y[:, 1::2], y[:, ::2]

    def work(rows: slice) -> np.ndarray:
        overlap = x[rows] @ y.T
        return np.argmax(overlap**2 + (x[rows] @ turned.T) ** 2, axis=1)

    found = each(work, row_blocks(len(x), len(y)))
    return np.concatenate([np.empty(0, np.int64), *found])


@final
@dataclass(frozen=True)
class CoordinateKernel(Kernel):
    """K(x, y) = kernel(inputs(x), inputs(y)) with inputs re z_0, im z_0, re z_1, ..., (p, 2N).

    These are the inputs of Halverson and Ruehle, section 3: the homogeneous coordinates as they are scaled in their
    patch, so that the kernel depends on that choice. Points are those of a variety, or complex coordinates (p, N).
    Raises InputError for what is no kernel and for real coordinates, ShapeError for other shapes.

    Parameters
    ----------
    kernel : Kernel
        One of real points, such as ``NetworkKernel("relu", weight_std=80.52, bias_std=5.716)``.
    """

    kernel: Kernel

    def __post_init__(self) -> None:
        if not isinstance(self.kernel, Kernel):
            raise InputError(f"a kernel on coordinates is made of one on real points, and {self.kernel!r} is none.")

    def read(self, x: Any) -> np.ndarray:
        """The inputs as the kernel uses them."""
        return self.kernel.read(coordinate_inputs(x))

    def values(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """The kernel of inputs that `read` returned, (p, q)."""
        return self.kernel.values(x, y)

    def diagonal(self, x: Any) -> np.ndarray:
        """K(x_p, x_p), (p,)."""
        return self.kernel.diagonal(coordinate_inputs(x))

    def _fill(self, x: np.ndarray, y: np.ndarray | None, out: np.ndarray) -> None:
        self.kernel._fill(x, y, out)

    def _sum(self, x: np.ndarray, y: np.ndarray | None, columns: np.ndarray, block: int | None,
             workers: Workers = ON_THREADS) -> np.ndarray:
        return self.kernel._sum(x, y, columns, block, workers)


def coordinate_inputs(x: Any) -> np.ndarray:
    """Complex coordinates (p, N) as real rows re z_0, im z_0, re z_1, ..., (p, 2N)."""
    require_unmasked(x, "the array of points")
    z = np.asarray(getattr(x, "coordinates", x))
    if not np.iscomplexobj(z):
        raise InputError("real and imaginary parts are taken of complex coordinates, and real ones were given: give "
                         "them to the kernel itself.")
    if z.ndim != 2:
        raise ShapeError(f"points are rows of an array (points, coordinates), and the shape {z.shape} was given.")
    return np.ascontiguousarray(z, dtype=complex).view(float)
