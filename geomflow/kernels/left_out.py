"""Predictions of each value from all others, in closed form: what tells whether error bars have the right size."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING, final

import numpy as np

from geomflow.core.errors import InputError
from geomflow.core.memory import require
from geomflow.core.notebook import Facts, InNotebook
from geomflow.core.numbers import whole
from geomflow.kernels.motions import Function, Learned

if TYPE_CHECKING:
    from geomflow.kernels.process import Problem


@final
@dataclass(frozen=True, eq=False)
class LeftOut(InNotebook):
    """Each value beside what networks predict that learned all others: made by `GaussianProcess.left_out`.

    Parameters
    ----------
    residual : (p,) or (p, c) array
        The value minus its prediction.
    deviation : (p,) array
        The standard deviation of that prediction, of a component.
    """

    residual: np.ndarray
    deviation: np.ndarray

    @property
    def pulls(self) -> np.ndarray:
        """Residuals in units of their deviations, (p,) or (p, c)."""
        return np.asarray((self.residual.T / self.deviation).T)

    @property
    def width(self) -> float:
        """The root mean square of the pulls: 1 where error bars have the right size, larger where they are small."""
        return float(np.sqrt(np.mean(self.pulls**2)))

    def __facts__(self) -> Facts:
        yield "points", len(self.residual)
        yield "root mean square of the residuals", float(np.sqrt(np.mean(self.residual**2)))
        yield "width of the pulls", self.width


def left_out(problem: Problem, function: Function, noise: float, together: int = 1) -> LeftOut:
    """r_b = M_bb⁻¹ [M y]_b with M = (Θ + ρ/w)⁻¹, y what is learned, b a value or some `together`.

    Its covariance is M_bb⁻¹ [M C M]_bb M_bb⁻¹ with C = K + noise/w: for M = C⁻¹, the Bayesian posterior, M_bb⁻¹.
    Rasmussen and Williams (2006), eqs. (5.12).
    """
    if not (isinstance(function, Learned) and function.time == inf):
        raise InputError("predictions of each value from all others are known for networks that were trained for ever "
                         "and for the posterior: take `at(math.inf)` or `posterior()`.")
    size, roots, ridge = len(problem.y), problem.roots, function.ridge
    if size % whole(together, "the number of values left out at once", 1):
        raise InputError(f"{size} values are not left out {together} at a time.")
    require(40.0 * size**2, f"predictions of each of {size:,} values from all others")
    inverse = roots[:, None] * problem.filter.apply(function, np.diag(roots))
    _require_regular(problem, inverse, ridge)
    own = np.linalg.inv(_blocks(inverse, together))
    rows = own @ inverse.reshape(-1, together, size)
    residual = rows.reshape(size, size) @ problem.residual
    if problem.tangent is problem.covariance and noise == ridge:
        variance = np.einsum("baa->ba", own)
    else:
        variance = np.einsum("bap,bap->ba", rows @ problem.prior, rows)
        variance = variance + (rows**2) @ (noise / problem.weights)
    return LeftOut(residual.reshape(problem.y.shape), np.sqrt(np.maximum(variance, 0.0)).ravel())


def _blocks(matrix: np.ndarray, size: int) -> np.ndarray:
    """The blocks along the diagonal, (p/size, size, size)."""
    count = len(matrix) // size
    return np.einsum("bacd,bc->bad", matrix.reshape(count, size, count, size), np.eye(count))


def _require_regular(problem: Problem, inverse: np.ndarray, ridge: float) -> None:
    """InputError where not all modes are learned: tr M(Θ + ρ/w) counts them."""
    size = len(inverse)
    if (problem.weights > 0).all():
        learned = np.sum(inverse * problem.tangent.matrix(problem.x))
        if learned + ridge * np.sum(np.diag(inverse) / problem.weights) > size - 0.5:
            return
    raise InputError("the kernel on these points is singular to rounding, or a weight is zero, so that a value says "
                     "nothing about the others, or all: take a ridge, and leave out points of no weight.")
