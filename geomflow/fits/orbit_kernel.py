"""Kernels averaged over symmetries, and the symmetries as maps of points: drawn at random, or generated."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import final

import numpy as np

from geomflow.core.errors import InputError
from geomflow.core.memory import require
from geomflow.core.numbers import generator
from geomflow.core.threads import each, one_thread_products
from geomflow.fits.overlap_kernel import OverlapSpan, projectors, segre, unit_vectors
from geomflow.fits.potential_span import KahlerKernel, independent
from geomflow.fits.profiles import Profile, require_profile
from geomflow.variety import Ambient, FubiniStudy, Hypersurface, Points
from geomflow.variety.sections import checked_class
from geomflow.variety.symmetry import keeps_class

_LARGEST = 20_000
_TURN = 1_000_000
_BLOCK = 2**21


@final
@dataclass(frozen=True, eq=False)
class Isometries:
    """m maps z ↦ θ·z[permutation], conjugated where `conjugations` says so; each keeps the hypersurface.

    Parameters
    ----------
    ambient : Ambient
        Where they act, N homogeneous coordinates.
    permutations : (m, N) int array
        Which coordinate goes where.
    phases : (m, N) complex array
        θ, of modulus one.
    conjugations : (m,) bool array
        Whether a map conjugates.
    group : bool
        They are all of a group.
    """

    ambient: Ambient
    permutations: np.ndarray
    phases: np.ndarray
    conjugations: np.ndarray
    group: bool = False

    def __len__(self) -> int:
        return len(self.permutations)

    def __call__(self, z: np.ndarray) -> np.ndarray:
        """The images of points (P, N): (P, m, N)."""
        images = self.phases * np.asarray(z)[:, self.permutations]
        return np.where(self.conjugations[:, None], images.conj(), images)

    def __getitem__(self, index: slice | np.ndarray) -> Isometries:
        """Some of the maps."""
        return Isometries(self.ambient, self.permutations[index], self.phases[index], self.conjugations[index])

    @staticmethod
    def sample(
        variety: Hypersurface,
        count: int,
        seed: int | np.random.Generator,
        kahler_class: Sequence[float] | None = None,
    ) -> Isometries:
        """Symmetries drawn uniformly, with replacement, from all that `variety.symmetry` knows.

        Parameters
        ----------
        variety : Hypersurface
            What they keep.
        count : int
            How many, at least one, else `InputError`.
        seed : int or Generator
            Of the draws.
        kahler_class : sequence of float, optional
            Only those that keep Σ t_i H_i, see `geomflow.variety.Symmetry.keeping`.

        Notes
        -----
        Diagonal phases θ are the annihilator of the lattice L of the polynomial's exponent differences: with L's
        basis made square by unit rows, 2π times its inverse takes integers (beside a unit row: any number) to phases,
        and uniform integers to uniform phases.
        """
        if count < 1:
            raise InputError(f"{count} symmetries: draw at least one")
        rng, ambient = generator(seed), variety.ambient
        symmetry = variety.symmetry.keeping(ambient, checked_class(variety, kahler_class))
        square, free = _square(symmetry.lattice)
        order = round(abs(np.linalg.det(square)))
        targets = rng.integers(order, size=(count, len(square))).astype(float)
        targets[:, free] = rng.random((count, int(free.sum())))
        phases = np.exp(2j * np.pi * (targets @ np.linalg.inv(square).T))
        chosen = symmetry.permutations[rng.integers(len(symmetry.permutations), size=count)]
        flips = (rng.random(count) < 0.5) & symmetry.conjugation
        return Isometries(ambient, chosen, phases, flips)

    @staticmethod
    def diagonal(variety: Hypersurface) -> Isometries:
        """The group of all diagonal phases: 625 of them on the Fermat quintic.

        Parameters
        ----------
        variety : Hypersurface
            What they keep; `InputError` where there are infinitely many, or more than 20,000.
        """
        square, free = _square(variety.symmetry.lattice)
        ambient = variety.ambient
        if free.sum() > len(ambient.dims):
            raise InputError(f"the diagonal symmetries of the {variety} are infinitely many: take a sample")
        phases = np.exp(2j * np.pi * np.linalg.inv(square).T)[~free]
        count = len(phases)
        same = np.tile(np.arange(ambient.size), (count, 1))
        return Isometries(ambient, same, phases, np.zeros(count, bool)).generated()

    @staticmethod
    def permuting(variety: Hypersurface) -> Isometries:
        """The group of permutations of coordinates that keep the polynomial up to a factor.

        Parameters
        ----------
        variety : Hypersurface
            What they keep.
        """
        chosen = variety.symmetry.permutations
        ones, never = np.ones(chosen.shape, complex), np.zeros(len(chosen), bool)
        return Isometries(variety.ambient, chosen, ones, never, group=True)

    def keeping(self, kahler_class: Sequence[float]) -> Isometries:
        """Those of the maps that keep a Kähler class; of a group a group.

        Parameters
        ----------
        kahler_class : sequence of float
            The t_i of Σ t_i H_i; `InputError` where no map keeps it, which for a group is impossible.
        """
        kept = keeps_class(self.permutations, self.ambient, kahler_class)
        if not kept.any():
            raise InputError(f"none of {len(self)} symmetries keeps the Kähler class {tuple(kahler_class)}: draw more, "
                             "or Isometries.sample(..., kahler_class=...)")
        return self if kept.all() else replace(self[kept], group=self.group)

    def __or__(self, other: Isometries) -> Isometries:
        """The maps of both."""
        pairs = ((self.permutations, other.permutations), (self.phases, other.phases),
                 (self.conjugations, other.conjugations))
        permutations, phases, conjugations = (np.concatenate(pair) for pair in pairs)
        return Isometries(self.ambient, permutations, phases, conjugations)

    def generated(self) -> Isometries:
        """The group that these maps generate, up to common phases in each projective space, the identity first.

        Raises `InputError` where it has more than 20,000 maps.
        """
        size = self.ambient.size
        found = Isometries(self.ambient, np.arange(size)[None], np.ones((1, size), complex), np.zeros(1, bool))
        new = found
        while len(new):
            before = len(found)
            for number in range(len(self)):
                found = (found | self[number : number + 1].after(new))._distinct()
                if len(found) > _LARGEST:
                    raise InputError(f"the symmetries generate more than {_LARGEST} maps: take fewer, or a sample")
            new = found[before:]
        return replace(found, group=True)

    def after(self, first: Isometries) -> Isometries:
        """self ∘ first, for one map self.

        Parameters
        ----------
        first : Isometries
            Any number of maps.
        """
        permutation, phase, conjugated = self.permutations[0], self.phases[0], bool(self.conjugations[0])
        turned = np.where(first.conjugations[:, None], phase.conj(), phase)
        moved = turned * first.phases[:, permutation]
        return Isometries(self.ambient, first.permutations[:, permutation], moved, first.conjugations ^ conjugated)

    def _distinct(self) -> Isometries:
        """Only the first of maps that are the same on projective spaces, in order."""
        start = np.array([block.start for block in self.ambient.blocks])[self.ambient.factor_of]
        turns = np.angle(self.phases / self.phases[:, start]) / (2 * np.pi)
        keys = [self.permutations, np.round(turns * _TURN).astype(int) % _TURN, self.conjugations[:, None]]
        first = np.sort(np.unique(np.hstack(keys), axis=0, return_index=True)[1])
        return self[first]

    def __repr__(self) -> str:
        return f"{'a group' if self.group else 'a sample'} of {len(self)} symmetries"


def _square(lattice: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The rows of a Hermite basis made square by unit rows at the columns without a pivot; which rows these are."""
    size = lattice.shape[1]
    pivots = [int(np.nonzero(row)[0][0]) for row in lattice]
    others = [column for column in range(size) if column not in pivots]
    return np.vstack([lattice, np.eye(size, dtype=np.int64)[others]]), np.arange(size) >= len(lattice)


