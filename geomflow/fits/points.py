"""Points with their weights and all that v = det g/(κ|Ω|²) of a metric needs there."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, final

import numpy as np

from geomflow.core.errors import InputError
from geomflow.core.hermitian import pack
from geomflow.fits.projective import ProjectiveInputs
from geomflow.variety import FubiniStudy, Points
from geomflow.variety.measures import normalised
from geomflow.variety.routines import hermitian


@final
@dataclass(frozen=True, eq=False)
class WeightedPoints:
    """Points in whose frames g = g_FS + M, with M packed as n² real numbers: see `geomflow.core.hermitian`.

    Parameters
    ----------
    inputs : ProjectiveInputs or (P, 2N) array
        What functions on the points take.
    ratio : (P,) array
        What det g is multiplied by to give κ v, up to one factor.
    weights : (P,) array
        Those of dμ_Ω, of sum one.
    n : int
        The dimension of the variety.
    offset : (P, n²) array or None
        Packed g_FS − 1; None where the frames are orthonormal for g_FS.
    """

    inputs: Any
    ratio: np.ndarray
    weights: np.ndarray
    n: int
    offset: np.ndarray | None = None

    @classmethod
    def in_frames(cls, points: Points, kahler_class: tuple[float, ...]) -> WeightedPoints:
        """In frames that are orthonormal for g_FS of a class, in which ∂∂̄φ is M; inputs are `ProjectiveInputs`."""
        inputs = ProjectiveInputs.of(points, kahler_class)
        ratio = _ratio(inputs.log_determinant() - np.log(points.omega2))
        return cls(inputs, ratio, points.mass, inputs.n)

    @classmethod
    def in_patch(cls, points: Points) -> WeightedPoints:
        """In the coordinates of one patch, with real coordinates as inputs; raises `InputError` as `patch_of` does."""
        patch_of(points)
        metric, n = FubiniStudy(points.variety).at(points), points.variety.dim
        return cls(real_coordinates(points), _ratio(-np.log(points.omega2)), points.mass, n, pack(metric - np.eye(n)))

    def __len__(self) -> int:
        return len(self.weights)

    @cached_property
    def _cumulated(self) -> np.ndarray:
        total = np.cumsum(self.weights)
        return total / total[-1]

    def draw(self, count: int, key: list[int]) -> WeightedPoints:
        """`count` points drawn from dμ_Ω (with probabilities `weights`), the same for the same key."""
        chances = np.random.default_rng(key).random(count)
        index = np.searchsorted(self._cumulated, chances, side="right")
        offset = None if self.offset is None else self.offset[index]
        return WeightedPoints(self.inputs[index], self.ratio[index], np.full(count, 1 / count), self.n, offset)

    def volume(
        self, change: np.ndarray, block: slice | np.ndarray = slice(None)
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """κ v of g = g_FS + M at some of the points, its derivative by the packed M, the least pivot of g in the frame.

        Parameters
        ----------
        change : (P, n²) array
            The packed M at these points.
        block : slice or array of int
            Which points.

        Returns
        -------
        (P,), (P, n²) and (P,) arrays
            The pivot is not positive where g is not.
        """
        whole = np.asarray(change, dtype=float) if self.offset is None else self.offset[block] + change
        value, dual, least = np.empty(len(whole)), np.empty(whole.shape), np.empty(len(whole))
        hermitian.determinants(whole, self.n, value, dual, least)
        ratio = self.ratio[block]
        with np.errstate(over="ignore", invalid="ignore"):
            return value * ratio, dual * ratio[:, None], least

    def quality(self, change: np.ndarray) -> tuple[float, float, float]:
        """κ, σ with v of mean one on these points, and the least pivot of g."""
        volume, _, least = self.volume(change)
        _, kappa, sigma = normalised(volume, self.weights)
        return kappa, sigma, float(least.min())


def _ratio(level: np.ndarray) -> np.ndarray:
    """e^level over its geometric mean."""
    return np.asarray(np.exp(level - level.mean()))


def patch_of(points: Points) -> tuple[int, ...]:
    """The patch (one coordinate for each factor) and the eliminated coordinate that all points have.

    Raises `InputError` where they have several: components of a metric are not functions on the variety.
    """
    kinds = np.unique(np.column_stack([points.patch, points.elim]), axis=0)
    if len(kinds) != 1:
        raise InputError(
            f"the {len(points)} points lie in {len(kinds)} charts, coordinate systems of a patch and an eliminated "
            "coordinate, and components of a metric are functions in one only: take points of one, by "
            "gv.sample_patch(X, n, seed, patch, elim), or gv.in_patch(points, patch, elim)"
        )
    return tuple(int(k) for k in kinds[0])


def real_coordinates(points: Points) -> np.ndarray:
    """Re and Im of the homogeneous coordinates, (P, 2N): the inputs of section 3 of the paper."""
    return np.concatenate([points.coordinates.real, points.coordinates.imag], axis=1)
