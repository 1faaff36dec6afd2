"""Scalar kernels K(x, x') and what all of them can do: matrices, matrix-free sums, operators on grids."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from math import prod
from numbers import Number
from typing import TYPE_CHECKING, Any

import numpy as np

from geomflow.core import memory
from geomflow.core.arrays import real_array
from geomflow.core.errors import InputError, NotFiniteError, ShapeError
from geomflow.core.numbers import finite_number, real_number, require_unmasked
from geomflow.core.threads import slices
from geomflow.distribute import ON_THREADS, Workers, as_workers
from geomflow.kernels.blocks import contract, row_batches, row_blocks

if TYPE_CHECKING:
    from geomflow.field.grid import Grid
    from geomflow.kernels.operators import KernelOperator
    from geomflow.kernels.rescaled import RescaledKernel


#: Numbers below it, and above its inverse, have no useful squares.
LEAST = 1e-150


class UnderResolvedWarning(UserWarning):
    """A kernel is narrower than the spacing of the grid: the local limit is under-resolved."""


class Kernel(ABC):
    """A real symmetric positive semi-definite function K(x, x') of two points; points are rows of an array (p, d).

    K + K', c * K with c ≥ 0 and K * K' are kernels too.
    """

    def __add__(self, other: Any) -> Kernel:
        from geomflow.kernels.algebra import SumKernel, terms

        return SumKernel((*terms(self), *terms(other))) if isinstance(other, Kernel) else NotImplemented

    def __mul__(self, other: Any) -> Kernel:
        from geomflow.kernels.algebra import ProductKernel, SumKernel, factors, terms

        if isinstance(other, Kernel):
            return ProductKernel((*factors(self), *factors(other)))
        if isinstance(other, bool) or not isinstance(other, Number):
            return NotImplemented
        number = finite_number(other, "the factor of a kernel")
        return SumKernel(tuple((number * factor, kernel) for factor, kernel in terms(self)))

    __rmul__ = __mul__

    def __radd__(self, other: Any) -> Kernel:
        return self if isinstance(other, int) and other == 0 else NotImplemented  # sum([K, K']) begins with 0

    def __truediv__(self, other: Any) -> Kernel:
        return self * (1 / other) if isinstance(other, Number) and other else NotImplemented

    @abstractmethod
    def values(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """K(x_p, y_q) for points that `read` returned, (p, q); callers choose blocks that fit into memory."""

    @abstractmethod
    def diagonal(self, x: Any) -> np.ndarray:
        """K(x_p, x_p), (p,)."""

    def read(self, x: Any) -> np.ndarray:
        """The points as this kernel uses them, (p, d) float; ShapeError and NotFiniteError for others."""
        return real_points(x)

    def matrix(self, x: Any, y: Any = None) -> np.ndarray:
        """The matrix K(x_p, y_q), (p, q); y = x unless given. MemoryLimitError if it would not fit."""
        first = self.read(x)
        second = first if y is None else self.read(y)
        require_matrix(len(first), len(second))
        out = np.empty((len(first), len(second)))
        for rows in row_blocks(len(first), len(second)):
            out[rows] = self.values(first[rows], second)
        return out

    def apply(self, x: Any, y: Any, values: Any, block: int | None = None, workers: Any = None) -> np.ndarray:
        """The sums Σ_q K(x_p, y_q) values[q, ...], shape (p, ...), without the matrix: `block` rows at a time.

        y = None means y = x, which kernels may use to compute each pair once. `workers` spreads the blocks: a number
        of local processes, the address of a Dask scheduler, a client, or workers (`geomflow.distribute.as_workers`);
        kernels that visit no pairs have no blocks. The result does not depend on the number of threads or workers, to
        the last bit on processors of one kind. Raises ShapeError if there is not one row of values for each point y,
        and NotFiniteError.
        """
        first = self.read(x)
        second = None if y is None else self.read(y)
        sources = first if second is None else second
        columns, restore = as_columns(values, len(sources))
        if not np.isfinite(columns).all():
            row = int(np.flatnonzero(~np.isfinite(columns).all(axis=0))[0])
            raise NotFiniteError(f"the values at point {row} of {len(sources)} are not finite; a sum over all points "
                                 "would be nowhere.")
        with as_workers(workers) as team:
            return restore(self._sum(first, second, columns, block, team))

    def _sum(self, x: np.ndarray, y: np.ndarray | None, columns: np.ndarray, block: int | None,
             workers: Workers = ON_THREADS) -> np.ndarray:
        """The sums for points that were read and columns (c, q); returns (c, p)."""
        y = x if y is None else y
        batches, size = row_batches(len(x), len(y), block)
        common = (self, y, np.ascontiguousarray(columns), size)
        parts = workers.map(_batch, [x[rows] for rows in batches], common=common)
        return np.concatenate([np.zeros((len(columns), 0)), *parts], axis=1)

    def on(self, grid: Grid) -> KernelOperator:
        """The operator (K f)(x) = ∫ K(x, x') f(x') d^dx' on a periodic grid, the integral as a sum over its points."""
        from geomflow.kernels.operators import BlockOperator

        return BlockOperator(self, checked_grid(grid))

    def rescaled(self, alpha: float | Callable[[np.ndarray], np.ndarray] | Any) -> RescaledKernel:
        """α(x) K(x, x') α(x') of Halverson and Ruehle, eq. (2.16): the kernel of the network α(x) f(x)."""
        from geomflow.kernels.rescaled import RescaledKernel

        return RescaledKernel(self, alpha)


def _batch(kernel: Kernel, y: np.ndarray, columns: np.ndarray, size: int, x: np.ndarray) -> np.ndarray:
    """The sums at some points, `size` of them at a time, (c, p)."""
    out = np.zeros((len(columns), len(x)))
    for rows in slices(len(x), size):
        contract(np.ascontiguousarray(kernel.values(x[rows], y), dtype=float), columns, out[:, rows])
    return out


def real_points(x: Any) -> np.ndarray:
    """`x` as finite real points (p, d)."""
    points = real_array(getattr(x, "coordinates", x), "the points", "give real coordinates, or to projective points "
                        "a kernel of theirs, such as FubiniStudyGaussian(scale)")
    if points.ndim != 2:
        raise ShapeError(f"points are rows of an array (points, coordinates), and the shape {points.shape} was given.")
    return finite_rows(points)


def checked_grid(grid: Any) -> Grid:
    """`grid`, or InputError where it is none."""
    from geomflow.field.grid import Grid

    if not isinstance(grid, Grid):
        raise InputError(f"a kernel becomes an operator on a grid, such as torus.grid(32), and {grid!r} was given.")
    return grid


def finite_rows(points: np.ndarray) -> np.ndarray:
    """The points, or NotFiniteError with the first bad row."""
    if not np.isfinite(points).all():
        row = int(np.argmin(np.isfinite(points).all(axis=1)))
        raise NotFiniteError(f"point {row} of {len(points)} is not finite: {points[row]}; remove it.")
    return points


def checked_scale(scale: Any) -> float:
    """`scale` as a positive number whose square neither vanishes nor overflows."""
    number = real_number(scale, "the width of a kernel is a positive number: it")
    if not 0 < number < np.inf:
        raise InputError(f"the width of a kernel is a positive number, and it is {number:g}.")
    require_square("the width of a kernel", number)
    return number


def require_square(what: str, number: float) -> None:
    """Raise InputError where the square of a positive number, or its inverse, vanishes or overflows."""
    if not LEAST < number < 1 / LEAST:
        raise InputError(f"{what} is squared, and {number:g} squared is out of the range of floating-point numbers: "
                         f"take one between {LEAST:g} and {1 / LEAST:g}.")


def require_matrix(rows: int, columns: int) -> None:
    """Check that a dense matrix fits; the message names the block of rows that does."""
    fits = max(1, min(rows, memory.available() // (2 * 8 * max(columns, 1))))
    memory.require(8 * rows * columns, f"the kernel matrix of {rows:,} × {columns:,} points",
                   f"sum without it by kernel.apply, or take {fits:,} rows at a time")


def as_columns(values: Any, count: int) -> tuple[np.ndarray, Callable[[np.ndarray], np.ndarray]]:
    """Values (q, ...) as real columns (c, q), and the way back from sums (c, p) to (p, ...)."""
    require_unmasked(values, "the array of values")
    array = np.asarray(values)
    if array.ndim == 0 or len(array) != count:
        raise ShapeError(f"values of shape {array.shape} were given for {count} points: give one row for each point.")
    tail, is_complex = array.shape[1:], np.iscomplexobj(array)
    flat = np.ascontiguousarray(array.reshape(count, prod(tail)), dtype=complex if is_complex else float)
    columns = flat.view(float).T

    def restore(sums: np.ndarray) -> np.ndarray:
        rows = np.ascontiguousarray(sums.T)
        return (rows.view(complex) if is_complex else rows).reshape(sums.shape[1], *tail)

    return columns, restore
