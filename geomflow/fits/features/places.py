"""Points in one coordinate patch as a network of metric components sees them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, final

import numpy as np

from geomflow.core.errors import InputError
from geomflow.core.hermitian import pack
from geomflow.variety.fubini_study import FubiniStudy
from geomflow.variety.measures import normalised
from geomflow.variety.routines import hermitian

if TYPE_CHECKING:
    from geomflow.variety.points import Points


def patch_of(points: Points) -> tuple[int, ...]:
    """The patch (one coordinate for each factor) and the eliminated coordinate that all points have.

    Raises `InputError` where they have several: components of a metric are not functions on the variety.
    """
    kinds = np.unique(np.column_stack([points.patch, points.elim]), axis=0)
    if len(kinds) != 1:
        raise InputError(
            f"the {len(points)} points are in {len(kinds)} coordinate systems, and components of a metric are "
            "functions in one only: take them by sample_patch(variety, n, seed, patch, elim)"
        )
    return tuple(int(k) for k in kinds[0])


def real_coordinates(points: Points) -> np.ndarray:
    """Re and Im of the homogeneous coordinates, (P, 2N): the inputs of section 3 of the paper."""
    return np.concatenate([points.coordinates.real, points.coordinates.imag], axis=1)


@final
@dataclass(frozen=True, eq=False)
class ComponentPlaces:
    """Points in one patch with everything that v = det g/(κ|Ω|²) of g = g_FS + M needs, M packed as n² real numbers.

    `inputs` (P, 2N); `offset` (P, n²): g_FS − 1, packed; `ratio` (P,): 1/|Ω|² up to one factor; `weights` (P,) of
    sum one. Everything is in the local coordinates of the patch.
    """

    inputs: np.ndarray
    offset: np.ndarray
    ratio: np.ndarray
    weights: np.ndarray
    n: int

    @classmethod
    def of(cls, points: Points) -> ComponentPlaces:
        """At points of one patch; raises `InputError` for others."""
        patch_of(points)
        metric, n = FubiniStudy(points.variety).at(points), points.variety.dim
        level = -np.log(points.omega2)
        ratio = np.exp(level - level.mean())
        weights = points.weights / points.weights.sum()
        return cls(real_coordinates(points), pack(metric - np.eye(n)), ratio, weights, n)

    def __len__(self) -> int:
        return len(self.weights)

    def take(self, index: np.ndarray | slice) -> ComponentPlaces:
        """The points of these numbers, their weights of sum one."""
        weights = self.weights[index]
        parts = self.inputs[index], self.offset[index], self.ratio[index], weights / weights.sum()
        return ComponentPlaces(*parts, self.n)

    def volume(self, change: np.ndarray, block: slice = slice(None)) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """ratio · det(g_FS + M) = κ v, its derivative by the packed M, the least pivot of g (<= 0: not positive)."""
        whole = self.offset[block] + change
        value, dual, least = np.empty(len(whole)), np.empty(whole.shape), np.empty(len(whole))
        hermitian.determinants(whole, self.n, value, dual, least)
        ratio = self.ratio[block]
        with np.errstate(over="ignore", invalid="ignore"):
            return value * ratio, dual * ratio[:, None], least

    def quality(self, change: np.ndarray) -> tuple[float, float, float]:
        """κ, σ with v of mean one on these points, and the least pivot of g."""
        volume, _, least = self.volume(change)
        return *normalised(volume, self.weights)[1:], float(least.min())
