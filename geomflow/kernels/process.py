"""A linear problem of kernels on points, and the Gaussian process that training makes of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, final

import numpy as np

from geomflow.core.errors import InputError, ShapeError, warn
from geomflow.core.memory import require
from geomflow.core.notebook import Facts, InNotebook
from geomflow.core.numbers import generator, real_array, whole
from geomflow.core.threads import slices
from geomflow.kernels.filters import Filter, filter_of
from geomflow.kernels.kernel import Kernel
from geomflow.kernels.left_out import LeftOut, left_out
from geomflow.kernels.motions import FOR_EVER, SEEN, Function

_BATCH = 500
"""Points at a time whose variance is found."""


@final
@dataclass(frozen=True, eq=False)
class Problem:
    """Values y at points x, to be learned by a tangent kernel from a prior. ShapeError and InputError for bad ones.

    Parameters
    ----------
    tangent, covariance : Kernel
        Θ, and K before training.
    mean : callable
        The mean before training at points, (p, 1) or (p, c).
    x : (p, d) array or points
        Where.
    y : (p,) or (p, c) array
        What.
    weights : (p,) array, optional
        w ≥ 0; ones unless given.
    """

    tangent: Kernel
    covariance: Kernel
    mean: Callable[[Any], np.ndarray]
    x: Any
    y: np.ndarray
    weights: Any = None

    def __post_init__(self) -> None:
        count = len(self.tangent.read(self.x))
        y = real_array(self.y, "what is learned")
        if not count or y.ndim not in (1, 2) or len(y) != count:
            raise ShapeError(f"there are {count} points to learn from, and what is learned has the shape {y.shape}: "
                             "one row for each point is needed, and at least one.")
        w = np.ones(count) if self.weights is None else real_array(self.weights, "weights")
        if w.shape != (count,):
            raise ShapeError(f"there are {count} points, and weights of the shape {w.shape}: give one for each.")
        if not ((w >= 0) & np.isfinite(w)).all():
            worst = int(np.argmin(np.where(np.isfinite(w), w, -np.inf)))
            raise InputError(f"weights are finite and not negative, and that of point {worst} is {w[worst]:g}.")
        if not np.isfinite(y).all():
            row = int(np.argmin(np.isfinite(y).reshape(count, -1).all(axis=1)))
            raise InputError(f"what is learned at point {row} is {y[row]}: leave out what is not known.")
        object.__setattr__(self, "y", y)
        object.__setattr__(self, "weights", w)

    @property
    def roots(self) -> np.ndarray:
        """√w, (p,)."""
        return np.sqrt(self.weights)

    @cached_property
    def filter(self) -> Filter:
        """Functions of S = √w Θ √w."""
        return filter_of(self.tangent, self.x, self.roots)

    @cached_property
    def residual(self) -> np.ndarray:
        """What the mean before training lacks, (p, c)."""
        columns, mean = self.y.reshape(len(self.y), -1), self.mean(self.x)
        if mean.shape[1] not in (1, columns.shape[1]):
            raise ShapeError(f"{columns.shape[1]} components are learned, and the mean before training has "
                             f"{mean.shape[1]}.")
        return columns - mean

    @cached_property
    def prior(self) -> np.ndarray:
        """K(X, X)."""
        require(8.0 * len(self.y) ** 2, f"the covariance of {len(self.y):,} points")
        return self.covariance.matrix(self.x)


@final
@dataclass(frozen=True, eq=False)
class GaussianProcess(InNotebook):
    """What an ensemble has become: f_t = m + f_0 − m(…) with A(x) = Θ(x, X) √w g(S) √w of `Regression.at`:

        mean        m(x) + A(x) (Y − m(X)),
        covariance  K(x, x') + A(x) K(X, X) A(x')ᵀ − A(x) K(X, x') − K(x, X) A(x')ᵀ,

    the same for each component. Made by `Regression.at`, `.after` and `.posterior`.

    Parameters
    ----------
    problem : Problem
        What was learned.
    function : Function
        g of rates.
    noise : float
        ρ, where the values had errors of variance ρ/w.
    """

    problem: Problem
    function: Function
    noise: float = 0.0

    def mean(self, x: Any) -> np.ndarray:
        """The mean over networks, (q,) or (q, c) as the values that were learned.

        Parameters
        ----------
        x : (q, d) array or points
            Where.
        """
        problem = self.problem
        found = problem.mean(x) + problem.tangent.apply(x, problem.x, self._coefficients)
        return found[:, 0] if problem.y.ndim == 1 else found

    def covariance(self, x: Any, y: Any = None, other: GaussianProcess | None = None) -> np.ndarray:
        """The covariance of a component at points x and y, (q, r).

        Parameters
        ----------
        x : (q, d) array or points
            Where.
        y : (r, d) array or points, optional
            The other points; x unless given.
        other : GaussianProcess, optional
            The same networks at another time: then f_t(x) with f_s(y), t this and s the other.
        """
        other, y = self if other is None else other, x if y is None else y
        if not isinstance(other, GaussianProcess) or other.problem is not self.problem:
            raise InputError("two times of one regression have a covariance: take both from the same `regress(...)`.")
        kernel, points = self.problem.covariance, self.problem.x
        a, b = self._action(x), other._action(y)
        found = kernel.matrix(x, y) - a @ kernel.matrix(y, points).T - kernel.matrix(x, points) @ b.T
        found += a @ self.problem.prior @ b.T
        return found + (a * self._errors) @ b.T if self.noise else found

    def variance(self, x: Any) -> np.ndarray:
        """The variance of a component at each point, (q,); not below zero.

        Parameters
        ----------
        x : (q, d) array or points
            Where.
        """
        kernel, parts = self.problem.covariance, [np.zeros(0)]
        for rows in slices(len(kernel.read(x)), _BATCH):
            a = self._action(x[rows])
            excess = a @ self.problem.prior + a * self._errors - 2 * kernel.matrix(x[rows], self.problem.x)
            parts.append(kernel.diagonal(x[rows]) + np.einsum("qp,qp->q", excess, a))
        return np.maximum(np.concatenate(parts), 0.0)

    def sample(self, x: Any, count: int, seed: int | np.random.Generator) -> np.ndarray:
        """Networks drawn, at points: (count, q) or (count, q, c).

        Parameters
        ----------
        x : (q, d) array or points
            Where.
        count : int
            How many.
        seed : int or Generator
            Of the draw.
        """
        mean, number = self.mean(x), whole(count, "the number of samples", 1)
        require(16.0 * number * mean.size, f"{number:,} samples at {len(mean):,} points", "draw fewer at a time")
        values, vectors = np.linalg.eigh(self.covariance(x))
        root = vectors * np.sqrt(np.maximum(values, 0.0))
        shape = (number, *mean.shape)
        normal = generator(seed).standard_normal((number, len(root), int(np.prod(mean.shape[1:]))))
        return np.asarray(mean + np.einsum("qp,npc->nqc", root, normal).reshape(shape))

    def left_out(self, together: int = 1) -> LeftOut:
        """Each value beside what networks predict that learned all others, for ever: in closed form, no refits.

        Raises InputError at finite times, and where the kernel is singular on the points.

        Parameters
        ----------
        together : int
            So many values in a row are left out at once: those that no new point comes without.
        """
        return left_out(self.problem, self.function, self.noise, together)

    def cross_calibrated(self, together: int = 1) -> GaussianProcess:
        """The same for networks of the amplitude at which `left_out` has pulls of width one.

        K → α²K, Θ → α²Θ and ρ → α²ρ with α the width of the pulls as they are: means stay. Values at new points, drawn
        as these were, are predicted as those left out are, from one point more: whatever the kernel, their pulls have
        width one up to sampling. Where the points are a regular grid error bars between them come out too large, since
        a value that is left out leaves a hole.

        Parameters
        ----------
        together : int
            As for `left_out`.
        """
        factor, of = self.left_out(together).width ** 2, self.problem
        if not factor > 0:
            raise InputError("the values are those of the mean before training: any amplitude is too large for them.")
        scaled = replace(of, tangent=factor * of.tangent, covariance=factor * of.covariance)
        return GaussianProcess(scaled, replace(self.function, ridge=factor * self.function.ridge), factor * self.noise)

    @cached_property
    def _coefficients(self) -> np.ndarray:
        """√w g(S) √w (Y − m(X)), (p, c)."""
        problem, roots = self.problem, self.problem.roots[:, None]
        found = problem.filter.apply(self.function, roots * problem.residual)
        if self.function == FOR_EVER:
            _warn_of_unlearned(*problem.filter.left(roots * problem.residual, found))
        return np.asarray(roots * found)

    def _action(self, x: Any) -> np.ndarray:
        """A(x), (q, p)."""
        roots = self.problem.roots[:, None]
        columns = roots * self.problem.tangent.matrix(x, self.problem.x).T
        return np.asarray((roots * self.problem.filter.apply(self.function, columns)).T)

    @property
    def _errors(self) -> np.ndarray:
        """The variances of errors of the values, (p,); where nothing was weighed nothing was learned."""
        weights = self.problem.weights
        return np.where(weights > 0, self.noise / np.where(weights > 0, weights, 1.0), 0.0)

    def __facts__(self) -> Facts:
        yield "learned from", f"{len(self.problem.y):,} points"
        yield "components", self.problem.residual.shape[1]
        yield "tangent kernel", self.problem.tangent
        yield "covariance before training", self.problem.covariance


def _warn_of_unlearned(share: float, count: int | None) -> None:
    """Where values lie in modes that are never learned."""
    if share > SEEN:
        modes = "some modes" if count is None else f"{count} {'mode' if count == 1 else 'modes'}"
        warn(f"{share:.2g} of the length of what is learned lies in {modes} that training never changes, of rates zero "
             "to rounding: values differ where a point comes twice, or networks have too few features for these. "
             "The rest is fitted by least squares; `unlearned` of the regression counts the modes. Take a ridge or a "
             "kernel with more features, or leave points out.")
