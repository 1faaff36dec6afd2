"""Symmetries of a hypersurface as maps of points: permutations, phases and conjugation, drawn or generated."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, final

import numpy as np

from geomflow.core.errors import InputError
from geomflow.core.seeds import generator
from geomflow.variety.bundles import checked_class
from geomflow.variety.symmetry import keeps_class

if TYPE_CHECKING:
    from collections.abc import Sequence

    from geomflow.variety.ambient import Ambient
    from geomflow.variety.hypersurface import Hypersurface

_LARGEST = 20_000
_TURN = 1_000_000


@final
@dataclass(frozen=True, eq=False)
class Isometries:
    """m maps z ↦ θ·z[permutation], conjugated where `conjugations` says so; each keeps the hypersurface.

    `permutations` (m, N), `phases` (m, N) of modulus one, `conjugations` (m,). `group`: they are all of a group.
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
        """`count` symmetries drawn uniformly, with replacement, from all that `variety.symmetry` knows.

        With a `kahler_class` only those that keep it, see `geomflow.variety.Symmetry.keeping`.
        Diagonal phases θ are the annihilator of the lattice L of the polynomial's exponent differences: with L's
        basis made square by unit rows, 2π times its inverse takes integers (beside a unit row: any number) to phases,
        and uniform integers to uniform phases. Raises `InputError` for a count below one.
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

        Raises `InputError` where there are infinitely many, or more than 20,000.
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
        """The group of permutations of coordinates that keep the polynomial up to a factor."""
        chosen = variety.symmetry.permutations
        ones, never = np.ones(chosen.shape, complex), np.zeros(len(chosen), bool)
        return Isometries(variety.ambient, chosen, ones, never, group=True)

    def keeping(self, kahler_class: Sequence[float]) -> Isometries:
        """Those of the maps that keep the class Σ t_i H_i; of a group a group.

        Raises `InputError` where none does, which for a group is impossible: the identity does.
        """
        kept = keeps_class(self.permutations, self.ambient, kahler_class)
        if not kept.any():
            raise InputError(f"none of {len(self)} symmetries keeps the Kähler class {tuple(kahler_class)}: draw more, "
                             "or Isometries.sample(..., kahler_class=...)")
        return self if kept.all() else replace(self[kept], group=self.group)

    def __or__(self, other: Isometries) -> Isometries:
        """The maps of both."""
        names = ("permutations", "phases", "conjugations")
        return Isometries(self.ambient, *(np.concatenate([getattr(self, n), getattr(other, n)]) for n in names))

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
        """self ∘ first, for one map self and all of `first`."""
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
