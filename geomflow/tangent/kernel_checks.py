"""What is checked of a kernel before a flow is run: that it is symmetric and positive, and what growth it leaves."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np

from geomflow.core.errors import IllPosedError, InputError, PositivityError, SymmetryError, warn
from geomflow.field import Field, Grid
from geomflow.flow.blocks import fastest_growth
from geomflow.flow.compiled import character_at
from geomflow.flow.equation import Equation
from geomflow.flow.equations.derived import Descent
from geomflow.flow.flow import Flow
from geomflow.kernels.gaussian import GaussianKernel
from geomflow.tangent.kernel_action import Action

STEPS = 12
TOLERANCE = 1e-8


class CappedGrowthWarning(UserWarning):
    """A flow that is ill-posed without its kernel is run with the growth that the kernel leaves."""


def require_positive(action: Action, multiplicity: np.ndarray, shape: tuple[int, ...]) -> None:
    """Check that a kernel is symmetric and positive semi-definite on a grid of this shape.

    Fourier multipliers by their least eigenvalue; others by a few Lanczos steps from a fixed random field, which see
    an eigenvalue below zero that is not tiny beside the largest.
    Raises SymmetryError or PositivityError, both InputErrors.
    """
    if action.symbol is not None:
        least, largest = float(action.symbol.min()), float(action.symbol.max())
    else:
        least, largest = lanczos(action, multiplicity, shape)
    if not np.isfinite(largest):
        raise InputError("the kernel is not finite on the points of the grid.")
    if least < -TOLERANCE * max(largest, -least):
        raise PositivityError(
            f"the kernel is not positive: on this grid it has an eigenvalue of at most {least:.4g} beside one of "
            f"{largest:.4g}, so that the energy would rise. Use a positive semi-definite function of distance, such as "
            "GaussianKernel(scale).")


def lanczos(action: Action, multiplicity: np.ndarray, shape: tuple[int, ...]) -> tuple[float, float]:
    """The least and the largest Ritz value of an action, in the inner product Σ multiplicity c c'.

    Raises SymmetryError if the action is not symmetric.
    """
    random = np.random.default_rng(0)
    root = np.sqrt(multiplicity).reshape(-1, *(1,) * len(shape))

    def acted(vector: np.ndarray) -> np.ndarray:
        return (root * action(vector.reshape(len(root), *shape) / root)).ravel()

    basis = [_unit(random.standard_normal(len(root) * int(np.prod(shape))))]
    images: list[np.ndarray] = []
    while True:
        images.append(acted(basis[-1]))
        if not np.isfinite(images[-1]).all():
            raise InputError("the kernel is not finite on the points of the grid.")
        rest = images[-1].copy()
        for _ in range(2):
            for vector in basis:
                rest -= (vector @ rest) * vector
        scale = float(np.linalg.norm(images[0]))
        if len(basis) >= min(STEPS, rest.size) or np.linalg.norm(rest) <= 1e-12 * scale:
            break
        basis.append(_unit(rest))
    matrix = np.array(basis) @ np.array(images).T
    _require_symmetric(matrix)
    values = np.linalg.eigvalsh((matrix + matrix.T) / 2)
    return float(values[0]), float(values[-1])


def _unit(vector: np.ndarray) -> np.ndarray:
    return vector / np.linalg.norm(vector)


def _require_symmetric(matrix: np.ndarray) -> None:
    size = float(np.abs(matrix).max())
    skew = float(np.abs(matrix - matrix.T).max())
    if skew > 1e-7 * size:
        raise SymmetryError(f"the kernel is not symmetric: K(x, x') and K(x', x) differ by {skew / size:.3g} of its "
                            "size. A kernel flow needs Θ(x, x') = Θ(x', x)ᵀ.")


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
    growth, order = fastest_growth(character_at(equation, state))
    if not growth:
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
    warn(f"{flow.name} is ill-posed without a kernel: {waves}. The kernel {kernel} caps the growth at {cap}.",
         CappedGrowthWarning)


def _wave_numbers(grid: Grid) -> np.ndarray:
    """|k| as the grid's derivatives see it, on the modes of `rfftn`."""
    return np.sqrt(np.maximum(-grid.laplacian_symbol(), 0))


def _is_capped(grid: Grid, symbol: np.ndarray, order: Fraction) -> bool:
    """Whether the fastest mode is not among the shortest waves of the grid."""
    k = _wave_numbers(grid)
    curve = k ** float(order) * symbol
    return bool(curve[k >= 0.9 * k.max()].max() < 0.5 * curve.max())


def _cap(kernel: Any, grid: Grid, growth: float, order: Fraction, symbol: np.ndarray) -> str:
    scalar = getattr(kernel, "kernel", kernel)
    if isinstance(scalar, GaussianKernel):
        bound = growth * (float(order) / (np.e * scalar.scale**2)) ** float(order / 2)
        formula = "2/(e s^2)" if order == 2 else f"({order}/(e s^2))^{order / 2}"
        return f"{bound:.4g} = {growth:.4g} {formula}"
    return f"{growth * float((_wave_numbers(grid) ** float(order) * symbol).max()):.4g}"
