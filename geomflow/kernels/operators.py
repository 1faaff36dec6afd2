"""Kernels as operators on periodic grids: (K f)(x) = ∫ K(x, x') f(x') d^dx' on packed arrays (ncomp, *grid)."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from math import prod
from typing import TYPE_CHECKING, Any, final

import numpy as np
from scipy import fft

from geomflow.core import memory
from geomflow.core.errors import InputError, ShapeError, warn
from geomflow.core.numbers import real_array
from geomflow.core.threads import threads
from geomflow.field.grid import Grid
from geomflow.kernels.blocks import as_columns, require_matrix

if TYPE_CHECKING:
    from geomflow.kernels.kernel import Kernel


class UnderResolvedWarning(UserWarning):
    """A kernel is narrower than the spacing of the grid: the local limit is under-resolved."""


class KernelOperator(ABC):
    """A symmetric positive operator on the functions of a grid, applied to each packed component alike."""

    grid: Grid

    @property
    def symbol(self) -> np.ndarray | None:
        """Eigenvalues on the modes of `rfftn`, of its shape; None unless it is known to be translation-invariant."""
        return None

    @property
    @abstractmethod
    def largest(self) -> float:
        """An upper bound of the spectrum."""

    @abstractmethod
    def _act(self, packed: np.ndarray, out: np.ndarray) -> None:
        """out = K packed, checked shapes; the two may be the same array."""

    def __call__(self, packed: np.ndarray, out: np.ndarray | None = None) -> np.ndarray:
        """K applied to every component of (ncomp, *grid), or to one array of the grid's shape; into `out` if given."""
        array = real_array(packed, "the functions", "apply the kernel to real and imaginary part")
        if array.shape[-self.grid.dim :] != self.grid.shape or array.ndim not in (self.grid.dim, self.grid.dim + 1):
            raise ShapeError(f"an array of shape {array.shape} was given; the kernel acts on (components, "
                             f"{', '.join(map(str, self.grid.shape))}).")
        if out is not None and not (out.shape == array.shape and out.dtype == float and out.flags.c_contiguous):
            raise ShapeError(f"out must be a C-contiguous float array of shape {array.shape}.")
        result = np.empty(array.shape) if out is None else out
        whole = (-1, *self.grid.shape)
        self._act(array.reshape(whole), result.reshape(whole))
        return result

    def root(self) -> KernelOperator:
        """The positive operator K^{1/2}, whose square this is.

        Raises InputError where it is not known: for operators that are not translation-invariant.
        """
        raise InputError(f"the square root of {self!r} is not known, because it is not translation-invariant: take a "
                         "kernel of x − x' alone, such as GaussianKernel(scale), or freeze it, Kronecker(kernel).")

    def dense(self) -> np.ndarray:
        """The matrix of the operator on the grid's points in C order, (size, size); MemoryLimitError if too large."""
        size = self.grid.size
        require_matrix(size, 2 * size)
        return np.ascontiguousarray(self(np.eye(size).reshape(size, *self.grid.shape)).reshape(size, size).T)


@final
@dataclass(frozen=True, eq=False)
class FourierOperator(KernelOperator):
    """A translation-invariant operator: each Fourier mode is multiplied by its symbol, of the shape of `rfftn`."""

    grid: Grid
    eigenvalues: np.ndarray

    @property
    def symbol(self) -> np.ndarray:
        """The eigenvalues."""
        return self.eigenvalues

    @cached_property
    def largest(self) -> float:
        """The largest eigenvalue."""
        return float(self.eigenvalues.max())

    def root(self) -> FourierOperator:
        """The square roots of the eigenvalues; those below zero by rounding count as zero."""
        return FourierOperator(self.grid, np.sqrt(np.maximum(self.eigenvalues, 0.0)))

    def _act(self, packed: np.ndarray, out: np.ndarray) -> None:
        axes = tuple(range(1, packed.ndim))
        modes = fft.rfftn(packed, axes=axes, workers=threads())
        modes *= self.eigenvalues
        out[...] = fft.irfftn(modes, s=self.grid.shape, axes=axes, workers=threads(), overwrite_x=True)


