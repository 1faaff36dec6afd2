"""Weighted points with v and its derivatives by ∂∂̄φ, on which potentials are fitted."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, final

import numpy as np

from geomflow.fits.phi.inputs import ProjectiveInputs
from geomflow.variety.measures import normalised
from geomflow.variety.routines import hermitian

if TYPE_CHECKING:
    from geomflow.variety.points import Points


@final
@dataclass(frozen=True, eq=False)
class FramePoints:
    """Points with everything that v needs: v = ratio · det(1 + H) / κ, with H = ∂∂̄φ in the orthonormal frame of g_FS.

    `ratio` (P,) is det g_FS/|Ω|² up to one factor; `weights` (P,) sum to one.
    """

    inputs: ProjectiveInputs
    ratio: np.ndarray
    weights: np.ndarray

    @classmethod
    def of(cls, points: Points, kahler_class: tuple[float, ...]) -> FramePoints:
        """At points of a variety."""
        inputs = ProjectiveInputs.of(points, kahler_class)
        level = inputs.log_determinant() - np.log(points.omega2)
        return cls(inputs, np.exp(level - level.mean()), points.weights / points.weights.sum())

    @cached_property
    def _cumulated(self) -> np.ndarray:
        total = np.cumsum(self.weights)
        return total / total[-1]

    def draw(self, count: int, key: list[int]) -> FramePoints:
        """`count` points drawn from dμ_Ω (with probabilities `weights`), the same for the same key."""
        chances = np.random.default_rng(key).random(count)
        index = np.searchsorted(self._cumulated, chances, side="right")
        return FramePoints(self.inputs.take(index), self.ratio[index], np.full(count, 1 / count))

    def take(self, index: np.ndarray) -> FramePoints:
        """The points of these numbers, their weights of sum one."""
        weights = self.weights[index]
        return FramePoints(self.inputs.take(index), self.ratio[index], weights / weights.sum())

    def volume(self, hessian: np.ndarray, block: slice = slice(None)) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """ratio · det(1 + H) = κ v, its derivative by the packed H, the least pivot of 1 + H (<= 0: not positive)."""
        hessian = np.asarray(hessian, dtype=float)
        value, dual, least = np.empty(len(hessian)), np.empty(hessian.shape), np.empty(len(hessian))
        hermitian.determinants(hessian, self.inputs.n, value, dual, least)
        ratio = self.ratio[block]
        with np.errstate(over="ignore", invalid="ignore"):
            return value * ratio, dual * ratio[:, None], least

    def quality(self, hessian: np.ndarray) -> tuple[float, float, float]:
        """κ, σ with v of mean one on these points, and the least pivot of 1 + H."""
        volume, _, least = self.volume(hessian)
        return *normalised(volume, self.weights)[1:], float(least.min())
