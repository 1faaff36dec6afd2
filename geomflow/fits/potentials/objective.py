"""The loss over a space of potentials, on weighted points: v, its energy, gradient and Gauss–Newton Hessian."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, final

import numpy as np

from geomflow.core.memory import require
from geomflow.core.threads import slices
from geomflow.fits.linear import add_gram, symmetric
from geomflow.fits.loss import Loss
from geomflow.fits.objective import Objective, View
from geomflow.fits.phi.objective import FramePoints
from geomflow.fits.potentials.span import PotentialSpan

if TYPE_CHECKING:
    from geomflow.variety.points import Points

_BLOCK = 1024


@final
@dataclass(frozen=True, eq=False)
class PotentialObjective(Objective):
    """E(a) = Σ_p w_p F(v_p), v = det(g_FS + ∂∂̄φ_a)/(κ|Ω|²) with mean one on these points, eqs. (B.11) and (B.12).

    Views are taken from the derivative of v by the packed ∂∂̄φ, (P, n²), with κ held fixed.
    """

    span: PotentialSpan
    points: FramePoints
    loss: Loss
    place: Any

    @classmethod
    def of(cls, span: PotentialSpan, points: Points, loss: Loss) -> PotentialObjective:
        """At points of a variety."""
        framed = FramePoints.of(points, span.kahler_class)
        return cls(span, framed, loss, span.place(framed.inputs))

    @property
    def weights(self) -> np.ndarray:
        """Those of dμ_Ω, of sum one, (P,)."""
        return self.points.weights

    @property
    def count(self) -> int:
        """The number of points."""
        return len(self.weights)

    def look(self, coefficients: np.ndarray) -> View:
        """What is there at these coefficients."""
        volume, dual, least = self.points.volume(self.span.combine(self.place, coefficients)[1])
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            return self.seen(volume, float(least.min()), dual / (self.weights @ volume))

    def gradient(self, view: View) -> np.ndarray:
        """∂E/∂a, (size,): Σ w F' ∂v, where ∂v keeps the mean of v at one."""
        weights = self.weights
        slope = weights * self.loss.evaluate(view.v)[1]
        heights = (slope - weights * (slope @ view.v))[:, None] * view.at
        parts = (self._rows(block, heights).sum(axis=0) for block in slices(self.count, _BLOCK))
        return np.sum(list(parts), axis=0)

    def linearise(self, view: View) -> tuple[np.ndarray, np.ndarray]:
        """The Gauss–Newton Hessian Σ w F'' ∂v ∂vᵀ (size, size), and the gradient."""
        size, weights = self.span.size, self.weights
        require(16 * size**2 + 32 * _BLOCK * size, f"a Hessian of {size} functions", "take fewer centres")
        _, first, second = self.loss.evaluate(view.v)
        mass = weights * second
        columns = np.stack([weights, mass * view.v, weights * first])
        hessian, sums = np.zeros((size, size)), np.zeros((3, size))
        for block in slices(self.count, _BLOCK):
            rows = self._rows(block, view.at)
            sums += columns[:, block] @ rows
            rows *= np.sqrt(mass[block])[:, None]
            add_gram(rows.T, hessian)
        mean, mixed, gradient = sums
        hessian = symmetric(hessian)
        hessian -= np.outer(mixed, mean) + np.outer(mean, mixed) - (mass @ view.v**2) * np.outer(mean, mean)
        return hessian, gradient - (weights * first @ view.v) * mean

    def _rows(self, block: slice, dual: np.ndarray) -> np.ndarray:
        return self.span.rows(self.span.take(self.place, block), dual[block])
