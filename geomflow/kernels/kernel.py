"""Scalar kernels K(x, x') and what all of them can do; sums (Aronszajn 1950), products (Schur) and rescalings."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import reduce
from numbers import Number
from operator import truediv
from typing import Any, final

import numpy as np
from scipy import fft

from geomflow.core.errors import InputError, NotFiniteError, ShapeError
from geomflow.core.notebook import Facts, InNotebook, fields_of
from geomflow.core.numbers import finite_number, real_array
from geomflow.core.threads import slices
from geomflow.distribute import ON_THREADS, Workers, as_workers
from geomflow.field.grid import Grid
from geomflow.kernels.blocks import as_columns, contract, real_points, require_matrix, row_batches, row_blocks
from geomflow.kernels.operators import (
    BlockOperator,
    FourierOperator,
    KernelOperator,
    RescaledOperator,
    SumOperator,
    checked_grid,
)


class Kernel(InNotebook):
    """A real symmetric positive semi-definite function K(x, x') of two points; points are rows of an array (p, d).

    K + K', c * K with c ≥ 0 and K * K' are kernels too.
    """

    def __add__(self, other: Any) -> Kernel:
        return SumKernel((*terms(self), *terms(other))) if isinstance(other, Kernel) else NotImplemented

    def __mul__(self, other: Any) -> Kernel:
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
        return self * truediv(1, other) if isinstance(other, Number) and other else NotImplemented

    def __facts__(self) -> Facts:
        return fields_of(self)

    @abstractmethod
    def values(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """K(x_p, y_q) for points that `read` returned, (p, q); callers choose blocks that fit into memory.

        Parameters
        ----------
        x : (p, d) array
            Points that `read` returned.
        y : (q, d) array
            Others.
        """

    @abstractmethod
    def diagonal(self, x: Any) -> np.ndarray:
        """K(x_p, x_p), (p,).

        Parameters
        ----------
        x : (p, d) array or points
            Points.
        """

    def read(self, x: Any) -> np.ndarray:
        """The points as this kernel uses them, (p, d) float; ShapeError and NotFiniteError for others.

        Parameters
        ----------
        x : (p, d) array or points
            What a user gave.
        """
        return real_points(x)

    def matrix(self, x: Any, y: Any = None) -> np.ndarray:
        """The matrix K(x_p, y_q), (p, q). MemoryLimitError if it would not fit.

        Parameters
        ----------
        x : (p, d) array or points
            Points.
        y : (q, d) array or points, optional
            Others; x unless given.
        """
        first = self.read(x)
        second = None if y is None else self.read(y)
        shape = len(first), len(first if second is None else second)
        require_matrix(*shape)
        out = np.empty(shape)
        self._fill(first, second, out)
        return out

    def _fill(self, x: np.ndarray, y: np.ndarray | None, out: np.ndarray) -> None:
        """out = K(x_p, y_q) for points that were read, block by block; y = None means y = x."""
        y = x if y is None else y
        for rows in row_blocks(len(x), len(y)):
            out[rows] = self.values(x[rows], y)

    def apply(self, x: Any, y: Any, values: Any, block: int | None = None, workers: Any = None) -> np.ndarray:
        """The sums Σ_q K(x_p, y_q) values[q, ...], shape (p, ...), without the matrix: `block` rows at a time.

        The result does not depend on the number of threads or workers, to the last bit on processors of one kind.
        Raises ShapeError if there is not one row of values for each point y, and NotFiniteError.

        Parameters
        ----------
        x : (p, d) array or points
            Where the sums are wanted.
        y : (q, d) array or points, or None
            What is summed over; None means x, where kernels may compute each pair once.
        values : (q, ...) array
            Real or complex.
        block : int, optional
            Rows at a time; kernels that visit no pairs have no blocks.
        workers : int, str, client or Workers, optional
            Local processes, the address of a Dask scheduler, a client, or workers: `geomflow.distribute.as_workers`.
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

    def _bound(self, operator: BlockOperator) -> float:
        """A bound of the spectrum of this kernel's operator in blocks: its largest absolute row sum."""
        points, size = operator.points, operator.grid.size
        sums = [np.abs(self.values(points[rows], points)).sum(axis=1).max()
                for rows in slices(size, max(1, (1 << 22) // size))]
        return float(max(sums)) * operator.weight

    def on(self, grid: Grid) -> KernelOperator:
        """The operator (K f)(x) = ∫ K(x, x') f(x') d^dx' on a periodic grid, the integral as a sum over its points.

        Parameters
        ----------
        grid : Grid
            A periodic grid.
        """
        return BlockOperator(self, checked_grid(grid))

    def _on_points(self, grid: Grid) -> Kernel:
        """The kernel whose sums over the points of a grid are the operator of `on`: itself, unless made periodic first.
        """
        return self

    def rescaled(self, alpha: float | Callable[[np.ndarray], np.ndarray] | Any) -> RescaledKernel:
        """α(x) K(x, x') α(x') of Halverson and Ruehle, eq. (2.16): the kernel of the network α(x) f(x).

        Parameters
        ----------
        alpha : float, callable, array or field
            α, as in `RescaledKernel`.
        """
        return RescaledKernel(self, alpha)


def _batch(kernel: Kernel, y: np.ndarray, columns: np.ndarray, size: int, x: np.ndarray) -> np.ndarray:
    """The sums at some points, `size` of them at a time, (c, p)."""
    out = np.zeros((len(columns), len(x)))
    for rows in slices(len(x), size):
        contract(np.ascontiguousarray(kernel.values(x[rows], y), dtype=float), columns, out[:, rows])
    return out


@final
@dataclass(frozen=True)
class SumKernel(Kernel):
    """Σ c_n K_n(x, x') over pairs (c, K) with c ≥ 0; written K + K' and c * K.

    Raises InputError for a factor that is negative or not finite, with which a kernel would not be positive.
    """

    terms: tuple[tuple[float, Kernel], ...]

    def __post_init__(self) -> None:
        for factor, _ in self.terms:
            if not 0 <= factor < np.inf:
                raise InputError(f"a kernel times {factor:g} is not positive: factors are finite and >= 0.")

    def read(self, x: Any) -> np.ndarray:
        """The points, which every kernel reads for itself."""
        return _common(x, [kernel for _, kernel in self.terms])

    def values(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Σ c K(x_p, y_q), (p, q)."""
        return sum((factor * _values(kernel, x, y) for factor, kernel in self.terms), np.zeros((len(x), len(y))))

    def diagonal(self, x: Any) -> np.ndarray:
        """Σ c K(x_p, x_p), (p,)."""
        return sum((factor * kernel.diagonal(x) for factor, kernel in self.terms), np.zeros(len(self.read(x))))

    def _on_points(self, grid: Grid) -> SumKernel:
        return SumKernel(tuple((factor, kernel._on_points(grid)) for factor, kernel in self.terms))

    def on(self, grid: Grid) -> SumOperator:
        """The sum of the operators."""
        checked_grid(grid)
        return SumOperator(grid, tuple((factor, kernel.on(grid)) for factor, kernel in self.terms))

    def _sum(self, x: np.ndarray, y: np.ndarray | None, columns: np.ndarray, block: int | None,
             workers: Workers = ON_THREADS) -> np.ndarray:
        total = np.zeros((len(columns), len(x)))
        for factor, kernel in self.terms:
            sources = None if y is None else kernel.read(y)
            total += factor * kernel._sum(kernel.read(x), sources, columns, block, workers)
        return total


@final
@dataclass(frozen=True)
class ProductKernel(Kernel):
    """K(x, x') K'(x, x') …, positive by Schur's theorem; written K * K'.

    On a grid kernels are multiplied as periodic functions: a Gaussian is wrapped around the torus first, and a network
    kernel gets its Fourier embedding, also in sums and rescaled.
    """

    factors: tuple[Kernel, ...]

    def read(self, x: Any) -> np.ndarray:
        """The points, which every kernel reads for itself."""
        return _common(x, self.factors)

    def values(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """The product of the values, (p, q)."""
        return reduce(np.multiply, (_values(kernel, x, y) for kernel in self.factors))

    def diagonal(self, x: Any) -> np.ndarray:
        """The product of the diagonals, (p,)."""
        return reduce(np.multiply, (kernel.diagonal(x) for kernel in self.factors))

    def _on_points(self, grid: Grid) -> ProductKernel:
        return ProductKernel(tuple(kernel._on_points(grid) for kernel in self.factors))

    def on(self, grid: Grid) -> KernelOperator:
        """By FFT where all factors are translation-invariant, else in blocks."""
        symbols = [kernel.on(checked_grid(grid)).symbol for kernel in self.factors]
        if any(symbol is None for symbol in symbols):
            return BlockOperator(self._on_points(grid), grid)
        weight = grid.torus.cell_volume / grid.size
        rows = [fft.irfftn(symbol, s=grid.shape) / weight for symbol in symbols]
        return FourierOperator(grid, fft.rfftn(reduce(np.multiply, rows)).real * weight)


def _common(x: Any, kernels: Sequence[Kernel]) -> np.ndarray:
    """The points as they are, once every kernel has read them."""
    for kernel in kernels:
        kernel.read(x)
    return np.ascontiguousarray(getattr(x, "coordinates", x))


def _values(kernel: Kernel, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return kernel.values(kernel.read(x), kernel.read(y))


def terms(kernel: Kernel) -> tuple[tuple[float, Kernel], ...]:
    """A kernel as a sum."""
    return kernel.terms if isinstance(kernel, SumKernel) else ((1.0, kernel),)


def factors(kernel: Kernel) -> tuple[Kernel, ...]:
    """A kernel as a product."""
    return kernel.factors if isinstance(kernel, ProductKernel) else (kernel,)


@final
@dataclass(frozen=True, eq=False)
class RescaledKernel(Kernel):
    """α(x) K(x, x') α(x'), Halverson and Ruehle, eqs. (2.15)–(2.16).

    Raises ShapeError or NotFiniteError where α is not one finite number a point.

    Parameters
    ----------
    kernel : Kernel
        K.
    alpha : float, callable, array or field
        α: a number or a function of points (p, d) that returns (p,); on a grid also an array of its shape or a field.
    """

    kernel: Kernel
    alpha: Any

    def __post_init__(self) -> None:
        if isinstance(self.alpha, str):
            raise InputError(f"α of a kernel is a number, a function of points (p, d), or grid.scalar({self.alpha!r}), "
                             "and a text was given.")

    def read(self, x: Any) -> np.ndarray:
        """The points as the inner kernel reads them."""
        return self.kernel.read(x)

    def values(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """α(x_p) K(x_p, y_q) α(y_q), (p, q)."""
        block = self.kernel.values(x, y)
        block *= self.at(x)[:, None]
        block *= self.at(y)
        return block

    def diagonal(self, x: Any) -> np.ndarray:
        """α(x_p)² K(x_p, x_p), (p,)."""
        return self.at(self.read(x)) ** 2 * self.kernel.diagonal(x)

    def at(self, points: np.ndarray) -> np.ndarray:
        """α at points (p, d), (p,).

        Parameters
        ----------
        points : (p, d) array
            Where.
        """
        if isinstance(self.alpha, int | float):
            return _checked(np.full(len(points), float(self.alpha)), (len(points),))
        if not callable(self.alpha):
            raise InputError("α is known on a grid only: give a function of points (p, d) to use it elsewhere.")
        return _checked(self.alpha(points), (len(points),))

    def _on_points(self, grid: Grid) -> RescaledKernel:
        return RescaledKernel(self.kernel._on_points(grid), self.alpha)

    def on(self, grid: Grid) -> RescaledOperator:
        """The operator f ↦ α K(α f)."""
        return RescaledOperator(self.kernel.on(grid), self._sampled(grid))

    def _sampled(self, grid: Grid) -> np.ndarray:
        alpha = getattr(self.alpha, "values", self.alpha)
        if callable(alpha) or isinstance(alpha, int | float):
            return self.at(grid.points().reshape(grid.size, -1)).reshape(grid.shape)
        return _checked(alpha, grid.shape)

    def _sum(self, x: np.ndarray, y: np.ndarray | None, columns: np.ndarray, block: int | None,
             workers: Workers = ON_THREADS) -> np.ndarray:
        left = self.at(x)
        right = left if y is None else self.at(y)
        return self.kernel._sum(x, y, columns * right, block, workers) * left


def reference_rescaled(kernel: Kernel, reference: Callable[[np.ndarray], np.ndarray] | Any) -> RescaledKernel:
    """|g_ref(x)|^{−1/4} K(x, x') |g_ref(x')|^{−1/4}, which tends to δ(x − x')/√|g_ref|: eqs. (2.28)–(2.29).

    `reference` is a metric field on a grid, or a function of points (p, d) that returns metrics (p, d, d).

    Parameters
    ----------
    kernel : Kernel
        K.
    reference : callable or field
        g_ref: a function of points (p, d) that returns (p, d, d), or a metric field.
    """
    if callable(reference):
        return kernel.rescaled(lambda points: _quarter(np.asarray(reference(points))))
    return kernel.rescaled(_quarter(reference.values))


def _quarter(metric: np.ndarray) -> np.ndarray:
    determinant = np.linalg.det(metric)
    if not np.all(determinant > 0):
        raise InputError(f"the reference metric has determinant {np.min(determinant):.3g} somewhere; give a metric.")
    return determinant**-0.25


def _checked(given: Any, shape: tuple[int, ...]) -> np.ndarray:
    alpha = real_array(given, "α")
    if alpha.shape != shape:
        raise ShapeError(f"α has shape {alpha.shape}, and one number a point is {shape}.")
    if not np.isfinite(alpha).all():
        raise NotFiniteError(f"α is not finite at {int(np.sum(~np.isfinite(alpha)))} of {alpha.size} points.")
    return alpha
