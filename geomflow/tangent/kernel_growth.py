"""Flows that are ill-posed without their kernel: the growth that a kernel leaves."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from geomflow.core.errors import IllPosedError
from geomflow.field.grid import Grid
from geomflow.field.state import Field
from geomflow.flow.equation import Equation
from geomflow.flow.equations.derived import Descent, principal_growth
from geomflow.flow.flow import Flow
from geomflow.kernels.gaussian import GaussianKernel
from geomflow.tangent.kernel_checks import CappedGrowthWarning


def look_at_growth(flow: Flow, kernel: Any, equation: Equation, state: Field, symbol: np.ndarray | None) -> None:
    """Warn of the growth that the kernel leaves to a gradient flow that is ill-posed without it.

    A Gaussian caps |k|^m at (m/(e s²))^{m/2}: for Perelman's F at a fixed measure, m = 2, at 2/(e s²).
    Raises IllPosedError where the fastest growth on the grid is that of its shortest waves.
    """
    if not isinstance(flow, Descent) or flow.forced:
        return
    if equation.solved is not None:
        flow.on(state)
        return
    growth, order = principal_growth(equation, state)
    if growth <= 0:
        return
    waves = f"plane waves of wave number |k| grow like exp({growth:.4g} |k|^{order} t)"
    if symbol is None:
        cap = "a rate that is finite on this grid and not known beforehand, as the kernel has no Fourier symbol"
    elif _is_capped(state.grid, symbol, order):
        cap = _cap(kernel, state.grid, growth, order, symbol)
    else:
        raise IllPosedError(
            f"{flow.name} is ill-posed at this state: {waves}, and the kernel {kernel} does not cap that on "
            f"{state.grid!r}, where the shortest waves grow fastest. Use a wider kernel, or a finer grid; to run it "
            "all the same, give Descent(flow, forced=True).")
    warnings.warn(f"{flow.name} is ill-posed without a kernel: {waves}. The kernel {kernel} caps the growth at {cap}.",
                  CappedGrowthWarning, stacklevel=5)


def _wave_numbers(grid: Grid) -> np.ndarray:
    """|k| as the grid's derivatives see it, on the modes of `rfftn`."""
    return np.sqrt(np.maximum(-grid.laplacian_symbol(), 0))


def _is_capped(grid: Grid, symbol: np.ndarray, order: int) -> bool:
    """Whether the fastest mode is not among the shortest waves of the grid."""
    k = _wave_numbers(grid)
    curve = k**order * symbol
    return bool(curve[k >= 0.9 * k.max()].max() < 0.5 * curve.max())


def _cap(kernel: Any, grid: Grid, growth: float, order: int, symbol: np.ndarray) -> str:
    scalar = getattr(kernel, "kernel", kernel)
    if isinstance(scalar, GaussianKernel):
        bound = growth * (order / (np.e * scalar.scale**2)) ** (order / 2)
        formula = "2/(e s^2)" if order == 2 else f"({order}/(e s^2))^{order // 2}"
        return f"{bound:.4g} = {growth:.4g} {formula}"
    return f"{growth * float((_wave_numbers(grid) ** order * symbol).max()):.4g}"
