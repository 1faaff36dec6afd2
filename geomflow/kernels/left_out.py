"""Predictions of each value from all others, in closed form: what tells whether error bars have the right size."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING, final

import numpy as np

from geomflow.core.errors import InputError
from geomflow.core.memory import require
from geomflow.core.notebook import Facts, InNotebook
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


def left_out(problem: Problem, function: Function, noise: float) -> LeftOut:
    """r_i = [M y]_i/M_ii with M = (Θ + ρ/w)⁻¹, y what is learned; its variance [M C M]_ii/M_ii² with C = K + noise/w.

    For M = C⁻¹, the Bayesian posterior, that is 1/M_ii: Rasmussen and Williams (2006), eqs. (5.12).
    """
    if not (isinstance(function, Learned) and function.time == inf):
        raise InputError("predictions of each value from all others are known for networks that were trained for ever "
                         "and for the posterior: take `at(math.inf)` or `posterior()`.")
    size, roots, ridge = len(problem.y), problem.roots, function.ridge
    require(40.0 * size**2, f"predictions of each of {size:,} values from all others")
    inverse = roots[:, None] * problem.filter.apply(function, np.diag(roots))
    _require_regular(problem, inverse, ridge)
    peak = np.diag(inverse).copy()
    residual = (inverse @ problem.residual) / peak[:, None]
    if problem.tangent is problem.covariance and noise == ridge:
        variance = 1 / peak
    else:
        variance = np.einsum("pq,pq->p", inverse @ problem.prior, inverse)
        variance = (variance + (noise / problem.weights * inverse**2).sum(axis=1)) / peak**2
    return LeftOut(residual.reshape(problem.y.shape), np.sqrt(np.maximum(variance, 0.0)))


def _require_regular(problem: Problem, inverse: np.ndarray, ridge: float) -> None:
    """InputError where not all modes are learned: tr M(Θ + ρ/w) counts them."""
    size = len(inverse)
    if (problem.weights > 0).all():
        learned = np.sum(inverse * problem.tangent.matrix(problem.x))
        if learned + ridge * np.sum(np.diag(inverse) / problem.weights) > size - 0.5:
            return
    raise InputError("the kernel on these points is singular to rounding, or a weight is zero, so that a value says "
                     "nothing about the others, or all: take a ridge, and leave out points of no weight.")
