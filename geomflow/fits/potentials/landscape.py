"""The loss over a space of potentials, on weighted points: v, its energy, gradient and Gauss–Newton Hessian."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, final

import numpy as np

from geomflow.core.memory import require
from geomflow.core.threads import each, one_thread_products, slices
from geomflow.fits.loss import Loss
from geomflow.fits.phi.objective import Objective
from geomflow.fits.potentials.span import PotentialSpan

if TYPE_CHECKING:
    from geomflow.variety.points import Points

_BLOCK, _TILE = 1024, 384


@final
@dataclass(frozen=True, eq=False)
class View:
    """One place in the landscape: v (P,), its derivative by the packed ∂∂̄φ (P, n²), E, σ, the least pivot of 1 + H."""

    v: np.ndarray
    dual: np.ndarray
    energy: float
    sigma: float
    least: float


@final
@dataclass(frozen=True, eq=False)
class Landscape:
    """E(a) = Σ_p w_p F(v_p), v = det(g_FS + ∂∂̄φ_a)/(κ|Ω|²) with mean one on these points, eqs. (B.11) and (B.12)."""

    span: PotentialSpan
    objective: Objective
    loss: Loss
    place: Any

    @classmethod
    def of(cls, span: PotentialSpan, points: Points, loss: Loss) -> Landscape:
        """At points of a variety."""
        objective = Objective.of(points, span.kahler_class)
        return cls(span, objective, loss, span.place(objective.inputs))

    @property
    def count(self) -> int:
        """The number of points."""
        return len(self.objective.weights)

    def look(self, coefficients: np.ndarray) -> View:
        """What is there at these coefficients."""
        volume, dual, least = self.objective.volume(self.span.combine(self.place, coefficients)[1])
        weights = self.objective.weights
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            kappa = weights @ volume
            v = volume / kappa
            energy = float(weights @ self.loss.evaluate(v)[0])
            return View(v, dual / kappa, energy, float(weights @ np.abs(v - 1)), float(least.min()))

    def gradient(self, view: View) -> np.ndarray:
        """∂E/∂a, (size,): Σ w F' ∂v, where ∂v keeps the mean of v at one."""
        weights = self.objective.weights
        slope = weights * self.loss.evaluate(view.v)[1]
        heights = (slope - weights * (slope @ view.v))[:, None] * view.dual
        parts = (self._rows(block, heights).sum(axis=0) for block in slices(self.count, _BLOCK))
        return np.sum(list(parts), axis=0)

    def linearise(self, view: View) -> tuple[np.ndarray, np.ndarray]:
        """The Gauss–Newton Hessian Σ w F'' ∂v ∂vᵀ (size, size), and the gradient."""
        size, weights = self.span.size, self.objective.weights
        require(16 * size**2 + 32 * _BLOCK * size, f"a Hessian of {size} functions", "take fewer centres")
        _, first, second = self.loss.evaluate(view.v)
        mass = weights * second
        columns = np.stack([weights, mass * view.v, weights * first])
        hessian, sums = np.zeros((size, size)), np.zeros((3, size))
        for block in slices(self.count, _BLOCK):
            rows = self._rows(block, view.dual)
            sums += columns[:, block] @ rows
            rows *= np.sqrt(mass[block])[:, None]
            _add_gram(rows, hessian)
        mean, mixed, gradient = sums
        hessian = np.triu(hessian) + np.triu(hessian, 1).T
        hessian -= np.outer(mixed, mean) + np.outer(mean, mixed) - (mass @ view.v**2) * np.outer(mean, mean)
        return hessian, gradient - (weights * first @ view.v) * mean

    def _rows(self, block: slice, dual: np.ndarray) -> np.ndarray:
        return self.span.rows(self.span.take(self.place, block), dual[block])


def _add_gram(rows: np.ndarray, out: np.ndarray) -> None:
    """Add rowsᵀ rows to the upper triangle, in tiles on all threads; the same bits whatever their number."""
    parts = slices(rows.shape[1], _TILE)

    def work(tile: tuple[slice, slice]) -> None:
        out[tile] += rows[:, tile[0]].T @ rows[:, tile[1]]

    with one_thread_products():
        each(work, [(a, b) for i, a in enumerate(parts) for b in parts[i:]])