@final
@dataclass(frozen=True)
class OrbitKernel(KahlerKernel):
    """The functions ψ_c = mean over g of f(t(·, g c)) with g in a sample of the symmetries, or in a group of them.

    For a group they are invariant under it exactly, and the kernel they belong to is K averaged over the group. For m
    maps drawn from a large group what is not invariant is left with about 1/√m of its size, by chance: the regression
    sees it as noise in its features. Maps that swap factors of different t_i do not keep the Kähler class, and are left
    out. Their norm is that of K.

    Parameters
    ----------
    profile : Profile
        f.
    isometries : Isometries
        The maps g.
    centres : int
        At most so many points are taken, since each stands for as many as there are maps.
    """

    profile: Profile
    isometries: Isometries
    centres: int = 200

    def __post_init__(self) -> None:
        if self.centres < 1:
            raise InputError(f"{self.centres} centres: take at least one")

    def span(
        self, points: Points, kahler_class: Sequence[float] | None = None, tolerance: float = 1e-10
    ) -> OverlapSpan:
        """ψ_c for an independent part of the first points; the time of the Gram matrix is (centres × maps)².

        For a group it is centres² × maps. Raises `InputError` for symmetries of another ambient space, or of
        which none keeps the class.
        """
        reference, ambient = FubiniStudy(points.variety, kahler_class), points.variety.ambient
        if self.isometries.ambient != ambient:
            raise InputError(f"the symmetries act on {self.isometries.ambient}, the points are in {ambient}")
        z, isometries = unit_vectors(points[: self.centres]), self.isometries.keeping(reference.kahler_class)
        images = segre(ambient, isometries(z))
        require(
            16.0 * images.size * images.shape[2],
            f"{len(z)} orbits of {len(isometries)} points",
            "take fewer points or a smaller sample",
        )
        first = segre(ambient, z)[:, None] if isometries.group else images
        gram = require_profile(self.profile, _mean_gram(self.profile, first, images))
        chosen, lower = independent(gram, tolerance)
        return OverlapSpan(points.variety, reference.kahler_class, self.profile, images[chosen], lower)


def _mean_gram(profile: Profile, first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Means of f(t) over the images of every two centres, (C, C), of (C, m, N) and (C, m', N)."""
    count, width = len(first), second.shape[2]
    right = projectors(second.reshape(-1, width))
    step = max(1, _BLOCK // (len(right) * first.shape[1]))
    out = np.empty((count, count))

    def work(start: int) -> None:
        block = first[start : start + step]
        t = projectors(block.reshape(-1, width)) @ right.T
        value = profile.derivatives(t, 0)[0]
        out[start : start + step] = value.reshape(*block.shape[:2], count, -1).mean(axis=(1, 3))

    with one_thread_products():
        each(work, range(0, count, step))
    return (out + out.T) / 2
