"""Features of a hypersurface that all its symmetries leave alone, with their derivatives.

They are u_α = P_α/|z|^{2k} of all Hermitian forms P_α that the symmetries leave alone.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import final

import numpy as np
from scipy.special import gammaln

from geomflow.core.hermitian import pack, unpack
from geomflow.core.memory import require
from geomflow.core.threads import each, slices
from geomflow.fits.phi_network import coordinate_rows, quadratics, times_power
from geomflow.fits.projective import ProjectiveInputs
from geomflow.variety import Hypersurface, Points, Symmetry
from geomflow.variety.jets import partial_index, second_order
from geomflow.variety.orbits import InvariantForms, invariant_forms
from geomflow.variety.routines.forms import features as form_features
from geomflow.variety.sections import whole_degrees

_BLOCK = 256


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

    def normalised(self) -> FeatureJets:
        """û = u/|u|, by r = |u|^{−1}: ∂∂̄û = r ∂∂̄u + ∂u ∂̄r + ∂r ∂̄u + u ∂∂̄r."""
        m, both = self.values.shape[1], self.with_square()
        twice, along, bent = 2 * both.values[:, m], both.slopes[:, :, m], both.second[:, :, m]
        r = twice**-0.5
        slope = -(r**3)[:, None] * along
        curve = 3 * (r**5)[:, None] * pack(along[:, :, None] * along[:, None].conj()) - (r**3)[:, None] * bent
        mixed = np.einsum("pam,pb->pmab", self.slopes, slope.conj())
        mixed += np.swapaxes(mixed.conj(), 2, 3)
        second = r[:, None, None] * self.second + np.swapaxes(pack(mixed), 1, 2)
        return FeatureJets(r[:, None] * self.values,
                           r[:, None, None] * self.slopes + slope[:, :, None] * self.values[:, None],
                           second + curve[:, :, None] * self.values[:, None])


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
