"""Kernels of rescaled networks: α(x) f(x) with a given function α."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, final

import numpy as np

from geomflow.core.arrays import real_array
from geomflow.core.errors import InputError, NotFiniteError, ShapeError
from geomflow.distribute import ON_THREADS, Workers
from geomflow.kernels.kernel import Kernel
from geomflow.kernels.operators import KernelOperator

if TYPE_CHECKING:
    from geomflow.field.grid import Grid


@final
@dataclass(frozen=True, eq=False)
class RescaledKernel(Kernel):
    """α(x) K(x, x') α(x'), Halverson and Ruehle, eqs. (2.15)–(2.16).

    `alpha` is a number, or a function of points (p, d) that returns (p,); on a grid also an array of its shape or a
    scalar field. Raises ShapeError or NotFiniteError where α is not one finite number a point.
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
        """α at points (p, d), (p,)."""
        if isinstance(self.alpha, int | float):
            return _checked(np.full(len(points), float(self.alpha)), (len(points),))
        if not callable(self.alpha):
            raise InputError("α is known on a grid only: give a function of points (p, d) to use it elsewhere.")
        return _checked(self.alpha(points), (len(points),))

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


@final
@dataclass(frozen=True, eq=False)
class RescaledOperator(KernelOperator):
    """f ↦ α K(α f) on a grid; `alpha` has the grid's shape."""

    operator: KernelOperator
    alpha: np.ndarray

    @property
    def grid(self) -> Grid:
        """The grid of the inner operator."""
        return self.operator.grid

    @property
    def symbol(self) -> None:
        """None: α breaks the translations."""
        return None

    @cached_property
    def largest(self) -> float:
        """max α² times the bound of K."""
        return float(np.max(self.alpha**2)) * self.operator.largest

    def _act(self, packed: np.ndarray, out: np.ndarray) -> None:
        np.multiply(packed, self.alpha, out=out)
        self.operator(out, out=out)
        np.multiply(out, self.alpha, out=out)


def reference_rescaled(kernel: Kernel, reference: Callable[[np.ndarray], np.ndarray] | Any) -> RescaledKernel:
    """|g_ref(x)|^{−1/4} K(x, x') |g_ref(x')|^{−1/4}, which tends to δ(x − x')/√|g_ref|: eqs. (2.28)–(2.29).

    `reference` is a metric field on a grid, or a function of points (p, d) that returns metrics (p, d, d).
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
