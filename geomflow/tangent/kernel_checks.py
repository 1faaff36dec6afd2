"""What is checked of a kernel before a flow is run with it: that it is symmetric and positive."""

from __future__ import annotations

import numpy as np

from geomflow.core.errors import InputError, PositivityError, SymmetryError
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