@final
@dataclass(frozen=True, eq=False)
class IdentityOperator(KernelOperator):
    """The identity: ∫ δ(x − x') f(x') d^dx' = f(x)."""

    grid: Grid

    @cached_property
    def symbol(self) -> np.ndarray:
        """One on every mode."""
        return np.ones((*self.grid.shape[:-1], self.grid.shape[-1] // 2 + 1))

    @property
    def largest(self) -> float:
        """One."""
        return 1.0

    def root(self) -> IdentityOperator:
        """Itself."""
        return self

    def _act(self, packed: np.ndarray, out: np.ndarray) -> None:
        if out is not packed:
            out[...] = packed


@final
@dataclass(frozen=True, eq=False)
class BlockOperator(KernelOperator):
    """Any kernel, matrix-free in blocks: sums over the points with the cell volume; quadratic in their number."""

    kernel: Kernel
    grid: Grid

    @cached_property
    def weight(self) -> float:
        """The volume of one grid cell."""
        return self.grid.torus.cell_volume / self.grid.size

    @cached_property
    def points(self) -> np.ndarray:
        """The grid's points, (size, d)."""
        return self.kernel.read(self.grid.points().reshape(self.grid.size, -1))

    @cached_property
    def largest(self) -> float:
        """The kernel's own bound."""
        return self.kernel._bound(self)

    def _act(self, packed: np.ndarray, out: np.ndarray) -> None:
        memory.require(2 * packed.nbytes, "the sums of a kernel on a grid")
        columns, restore = as_columns(packed.reshape(len(packed), -1).T, self.grid.size)
        sums = restore(self.kernel._sum(self.points, None, columns, None))
        np.multiply(sums.T.reshape(packed.shape), self.weight, out=out)


@final
@dataclass(frozen=True, eq=False)
class SumOperator(KernelOperator):
    """Σ c K over pairs of a factor and an operator on one grid."""

    grid: Grid
    terms: tuple[tuple[float, KernelOperator], ...]

    @cached_property
    def symbol(self) -> np.ndarray | None:
        """Σ c times the symbols, where all have one."""
        total: Any = 0
        for factor, operator in self.terms:
            if operator.symbol is None:
                return None
            total = total + factor * operator.symbol
        return np.asarray(total)

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
@dataclass(frozen=True, eq=False)
class RescaledOperator(KernelOperator):
    """f ↦ α K(α f) on a grid; `alpha` has the grid's shape."""

    operator: KernelOperator
    alpha: np.ndarray

    @property
    def grid(self) -> Grid:  # type: ignore[override]
        """The grid of the inner operator."""
        return self.operator.grid

    @cached_property
    def largest(self) -> float:
        """max α² times the bound of K."""
        return float(np.max(self.alpha**2)) * self.operator.largest

    def _act(self, packed: np.ndarray, out: np.ndarray) -> None:
        np.multiply(packed, self.alpha, out=out)
        self.operator(out, out=out)
        np.multiply(out, self.alpha, out=out)


def checked_grid(grid: Any) -> Grid:
    """`grid`, or InputError where it is none, or has an axis of one point, which no sum runs over."""
    if not isinstance(grid, Grid):
        raise InputError(f"a kernel becomes an operator on a grid, such as torus.grid(32), and {grid!r} was given.")
    if len(grid.resolved) < grid.dim:
        raise InputError("a kernel sums over the points of a torus, and there is one alone along some axes of "
                         f"{grid!r}: give all axes points.")
    return grid


def half_shape(grid: Grid) -> tuple[int, ...]:
    """The shape of the real Fourier transform of the grid."""
    return (*grid.shape[:-1], grid.shape[-1] // 2 + 1)


def gaussian_symbol(grid: Grid, scale: float) -> np.ndarray:
    """exp(−s²|k|²/2) on the modes of `rfftn`, the eigenvalues of the wrapped Gaussian.

    On an even number of points a mode at the Nyquist frequency stands for waves of both signs, and their mean is
    taken: the operator stays real and symmetric on every lattice.
    """
    memory.require(4 * 8 * prod(half_shape(grid)), f"the symbol of a kernel on {grid!r}")
    lattice = np.array(grid.torus.lattice)
    metric = 4 * np.pi**2 * np.linalg.inv(lattice @ lattice.T)
    modes = [np.fft.fftfreq(n, 1 / n) for n in grid.shape]
    modes[-1] = np.fft.rfftfreq(grid.shape[-1], 1 / grid.shape[-1])
    even = [axis for axis, n in enumerate(grid.shape) if n % 2 == 0]
    choices = list(product((1, -1), repeat=0 if grid.torus.is_rectangular else len(even)))
    total = np.zeros(half_shape(grid))
    for signs in choices:
        flipped = [m.copy() for m in modes]
        for axis, sign in zip(even, signs):
            flipped[axis][grid.shape[axis] // 2] *= sign
        total += np.exp(-0.5 * scale**2 * _squares(metric, flipped))
    return total / len(choices)


def _squares(metric: np.ndarray, modes: list[np.ndarray]) -> np.ndarray:
    """Σ metric_ab m_a m_b on the product of the modes of each axis."""
    mesh = np.meshgrid(*modes, indexing="ij", sparse=True)
    pairs = [(a, b) for a in range(len(modes)) for b in range(a, len(modes)) if metric[a, b] != 0]
    return sum(((1 if a == b else 2) * metric[a, b]) * mesh[a] * mesh[b] for a, b in pairs)


def warn_if_narrow(grid: Grid, scale: float) -> None:
    """Warn that a width below the grid's spacing is not resolved."""
    spacing = max(checked_grid(grid).spacing)
    if scale < spacing:
        needed = [int(np.ceil(period / scale)) for period in grid.torus.periods]
        warn(
            f"the local limit is under-resolved: the kernel's width {scale:.3g} is below the grid's spacing "
            f"{spacing:.3g}, so that no mode of the grid sees its tail. Use a width of at least {spacing:.3g}, or a "
            f"grid of {' × '.join(map(str, needed))} points.", UnderResolvedWarning)
