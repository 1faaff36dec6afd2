"""Invariant Hermitian forms: orbit sums of monomial pairs under the variety's symmetries, reduced modulo Q."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import factorial
from typing import TYPE_CHECKING

import numpy as np
from scipy.linalg import qr
from scipy.sparse import coo_array, csr_array
from scipy.sparse.csgraph import connected_components

from geomflow.core.errors import InputError
from geomflow.core.memory import require
from geomflow.core.threads import each, slices
from geomflow.variety.jets import first_order, partial_index
from geomflow.variety.routines.forms import features
from geomflow.variety.sections import Places, Sections, multi_monomials
from geomflow.variety.symmetry import Symmetry

if TYPE_CHECKING:
    from geomflow.variety.hypersurface import Hypersurface
    from geomflow.variety.points import Points

_INDEPENDENT = 1e-12


@dataclass(frozen=True, eq=False)
class InvariantForms:
    """Real forms P_α = Σ over the pairs of orbit α of c z^m z̄^n + its conjugate.

    `exponents` (M, N): all monomials; `group, left, right, entry` (pairs,): orbit, m, n and c, sorted by orbit (m <= n;
    c is halved where m = n). Monomials carry the weight √(k!/m!) that makes Fubini–Study's form the identity.
    """

    exponents: np.ndarray
    group: np.ndarray
    left: np.ndarray
    right: np.ndarray
    entry: np.ndarray

    @property
    def count(self) -> int:
        """The number of forms."""
        return int(self.group[-1]) + 1 if self.group.size else 0

    def select(self, chosen: np.ndarray) -> InvariantForms:
        """Only the chosen orbits, renumbered in order."""
        place = np.full(self.count, -1)
        place[np.sort(chosen)] = np.arange(len(chosen))
        kept = place[self.group] >= 0
        parts = {name: getattr(self, name)[kept] for name in ("left", "right", "entry")}
        return replace(self, group=place[self.group[kept]], **parts)

    def matrix(self, coefficients: np.ndarray) -> csr_array:
        """The Hermitian form Σ_α coefficients[α] P_α on the monomials."""
        size = len(self.exponents)
        value = self.entry * np.asarray(coefficients)[self.group]
        half = coo_array((value, (self.left, self.right)), shape=(size, size)).tocsr()
        return csr_array(half + half.conj().T)

    def features(self, points: Points, order: int = 1) -> np.ndarray:
        """(P, rows², α): the packed Gram matrices of every form; rows (1, ∂_a) at order one, only P at order zero."""
        rows = 1 + points.variety.dim * order
        require(
            8 * len(points) * rows**2 * self.count, f"{self.count} forms at {len(points)} points", "take fewer points"
        )
        index = partial_index(points.variety.ambient.size, order)
        out = np.empty((len(points), rows**2, self.count))

        def work(s: slice) -> None:
            part = points[s]
            frame = first_order(part) if order else np.ones((len(part), 1, 1), complex)
            pattern = self.group, self.left, self.right, self.entry
            features(part.coordinates, frame, index, self.exponents, *pattern, out[s])

        each(work, slices(len(points), 256))
        return out

    def independent(self, points: Points) -> InvariantForms:
        """A largest set that is independent on the variety: the forms modulo Q, by pivoted QR of values at `points`."""
        values = self.features(points, order=0)[:, 0]
        values /= reference(self, points)[:, None]
        _, triangle, pivots = qr(values / np.linalg.norm(values, axis=0), mode="economic", pivoting=True)
        size = np.abs(np.diag(triangle))
        return self.select(pivots[: np.count_nonzero(size > _INDEPENDENT * size[0])])


def reference(forms: InvariantForms, points: Points) -> np.ndarray:
    """Π_i |z_i|^{2 k_i}, the form of Fubini–Study at the points, (P,)."""
    blocks = points.variety.ambient.blocks
    degrees = np.array([forms.exponents[0, b].sum() for b in blocks])
    result: np.ndarray = np.exp(np.log(points.variety.ambient.norms(points.coordinates)) @ degrees)
    return result


def invariant_forms(variety: Hypersurface, degrees: tuple[int, ...], symmetry: Symmetry) -> InvariantForms:
    """All orbit sums of that multi-degree, before reduction modulo Q, of the subgroup that keeps its class."""
    exponents = multi_monomials(variety.ambient, degrees)
    symmetry = symmetry.keeping(variety.ambient, degrees)
    places = Places(exponents)
    images = np.stack([places(exponents[:, p]) for p in symmetry.generators])
    left, right = _pairs(symmetry.phase_classes(exponents))
    forward, backward = _orbit_numbers(images, left, right)
    number, orbit = np.unique(np.minimum(forward, backward), return_inverse=True)
    twice = (forward != backward)[number] & (not symmetry.conjugation)
    group = np.cumsum(1 + twice)[orbit] - 1 - twice[orbit]
    upper = left <= right
    second = upper & twice[orbit]  # the form of the imaginary unit, where the pair and its swap are different orbits
    unit = np.where(forward <= backward, 1j, -1j)[second]
    group = np.concatenate([group[upper], group[second] + 1])
    entry = np.concatenate([np.ones(np.count_nonzero(upper), complex), unit])
    left, right = (np.concatenate([side[upper], side[second]]) for side in (left, right))
    weight = np.sqrt(_multinomials(variety, exponents))
    entry *= weight[left] * weight[right] * np.where(left == right, 0.5, 1.0)
    order = np.argsort(group, kind="stable")
    return InvariantForms(exponents, group[order], left[order], right[order], entry[order])


def roughly_forms(variety: Hypersurface, degrees: tuple[int, ...], symmetry: Symmetry) -> float:
    """About how many invariant forms there are, without listing them: allowed pairs over the order of the group."""
    symmetry = symmetry.keeping(variety.ambient, degrees)
    sizes = np.bincount(symmetry.phase_classes(Sections(variety, degrees).exponents)).astype(float)
    return float(sizes @ sizes) / (len(symmetry.permutations) * (1 + symmetry.conjugation))


def _pairs(classes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """All pairs (m, n) that the phases allow, in lexicographic order."""
    order = np.argsort(classes, kind="stable")
    start = np.searchsorted(classes[order], np.arange(classes.max() + 2))
    partners = [order[start[c] : start[c + 1]] for c in classes]
    return np.repeat(np.arange(len(classes)), [len(p) for p in partners]), np.concatenate(partners)


def _orbit_numbers(images: np.ndarray, left: np.ndarray, right: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The place of the first pair in the orbit of each pair, and in that of its swap."""
    count, size = images.shape[1], len(left)
    keys = left * count + right
    moved = np.concatenate([_placed(keys, image[left] * count + image[right]) for image in images])
    edges = coo_array((np.ones(len(moved), np.int8), (np.tile(np.arange(size), len(images)), moved)), (size, size))
    _, label = connected_components(edges, directed=False)
    first = np.unique(label, return_index=True)[1][label]
    return first, first[_placed(keys, right * count + left)]


def _placed(keys: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Where pairs are among those that the phases allow. Raises `InputError` where permutations do not keep these."""
    places = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    if np.any(keys[places] != wanted):
        raise InputError("the permutations of the symmetry do not keep the lattice of its phases: together they are no "
                         "group; give others")
    return places


def _multinomials(variety: Hypersurface, exponents: np.ndarray) -> np.ndarray:
    factorials = np.array([float(factorial(e)) for e in range(int(exponents.max()) + 1)])
    result = np.ones(len(exponents))
    for block in variety.ambient.blocks:
        result *= factorial(int(exponents[0, block].sum())) / factorials[exponents[:, block]].prod(axis=1)
    return result
