"""A user's own kernel: a function of a distance, checked to be symmetric and positive where it is used."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from scipy import fft

from geomflow.core.errors import (
    InputError,
    NotFiniteError,
    PositivityError,
    ShapeError,
    SymmetryError,
    UnknownNameError,
)
from geomflow.core.numbers import real_array, require_unmasked
from geomflow.distribute import ON_THREADS, Workers
from geomflow.field.grid import Grid
from geomflow.field.lattice import FlatTorus
from geomflow.kernels.blocks import finite_rows, real_points, same_dimension
from geomflow.kernels.kernel import Kernel
from geomflow.kernels.operators import BlockOperator, FourierOperator, KernelOperator, checked_grid
from geomflow.kernels.projective import chordal_distance, geodesic_distance
from geomflow.kernels.tile_rows import EUCLIDEAN
from geomflow.kernels.tiles import TiledGaussian
from geomflow.networks.periodic import integer_box, into_cell, lattice_points

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


class CheckedKernel(Kernel):
    """A kernel by a user's function, whose Gram matrix of up to 64 of the points is checked before every use.

    Raises SymmetryError, PositivityError with the smallest eigenvalue, or NotFiniteError.
    """

    def read(self, x: Any) -> np.ndarray:
        """Real or complex points (p, d), finite."""
        require_unmasked(x, "the array of points")
        points = np.asarray(getattr(x, "coordinates", x))
        if not np.iscomplexobj(points):
            return real_points(points)
        if points.ndim != 2:
            raise ShapeError(f"points are rows of an array (points, coordinates); the shape {points.shape} was given.")
        return finite_rows(np.ascontiguousarray(points))

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
                                "points: give a symmetric function.")
        if not found.positive:
            raise PositivityError(_not_positive(found.smallest, found.largest, f"of {found.points} of the points"))
        return found

    def on(self, grid: Grid) -> KernelOperator:
        """In blocks, checked first; InputError where the function is not periodic."""
        points = checked_grid(grid).points().reshape(grid.size, -1)
        self.check(points)
        _require_periodic(self, grid, points)
        return BlockOperator(self, grid)

    def _fill(self, x: np.ndarray, y: np.ndarray | None, out: np.ndarray) -> None:
        self.check(x)
        super()._fill(x, y, out)

    def _sum(self, x: np.ndarray, y: np.ndarray | None, columns: np.ndarray, block: int | None,
             workers: Workers = ON_THREADS) -> np.ndarray:
        self.check(x if y is None else y)
        return super()._sum(x, y, columns, block, workers)


@final
@dataclass(frozen=True)
class FunctionKernel(CheckedKernel):
    """K(x, x') = function(x, x').

    A kernel flow makes one of a plain callable. On a grid the function must be periodic in both arguments. See
    `CheckedKernel` for what is checked.

    Parameters
    ----------
    function : callable
        Of points (p, d) and (q, d), to (p, q).
    """

    function: Callable[[np.ndarray, np.ndarray], np.ndarray]

    def __post_init__(self) -> None:
        if not callable(self.function):
            raise InputError(f"a kernel is a function of two arrays of points, and {self.function!r} is not callable.")

    def values(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """function(x, y), (p, q)."""
        block = _block(self.function(x, y), (len(x), len(y)), "the values of the kernel")
        if not np.isfinite(block).all():
            p, q = np.unravel_index(int(np.argmin(np.isfinite(block))), block.shape)
            raise NotFiniteError(f"the kernel is {block[p, q]} between {x[p]} and {y[q]}.")
        return block


@final
@dataclass(frozen=True)
class DistanceKernel(CheckedKernel):
    """K(x, x') = function(distance(x, x')).

    See `CheckedKernel` for what is checked. On a grid of its torus the kernel acts by FFT, and the whole spectrum is
    checked. The distance of a torus has kinks where two images are equally far, so that even a Gaussian of it has small
    negative eigenvalues; `wrapped(torus)`, the sum over all images, has none. A Euclidean distance has a seam on a
    torus and is refused on grids.

    Parameters
    ----------
    function : callable
        Of an array of distances, to one of its shape.
    distance : str, FlatTorus or callable
        "euclidean", "chordal" or "geodesic" (Fubini–Study, complex points), a torus, or a function of points to (p, q).
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

    def values(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """function(distance(x_p, y_q)), (p, q)."""
        distances = _block(self._distances(x, y), (len(x), len(y)), "the distances")
        return self.of(distances)

    def of(self, distances: np.ndarray) -> np.ndarray:
        """The function of an array of distances, of its shape and finite.

        Parameters
        ----------
        distances : array
            Of any shape.
        """
        block = _block(self.function(distances), distances.shape, "the values of the kernel")
        if not np.isfinite(block).all():
            worst = np.unravel_index(int(np.argmin(np.isfinite(block))), block.shape)
            raise NotFiniteError(f"the kernel is {block[worst]} at the distance {distances[worst]:.6g}.")
        return block

    def wrapped(self, torus: FlatTorus) -> FunctionKernel:
        """Σ_{v ∈ Λ} function(|x − x' + v|), the sum over the lattice of a torus: positive where the function is.

        Images are added until a shell of them is below 1e-14 of the sum. Raises InputError for a distance that is not
        Euclidean or the torus's own, and for a function that has not fallen off after 40 shells.

        Parameters
        ----------
        torus : FlatTorus
            Whose lattice Λ is summed over.
        """
        if self.distance != "euclidean" and self.distance != torus:
            raise InputError(f"images are added for a Euclidean distance, and this is {self.distance!r}.")
        return FunctionKernel(ImageSum(self, torus))

    def on(self, grid: Grid) -> KernelOperator:
        """By FFT on a grid of the kernel's own torus, else in blocks; checked first."""
        points = checked_grid(grid).points().reshape(grid.size, -1)
        if isinstance(self.distance, str) and self.distance == "euclidean":
            raise InputError("a Euclidean distance has a seam on a torus, where nearest neighbours count as far apart: "
                             "give the torus's own distance, DistanceKernel(function, torus), or the sum over its "
                             "images, DistanceKernel(function).wrapped(torus).")
        if not isinstance(self.distance, FlatTorus) or self.distance != grid.torus:
            return super().on(grid)
        row = self.values(points[:1], points).reshape(grid.shape)
        symbol = fft.rfftn(row).real * (grid.torus.cell_volume / grid.size)
        if symbol.min() < -ROUNDING * abs(symbol).max():
            raise PositivityError(_not_positive(float(symbol.min()), float(symbol.max()), f"on {grid!r}")
                                  + " The distance of a torus has kinks: wrapped(torus), the sum over its images, is "
                                  "positive where the function of a Euclidean distance is.")
        return FourierOperator(grid, symbol)

    def _distances(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        if isinstance(self.distance, FlatTorus):
            return torus_distance(self.distance, x, y)
        function = DISTANCES[self.distance] if isinstance(self.distance, str) else self.distance
        return real_array(function(x, y), "the distances")


SHELLS = 40
SMALL = 1e-14


@final
@dataclass(frozen=True)
class ImageSum:
    """(x, x') ↦ Σ_{v ∈ Λ} f(|x − x' + v|) of a kernel of distance, shell of cells by shell of cells."""

    kernel: DistanceKernel
    torus: FlatTorus

    def __call__(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """The sum, (p, q)."""
        rows = np.array(self.torus.lattice)
        difference = into_cell(rows, x[:, None, :] - y[None, :, :])
        total = np.zeros(difference.shape[:2])
        for radius in range(SHELLS + 1):
            shell = sum(self.kernel.of(np.linalg.norm(difference + image, axis=2)) for image in _shell(rows, radius))
            total += shell
            if radius and np.abs(shell).max(initial=0.0) <= SMALL * np.abs(total).max(initial=0.0):
                return total
        raise InputError(f"the function has not fallen off {SHELLS} cells away: its sum over the images of "
                         f"{self.torus!r} does not converge.")


def _shell(rows: np.ndarray, radius: int) -> np.ndarray:
    """The lattice vectors with largest integer coordinate `radius`."""
    integers = integer_box([radius] * len(rows))
    return integers[np.abs(integers).max(axis=1) == radius] @ rows


def _block(values: Any, shape: tuple[int, ...], what: str) -> np.ndarray:
    block = real_array(values, what)
    if block.shape != shape:
        raise ShapeError(f"{what} of {shape[0]} and {shape[1]} points must be of shape {shape}, not {block.shape}.")
    return block


def _require_periodic(kernel: Kernel, grid: Grid, points: np.ndarray) -> None:
    """InputError unless some values are those one period further on."""
    few = points[:: max(1, len(points) // SAMPLE)]
    here = kernel.values(few, few)
    for period in np.array(grid.torus.lattice):
        gap = np.abs(kernel.values(few + period, few) - here).max()
        if gap > ROUNDING * np.abs(here).max():
            raise InputError(f"the kernel is not periodic on {grid.torus!r}: it changes by {gap:.3g} along the period "
                             f"{period}. Make it a function of the torus, such as DistanceKernel(function, torus).")


def euclidean_distance(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """|x_p − y_q|, (p, q), from differences.

    Parameters
    ----------
    x : (p, d) array
        Points.
    y : (q, d) array
        Others.
    """
    first, second = real_points(x), real_points(y)
    same_dimension(first, second)
    return np.sqrt(TiledGaussian(EUCLIDEAN, first.shape[1], 1.0).matrix(first, second, exponential=False))


def torus_distance(torus: FlatTorus, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """The distance on a flat torus, (p, q): the least over the images around the nearest cell.

    Parameters
    ----------
    torus : FlatTorus
        Of real dimension d.
    x : (p, d) array
        Points.
    y : (q, d) array
        Others.
    """
    rows = np.array(torus.lattice)
    if x.shape[1] != len(rows) or y.shape[1] != len(rows):
        raise ShapeError(f"points of {x.shape[1]} and {y.shape[1]} coordinates were given on {torus!r}.")
    difference = into_cell(rows, x[:, None, :] - y[None, :, :])
    least = np.full(difference.shape[:2], np.inf)
    for image in _neighbours(torus):
        np.minimum(least, np.sum((difference + image) ** 2, axis=2), out=least)
    return np.sqrt(least)


def _neighbours(torus: FlatTorus) -> np.ndarray:
    """Lattice vectors that can bring a point of the cell around zero nearer: those not longer than its diameter."""
    rows = np.array(torus.lattice)
    if torus.is_rectangular:
        return np.zeros((1, len(rows)))
    return lattice_points(rows, float(np.sum(np.linalg.norm(rows, axis=1))))


def _not_positive(smallest: float, largest: float, where: str) -> str:
    return (f"the kernel is not positive: its smallest eigenvalue {where} is {smallest:.3g} (largest {largest:.3g}), "
            "so that its flow need not descend. Use a positive function, such as a Gaussian of a Euclidean distance.")


DISTANCES: dict[str, Callable[[np.ndarray, np.ndarray], np.ndarray]] = {
    "euclidean": euclidean_distance,
    "chordal": chordal_distance,
    "geodesic": geodesic_distance,
}
