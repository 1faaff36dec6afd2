"""Constant-coefficient operators on periodic grids, solved by FFT."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import fft

from geomflow.core.errors import ShapeError
from geomflow.flow.problem import Array, Implicit


@dataclass(frozen=True, eq=False)
class FourierImplicit(Implicit):
    """The operator that multiplies each Fourier mode by its symbol, with real part ≤ 0, the same for each component.

    symbol  shape (*half), where half is the shape of `scipy.fft.rfftn` of the grid; or (ncomp, *half)
    shape   shape of the packed state, (ncomp, *grid)

    The symbol of −|k|⁴/2, say, is −|k|⁴/2 at the wave numbers of the grid; of a stencil, its own eigenvalues are best.
    """

    symbol: Array
    shape: tuple[int, ...]

    def __post_init__(self) -> None:
        *rest, last = self.shape[1:]
        half = (*rest, last // 2 + 1)
        if self.symbol.shape not in (half, (self.shape[0], *half)):
            raise ShapeError(f"the symbol has shape {self.symbol.shape}; the grid {self.shape[1:]} needs {half}.")

    def prepare(self, y: Array) -> None:
        """Nothing: this operator is the same at every state."""

    def solve(self, b: Array, c: float, out: Array) -> None:
        """Divide each mode by 1 − c·symbol."""
        modes = self._forward(b)
        np.multiply(self.symbol, -c, out=self._factor)
        np.add(self._factor, 1.0, out=self._factor)
        np.divide(modes, self._factor, out=modes)
        self._back(modes, out)

    def apply(self, y: Array, out: Array) -> None:
        """Multiply each mode by the symbol."""
        modes = self._forward(y)
        np.multiply(modes, self.symbol, out=modes)
        self._back(modes, out)

    @cached_property
    def _factor(self) -> Array:
        return np.empty_like(self.symbol)

    @property
    def _axes(self) -> tuple[int, ...]:
        return tuple(range(1, len(self.shape)))

    def _forward(self, y: Array) -> Array:
        modes: Array = fft.rfftn(y, axes=self._axes, workers=os.cpu_count())
        return modes

    def _back(self, modes: Array, out: Array) -> None:
        size = self.shape[1:]
        out[...] = fft.irfftn(modes, s=size, axes=self._axes, workers=os.cpu_count(), overwrite_x=True)
