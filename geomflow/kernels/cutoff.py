"""Narrow Gaussians of the Fubini–Study distance, cut off at a radius, with a bound of what that leaves out."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from numba import njit

from geomflow.codegen.mathematics import noalias
from geomflow.core import memory
from geomflow.core.errors import InputError, ShapeError
from geomflow.core.threads import each, slices
from geomflow.distribute import ON_THREADS, Workers
from geomflow.kernels.kernel import Kernel
from geomflow.kernels.projective import ProjectiveGaussian, same_space
from geomflow.kernels.tile_rows import CHORDAL, GEODESIC, ROWS, TILE, larger, overlap, sine_square
from geomflow.kernels.tiles import TiledGaussian
from geomflow.variety.points import Points

_OPTIONS = {"cache": True, "forceinline": True, "nogil": True, "error_model": "numpy", "fastmath": {"contract"}}


@njit(**_OPTIONS)
def _overlaps(dims: tuple[int, ...], p: np.ndarray, i: int, q: np.ndarray, k: np.ndarray) -> float:
    """k[j] = |⟨p, q⟩|² of point i of the tile p with those of the tile q; returns the largest."""
    noalias()
    largest = 0.0
    for j in range(TILE):
        square = overlap(dims, 1.0, 0.0, p, i, q, j)
        k[j] = square
        largest = larger(largest, square)
    return largest


@njit(**_OPTIONS)
def _gaussian(kind: int, dims: tuple[int, ...], p: np.ndarray, i: int, q: np.ndarray, j: int, factor: float) -> float:
    """exp(factor · d²) of one pair, from differences: all digits at small distances."""
    square = min(sine_square(dims, p, i, q, j), 1.0)
    if kind == GEODESIC:
        square = math.atan2(math.sqrt(square), math.sqrt(1.0 - square)) ** 2
    return math.exp(factor * square)


@njit(**_OPTIONS)
def within(kind: int, dims: tuple[int, ...], points: np.ndarray, sources: np.ndarray, count: int, least: float,
           factor: float, rows: np.ndarray, found: tuple[np.ndarray, np.ndarray]) -> int:
    """The sources with |⟨p, q⟩|² ≥ `least` of each row of tiles `points`: rows[r] = how many there are up to row r.

    found = (indices, values), filled as far as they reach; returns how many pairs there are, which may be more.
    """
    indices, values = found
    k, kept, hits = np.empty(TILE), np.empty((ROWS, count), np.int64), np.empty(ROWS, np.int64)
    total = 0
    for a in range(0, rows.size, ROWS):
        tile, first = points[a // TILE], a % TILE
        hits[:] = 0
        for b in range(sources.shape[0]):
            for r in range(ROWS):
                if _overlaps(dims, tile, first + r, sources[b], k) >= least:
                    for j in range(min(TILE, count - b * TILE)):
                        if k[j] >= least:
                            kept[r, hits[r]] = b * TILE + j
                            hits[r] += 1
        for r in range(min(ROWS, rows.size - a)):
            for h in range(hits[r]):
                if total < indices.size:
                    q = kept[r, h]
                    indices[total] = q
                    values[total] = _gaussian(kind, dims, tile, first + r, sources[q // TILE], q % TILE, factor)
                total += 1
            rows[a + r] = total
    return total


@njit(**_OPTIONS)
def sparse_sum(ends: np.ndarray, indices: np.ndarray, values: np.ndarray, columns: np.ndarray, first: int,
               out: np.ndarray) -> None:
    """out[p, c] = Σ values columns[index, c] over the entries of row p, whose numbers end at ends[p]."""
    at = first
    for p in range(ends.size):
        for c in range(columns.shape[1]):
            out[p, c] = 0.0
        for e in range(at, ends[p]):
            value, row = values[e], columns[indices[e]]
            for c in range(columns.shape[1]):
                out[p, c] += value * row[c]
        at = ends[p]


_ROWS = TILE
#: Rows whose neighbours are counted before memory is taken for those of all.
_SAMPLE = 512
#: Overlaps that rounding may change: pairs so near to the radius are kept.
_ROUNDING = 1e-14


@final
@dataclass(frozen=True)
class CutOffKernel(Kernel):
    """K_R(x, y) = K(x, y) where d(x, y) ≤ R, else 0, for a Gaussian K of the Fubini–Study distance d.

    What is left out is bounded. Pairs that are dropped have d > R, and K falls with d, so that for n points y

        |Σ_q (K − K_R)(x, y_q) v_q| ≤ Σ_{d > R} K(x, y_q)|v_q| ≤ K(R) Σ_q |v_q| ≤ n K(R) max|v|,

    with K(R) = exp(−R²/2s²), or exp(−sin²R/2s²) for the chordal kernel. On n points, where K − K_R is symmetric,
    its spectral norm is at most its largest row sum, so that also ‖(K − K_R)v‖₂ ≤ n K(R)‖v‖₂, and no eigenvalue of
    K_R is further than n K(R) below that of K: K_R may be indefinite by as little. `bound(n)` is n K(R), and
    `CutOffKernel.within(kernel, n, tolerance)` has the radius where that is the tolerance ε, R = s√(2 log(n/ε)).

    `neighbours(points)` finds the pairs once, in a time of about one sum with K itself, and then sums in milliseconds;
    memory is 12 bytes a pair, stated before it is taken. For widths of the distance of neighbours, and narrower.
    Raises InputError unless K is such a Gaussian and 0 < R ≤ π/2.

    Parameters
    ----------
    kernel : FubiniStudyGaussian or FubiniStudyGeodesicGaussian
        K, of width s.
    radius : float
        R, in radians.
    """

    kernel: ProjectiveGaussian
    radius: float

    def __post_init__(self) -> None:
        if not isinstance(self.kernel, ProjectiveGaussian):
            raise InputError(f"a cut-off is for Gaussians of the Fubini–Study distance, such as FubiniStudyGaussian("
                             f"0.03), and {self.kernel!r} was given.")
        if not 0 < self.radius <= np.pi / 2 + 1e-15:
            raise InputError(f"the radius of a cut-off lies between 0 and π/2, and it is {self.radius!r}.")

    @classmethod
    def within(cls, kernel: ProjectiveGaussian, points: int, tolerance: float = 1e-12) -> CutOffKernel:
        """The cut-off with n K(R) = a tolerance; without any (R = π/2) where K is too wide.

        Parameters
        ----------
        kernel : FubiniStudyGaussian or FubiniStudyGeodesicGaussian
            K.
        points : int
            n.
        tolerance : float
            n K(R), less than one.
        """
        if not (points >= 1 and 0 < tolerance < points):
            raise InputError(f"{points} points and a tolerance of {tolerance!r} were given: take 0 < tolerance < 1.")
        reach = kernel.scale * np.sqrt(2 * np.log(points / tolerance))
        if kernel._kind == CHORDAL:
            reach = np.arcsin(min(reach, 1.0))
        return cls(kernel, float(min(reach, np.pi / 2)))

    def bound(self, points: int) -> float:
        """n K(R): the largest error of a sum of numbers of modulus at most one; 0 at R = π/2.

        Parameters
        ----------
        points : int
            n.
        """
        if self.radius >= np.pi / 2:
            return 0.0
        reach = np.sin(self.radius) if self.kernel._kind == CHORDAL else self.radius
        return float(points * np.exp(-0.5 * (reach / self.kernel.scale) ** 2))

    def read(self, x: Any) -> np.ndarray:
        """Unit vectors as rows re z_0, im z_0, re z_1, ..., (p, 2N)."""
        return self.kernel.read(x)

    def values(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """K_R(x_p, y_q), (p, q)."""
        same_space(x, y)
        square = TiledGaussian(CHORDAL, x.shape[1] // 2, 1.0, near=0.1).matrix(x, y, exponential=False)
        return np.where(1 - square >= self._least, self.kernel.values(x, y), 0.0)

    def diagonal(self, x: Any) -> np.ndarray:
        """One at every point."""
        return self.kernel.diagonal(x)

    def neighbours(self, x: Points | Any, y: Points | Any = None) -> Neighbours:
        """The pairs (x_p, y_q) within the radius; MemoryLimitError before they are taken.

        Parameters
        ----------
        x : (p, N) array or points
            Points.
        y : (q, N) array or points, optional
            Others; x unless given.
        """
        first = self.read(x)
        return self._neighbours(first, first if y is None else self.read(y))

    def _sum(self, x: np.ndarray, y: np.ndarray | None, columns: np.ndarray, block: int | None,
             workers: Workers = ON_THREADS) -> np.ndarray:
        return self._neighbours(x, x if y is None else y)(np.ascontiguousarray(columns.T)).T

    @property
    def _least(self) -> float:
        """The least |⟨p, q⟩|² of pairs that are kept."""
        return float(np.cos(self.radius) ** 2 - _ROUNDING)

    def _neighbours(self, x: np.ndarray, y: np.ndarray) -> Neighbours:
        same_space(x, y)
        tiles = TiledGaussian(self.kernel._kind, x.shape[1] // 2, self.kernel.scale)
        sources, size = tiles._pack(y), len(x)
        sample = x[np.unique(np.linspace(0, size - 1, min(size, _SAMPLE)).astype(int))]
        counts = each(lambda s: self._search(tiles, sample[s], sources, len(y), 0)[0], slices(len(sample), _ROWS))
        expected = size * sum(int(rows[-1]) for rows in counts) / max(len(sample), 1)
        memory.require(1.25 * 12 * expected, f"{expected:.3g} pairs of {size:,} and {len(y):,} points within "
                       f"{self.radius:.3g}", "take a smaller radius or the kernel without a cut-off, which needs none")
        room = int(1.5 * _ROWS * expected / max(size, 1)) + 64
        parts = each(lambda s: self._search(tiles, x[s], sources, len(y), room), slices(size, _ROWS))
        return Neighbours(tuple(parts), (size, len(y)))

    def _search(self, tiles: TiledGaussian, x: np.ndarray, sources: np.ndarray, count: int,
                room: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """(ends, indices, values) of some rows; as much memory as is needed once `room` is not enough."""
        points, dims = tiles._pack(x), (0,) * tiles.dims
        factor, rows = -0.5 / self.kernel.scale**2, np.zeros(len(x), np.int64)
        found = np.empty(room, np.int32), np.empty(room)
        total = within(tiles.kind, dims, points, sources, count, self._least, factor, rows, found)
        if room and total > room:
            return self._search(tiles, x, sources, count, total)
        return rows, found[0][:total].copy(), found[1][:total].copy()


@final
@dataclass(frozen=True, eq=False)
class Neighbours:
    """Pairs within a radius and their kernel values, in blocks of rows; called with columns it sums over them.

    Parameters
    ----------
    parts : tuple of (ends, indices, values)
        Blocks of rows: where the pairs of each row end, their sources and kernel values.
    shape : (int, int)
        How many points x and y.
    """

    parts: tuple[tuple[np.ndarray, np.ndarray, np.ndarray], ...]
    shape: tuple[int, int]

    @property
    def pairs(self) -> int:
        """How many pairs there are, each point with itself included."""
        return sum(len(indices) for _, indices, _ in self.parts)

    @property
    def nbytes(self) -> int:
        """Bytes of all pairs."""
        return sum(array.nbytes for part in self.parts for array in part)

    def __call__(self, columns: np.ndarray) -> np.ndarray:
        """Σ_q K_R(x_p, y_q) columns[q, c], (p, c), in an order that no number of threads changes; ShapeError."""
        if columns.ndim != 2 or len(columns) != self.shape[1]:
            raise ShapeError(f"columns of shape {columns.shape} were given for {self.shape[1]} points: give a row for "
                             "each.")
        source, out = np.ascontiguousarray(columns, dtype=float), np.empty((self.shape[0], columns.shape[1]))

        def work(part: int) -> None:
            sparse_sum(*self.parts[part], source, 0, out[part * _ROWS : (part + 1) * _ROWS])

        each(work, range(len(self.parts)))
        return out
