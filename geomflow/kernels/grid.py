"""What kernels need of a periodic grid: its wave vectors, its Gaussian symbol, and a word about narrow widths."""

from __future__ import annotations

import warnings
from itertools import product

import numpy as np

from geomflow.core import memory
from geomflow.field.grid import Grid
from geomflow.kernels.kernel import UnderResolvedWarning, checked_grid


def half_shape(grid: Grid) -> tuple[int, ...]:
    """The shape of the real Fourier transform of the grid."""
    return (*grid.shape[:-1], grid.shape[-1] // 2 + 1)


def gaussian_symbol(grid: Grid, scale: float) -> np.ndarray:
    """exp(−s²|k|²/2) on the modes of `rfftn`, the eigenvalues of the wrapped Gaussian.

    On an even number of points a mode at the Nyquist frequency stands for waves of both signs, and their mean is
    taken: the operator stays real and symmetric on every lattice.
    """
    memory.require(4 * 8 * np.prod(half_shape(grid)), f"the symbol of a kernel on {grid!r}")
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
        warnings.warn(
            f"the local limit is under-resolved: the kernel's width {scale:.3g} is below the grid's spacing "
            f"{spacing:.3g}, so that no mode of the grid sees its tail. Use a width of at least {spacing:.3g}, or a "
            f"grid of {' × '.join(map(str, needed))} points.", UnderResolvedWarning, stacklevel=3)
