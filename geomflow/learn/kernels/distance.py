"""A user's own kernel: a function of a distance, checked to be symmetric and positive where it is used."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Any, final

import numpy as np
from scipy import fft

from geomflow.core.arrays import real_array
from geomflow.core.errors import (
    InputError,
    NotFiniteError,
    PositivityError,
    ShapeError,
    SymmetryError,
    UnknownNameError,
)
from geomflow.distribute import ON_THREADS, Workers
from geomflow.field.torus import FlatTorus
from geomflow.learn.kernels.fubini_study import chordal_distance, geodesic_distance
from geomflow.learn.kernels.fubini_study_routines import EUCLIDEAN
from geomflow.learn.kernels.kernel import Kernel, checked_grid, finite_rows, real_points
from geomflow.learn.kernels.operators import BlockOperator, FourierOperator, KernelOperator
from geomflow.learn.kernels.tiles import TiledGaussian

if TYPE_CHECKING:
    from geomflow.field.grid import Grid

#: Points of the sample whose Gram matrix is checked.
SAMPLE = 64
#: Asymmetry, or negative eigenvalues, up to this fraction of the largest entry or eigenvalue are rounding.
ROUNDING = 1e-9


@final
@dataclass(frozen=True)
class GramCheck:
    """What a sample Gram matrix says: its worst asymmetry, smallest and largest eigenvalue, and number of points."""

    asymmetry: float
    smallest: float
    largest: float
    points: int

    @property
    def positive(self) -> bool:
        """Whether no eigenvalue is negative beyond rounding."""
        return self.smallest >= -ROUNDING * max(self.largest, 0.0)


@final
@dataclass(frozen=True)
class DistanceKernel(Kernel):
    """K(x, x') = function(distance(x, x')), for any `function` of an array of distances.

    `distance` is "euclidean", "chordal" or "geodesic" (Fubini–Study, complex points), a torus (its flat distance), or
    a function of two arrays of points that returns (p, q). Before every use the Gram matrix of up to 64 of the points
    is checked: SymmetryError, PositivityError with its smallest eigenvalue, or NotFiniteError. On a grid of its torus
    the kernel acts by FFT, and the whole spectrum is checked. A Gaussian of a torus's distance is not positive at
    great widths; WrappedGaussianKernel is.
    """

    function: Callable[[np.ndarray], np.ndarray]
    distance: str | FlatTorus | Callable[[np.ndarray, np.ndarray], np.ndarray] = "euclidean"

    def __post_init__(self) -> None:
        if isinstance(self.distance, str) and self.distance not in DISTANCES:
            raise UnknownNameError.among("distance", self.distance, DISTANCES)
        if not callable(self.function):
            raise InputError(f"a kernel is a function of an array of distances, and {self.function!r} is not callable.")
        if not (isinstance(self.distance, str | FlatTorus) or callable(self.distance)):
            raise InputError(f"a distance is one of {', '.join(map(repr, sorted(DISTANCES)))}, a torus, or a function "
                             f"of two arrays of points, and {self.distance!r} was given.")

    def read(self, x: Any) -> np.ndarray:
        """Real or complex points (p, d), finite."""
        points = np.asarray(getattr(x, "coordinates", x))
        if not np.iscomplexobj(points):
            return real_points(points)
        if points.ndim != 2:
            raise ShapeError(f"points are rows of an array (points, coordinates); the shape {points.shape} was given.")
        return finite_rows(np.ascontiguousarray(points))

    def values(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """function(distance(x_p, y_q)), (p, q)."""
        distances = self._distances(x, y)
        if distances.shape != (len(x), len(y)):
            raise ShapeError(f"the distance of {len(x)} and {len(y)} points has shape {distances.shape}; "
                             f"it must be {(len(x), len(y))}.")
        block = real_array(self.function(distances), "the values of the kernel")
        if block.shape != distances.shape:
            raise ShapeError(f"the function of distances {distances.shape} has shape {block.shape}.")
        if not np.isfinite(block).all():
            worst = np.unravel_index(int(np.argmin(np.isfinite(block))), block.shape)
            raise NotFiniteError(f"the kernel is {block[worst]} at the distance {distances[worst]:.6g}.")
        return block

    def diagonal(self, x: Any) -> np.ndarray:
        """K(x_p, x_p), (p,)."""
        points = self.read(x)
        return np.array([self.values(point[None], point[None])[0, 0] for point in points])

    def inspect(self, points: Any) -> GramCheck:
        """Asymmetry and extreme eigenvalues of the Gram matrix of up to 64 points, evenly taken."""
        read = self.read(points)
        sample = read[np.unique(np.linspace(0, len(read) - 1, min(SAMPLE, len(read))).astype(int))]
        gram = self.values(sample, sample)
        spectrum = np.linalg.eigvalsh((gram + gram.T) / 2)
        return GramCheck(float(np.abs(gram - gram.T).max()), float(spectrum[0]), float(spectrum[-1]), len(sample))

    def check(self, points: Any) -> GramCheck:
        """`inspect`, or SymmetryError or PositivityError with the numbers."""
        found = self.inspect(points)
        if found.asymmetry > ROUNDING * max(abs(found.largest), abs(found.smallest)):
            raise SymmetryError(f"K(x, x') and K(x', x) differ by up to {found.asymmetry:.3g} on {found.points} "
                                "points: give a symmetric distance.")
        if not found.positive:
            raise PositivityError(_not_positive(found.smallest, found.largest, f"of {found.points} of the points"))
        return found

    def matrix(self, x: Any, y: Any = None) -> np.ndarray:
        """The matrix K(x_p, y_q), (p, q), after the check of x."""
        self.check(x)
        return super().matrix(x, y)

    def on(self, grid: Grid) -> KernelOperator:
        """By FFT on a grid of the kernel's own torus, else in blocks; checked first."""
        if not isinstance(self.distance, FlatTorus) or self.distance != checked_grid(grid).torus:
            self.check(checked_grid(grid).points().reshape(grid.size, -1))
            return BlockOperator(self, grid)
        points = grid.points().reshape(grid.size, -1)
        row = self.values(points[:1], points).reshape(grid.shape)
        symbol = fft.rfftn(row).real * (grid.torus.cell_volume / grid.size)
        if symbol.min() < -ROUNDING * abs(symbol).max():
            raise PositivityError(_not_positive(float(symbol.min()), float(symbol.max()), f"on {grid!r}"))
        return FourierOperator(grid, symbol)

    def _sum(self, x: np.ndarray, y: np.ndarray | None, columns: np.ndarray, block: int | None,
             workers: Workers = ON_THREADS) -> np.ndarray:
        self.check(x if y is None else y)
        return super()._sum(x, y, columns, block, workers)

    def _distances(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        if isinstance(self.distance, FlatTorus):
            return torus_distance(self.distance, x, y)
        function = DISTANCES[self.distance] if isinstance(self.distance, str) else self.distance
        return real_array(function(x, y), "the distances")


def euclidean_distance(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """|x_p − y_q|, (p, q), from differences."""
    first, second = real_points(x), real_points(y)
    if first.shape[1] != second.shape[1]:
        raise ShapeError(f"points of {first.shape[1]} and of {second.shape[1]} coordinates have no distance.")
    return np.sqrt(TiledGaussian(EUCLIDEAN, first.shape[1], 1.0).matrix(first, second, exponential=False))


def torus_distance(torus: FlatTorus, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """The distance on a flat torus, (p, q): the least over the images around the nearest cell."""
    rows = np.array(torus.lattice)
    if x.shape[1] != len(rows) or y.shape[1] != len(rows):
        raise ShapeError(f"points of {x.shape[1]} and {y.shape[1]} coordinates were given on {torus!r}.")
    difference = x[:, None, :] - y[None, :, :]
    difference -= np.rint(difference @ np.linalg.inv(rows)) @ rows
    least = np.full(difference.shape[:2], np.inf)
    for image in _neighbours(torus):
        np.minimum(least, np.sum((difference + image) ** 2, axis=2), out=least)
    return np.sqrt(least)


def _neighbours(torus: FlatTorus) -> np.ndarray:
    """Lattice vectors that can bring a point of the cell around zero nearer: those not longer than its diameter."""
    rows = np.array(torus.lattice)
    if torus.is_rectangular:
        return np.zeros((1, len(rows)))
    diameter = float(np.sum(np.linalg.norm(rows, axis=1)))
    bounds = [int(diameter * length) for length in np.linalg.norm(np.linalg.inv(rows), axis=0)]
    vectors = np.array(list(product(*(range(-bound, bound + 1) for bound in bounds))), dtype=float) @ rows
    return vectors[np.linalg.norm(vectors, axis=1) <= diameter]


def _not_positive(smallest: float, largest: float, where: str) -> str:
    return (f"the kernel is not positive: its smallest eigenvalue {where} is {smallest:.3g} (largest {largest:.3g}), "
            "so that its flow need not descend. Use a positive function, such as a Gaussian of a Euclidean distance.")


DISTANCES: dict[str, Callable[[np.ndarray, np.ndarray], np.ndarray]] = {
    "euclidean": euclidean_distance,
    "chordal": chordal_distance,
    "geodesic": geodesic_distance,
}
