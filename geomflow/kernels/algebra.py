"""Sums, multiples and products of kernels, which are kernels (Aronszajn 1950; Schur's product theorem)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, reduce
from typing import TYPE_CHECKING, Any, final

import numpy as np
from scipy import fft

from geomflow.core.errors import InputError
from geomflow.distribute import ON_THREADS, Workers
from geomflow.kernels.gaussian import GaussianKernel
from geomflow.kernels.kernel import Kernel, checked_grid
from geomflow.kernels.operators import BlockOperator, FourierOperator, KernelOperator

if TYPE_CHECKING:
    from geomflow.field.grid import Grid


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
@dataclass(frozen=True, eq=False)
class SumOperator(KernelOperator):
    """Σ c K over pairs of a factor and an operator on one grid."""

    grid: Grid
    terms: tuple[tuple[float, KernelOperator], ...]

    @cached_property
    def symbol(self) -> np.ndarray | None:
        """Σ c times the symbols, where all have one."""
        symbols = [operator.symbol for _, operator in self.terms]
        if any(symbol is None for symbol in symbols):
            return None
        return sum(factor * symbol for (factor, _), symbol in zip(self.terms, symbols, strict=True))

    @cached_property
    def largest(self) -> float:
        """Σ c times the bounds."""
        return float(sum(factor * operator.largest for factor, operator in self.terms))

    def root(self) -> KernelOperator:
        """By the symbol, where there is one."""
        return super().root() if self.symbol is None else FourierOperator(self.grid, self.symbol).root()

    def _act(self, packed: np.ndarray, out: np.ndarray) -> None:
        total = np.zeros_like(packed)
        for factor, operator in self.terms:
            total += factor * operator(packed)
        out[...] = total


@final
@dataclass(frozen=True)
class ProductKernel(Kernel):
    """K(x, x') K'(x, x') …, positive by Schur's theorem; written K * K'.

    On a grid kernels of x − x' alone are multiplied as periodic functions, so that a Gaussian is wrapped first.
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

    def on(self, grid: Grid) -> KernelOperator:
        """By FFT where all factors are translation-invariant, else in blocks."""
        symbols = [kernel.on(checked_grid(grid)).symbol for kernel in self.factors]
        if any(symbol is None for symbol in symbols):
            wrapped = [k.wrapped(grid.torus) if isinstance(k, GaussianKernel) else k for k in self.factors]
            return BlockOperator(ProductKernel(tuple(wrapped)), grid)
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
