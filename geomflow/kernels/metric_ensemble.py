"""Metrics that infinitely wide networks learn: the mean metric, its error bars, and whether it is positive."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from math import inf
from typing import Any, final

import numpy as np

from geomflow.core import symmetric
from geomflow.core.errors import InputError, ShapeError
from geomflow.core.notebook import Facts, InNotebook
from geomflow.core.numbers import real_array, whole
from geomflow.field.grid import Grid
from geomflow.field.metric import MetricField
from geomflow.kernels.ensemble import InfiniteEnsemble
from geomflow.kernels.positivity import Probability, positive_probability
from geomflow.kernels.process import GaussianProcess

Reference = Callable[[Any], np.ndarray]


@final
@dataclass(frozen=True, eq=False)
class MetricEnsemble(InNotebook):
    r"""g_ij(x) = ĝ_ij(x) + f_ij(x) with a network for each i ≤ j, those off the diagonal scaled by 1/√2.

    At two points E[δg_ij δg_kl] = ½(δ_ik δ_jl + δ_il δ_jk) Σ_t(x, x'): at each point a Gaussian orthogonal ensemble,
    which no rotation of the axes changes. Without the 1/√2 it would depend on them. Halverson and Ruehle (2.19)–(2.23).

    Parameters
    ----------
    process : GaussianProcess
        Of the d(d + 1)/2 components (f_ii, √2 f_ij), row by row; `learn` makes it.
    dim : int
        d.
    reference : callable, optional
        ĝ at points, (p, d, d); zero unless given.

    Examples
    --------
    >>> from geomflow.kernels import NetworkKernel
    >>> x = np.linspace(0, 1, 9)[:, None] * [1.0, 0.5]
    >>> g = np.eye(2) + 0.3 * np.sin(x[:, :1, None]) * np.array([[1.0, 0.5], [0.5, -1.0]])
    >>> learned = MetricEnsemble.learn(InfiniteEnsemble(NetworkKernel("erf", bias_std=1.0)), x, g)
    >>> bool(np.abs(learned.mean(x) - g).max() < 1e-6), learned.positivity(x).value.round(6).min().item()
    (True, 1.0)
    """

    process: GaussianProcess
    dim: int
    reference: Reference | None = None

    def __post_init__(self) -> None:
        dim = whole(self.dim, "the dimension", 1)
        if not isinstance(self.process, GaussianProcess):
            raise InputError(f"metrics are drawn from a GaussianProcess, and {self.process!r} was given: "
                             "MetricEnsemble.learn(...) makes it.")
        found = self.process.problem.residual.shape[1]
        if found != dim * (dim + 1) // 2:
            raise ShapeError(f"metrics of dimension {dim} have {dim * (dim + 1) // 2} components, and the process has "
                             f"{found}.")
        _require_reference(self.reference)

    @classmethod
    def learn(cls, ensemble: InfiniteEnsemble, x: Any, metrics: np.ndarray, time: float = inf, weights: Any = None,
              ridge: float = 0.0, reference: Reference | None = None) -> MetricEnsemble:
        """The ensemble after gradient flow of ½ Σ_p w_p |g(x_p) − g_p|², |h|² = Σ_ij h_ij².

        Parameters
        ----------
        ensemble : InfiniteEnsemble
            Of the networks of each component.
        x : (p, D) array or points
            Where the metric is known.
        metrics : (p, d, d) array
            g_p, symmetric.
        time : float
            Of training; `math.inf` is allowed.
        weights, ridge : (p,) array, float, optional
            As of `InfiniteEnsemble.regress`.
        reference : callable, optional
            ĝ, to which the networks are a correction.

        Notes
        -----
        Raises ShapeError for metrics that are not symmetric matrices, one for each point.
        """
        if not isinstance(ensemble, InfiniteEnsemble):
            raise InputError(f"metrics are learned by an InfiniteEnsemble(kernel), and {ensemble!r} was given.")
        _require_reference(reference)
        wanted = _symmetric(metrics, "the metrics that are learned")
        lacking = wanted if reference is None else wanted - _reference_at(reference, x, wanted.shape)
        process = ensemble.regress(x, columns_of(lacking), weights, ridge).at(time)
        return cls(process, wanted.shape[-1], reference)

    def mean(self, x: Any) -> np.ndarray:
        """The mean metric, (q, d, d).

        Parameters
        ----------
        x : (q, D) array or points
            Where.
        """
        return self._corrected(metrics_of(self.process.mean(x), self.dim), x)

    def _corrected(self, found: np.ndarray, x: Any) -> np.ndarray:
        return found if self.reference is None else found + _reference_at(self.reference, x, found.shape[-3:])

    def deviation(self, x: Any) -> np.ndarray:
        """s = √Σ_t(x, x), (q,): the standard deviation of g(v, v) for unit vectors v, as those of the axes.

        Parameters
        ----------
        x : (q, D) array or points
            Where.
        """
        return np.sqrt(self.process.variance(x))

    def positivity(self, x: Any, count: int = 10_000, seed: int | np.random.Generator = 0) -> Probability:
        """The probability that the metric is positive at each point: exact for d ≤ 2, else of `count` draws.

        Parameters
        ----------
        x : (q, D) array or points
            Where.
        count : int
            How many matrices are drawn where d > 2.
        seed : int or Generator
            Of the draws.
        """
        return positive_probability(self.mean(x), self.deviation(x), count, seed)

    def sample(self, x: Any, count: int, seed: int | np.random.Generator) -> np.ndarray:
        """Metrics drawn, (count, q, d, d): each smooth along x, as one trained network is.

        Parameters
        ----------
        x : (q, D) array or points
            Where.
        count : int
            How many.
        seed : int or Generator
            Of the draw.
        """
        return self._corrected(metrics_of(self.process.sample(x, count, seed), self.dim), x)

    def fields(self, grid: Grid, count: int, seed: int | np.random.Generator) -> list[MetricField]:
        """Metrics drawn on a grid of a torus, with all their geometry: `.scalar()` is the curvature of each.

        Raises PositivityError for draws that are not positive.

        Parameters
        ----------
        grid : Grid
            Of the torus.
        count : int
            How many.
        seed : int or Generator
            Of the draw.
        """
        drawn = self.sample(grid.points().reshape(grid.size, -1), count, seed)
        return [grid.metric(each.reshape(*grid.shape, self.dim, self.dim)) for each in drawn]

    def cross_calibrated(self) -> MetricEnsemble:
        """The same with error bars in proportion to what is missed where each metric is predicted from all others.

        As `GaussianProcess.cross_calibrated`: known after training for ever.
        """
        return replace(self, process=self.process.cross_calibrated())

    def __facts__(self) -> Facts:
        yield "dimension", self.dim
        yield "reference", self.reference
        yield from self.process.__facts__()


def columns_of(metrics: np.ndarray) -> np.ndarray:
    """(…, d, d) → (…, d(d + 1)/2): components i ≤ j, those off the diagonal times √2, so that |h|² is a sum of squares.

    Parameters
    ----------
    metrics : (..., d, d) array
        Symmetric.
    """
    return np.moveaxis(symmetric.pack(metrics), 0, -1) * _scales(metrics.shape[-1])


def metrics_of(columns: np.ndarray, dim: int) -> np.ndarray:
    """The inverse of `columns_of`.

    Parameters
    ----------
    columns : (..., d(d + 1)/2) array
        Components.
    dim : int
        d.
    """
    return symmetric.unpack(np.moveaxis(columns / _scales(dim), -1, 0), dim)


def _scales(dim: int) -> np.ndarray:
    return np.sqrt(symmetric.multiplicity(dim))


def _require_reference(reference: Any) -> None:
    if not (reference is None or callable(reference)):
        raise InputError(f"the reference is a function of points that returns metrics (p, d, d), and {reference!r} "
                         "was given.")


def _reference_at(reference: Reference, x: Any, shape: tuple[int, ...]) -> np.ndarray:
    """ĝ at points, (p, d, d), or (1, d, d) where it is the same at all."""
    found = _symmetric(reference(x), "the reference")
    if found.shape not in (shape, (1, *shape[1:])):
        raise ShapeError(f"the reference has the shape {found.shape} at points of which metrics have {shape}.")
    return found


def _symmetric(given: Any, what: str) -> np.ndarray:
    found = real_array(given, what)
    if found.ndim != 3 or found.shape[1] != found.shape[2] or not found.shape[1]:
        raise ShapeError(f"{what} must be matrices (p, d, d), and their shape is {found.shape}.")
    if not np.allclose(found, np.swapaxes(found, 1, 2), rtol=1e-10, atol=1e-12 * np.abs(found).max(initial=0.0)):
        raise ShapeError(f"{what} must be symmetric, and they differ from their transposes.")
    return found
