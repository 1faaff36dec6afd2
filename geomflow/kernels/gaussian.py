"""The Gaussian kernel of Euclidean distance, the infinitely wide cosine network's tangent kernel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, final

import numpy as np

from geomflow.core.errors import ShapeError
from geomflow.distribute import ON_THREADS, Workers
from geomflow.kernels.fubini_study_routines import EUCLIDEAN
from geomflow.kernels.grid import gaussian_symbol, warn_if_narrow
from geomflow.kernels.kernel import Kernel, checked_scale
from geomflow.kernels.operators import FourierOperator
from geomflow.kernels.tiles import TiledGaussian

if TYPE_CHECKING:
    from geomflow.field.grid import Grid
    from geomflow.field.lattice import FlatTorus
    from geomflow.kernels.wrapped import WrappedGaussianKernel


@final
@dataclass(frozen=True)
class GaussianKernel(Kernel):
    """K(x, x') = (2πs²)^{−d/2} exp(−|x − x'|²/2s²) on R^d, of unit integral; s > 0 is `scale`.

    Halverson and Ruehle, eq. (2.27) with Ω = 1, and (2.35)–(2.37) with s² = d/σ_w². On a grid it is wrapped around
    the torus, with the eigenvalues exp(−s²|k|²/2). Raises InputError unless the scale is positive.
    """

    scale: float

    def __post_init__(self) -> None:
        object.__setattr__(self, "scale", checked_scale(self.scale))

    def values(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """K(x_p, y_q), (p, q), the squared distances from differences."""
        if x.shape[1] != y.shape[1]:
            raise ShapeError(f"points of {x.shape[1]} and of {y.shape[1]} coordinates have no distance.")
        return self._peak(x.shape[1]) * self._tiled(x).matrix(x, y)

    def diagonal(self, x: Any) -> np.ndarray:
        """(2πs²)^{−d/2} at every point."""
        points = self.read(x)
        return np.full(len(points), self._peak(points.shape[1]))

    def on(self, grid: Grid) -> FourierOperator:
        """The wrapped Gaussian by FFT; warns (UnderResolvedWarning) if the scale is below the grid's spacing."""
        warn_if_narrow(grid, self.scale)
        return FourierOperator(grid, gaussian_symbol(grid, self.scale))

    def wrapped(self, torus: FlatTorus) -> WrappedGaussianKernel:
        """The same Gaussian summed over the images of a torus."""
        from geomflow.kernels.wrapped import WrappedGaussianKernel

        return WrappedGaussianKernel(self.scale, torus)

    def _sum(self, x: np.ndarray, y: np.ndarray | None, columns: np.ndarray, block: int | None,
             workers: Workers = ON_THREADS) -> np.ndarray:
        return self._peak(x.shape[1]) * self._tiled(x).sums(x, y, columns, workers)

    def _tiled(self, x: np.ndarray) -> TiledGaussian:
        return TiledGaussian(EUCLIDEAN, x.shape[1], self.scale)

    def _peak(self, dim: int) -> float:
        return float((2 * np.pi * self.scale**2) ** (-dim / 2))
