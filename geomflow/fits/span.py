"""Metrics that are linear in their coefficients, and what is minimised over them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Generic, TypeVar, final

import numpy as np

from geomflow.core.hermitian import orthonormal
from geomflow.core.memory import require
from geomflow.core.report import FitReport
from geomflow.core.threads import slices
from geomflow.fits.linear import add_gram, gram, solved, symmetric
from geomflow.fits.objective import Evaluation, Loss, Objective
from geomflow.variety import HermitianMetric, Hypersurface, Points

if TYPE_CHECKING:
    from geomflow.fits.points import WeightedPoints

_BLOCK = 1024

#: The metrics of a span.
Spanned = TypeVar("Spanned", bound="HermitianMetric", covariant=True)


class LinearSpan(ABC, Generic[Spanned]):
    """The metrics g_FS + M with M = Σ_α a_α M_α on a variety, α = 1..size, with the norm |a|.

    a = 0 is Fubini–Study. Descent of a loss in the coefficients is its flow in the kernel Θ = J Jᵀ, J = ∂g/∂a: for the
    tangent features ∂g/∂θ_α of a network at frozen parameters that is its metric-NTK (Halverson and Ruehle, eq. (2.7)).

    Hermitian (n, n) matrices are packed as n² real numbers, see `geomflow.core.hermitian`, in the frame that `weighted`
    uses. A span defines `size`, `weighted`, `change`, `rows` and `result`; `change` and `rows` work in blocks, and
    neither holds more than (P, size) numbers.
    """

    variety: Hypersurface

    @property
    @abstractmethod
    def size(self) -> int:
        """The number of coefficients."""

    @abstractmethod
    def weighted(self, points: Points) -> WeightedPoints:
        """Points with what v needs there.

        Parameters
        ----------
        points : Points
            Of the variety, else `InputError`.
        """

    def prepared(self, inputs: Any) -> Any:
        """What `change` and `rows` take: the inputs, or what is worth computing only once for them, with slices.

        Parameters
        ----------
        inputs : object
            Those of `weighted`.
        """
        return inputs

    @abstractmethod
    def change(self, prepared: Any, coefficients: np.ndarray) -> np.ndarray:
        """The packed M of some coefficients, (P, n²).

        Parameters
        ----------
        prepared : object
            From `prepared`, at P points.
        coefficients : (size,) array
            a.
        """

    @abstractmethod
    def rows(self, prepared: Any, dual: np.ndarray) -> np.ndarray:
        """Σ_c dual[p, c] (packed M_α)[p, c], (P, size): the derivative by a_α of what has derivative `dual` by M.

        Parameters
        ----------
        prepared : object
            From `prepared`, at P points.
        dual : (P, n²) array
            Derivatives by the packed M.
        """

    @abstractmethod
    def result(self, coefficients: np.ndarray, report: FitReport | None = None) -> Spanned:
        """The metric g_FS + M of some coefficients.

        Parameters
        ----------
        coefficients : (size,) array
            a.
        report : FitReport, optional
            How the fit that made them went.
        """

    def jacobian(self, points: Points) -> np.ndarray:
        """J (P n², size) in an orthonormal basis of Hermitian matrices, point by point: tr(M M') = Σ (J a)(J a').

        Off-diagonal entries carry a factor √2.

        Parameters
        ----------
        points : Points
            P of them; the bytes of J are required first (`MemoryLimitError`).
        """
        prepared, n = self.prepared(self.weighted(points).inputs), points.variety.dim
        require(9.0 * len(points) * n * n * self.size, f"the Jacobian of the metric at {len(points)} points by "
                f"{self.size} parameters", "take fewer points or a narrower network")
        out = np.empty((len(points), n * n, self.size))
        for c, scale in enumerate(orthonormal(n)):
            dual = np.zeros((len(points), n * n))
            dual[:, c] = scale
            out[:, c] = self.rows(prepared, dual)
        return out.reshape(-1, self.size)

    def kernel(self, points: Points) -> np.ndarray:
        """Θ = J Jᵀ at pairs of (point, component), (P n², P n²): the kernel of the metric.

        Parameters
        ----------
        points : Points
            P of them.
        """
        jacobian = self.jacobian(points)
        return jacobian @ jacobian.T


@final
@dataclass(frozen=True, eq=False)
class SpanObjective(Objective):
    """E(a) = Σ_p w_p F(v_p), v = det(g_FS + M_a)/(κ|Ω|²) with mean one on these points, eqs. (B.11) and (B.12).

    Evaluations hold the derivative of v by the packed M, (P, n²), with κ held fixed, and M itself.

    Parameters
    ----------
    span : LinearSpan
        The metrics.
    points : WeightedPoints
        `span.weighted(...)` of some points.
    weights : (P,) array
        w, those of dμ_Ω, of sum one.
    loss : Loss
        F.
    prepared : object
        `span.prepared(points.inputs)`.
    """

    span: LinearSpan[Any]
    points: WeightedPoints
    weights: np.ndarray
    loss: Loss
    prepared: Any

    @classmethod
    def of(cls, span: LinearSpan[Any], points: Points, loss: Loss) -> SpanObjective:
        """At points of a variety."""
        weighted = span.weighted(points)
        return cls(span, weighted, weighted.weights, loss, span.prepared(weighted.inputs))

    @property
    def count(self) -> int:
        """The number of points."""
        return len(self.weights)

    def evaluate(self, coefficients: np.ndarray) -> Evaluation:
        """What is there at these coefficients."""
        change = self.span.change(self.prepared, coefficients)
        volume, dual, least = self.points.volume(change)
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            return self.seen(volume, float(least.min()), (dual / (self.weights @ volume), change))

    def gradient(self, evaluation: Evaluation) -> np.ndarray:
        """∂E/∂a, (size,): Σ w F' ∂v, where ∂v keeps the mean of v at one."""
        weights = self.weights
        slope = weights * self.loss.evaluate(evaluation.v)[1]
        heights = (slope - weights * (slope @ evaluation.v))[:, None] * evaluation.at[0]
        return np.sum([rows.sum(axis=0) for _, rows in self._blocks(heights)], axis=0)

    def linearise(self, evaluation: Evaluation) -> tuple[np.ndarray, np.ndarray]:
        """The Gauss–Newton Hessian Σ w F'' ∂v ∂vᵀ (size, size), and the gradient, summed in blocks of points."""
        size, weights = self.span.size, self.weights
        require(16 * size**2 + 32 * _BLOCK * size, f"a Hessian of {size} functions",
                "take fewer centres or a narrower network")
        _, first, second = self.loss.evaluate(evaluation.v)
        mass = weights * second
        columns = np.stack([weights, mass * evaluation.v, weights * first])
        hessian, sums = np.zeros((size, size)), np.zeros((3, size))
        for block, rows in self._blocks(evaluation.at[0]):
            sums += columns[:, block] @ rows
            rows *= np.sqrt(mass[block])[:, None]
            add_gram(rows.T, hessian)
        mean, mixed, gradient = sums
        hessian = symmetric(hessian)
        hessian -= np.outer(mixed, mean) + np.outer(mean, mixed) - (mass @ evaluation.v**2) * np.outer(mean, mean)
        return hessian, gradient - (weights * first @ evaluation.v) * mean

    def ridge_move(self, evaluation: Evaluation, here: np.ndarray, ridge: float) -> np.ndarray:
        """The a' − a of a full Gauss–Newton step to the least E + ½ ridge |a'|²; NaN where features are not finite.

        With A = √(wF'') ∂v and r = √(w/F'') F' at a it goes to

            a' = argmin |A (a' − a) + r|² + ridge |a'|² = Aᵀ(AAᵀ + ridge)⁻¹(A a − r) = (AᵀA + ridge)⁻¹Aᵀ(A a − r).

        Where there are no more coefficients than points the Hessian AᵀA is summed in blocks, else the kernel AAᵀ of the
        points is formed, whose bytes are required first (`MemoryLimitError`).
        """
        if self.span.size <= self.count:
            hessian, gradient = self.linearise(evaluation)
            return -solved(hessian, ridge, gradient + ridge * here)
        (dual, change), v, weights = evaluation.at, evaluation.v, self.weights
        shape = self.count, self.span.size
        require(8.0 * (1.5 * shape[0] * shape[1] + 2 * shape[0] ** 2),
                f"the kernel of {shape[0]} points by {shape[1]} features", "take fewer points or features")
        _, first, second = self.loss.evaluate(v)
        root, along = np.sqrt(weights * second), np.sum(dual * change, axis=1)
        target = root * (along - v * (weights @ along)) - weights * first / root
        rows = self.span.rows(self.prepared, dual)
        rows -= v[:, None] * (weights @ rows)
        rows *= root[:, None]
        return solved(gram(rows), ridge, target) @ rows - here

    @cached_property
    def scale(self) -> float:
        """tr Σ w ∂v ∂vᵀ at Fubini–Study, κ held fixed: a unit of ridges."""
        dual = self.evaluate(np.zeros(self.span.size)).at[0]
        return sum(float(self.weights[block] @ np.sum(rows**2, axis=1)) for block, rows in self._blocks(dual))

    def _blocks(self, dual: np.ndarray) -> Iterator[tuple[slice, np.ndarray]]:
        """Blocks of points with the derivatives by the coefficients there."""
        for block in slices(self.count, _BLOCK):
            yield block, self.span.rows(self.prepared[block], dual[block])
