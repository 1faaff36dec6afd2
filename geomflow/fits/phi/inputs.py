"""Inputs of homogeneous degree zero: functions on the whole variety, with exact derivatives along its tangents."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, final

import numpy as np

from geomflow.fits.phi import routines

if TYPE_CHECKING:
    from geomflow.variety.ambient import Ambient
    from geomflow.variety.points import Points


def input_count(ambient: Ambient) -> int:
    """Σ (n_i + 1)²: 25 on P^4."""
    return sum((n + 1) ** 2 for n in ambient.dims)


def normalisation(ambient: Ambient) -> tuple[np.ndarray, np.ndarray]:
    """(centre, scale) of every input: mean zero and variance one over each projective space (not over the variety).

    Over P^{N−1} the |z_i|² have mean 1/N and variance (N−1)/(N²(N+1)), Re and Im z_i z̄_j variance 1/(2N(N+1)).
    """
    centre, scale = [], []
    for size in (n + 1 for n in ambient.dims):
        diagonal, beside = size * np.sqrt((size + 1) / (size - 1)), np.sqrt(2.0 * size * (size + 1))
        for i in range(size):
            later = 2 * (size - 1 - i)
            centre += [1 / size] + [0.0] * later
            scale += [diagonal] + [beside] * later
    return np.array(centre), np.array(scale)


@final
@dataclass(frozen=True, eq=False)
class ProjectiveInputs:
    """Re and Im of z_i z̄_j/|z|² in each factor, i <= j, in a frame that is orthonormal for Fubini–Study.

    `z` (P, N): unit vectors in each factor; `frame` (P, n, N): horizontal lifts e_a of the frame; `lower` (P, n, n):
    the Cholesky factor of g_FS in local coordinates, so that a matrix M in the frame is L M L† there.
    """

    ambient: Ambient
    z: np.ndarray
    frame: np.ndarray
    lower: np.ndarray
    curved = True

    @classmethod
    def of(cls, points: Points, kahler_class: tuple[float, ...]) -> ProjectiveInputs:
        """At points of a variety."""
        ambient = points.variety.ambient
        norms = np.sqrt(ambient.norms(points.coordinates))[:, ambient.factor_of]
        z = points.coordinates / norms
        lifts = points.pullbacks / norms[:, None, :]
        for block in ambient.blocks:
            along = lifts[:, :, block] @ z[:, block, None].conj()
            lifts[:, :, block] -= along * z[:, None, block]
        weights = np.asarray(kahler_class)[ambient.factor_of]
        lower = np.linalg.cholesky((lifts * weights) @ np.swapaxes(lifts.conj(), 1, 2))
        return cls(ambient, z, np.ascontiguousarray(np.linalg.solve(lower, lifts)), lower)

    @property
    def count(self) -> int:
        """The number of points."""
        return len(self.z)

    @property
    def n(self) -> int:
        """The dimension of the variety."""
        return self.frame.shape[1]

    @property
    def width(self) -> int:
        """The number of inputs."""
        return input_count(self.ambient)

    @cached_property
    def _constants(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        bounds = np.array([0, *(block.stop for block in self.ambient.blocks)])
        return (bounds, *normalisation(self.ambient))

    def fill(self, block: slice, first: np.ndarray, second: np.ndarray) -> None:
        """The inputs of a block with their first and second derivatives; see `geomflow.networks.complex_hessian`."""
        routines.projective(self.z[block], self.frame[block], *self._constants, first, second)

    def take(self, index: np.ndarray) -> ProjectiveInputs:
        """The points of these numbers."""
        return ProjectiveInputs(self.ambient, self.z[index], self.frame[index], self.lower[index])

    def log_determinant(self) -> np.ndarray:
        """log det g_FS in local coordinates, (P,)."""
        return 2 * np.log(np.diagonal(self.lower, axis1=1, axis2=2).real).sum(axis=1)
