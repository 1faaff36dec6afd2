"""Horizontal lifts: tangents of a variety as vectors orthogonal to the unit vectors that stand for its points.

A function s_m s̄_n/Π|z_i|^{2k_i} of two sections has at unit vectors z, along the lifts e_a, the derivatives

    ∂_a f = (e_a s_m) s̄_n,  ∂_b̄ f = s_m conj(e_b s_n),
    ∂_a∂_b̄ f = (e_a s_m) conj(e_b s_n) − Σ_i k_i ⟨e_a, e_b⟩_i s_m s̄_n

with e_a s = Σ_j e_a^j ∂s/∂z_j and ⟨e_a, e_b⟩_i the product in factor i.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, final

import numpy as np

from geomflow.core.errors import NotFiniteError
from geomflow.variety.ambient import Ambient
from geomflow.variety.jets import partial_index
from geomflow.variety.metric import HermitianMetric
from geomflow.variety.routines.forms import section_jets

if TYPE_CHECKING:
    from geomflow.variety.points import Points


def horizontal(points: Points) -> tuple[np.ndarray, np.ndarray]:
    """Unit vectors z (P, N) in each factor, and the horizontal lifts (P, n, N) of the local coordinates' ∂_a."""
    ambient = points.variety.ambient
    norms = np.sqrt(ambient.norms(points.coordinates))[:, ambient.factor_of]
    z = points.coordinates / norms
    lifts = points.pullbacks / norms[:, None, :]
    for block in ambient.blocks:
        along = lifts[:, :, block] @ z[:, block, None].conj()
        lifts[:, :, block] -= along * z[:, None, block]
    return z, lifts


@final
@dataclass(frozen=True, eq=False)
class Lifts:
    """Points of a product of projective spaces, as unit vectors, with horizontal lifts of a frame of tangents.

    Parameters
    ----------
    ambient : Ambient
        The product.
    z : (P, N) complex array
        Unit vectors in each factor.
    frame : (P, n, N) complex array
        e_a.
    """

    ambient: Ambient
    z: np.ndarray
    frame: np.ndarray

    @classmethod
    def coordinate(cls, points: Points) -> Lifts:
        """Of the local coordinates' ∂_a.

        Parameters
        ----------
        points : Points
            P of them.
        """
        return cls(points.variety.ambient, *horizontal(points))

    @classmethod
    def orthonormal(cls, points: Points, metric: HermitianMetric) -> Lifts:
        """Of a frame with g(e_a, ē_b) = δ_ab. Raises `NotFiniteError` where g is not positive.

        Parameters
        ----------
        points : Points
            P of them.
        metric : HermitianMetric
            g.
        """
        points = metric.in_chart(points)
        z, lifts = horizontal(points)
        try:
            lower = np.linalg.cholesky(metric.at(points))
        except np.linalg.LinAlgError:
            raise NotFiniteError("the metric is not positive at some of the points; `gv.quality` tells where") from None
        return cls(points.variety.ambient, z, np.linalg.solve(lower, lifts))

    def __len__(self) -> int:
        return len(self.z)

    @property
    def n(self) -> int:
        """The number of vectors of the frame."""
        return int(self.frame.shape[1])

    def __getitem__(self, index: slice | np.ndarray) -> Lifts:
        """Those at some of the points."""
        return Lifts(self.ambient, self.z[index], self.frame[index])

    def sections(self, exponents: np.ndarray) -> np.ndarray:
        """The monomials s and e_a s, (1 + n, M, P).

        Parameters
        ----------
        exponents : (M, N) array of int
            The monomials.
        """
        out = np.empty((len(self), 1 + self.n, len(exponents)), complex)
        section_jets(self.z, self.rows, partial_index(self.z.shape[1], 1), exponents, out)
        return np.ascontiguousarray(np.moveaxis(out, 0, 2))

    @property
    def rows(self) -> np.ndarray:
        """The frame of values and first derivatives that compiled jets take, (P, 1 + n, 1 + N)."""
        frame = np.zeros((len(self), 1 + self.n, 1 + self.z.shape[1]), complex)
        frame[:, 0, 0], frame[:, 1:, 1:] = 1, self.frame
        return frame

    def polarisation(self, degrees: Sequence[int]) -> np.ndarray:
        """Σ_i k_i ⟨e_a, e_b⟩_i, (P, n, n).

        Parameters
        ----------
        degrees : sequence of int
            The k_i.
        """
        weighted = self.frame * np.asarray(degrees, dtype=float)[self.ambient.factor_of]
        result: np.ndarray = weighted @ np.swapaxes(self.frame.conj(), 1, 2)
        return result
