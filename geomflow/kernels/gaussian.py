"""Gaussian kernels: of Euclidean distance, wrapped around a flat torus to machine precision, and their local limit."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, final

import numpy as np
from numba import njit

from geomflow.core.errors import InputError, ShapeError
from geomflow.distribute import ON_THREADS, Workers
from geomflow.field.grid import Grid
from geomflow.field.lattice import FlatTorus
from geomflow.kernels.blocks import checked_scale, same_dimension
from geomflow.kernels.kernel import Kernel
from geomflow.kernels.operators import FourierOperator, IdentityOperator, checked_grid, gaussian_symbol, warn_if_narrow
from geomflow.kernels.tile_rows import EUCLIDEAN, exp2
from geomflow.kernels.tiles import TiledGaussian
from geomflow.networks.periodic import lattice_count, lattice_points


@final
@dataclass(frozen=True)
class GaussianKernel(Kernel):
    """K(x, x') = (2πs²)^{−d/2} exp(−|x − x'|²/2s²) on R^d, of unit integral.

    Halverson and Ruehle, eq. (2.27) with Ω = 1, and (2.35)–(2.37) with s² = d/σ_w². On a grid it is wrapped around
    the torus, with the eigenvalues exp(−s²|k|²/2). Raises InputError unless the scale is positive.

    Parameters
    ----------
    scale : float
        s > 0, in units of the points.
    """

    scale: float

    def __post_init__(self) -> None:
        object.__setattr__(self, "scale", checked_scale(self.scale))

    def values(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """K(x_p, y_q), (p, q), the squared distances from differences."""
        same_dimension(x, y)
        return self._peak(x.shape[1]) * self._tiled(x).matrix(x, y)

    def _fill(self, x: np.ndarray, y: np.ndarray | None, out: np.ndarray) -> None:
        same_dimension(x, x if y is None else y)
        self._tiled(x).fill(x, y, out)
        out *= self._peak(x.shape[1])

    def diagonal(self, x: Any) -> np.ndarray:
        """(2πs²)^{−d/2} at every point."""
        points = self.read(x)
        return np.full(len(points), self._peak(points.shape[1]))

    def on(self, grid: Grid) -> FourierOperator:
        """The wrapped Gaussian by FFT; warns (UnderResolvedWarning) if the scale is below the grid's spacing."""
        warn_if_narrow(grid, self.scale)
        return FourierOperator(grid, gaussian_symbol(grid, self.scale))

    def wrapped(self, torus: FlatTorus) -> WrappedGaussianKernel:
        """The same Gaussian summed over the images of a torus.

        Parameters
        ----------
        torus : FlatTorus
            Whose lattice is summed over.
        """
        return WrappedGaussianKernel(self.scale, torus)

    def _on_points(self, grid: Grid) -> WrappedGaussianKernel:
        return self.wrapped(grid.torus)

    def _sum(self, x: np.ndarray, y: np.ndarray | None, columns: np.ndarray, block: int | None,
             workers: Workers = ON_THREADS) -> np.ndarray:
        return self._peak(x.shape[1]) * self._tiled(x).sums(x, y, columns, workers)

    def _tiled(self, x: np.ndarray) -> TiledGaussian:
        return TiledGaussian(EUCLIDEAN, x.shape[1], self.scale)

    def _peak(self, dim: int) -> float:
        return float((2 * np.pi * self.scale**2) ** (-dim / 2))


#: Terms below e^{-40} of the largest are left out.
_NEGLIGIBLE = 40.0
#: Images or waves of one factor; above this a sum would be slower than anything it is good for.
_MOST_TERMS = 2_000_000


