"""Gaussians of distances applied in tiles, each pair of points once, in an order that no number of workers changes.

The symmetric sums are dealt to a fixed number of groups: group g owns tile rows g, g + G, g + 2G, ... and adds both
K_IJ v_J to the sums of I and K_IJᵀ v_I to those of J in sums of its own, which are added in order at the end.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, final

import numpy as np
from numba import njit

from geomflow.codegen.mathematics import noalias
from geomflow.core import memory
from geomflow.core.threads import each, slices
from geomflow.distribute import ON_THREADS, Workers
from geomflow.kernels.blocks import BATCHES
from geomflow.kernels.tile_rows import ROWS, TILE, exponents, powers

#: Bytes that the own sums of more than `LEAST_GROUPS` groups may take together.
GROUP_BYTES = 1 << 27
MOST_GROUPS = 64
#: Groups that there are in any case, so that large sums, too, are spread.
LEAST_GROUPS = 8

_OPTIONS = {"cache": True, "nogil": True, "error_model": "numpy"}
_SUMS = {**_OPTIONS, "forceinline": True, "fastmath": {"reassoc", "contract"}}


@njit(**_SUMS)
def _left(k: np.ndarray, i: int, v: np.ndarray, out: np.ndarray) -> None:
    """out[c, i + r] += Σ_j k[r, j] v[c, j]."""
    noalias()
    zero = k.dtype.type(0)
    for c in range(v.size // TILE):
        a0 = a1 = a2 = a3 = a4 = a5 = zero
        for j in range(TILE):
            x = v[c * TILE + j]
            a0 += k[j] * x
            a1 += k[TILE + j] * x
            a2 += k[2 * TILE + j] * x
            a3 += k[3 * TILE + j] * x
            a4 += k[4 * TILE + j] * x
            a5 += k[5 * TILE + j] * x
        _add(out, c * TILE + i, a0, a1, a2, a3, a4, a5)


@njit(**_SUMS)
def _both(k: np.ndarray, i: int, u: np.ndarray, v: np.ndarray, out_left: np.ndarray, out_right: np.ndarray) -> None:
    """out_left[c, i + r] += Σ_j k[r, j] v[c, j] and out_right[c, j] += Σ_r k[r, j] u[c, i + r]."""
    noalias()
    zero = k.dtype.type(0)
    for c in range(v.size // TILE):
        at = c * TILE + i
        u0, u1, u2, u3, u4, u5 = u[at], u[at + 1], u[at + 2], u[at + 3], u[at + 4], u[at + 5]
        a0 = a1 = a2 = a3 = a4 = a5 = zero
        for j in range(TILE):
            x, b = v[c * TILE + j], out_right[c * TILE + j]
            k0, k1, k2 = k[j], k[TILE + j], k[2 * TILE + j]
            k3, k4, k5 = k[3 * TILE + j], k[4 * TILE + j], k[5 * TILE + j]
            a0 += k0 * x
            b += k0 * u0
            a1 += k1 * x
            b += k1 * u1
            a2 += k2 * x
            b += k2 * u2
            a3 += k3 * x
            b += k3 * u3
            a4 += k4 * x
            b += k4 * u4
            a5 += k5 * x
            b += k5 * u5
            out_right[c * TILE + j] = b
        _add(out_left, at, a0, a1, a2, a3, a4, a5)


@njit(inline="always", **_SUMS)
def _add(out: np.ndarray, at: int, a: float, b: float, c: float, d: float, e: float, f: float) -> None:
    out[at] += a
    out[at + 1] += b
    out[at + 2] += c
    out[at + 3] += d
    out[at + 4] += e
    out[at + 5] += f


@njit(**_OPTIONS)
def _symmetric(kind: int, dims: tuple[int, ...], points: np.ndarray, columns: np.ndarray, factor: float, near: float,
               first: int, step: int, k: np.ndarray, out: np.ndarray) -> None:
    """The sums of one group: tile rows first, first + step, ... with all tiles to their right; k holds ROWS rows."""
    for a in range(first, points.shape[0], step):
        for b in range(a, points.shape[0]):
            for i in range(0, TILE, ROWS):
                exponents(kind, dims, points[a], i, points[b], factor, near, k)
                powers(k)
                if a == b:
                    _left(k, i, columns[a], out[a])
                else:
                    _both(k, i, columns[a], columns[b], out[a], out[b])


@njit(**_OPTIONS)
def _oblique(kind: int, dims: tuple[int, ...], points: np.ndarray, sources: np.ndarray, columns: np.ndarray,
             factor: float, near: float, k: np.ndarray, out: np.ndarray) -> None:
    """The sums over the sources at some tiles of other points."""
    for a in range(points.shape[0]):
        for b in range(sources.shape[0]):
            for i in range(0, TILE, ROWS):
                exponents(kind, dims, points[a], i, sources[b], factor, near, k)
                powers(k)
                _left(k, i, columns[b], out[a])


@njit(**_OPTIONS)
def _fill(kind: int, dims: tuple[int, ...], points: np.ndarray, sources: np.ndarray, factor: float, near: float,
          k: np.ndarray, exponential: bool, out: np.ndarray) -> None:
    """out[p, q] = 2^(factor d²), or −factor d² unless `exponential`."""
    for a in range(0, out.shape[0], ROWS):
        for b in range(sources.shape[0]):
            exponents(kind, dims, points[a // TILE], a % TILE, sources[b], factor, near, k)
            if exponential:
                powers(k)
            start = b * TILE
            for r in range(min(ROWS, out.shape[0] - a)):
                for j in range(min(TILE, out.shape[1] - start)):
                    out[a + r, start + j] = k[r * TILE + j] if exponential else -k[r * TILE + j]


@final
@dataclass(frozen=True)
class TiledGaussian:
    """exp(−d²/2s²) of the distance of `kind`; features are real arrays (p, f), `dims` coordinates of them.

    Squares below `near` are formed from differences. `dtype` is the precision of tiles; sums of groups are double.
    """

    kind: int
    dims: int
    scale: float
    near: float = 0.0
    dtype: type[np.floating[Any]] = np.float64

    def sums(self, x: np.ndarray, y: np.ndarray | None, columns: np.ndarray,
             workers: Workers = ON_THREADS) -> np.ndarray:
        """Σ_q K(x_p, y_q) columns[c, q], (c, p) double; y = None means x, each pair once."""
        if not (len(x) and columns.size):
            return np.zeros((len(columns), len(x)))
        points = self._pack(x)
        packed = self._pack(columns.T)
        total = (self._symmetric(points, packed, workers) if y is None
                 else self._oblique(points, self._pack(y), packed, workers))
        return np.ascontiguousarray(
            total.reshape(len(total), -1, TILE).transpose(1, 0, 2).reshape(len(columns), -1)[:, : len(x)])

    def matrix(self, x: np.ndarray, y: np.ndarray | None = None, exponential: bool = True) -> np.ndarray:
        """The Gaussians, or the squared distances unless `exponential`, (p, q); y = None means x, each pair once."""
        out = np.empty((len(x), len(x if y is None else y)))
        self.fill(x, y, out, exponential)
        return out

    def fill(self, x: np.ndarray, y: np.ndarray | None, out: np.ndarray, exponential: bool = True) -> None:
        """out = the matrix, symmetric to the last bit where y is None."""
        sources = self._pack(x if y is None else y)
        constants = self._constants if exponential else (self.dtype(-1), self.dtype(self.near))

        def work(rows: slice) -> None:
            start, points = rows.start if y is None else 0, self._pack(x[rows])
            _fill(*self._shape, points, sources[start // TILE :], *constants, self._rows(), exponential,
                  out[rows, start:])
            if y is None:
                out[rows, rows] = np.triu(out[rows, rows]) + np.triu(out[rows, rows], 1).T
                out[rows.stop :, rows] = out[rows, rows.stop :].T

        each(work, slices(len(x), TILE))

    @property
    def _shape(self) -> tuple[int, tuple[int, ...]]:
        return self.kind, (0,) * self.dims

    @property
    def _constants(self) -> tuple[np.floating[Any], np.floating[Any]]:
        return self.dtype(-0.5 * np.log2(np.e) / self.scale**2), self.dtype(self.near)

    def _pack(self, rows: np.ndarray) -> np.ndarray:
        """Rows (p, f) in flat tiles (⌈p/TILE⌉, f·TILE), one feature after the other, padded by zeros."""
        tiles = -(-len(rows) // TILE)
        padded = np.zeros((tiles * TILE, rows.shape[1]), self.dtype)
        padded[: len(rows)] = rows
        packed = memory.aligned((tiles, rows.shape[1], TILE), self.dtype)
        packed[:] = padded.reshape(tiles, TILE, rows.shape[1]).transpose(0, 2, 1)
        return packed.reshape(tiles, rows.shape[1] * TILE)

    def _rows(self) -> np.ndarray:
        """Room for rows of a tile, one task's own."""
        return memory.aligned((ROWS * TILE,), self.dtype)

    def _symmetric(self, points: np.ndarray, columns: np.ndarray, workers: Workers) -> np.ndarray:
        groups = _groups(len(columns), columns.nbytes)
        memory.require((groups + 1) * columns.nbytes, f"the sums of a kernel over {len(points) * TILE:,} points",
                       "apply it to fewer columns at a time")
        total = np.zeros(columns.shape)
        for part in workers.map(_group_sums, range(groups), common=(self, points, columns, groups)):
            total += part
        return total

    def _oblique(self, points: np.ndarray, sources: np.ndarray, columns: np.ndarray, workers: Workers) -> np.ndarray:
        parts = [points[tiles] for tiles in slices(len(points), -(-len(points) // BATCHES))]
        return np.concatenate(workers.map(_oblique_sums, parts, common=(self, sources, columns))).astype(float)


def _group_sums(tiled: TiledGaussian, points: np.ndarray, columns: np.ndarray, groups: int, group: int) -> np.ndarray:
    """What one group adds to the sums."""
    out = memory.aligned(columns.shape, tiled.dtype)
    _symmetric(*tiled._shape, points, columns, *tiled._constants, group, groups, tiled._rows(), out)
    return out


def _oblique_sums(tiled: TiledGaussian, sources: np.ndarray, columns: np.ndarray, points: np.ndarray) -> np.ndarray:
    """The sums at some tiles of points."""
    out = memory.aligned((len(points), *columns.shape[1:]), tiled.dtype)
    _oblique(*tiled._shape, points, sources, columns, *tiled._constants, tiled._rows(), out)
    return out


def _groups(tiles: int, nbytes: int) -> int:
    """How many groups: a power of two that depends on the problem only."""
    most = max(1, min(tiles, MOST_GROUPS, max(LEAST_GROUPS, GROUP_BYTES // max(nbytes, 1))))
    return 1 << (most.bit_length() - 1)
