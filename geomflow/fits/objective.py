"""What fits minimise: E(c) = Σ_p w_p F(v_p) on weighted points, v of mean one there, as a function of coefficients."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, final

import numpy as np

from geomflow.fits.loss import Loss
from geomflow.variety.measures import normalised

#: A goal that a line search lowers, of a view and its coefficients.
Goal = Callable[["View", np.ndarray], float]


@final
@dataclass(frozen=True, eq=False)
class View:
    """One place: v (P,) of mean one, E, σ, and `least`, positive where the metric is at all points.

    `least` is the least pivot of g over Fubini–Study where that is known, else infinite; `at` is what derivatives are
    taken from. Where there is no v all numbers are NaN.
    """

    v: np.ndarray
    energy: float
    sigma: float
    least: float
    at: Any


class Objective(ABC):
    """Coefficients to metrics on points: `look` says what is there. `weights` (P,) of sum one, `loss` F."""

    weights: np.ndarray
    loss: Loss

    @abstractmethod
    def look(self, coefficients: np.ndarray) -> View:
        """What is at these coefficients."""

    def seen(self, volume: np.ndarray, least: float, at: Any) -> View:
        """The view of a metric whose volume over |Ω|² is `volume` (P,), up to a factor."""
        v, _, sigma = normalised(volume, self.weights)
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            energy = self.weights @ self.loss.evaluate(v)[0]
        return View(v, float(energy), sigma, least, at)

    def seen_in_logarithms(self, log_volume: np.ndarray, at: Any) -> View:
        """As `seen`, from the logarithm of the volume, which is not finite where the metric is not positive."""
        if not np.all(np.isfinite(log_volume)):
            return View(np.full(len(log_volume), np.nan), np.nan, np.nan, -np.inf, at)
        return self.seen(np.exp(log_volume - log_volume.max()), np.inf, at)

    def residual(self, view: View) -> tuple[np.ndarray, np.ndarray]:
        """√(wF'') and r = √(w/F'') F': E ≈ const + ½ |√(wF'') δv + r|². F' is of mean zero, F'' bounded below."""
        _, first, second = self.loss.evaluate(view.v)
        scale = np.sqrt(self.weights * np.maximum(second, 1e-3 * second.max()))
        return scale, self.weights * (first - self.weights @ first) / scale


def energy(view: View, coefficients: np.ndarray) -> float:
    """E, as a goal."""
    return view.energy


def shortened(
    objective: Objective, here: np.ndarray, start: float, move: np.ndarray, *, length: float = 1.0,
    goal: Goal = energy, halvings: int = 20, least: float = 0.0,
) -> tuple[float, np.ndarray, View] | None:
    """The first of length, length/2, … at which the goal is below `start` and the metric positive, and what is there.

    Pivots below `least` do not count as positive.
    """
    for _ in range(halvings if np.isfinite(move).all() else 0):
        tried = here + length * move
        view = objective.look(tried)
        if view.least > least and goal(view, tried) < start:
            return length, tried, view
        length /= 2
    return None