@final
@dataclass(frozen=True)
class WrappedGaussianKernel(Kernel):
    """K(x, x') = Σ_{v ∈ Λ} (2πs²)^{−d/2} exp(−|x − x' + v|²/2s²) = |Λ|^{−1} Σ_k exp(−s²|k|²/2) cos k·(x − x').

    v runs over the lattice Λ and k over its dual, 2π times the integral covectors; of unit integral over the torus. The
    tangent kernel of the infinitely wide periodic cosine network. A rectangular torus factorises. Raises InputError for
    a width that is not positive.

    Parameters
    ----------
    scale : float
        s > 0, in units of the coordinates.
    torus : FlatTorus
        R^d/Λ.
    """

    scale: float
    torus: FlatTorus

    def __post_init__(self) -> None:
        object.__setattr__(self, "scale", checked_scale(self.scale))
        if not isinstance(self.torus, FlatTorus):
            raise InputError(f"the Gaussian is wrapped around a torus, and {self.torus!r} was given.")

    @cached_property
    def factors(self) -> tuple[LatticeSum, ...]:
        """One sum an axis on a rectangular torus, else one for the whole lattice."""
        rows = np.array(self.torus.lattice)
        if self.torus.is_rectangular:
            return tuple(lattice_sum(self.scale, rows[a : a + 1, a : a + 1], (a,)) for a in range(len(rows)))
        return (lattice_sum(self.scale, rows, tuple(range(len(rows)))),)

    def values(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """K(x_p, y_q), (p, q)."""
        for points in (x, y):
            if points.shape[1] != self.torus.real_dim:
                raise ShapeError(f"points of {points.shape[1]} coordinates were given on {self.torus!r}.")
        out = np.ones((len(x), len(y)))
        for factor in self.factors:
            factor.multiply(x, y, out)
        return out

    def diagonal(self, x: Any) -> np.ndarray:
        """The same number at every point."""
        origin = np.zeros((1, self.torus.real_dim))
        return np.full(len(self.read(x)), self.values(origin, origin)[0, 0])

    def on(self, grid: Grid) -> FourierOperator:
        """The operator with the eigenvalues exp(−s²|k|²/2), by FFT; warns if s is below the grid's spacing."""
        if checked_grid(grid).torus != self.torus:
            raise InputError(f"the kernel is wrapped around {self.torus!r}, and the grid is {grid!r}.")
        warn_if_narrow(grid, self.scale)
        return FourierOperator(grid, gaussian_symbol(grid, self.scale))


@final
@dataclass(frozen=True, eq=False)
class LatticeSum:
    """The wrapped Gaussian of one lattice: Σ peak·exp(−|δ + v|²/2s²) over images, or Σ amplitude·cos k·δ over waves.

    `axes` are the coordinates it depends on, `rows` the lattice (d, d); `terms` (m, d) are images v or waves k.
    """

    scale: float
    axes: tuple[int, ...]
    rows: np.ndarray
    terms: np.ndarray
    waves: bool

    def multiply(self, x: np.ndarray, y: np.ndarray, out: np.ndarray) -> None:
        """out[p, q] *= the sum at x_p − y_q."""
        first, second = (np.ascontiguousarray(points[:, self.axes]) for points in (x, y))
        if self.waves:
            constant = 1 / abs(np.linalg.det(self.rows))
            amplitudes = 2 * constant * np.exp(-0.5 * self.scale**2 * np.sum(self.terms**2, axis=1))
            _multiply_waves(_phases(first, self.terms), _phases(second, self.terms), amplitudes, constant, out)
            return
        peak = (2 * np.pi * self.scale**2) ** (-len(self.axes) / 2)
        factor = -0.5 * np.log2(np.e) / self.scale**2
        _multiply_images(first, second, self.rows, np.linalg.inv(self.rows), self.terms, factor, peak, out)


def lattice_sum(scale: float, rows: np.ndarray, axes: tuple[int, ...]) -> LatticeSum:
    """The shorter of the two sums to machine precision, small terms first."""
    diameter = 0.5 * np.sum(np.linalg.norm(rows, axis=1))
    dual = 2 * np.pi * np.linalg.inv(rows).T
    image_radius = diameter + np.sqrt(diameter**2 + 2 * _NEGLIGIBLE * scale**2)
    wave_radius = np.sqrt(2 * _NEGLIGIBLE) / scale
    waves = lattice_count(dual, wave_radius) < lattice_count(rows, image_radius)
    lattice, radius = (dual, wave_radius) if waves else (rows, image_radius)
    if (count := lattice_count(lattice, radius)) > _MOST_TERMS:
        raise InputError(f"the wrapped Gaussian needs some {count:.1g} terms on this lattice: use an operator on a "
                         "grid, or a rectangular torus.")
    terms = np.ascontiguousarray(lattice_points(lattice, radius)[::-1])
    return LatticeSum(scale, axes, rows, _half(terms) if waves else terms, waves)


def _half(waves: np.ndarray) -> np.ndarray:
    """One of each pair ±k, without zero."""
    keep = [row for row in waves if next((value > 0 for value in row if value != 0), False)]
    return np.array(keep).reshape(-1, waves.shape[1])


def _phases(points: np.ndarray, waves: np.ndarray) -> np.ndarray:
    """k·x, (p, m)."""
    return np.sum(points[:, None, :] * waves, axis=2)


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract"})
def _multiply_images(x: np.ndarray, y: np.ndarray, rows: np.ndarray, inverse: np.ndarray, images: np.ndarray,
                     factor: float, peak: float, out: np.ndarray) -> None:
    """out[p, q] *= peak Σ_v 2^(factor |δ + v|²), δ = x_p − y_q reduced into the cell around zero."""
    d, count = x.shape[1], y.shape[0]
    delta, total = np.empty((d, count)), np.empty(count)
    for p in range(x.shape[0]):
        _reduce(x, y, p, rows, inverse, delta)
        total[:] = 0.0
        for m in range(images.shape[0]):
            for q in range(count):
                square = 0.0
                for a in range(d):
                    shifted = delta[a, q] + images[m, a]
                    square += shifted * shifted
                total[q] += exp2(factor * square)
        for q in range(count):
            out[p, q] *= peak * total[q]


@njit(cache=True, nogil=True, error_model="numpy")
def _reduce(x: np.ndarray, y: np.ndarray, p: int, rows: np.ndarray, inverse: np.ndarray, delta: np.ndarray) -> None:
    d = x.shape[1]
    for q in range(y.shape[0]):
        for a in range(d):
            delta[a, q] = x[p, a] - y[q, a]
        for b in range(d):
            cell = 0.0
            for a in range(d):
                cell += (x[p, a] - y[q, a]) * inverse[a, b]
            turns = np.rint(cell)
            for a in range(d):
                delta[a, q] -= turns * rows[b, a]


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract"})
def _multiply_waves(x: np.ndarray, y: np.ndarray, amplitudes: np.ndarray, constant: float, out: np.ndarray) -> None:
    """out[p, q] *= constant + Σ_k amplitude_k cos(phase_p − phase_q), phases (p, k) and (q, k)."""
    m = x.shape[1]
    cos_y, sin_y = np.cos(y), np.sin(y)
    for p in range(x.shape[0]):
        cos_x, sin_x = np.cos(x[p]), np.sin(x[p])
        for q in range(y.shape[0]):
            total = 0.0
            for k in range(m):
                total += amplitudes[k] * (cos_x[k] * cos_y[q, k] + sin_x[k] * sin_y[q, k])
            out[p, q] *= constant + total


@final
@dataclass(frozen=True)
class DeltaKernel(Kernel):
    """The identity: δ(x − x') on grids and δ_{x,x'} on point clouds, one where two points are equal and else zero.

    Halverson and Ruehle, eq. (2.13) with Ω = 1; Ω comes by `rescaled`, eq. (2.18).
    """

    def values(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """1 where x_p = y_q in every coordinate, (p, q)."""
        label = _labels(x, y)
        return (label[: len(x), None] == label[None, len(x) :]).astype(float)

    def diagonal(self, x: Any) -> np.ndarray:
        """One at every point."""
        return np.ones(len(self.read(x)))

    def _on_points(self, grid: Grid) -> Kernel:
        return self * (grid.size / grid.torus.cell_volume)  # on a grid δ(x − x') is one over the volume of a cell

    def on(self, grid: Grid) -> IdentityOperator:
        """The identity on the grid's functions."""
        return IdentityOperator(checked_grid(grid))

    def _sum(self, x: np.ndarray, y: np.ndarray | None, columns: np.ndarray, block: int | None,
             workers: Workers = ON_THREADS) -> np.ndarray:
        """Sums over equal points, without comparing pairs."""
        label = _labels(x, x if y is None else y)
        size = int(label.max(initial=-1)) + 1
        sums = [np.bincount(label[len(x) :], column, size)[label[: len(x)]] for column in columns]
        return np.array(sums).reshape(len(columns), len(x))


def _labels(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Equal numbers for equal rows of x and y together, (p + q,)."""
    both = np.concatenate([x, y]) + 0.0
    return np.unique(both, axis=0, return_inverse=True)[1].reshape(-1)
