"""Kernels that share the symmetries of the variety: K = f of features that all symmetries leave alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, final

import numpy as np

from geomflow.core.archive import Archive
from geomflow.core.hermitian import pack
from geomflow.core.memory import require
from geomflow.core.threads import each, one_thread_products, slices
from geomflow.fits import profiles
from geomflow.fits.invariant_features import FeatureJets, InvariantFeatures, invariant_series
from geomflow.fits.phi_network import plus_constant, product, times_power
from geomflow.fits.potential_span import KahlerKernel, PotentialSpan, independent, stored_factor, unwhitened, whitened
from geomflow.fits.projective import ProjectiveInputs
from geomflow.variety import FubiniStudy, Hypersurface, Points
from geomflow.variety.sections import stored_class

_NUMBERS = 2**17


@final
@dataclass(frozen=True)
class InvariantKernel(KahlerKernel):
    """K(x, y) = f of the invariant features u(x), u(y) of degree k (`InvariantFeatures`), scaled to |u|² of mean one.

    `Power(1)` is the linear kernel ⟨u, u'⟩, the Bergman kernel of O(k) averaged over all symmetries; `Power(j)` its
    powers; `Exponential(β)` the Gaussian exp(−β |u − u'|²/2), the covariance of infinitely wide networks of u with the
    activation sin + cos and σ_w²/m = β. `PowerSeries.of_network` has the kernels of any wide network of √m û, û = u/|u|
    and m the number of features; profiles of unit vectors take û. Every function of the span is invariant under all
    permutations, phases and conjugations that keep the polynomial and the Kähler class.

    Parameters
    ----------
    degree : int
        k >= 1.
    profile : Profile
        f.
    """

    degree: int
    profile: profiles.Profile

    def span(
        self, points: Points, kahler_class: Sequence[float] | None = None, tolerance: float = 1e-10
    ) -> FeatureSpan:
        reference = FubiniStudy(points.variety, kahler_class)
        inputs = ProjectiveInputs.of(points, reference.kahler_class)
        require(16 * len(points) ** 2, f"the Gram matrix of {len(points)} centres", "take fewer centres")
        features = InvariantFeatures.keeping(points.variety, self.degree, reference.kahler_class).scaled(inputs)
        u = _centres(self.profile, features.at(inputs).values)
        gram = profiles.require_profile(self.profile, self.profile.derivatives(_products(self.profile, u, u), 0)[0])
        chosen, lower = independent(gram, tolerance)
        return FeatureSpan(points.variety, reference.kahler_class, features, self.profile, u[chosen], lower)


@final
@dataclass(frozen=True, eq=False)
class FeatureSpan(PotentialSpan, kind="FeatureSpan"):
    """Functions ψ = L⁻¹ f(t(u(·), c)) of invariant features u.

    ∂_a∂_b̄ f(t) = f' ∂_a∂_b̄ t + f'' ∂_a t ∂_b̄ t; t is linear in the features, to which |u|²/2 is added for t of a
    distance.

    Parameters
    ----------
    variety : Hypersurface
        Where they are.
    kahler_class : tuple of float
        The t_i.
    features : InvariantFeatures
        u.
    profile : Profile
        f.
    centres : (M, m) array
        The m features c of each of M centres, of norm one for a profile of unit vectors.
    lower : (M, M) array
        L, the Cholesky factor of the Gram matrix of the centres.
    """

    variety: Hypersurface
    kahler_class: tuple[float, ...]
    features: InvariantFeatures
    profile: profiles.Profile
    centres: np.ndarray
    lower: np.ndarray

    def record(self) -> dict[str, Any]:
        """Degrees and scale of the features, class, profile, centres and whitening."""
        return {"degrees": self.features.degrees, "scale": self.features.scale,
                "kahler_class": np.array(self.kahler_class), "profile": profiles.profile_record(self.profile),
                "centres": self.centres, "lower": self.lower}

    @classmethod
    def from_record(cls, file: Archive, variety: Hypersurface) -> FeatureSpan:
        """The span of these."""
        lower, kahler_class, profile = stored_factor(file), stored_class(file, variety), profiles.profile_of(file)
        degrees = tuple(file.array("degrees", "i", None).tolist())
        features = InvariantFeatures.keeping(variety, degrees, kahler_class)
        features = replace(features, scale=float(file.numbers("scale", "f")))
        centres = file.numbers("centres", "f", len(lower), features.count)
        return cls(variety, kahler_class, features, profile, centres, lower)

    @property
    def size(self) -> int:
        """The number of functions."""
        return len(self.centres)

    @property
    def _affine(self) -> tuple[np.ndarray, np.ndarray]:
        """W (M, m or m + 1) and o (M,) with t = W u + o."""
        if not self.profile.radial:
            return self.centres, np.zeros(self.size)
        less = np.full((self.size, 1), -1.0)
        return np.hstack([self.centres, less]), 1 - np.sum(self.centres**2, axis=1) / 2

    def prepared(self, inputs: ProjectiveInputs) -> FeatureJets:
        """The features with their derivatives."""
        jets = self.features.at(inputs)
        if self.profile.unit:
            return jets.normalised()
        return jets.with_square() if self.profile.radial else jets

    def combine(self, prepared: FeatureJets, coefficients: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """φ (P,) and its packed ∂∂̄φ (P, n²)."""
        heights, (weights, offset) = unwhitened(self.lower, coefficients), self._affine
        value, hessian = np.empty(prepared.count), np.empty((prepared.count, prepared.n**2))

        def work(block: slice) -> None:
            f, first, second = self.profile.derivatives(prepared.values[block] @ weights.T + offset, 2)
            value[block] = f @ heights
            hessian[block] = np.einsum("pcm,pm->pc", prepared.second[block], (first * heights) @ weights)
            if second.any():
                along = prepared.slopes[block] @ weights.T
                hessian[block] += pack((along * (second * heights)[:, None]) @ np.swapaxes(along.conj(), 1, 2))

        with one_thread_products():
            each(work, self._blocks(prepared))
        return value, hessian

    def rows(self, prepared: FeatureJets, dual: np.ndarray) -> np.ndarray:
        """The derivatives by the coefficients, (P, size)."""
        out = np.empty((prepared.count, self.size))
        weights, offset = self._affine

        def work(block: slice) -> None:
            _, first, second = self.profile.derivatives(prepared.values[block] @ weights.T + offset, 2)
            raw = first * (np.einsum("pcm,pc->pm", prepared.second[block], dual[block]) @ weights.T)
            if second.any():
                raw += second * quadratic(dual[block], prepared.slopes[block] @ weights.T)
            out[block] = whitened(self.lower, raw)

        with one_thread_products():
            each(work, self._blocks(prepared))
        return out

    def jets(self, points: Points, coefficients: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Exact to the fourth derivative, by truncated power series."""
        weights, offset = self._affine

        def argument(part: Points) -> np.ndarray:
            u = invariant_series(part, self.features)
            if self.profile.radial or self.profile.unit:
                square = product(u, u, self.variety.dim).sum(axis=3, keepdims=True)
                u = (times_power(u, square, -0.5, self.variety.dim) if self.profile.unit
                     else np.concatenate([u, square / 2], axis=3))
            return plus_constant(u @ weights.T, offset)

        return profiles.composed_jets(points, argument, self.profile, unwhitened(self.lower, coefficients))

    def every_jets(self, points: Points) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The jets of all functions, from one series at each point."""
        return self.jets(points, np.eye(self.size))

    def _blocks(self, prepared: FeatureJets) -> list[slice]:
        return slices(prepared.count, max(16, _NUMBERS // max(self.size, prepared.values.shape[1])))

    def __repr__(self) -> str:
        return (
            f"{self.size} functions with {self.profile} of {self.features.count} invariants of degree "
            f"{self.features.degrees}"
        )


def quadratic(dual: np.ndarray, along: np.ndarray) -> np.ndarray:
    """Σ_c dual[p, c] pack(∂_a t ∂_b̄ t)[c] for t with slopes (P, n, M): (P, M)."""
    n = along.shape[1]
    out = np.einsum("pa,pam->pm", dual[:, :n], along.real**2 + along.imag**2)
    place = n
    for a in range(n):
        for b in range(a + 1, n):
            product = along[:, a] * along[:, b].conj()
            out += dual[:, place, None] * product.real + dual[:, place + 1, None] * product.imag
            place += 2
    return out


def _centres(profile: profiles.Profile, features: np.ndarray) -> np.ndarray:
    """The features, (P, m), of norm one where the profile takes such."""
    return features / np.linalg.norm(features, axis=1, keepdims=True) if profile.unit else features


def _products(profile: profiles.Profile, first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """t of all pairs of features: ⟨u, u'⟩, or 1 − |u − u'|²/2."""
    product = first @ second.T
    if not profile.radial:
        return product
    return 1 + product - (np.sum(first**2, axis=1)[:, None] + np.sum(second**2, axis=1)) / 2
