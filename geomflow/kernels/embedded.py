"""Kernels of networks that may stand behind a Fourier embedding, which makes them translation-invariant on a torus."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, Self

import numpy as np

from geomflow.core.errors import InputError, ShapeError
from geomflow.field.grid import Grid
from geomflow.kernels.kernel import Kernel
from geomflow.kernels.operators import FourierOperator, KernelOperator, checked_grid
from geomflow.networks import FourierEmbedding


class EmbeddedKernel(Kernel):
    """A kernel of points, or of their Fourier embedding."""

    @property
    @abstractmethod
    def _embedding(self) -> FourierEmbedding | None:
        """The embedding that points of a torus enter by, if any."""

    @abstractmethod
    def periodic(self, torus: Any, harmonics: int = 1) -> Self:
        """The same network behind a Fourier embedding of the torus: a translation-invariant kernel on it.

        Parameters
        ----------
        torus : FlatTorus
            On which it is periodic.
        harmonics : int
            Of the embedding.
        """

    def _require_embedding(self) -> None:
        """InputError unless it is one."""
        if not isinstance(self._embedding, FourierEmbedding | None):
            raise InputError(f"an embedding is a FourierEmbedding(torus), and {self._embedding!r} was given; points "
                             "need none.")

    def read(self, x: Any) -> np.ndarray:
        """Points (p, d) as the network sees them: themselves or their embedding."""
        points, embedding = super().read(x), self._embedding
        if embedding is None:
            return points
        if points.shape[1] != embedding.inputs:
            raise ShapeError(f"points of {points.shape[1]} coordinates were given, and the embedding takes "
                             f"{embedding.inputs}.")
        return embedding.values(points)

    def _on_points(self, grid: Grid) -> Self:
        return self if self._embedding is not None else self.periodic(grid.torus)

    def on(self, grid: Grid) -> KernelOperator:
        """The operator on a periodic grid, by FFT; without an embedding that of `periodic(grid.torus)`.

        Behind a Fourier embedding of the grid's torus the kernel depends on x − x' alone, and its eigenvalues are the
        transform of its values with the origin. An embedding of another torus acts in blocks.
        """
        embedding = self._embedding
        if embedding is None:
            return self._on_points(checked_grid(grid)).on(grid)
        if not np.allclose(embedding.torus.lattice, checked_grid(grid).torus.lattice, rtol=1e-14, atol=0):
            return super().on(grid)
        points = self.read(grid.points().reshape(grid.size, -1))
        profile = self.values(points[:1], points).reshape(grid.shape)
        symbol = np.fft.rfftn(profile).real * (grid.torus.cell_volume / grid.size)
        return FourierOperator(grid, np.maximum(symbol, 0.0))
