"""Kernels that share the symmetries of the variety: K = f of features that all symmetries leave alone.

The features are u_α = P_α/|z|^{2k} of all Hermitian forms P_α that the symmetries of a hypersurface leave alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, final

import numpy as np
from scipy.special import gammaln

from geomflow.core.archive import Archive
from geomflow.core.errors import InputError
from geomflow.core.hermitian import pack, unpack
from geomflow.core.memory import require
from geomflow.core.threads import each, one_thread_products, slices
from geomflow.fits import profiles
from geomflow.fits.phi_network import coordinate_rows, plus_constant, product, quadratics, times_power
from geomflow.fits.potential_span import KahlerKernel, PotentialSpan, independent, stored_factor, unwhitened, whitened
from geomflow.fits.projective import ProjectiveInputs
from geomflow.variety import FubiniStudy, Hypersurface, Points, Symmetry
from geomflow.variety.jets import partial_index, second_order
from geomflow.variety.orbits import InvariantForms, invariant_forms
from geomflow.variety.routines.forms import features as form_features
from geomflow.variety.sections import stored_class, whole_degrees

_BLOCK, _NUMBERS = 256, 2**17


@final
@dataclass(frozen=True, eq=False)
class FeatureJets:
    """Real features at points: u (P, m), ∂_a u (P, n, m) complex, packed ∂_a∂_b̄ u (P, n², m)."""

    values: np.ndarray
    slopes: np.ndarray
    second: np.ndarray

    @property
    def count(self) -> int:
        """The number of points."""
        return len(self.values)

    @property
    def n(self) -> int:
        """The dimension of the variety."""
        return self.slopes.shape[1]

    def __getitem__(self, index: slice) -> FeatureJets:
        """Those at some of the points."""
        return FeatureJets(self.values[index], self.slopes[index], self.second[index])

    def with_square(self) -> FeatureJets:
        """One more feature, |u|²/2."""
        u, slopes = self.values, self.slopes
        square = np.sum(u * u, axis=1, keepdims=True) / 2
        along = np.sum(u[:, None] * slopes, axis=2, keepdims=True)
        bent = pack(slopes @ np.swapaxes(slopes.conj(), 1, 2)) + np.sum(u[:, None] * self.second, axis=2)
        parts = (self.values, square), (self.slopes, along), (self.second, bent[:, :, None])
        return FeatureJets(*(np.concatenate(part, axis=-1) for part in parts))


@final
@dataclass(frozen=True, eq=False)
class InvariantFeatures:
    """Every orbit sum of degree k, of norm one as a form on the sections of the ambient space, over Π|z_i|^{2k_i}.

    ⟨u(x), u(y)⟩ is then the Bergman kernel |x·ȳ|^{2k} averaged over the whole group of symmetries (see
    `geomflow.variety.Symmetry`), divided by `scale`². The features of degree k span those of all lower degrees.

    Parameters
    ----------
    variety : Hypersurface
        Where they are.
    degrees : tuple of int
        k_i, one for each factor.
    forms : InvariantForms
        The orbit sums.
    scale : float
        By which features are divided.
    """

    variety: Hypersurface
    degrees: tuple[int, ...]
    forms: InvariantForms
    scale: float = 1.0

    @classmethod
    def of(
        cls, variety: Hypersurface, degree: int | tuple[int, ...], symmetry: Symmetry | None = None
    ) -> InvariantFeatures:
        """All invariants of a degree, of the symmetries that keep it.

        Parameters
        ----------
        variety : Hypersurface
            Where they are.
        degree : int or tuple of int
            k, or one degree for each factor; `InputError` for what is no whole number.
        symmetry : Symmetry, optional
            All that the variety is known to have unless given.
        """
        degrees = whole_degrees(variety, degree)
        return cls(variety, degrees, invariant_forms(variety, degrees, symmetry or variety.symmetry))

    @classmethod
    def keeping(
        cls, variety: Hypersurface, degree: int | tuple[int, ...], kahler_class: tuple[float, ...]
    ) -> InvariantFeatures:
        """All invariants of a degree, of the symmetries that keep it and a Kähler class.

        Parameters
        ----------
        variety : Hypersurface
            Where they are.
        degree : int or tuple of int
            k, or one degree for each factor.
        kahler_class : tuple of float
            The t_i.
        """
        return cls.of(variety, degree, variety.symmetry.keeping(variety.ambient, kahler_class))

    @property
    def count(self) -> int:
        """The number of features, dependent ones among them."""
        return self.forms.count

    @cached_property
    def lengths(self) -> np.ndarray:
        """The Frobenius norms of the forms as matrices on orthonormal sections √(k!/m!) z^m, (count,)."""
        forms, log = self.forms, gammaln(self.forms.exponents + 1.0)
        weight = np.zeros(len(log))
        for degree, block in zip(self.degrees, self.variety.ambient.blocks):
            weight += (gammaln(degree + 1.0) - log[:, block].sum(axis=1)) / 2
        entry = np.abs(forms.entry) * np.exp(-weight[forms.left] - weight[forms.right])
        square = np.where(forms.left == forms.right, 4.0, 2.0) * entry**2
        return np.sqrt(np.bincount(forms.group, square, minlength=self.count))

    def scaled(self, inputs: ProjectiveInputs) -> InvariantFeatures:
        """The same features with the mean of |u|² one.

        Parameters
        ----------
        inputs : ProjectiveInputs
            At the points of the mean.
        """
        mean = np.mean(np.sum(self.at(inputs).values ** 2, axis=1))
        return replace(self, scale=self.scale * float(np.sqrt(mean)))

    def at(self, inputs: ProjectiveInputs) -> FeatureJets:
        """The features with their derivatives along the frame of the inputs.

        Parameters
        ----------
        inputs : ProjectiveInputs
            At P points.
        """
        n, count = inputs.n, inputs.count
        require(
            8.0 * count * self.count * (1 + 2 * n + 2 * (1 + n) ** 2),
            f"{self.count} invariants at {count} points",
            "take fewer points",
        )
        raw = np.empty((count, (1 + n) ** 2, self.count))
        index = partial_index(self.variety.ambient.size, 1)
        pattern = self.forms.group, self.forms.left, self.forms.right, self.forms.entry

        def work(block: slice) -> None:
            frame = np.zeros((len(inputs.z[block]), 1 + n, len(index)), complex)
            frame[:, 0, 0], frame[:, 1:, 1:] = 1, inputs.frame[block]
            form_features(inputs.z[block], frame, index, self.forms.exponents, *pattern, raw[block])

        each(work, slices(count, _BLOCK))
        return self._divided(raw / (self.scale * self.lengths), inputs)

    def _divided(self, raw: np.ndarray, inputs: ProjectiveInputs) -> FeatureJets:
        """From packed jets of P at unit vectors: ∂_a∂_b̄(P/|z|^{2k}) = P_ab̄ − Σ_i k_i ⟨e_a, e_b⟩_i P."""
        gram = unpack(np.swapaxes(raw, 1, 2))
        n, value = inputs.n, raw[:, 0]
        metric = np.zeros((inputs.count, n, n), complex)
        for degree, block in zip(self.degrees, inputs.ambient.blocks):
            lifts = inputs.frame[:, :, block]
            metric += degree * (lifts @ np.swapaxes(lifts.conj(), 1, 2))
        slopes = np.moveaxis(gram[:, :, 0, 1:].conj(), 1, 2)
        second = np.moveaxis(pack(gram[:, :, 1:, 1:]), 1, 2)
        return FeatureJets(value, slopes, second - pack(metric)[:, :, None] * value[:, None])


def invariant_series(points: Points, features: InvariantFeatures) -> np.ndarray:
    """The invariant features u: (P, rows, rows, m)."""
    ambient, n, forms = points.variety.ambient, points.variety.dim, features.forms
    frame, index = second_order(points), partial_index(ambient.size, 2)
    raw = np.empty((len(points), frame.shape[1] ** 2, forms.count))
    pattern = forms.group, forms.left, forms.right, forms.entry
    form_features(points.coordinates, frame, index, forms.exponents, *pattern, raw)
    gram = unpack(np.swapaxes(raw / (features.scale * features.lengths), 1, 2))
    out = np.moveaxis(gram, 1, 3) / np.multiply.outer(quadratics(n).factorials, quadratics(n).factorials)[:, :, None]
    rows = coordinate_rows(points)
    for degree, block in zip(features.degrees, ambient.blocks):
        z = rows[:, :, block]
        squares = np.sum(z[:, :, None] * z.conj()[:, None], axis=3, keepdims=True)
        out = times_power(out, squares, -degree, n)
    return out


@final
@dataclass(frozen=True)
class InvariantKernel(KahlerKernel):
    """K(x, y) = f of the invariant features u(x), u(y) of degree k (`InvariantFeatures`), scaled to |u|² of mean one.

    `Power(1)` is the linear kernel ⟨u, u'⟩, the Bergman kernel of O(k) averaged over all symmetries; `Power(j)` its
    powers; `Exponential(β)` the Gaussian exp(−β |u − u'|²/2). Every function of the span is invariant under all
    permutations, phases and conjugations that keep the polynomial and the Kähler class.

    Parameters
    ----------
    degree : int
        k >= 1.
    profile : Profile
        f; `InputError` for `ArcCosine`, which needs features of norm one.
    """

    degree: int
    profile: profiles.Profile

    def __post_init__(self) -> None:
        if isinstance(self.profile, profiles.ArcCosine):
            raise InputError("the arc-cosine kernel needs unit features: use it in an OverlapKernel")

    def span(
        self, points: Points, kahler_class: Sequence[float] | None = None, tolerance: float = 1e-10
    ) -> FeatureSpan:
        reference = FubiniStudy(points.variety, kahler_class)
        inputs = ProjectiveInputs.of(points, reference.kahler_class)
        require(16 * len(points) ** 2, f"the Gram matrix of {len(points)} centres", "take fewer centres")
        features = InvariantFeatures.keeping(points.variety, self.degree, reference.kahler_class).scaled(inputs)
        u = features.at(inputs).values
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
        The m features c of each of M centres.
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
            if self.profile.radial:
                square = product(u, u, self.variety.dim).sum(axis=3, keepdims=True) / 2
                u = np.concatenate([u, square], axis=3)
            return plus_constant(u @ weights.T, offset)

        return profiles.composed_jets(points, argument, self.profile, unwhitened(self.lower, coefficients))

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


def _products(profile: profiles.Profile, first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """t of all pairs of features: ⟨u, u'⟩, or 1 − |u − u'|²/2."""
    product = first @ second.T
    if not profile.radial:
        return product
    return 1 + product - (np.sum(first**2, axis=1)[:, None] + np.sum(second**2, axis=1)) / 2
