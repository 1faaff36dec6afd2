"""Kernels K = f(t) of the squared overlap t = |p·q̄|²/(|p|²|q|²), the square of the cosine of the distance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from math import prod
from typing import Any, final

import numpy as np

from geomflow.core.archive import Archive
from geomflow.core.hermitian import multiplicity, orthonormal, pack, unpack
from geomflow.core.memory import require
from geomflow.core.threads import each, one_thread_products, slices
from geomflow.fits.phi_network import coordinate_rows, quadratics, times_power
from geomflow.fits.potential_span import KahlerKernel, PotentialSpan, independent, stored_factor, unwhitened, whitened
from geomflow.fits.profiles import Profile, composed_jets, profile_of, profile_record, require_profile
from geomflow.fits.projective import ProjectiveInputs
from geomflow.variety import Ambient, FubiniStudy, Hypersurface, Points
from geomflow.variety.sections import stored_class

_NUMBERS = 2**18


@final
@dataclass(frozen=True)
class OverlapKernel(KahlerKernel):
    """K(p, q) = f(t), t = |p·q̄|²/(|p|²|q|²); in a product of projective spaces t is the product over the factors.

    t is the overlap in the Segre embedding, so that `OverlapKernel(Power(k))` is the Bergman kernel of O(k, …, k). With
    unit vectors and horizontal e_a, w_a = e_a·q̄, the derivatives are those of a rank-one matrix and the metric:

        ∂_a∂_b̄ K = (f' + t f'') w_a w̄_b − t f' g_ab̄.

    Parameters
    ----------
    profile : Profile
        f.
    """

    profile: Profile

    def span(
        self, points: Points, kahler_class: Sequence[float] | None = None, tolerance: float = 1e-10
    ) -> OverlapSpan:
        reference = FubiniStudy(points.variety, kahler_class)
        z = unit_vectors(points)
        require(16 * len(z) ** 2, f"the Gram matrix of {len(z)} centres", "take fewer centres")
        features = projectors(segre(points.variety.ambient, z))
        gram = require_profile(self.profile, self.profile.derivatives(features @ features.T, 0)[0])
        chosen, lower = independent(gram, tolerance)
        centres = segre(points.variety.ambient, z[chosen])[:, None]
        return OverlapSpan(points.variety, reference.kahler_class, self.profile, centres, lower)


@final
@dataclass(frozen=True, eq=False)
class OverlapSpan(PotentialSpan, kind="OverlapSpan"):
    """Functions ψ = L⁻¹ (mean over m of f(t(·, c_m))) of overlaps with centres c.

    Parameters
    ----------
    variety : Hypersurface
        Where they are.
    kahler_class : tuple of float
        The t_i.
    profile : Profile
        f.
    centres : (M, m, N) complex array
        Unit vectors of the Segre embedding: m = 1 for a plain kernel, for an average over symmetries the m images of
        each centre.
    lower : (M, M) array
        L, the Cholesky factor of the Gram matrix of the centres.
    """

    variety: Hypersurface
    kahler_class: tuple[float, ...]
    profile: Profile
    centres: np.ndarray
    lower: np.ndarray

    @cached_property
    def _features(self) -> np.ndarray:
        return projectors(self.centres.reshape(-1, self.centres.shape[2]))

    @property
    def size(self) -> int:
        """The number of functions."""
        return len(self.centres)

    @property
    def images(self) -> int:
        """The number m of images of each centre."""
        return self.centres.shape[1]

    def combine(self, prepared: ProjectiveInputs, coefficients: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """φ (P,) and its packed ∂∂̄φ (P, n²)."""
        heights = np.repeat(unwhitened(self.lower, coefficients) / self.images, self.images)
        value, hessian = np.empty(prepared.count), np.empty((prepared.count, prepared.n**2))

        def work(block: slice) -> None:
            z, lifts = embedded(prepared, block)
            t = projectors(z) @ self._features.T
            f, first, second = self.profile.derivatives(t, 2)
            value[block], level = f @ heights, (first * t) @ heights
            summed = ((first + t * second) * heights) @ self._features
            form = unpack(summed / orthonormal(z.shape[1])).conj()
            gram = lifts @ np.swapaxes(lifts.conj(), 1, 2)
            hessian[block] = pack(lifts @ form @ np.swapaxes(lifts.conj(), 1, 2) - level[:, None, None] * gram)

        with one_thread_products():
            each(work, self._blocks(prepared.count))
        return value, hessian

    def rows(self, prepared: ProjectiveInputs, dual: np.ndarray) -> np.ndarray:
        """The derivatives by the coefficients, (P, size)."""
        out = np.empty((prepared.count, self.size))

        def work(block: slice) -> None:
            z, lifts = embedded(prepared, block)
            form = unpack(dual[block] / multiplicity(prepared.n))
            pulled = pack(np.swapaxes(lifts, 1, 2) @ form.conj() @ lifts.conj()) * orthonormal(z.shape[1])
            trace = np.einsum("pab,pai,pbi->p", form.conj(), lifts, lifts.conj()).real
            t = projectors(z) @ self._features.T
            _, first, second = self.profile.derivatives(t, 2)
            raw = (first + t * second) * (pulled @ self._features.T) - first * t * trace[:, None]
            out[block] = whitened(self.lower, raw.reshape(len(z), self.size, self.images).mean(axis=2))

        with one_thread_products():
            each(work, self._blocks(prepared.count))
        return out

    def jets(self, points: Points, coefficients: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Exact to the fourth derivative, by truncated power series."""
        centres = self.centres.reshape(-1, self.centres.shape[2])
        heights = np.repeat(unwhitened(self.lower, coefficients) / self.images, self.images, axis=0)
        return composed_jets(points, lambda part: overlap_series(part, centres), self.profile, heights)

    def every_jets(self, points: Points) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The jets of all functions, from one series at each point."""
        return self.jets(points, np.eye(self.size))

    def record(self) -> dict[str, Any]:
        """Class, profile, centres and whitening."""
        return {"kahler_class": np.array(self.kahler_class), "profile": profile_record(self.profile),
                "centres": self.centres, "lower": self.lower}

    @classmethod
    def from_record(cls, file: Archive, variety: Hypersurface) -> OverlapSpan:
        """The span of these."""
        lower = stored_factor(file)
        sections = prod(n + 1 for n in variety.ambient.dims)
        centres = file.numbers("centres", "c", len(lower), None, sections)
        return cls(variety, stored_class(file, variety), profile_of(file), centres, lower)

    def _blocks(self, count: int) -> list[slice]:
        return slices(count, max(16, _NUMBERS // len(self._features)))

    def __repr__(self) -> str:
        images = f", each the mean of {self.images} images" if self.images > 1 else ""
        return f"{self.size} functions f(t) with {self.profile}{images}"


def embedded(inputs: ProjectiveInputs, block: slice = slice(None)) -> tuple[np.ndarray, np.ndarray]:
    """Unit vectors (P, N) in the Segre embedding and horizontal lifts (P, n, N) of the frame."""
    z, lifts = inputs.z[block], inputs.frame[block]
    parts = inputs.ambient.blocks
    place, moves = z[:, parts[0]], lifts[:, :, parts[0]]
    for part in parts[1:]:
        own, count = z[:, part], len(z)
        first = moves[:, :, :, None] * own[:, None, None, :]
        second = place[:, None, :, None] * lifts[:, :, None, part]
        moves = (first + second).reshape(count, inputs.n, -1)
        place = (place[:, :, None] * own[:, None, :]).reshape(count, -1)
    return place, moves


def projectors(z: np.ndarray) -> np.ndarray:
    """z z† of unit vectors (P, N) in an orthonormal basis of Hermitian matrices, (P, N²): ⟨z z†, w w†⟩ = |z·w̄|²."""
    return pack(z[:, :, None] * z.conj()[:, None, :]) * orthonormal(z.shape[1])


def unit_vectors(points: Points) -> np.ndarray:
    """Coordinates of norm one in each factor, (P, N)."""
    ambient = points.variety.ambient
    return points.coordinates / np.sqrt(ambient.norms(points.coordinates))[:, ambient.factor_of]


def segre(ambient: Ambient, z: np.ndarray) -> np.ndarray:
    """The products of one coordinate of each factor, (..., N) to (..., Π (n_i + 1))."""
    place = z[..., ambient.blocks[0]]
    for part in ambient.blocks[1:]:
        place = (place[..., :, None] * z[..., None, part]).reshape(*z.shape[:-1], -1)
    return place


def overlap_series(points: Points, centres: np.ndarray) -> np.ndarray:
    """t = |z·c̄|²/|z|² with unit centres (M, N) of the Segre embedding: (P, rows, rows, M)."""
    z = _embedded(points)
    along = z @ centres.conj().T
    squares = np.sum(z[:, :, None] * z.conj()[:, None], axis=3, keepdims=True)
    overlap, n = along[:, :, None] * along.conj()[:, None], points.variety.dim
    return times_power(overlap, squares, -1, n)


def _embedded(points: Points) -> np.ndarray:
    """Taylor coefficients of the coordinates of the Segre embedding, (P, rows, Π (n_i + 1))."""
    rows, blocks, n = coordinate_rows(points), points.variety.ambient.blocks, points.variety.dim
    place = rows[:, :, blocks[0]]
    for block in blocks[1:]:
        own = rows[:, :, block]
        joined = np.zeros((*place.shape[:2], place.shape[2] * own.shape[2]), complex)
        for target, splittings in enumerate(quadratics(n).products):
            for r, s in splittings:
                joined[:, target] += (place[:, r, :, None] * own[:, s, None, :]).reshape(len(rows), -1)
        place = joined
    return place
