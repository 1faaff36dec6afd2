"""Symmetries of a hypersurface that are isometries of Fubini–Study: permutations, phases and conjugation.

The diagonal phases θ with Q(e^{iθ}z) ∝ Q(z) are the annihilator of the lattice L spanned by the differences of Q's
exponents, so z^m z̄^n is invariant under all of them exactly where m − n ∈ L: no phase is ever written down.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from math import prod

import numpy as np

from geomflow.core.errors import InputError
from geomflow.core.memory import require
from geomflow.variety.ambient import Ambient
from geomflow.variety.polynomial import Polynomial


@dataclass(frozen=True, eq=False)
class Symmetry:
    """A finite group of isometries.

    `permutations` (order, N): z ↦ z[permutation], the identity among them. `lattice` (rank, N): the Hermite basis of
    the exponent differences that the phases leave invariant. `conjugation`: whether z ↦ z̄ keeps Q.

    Parameters
    ----------
    permutations : (order, N) array of int
        All of them, z ↦ z[permutation].
    lattice : (rank, N) array of int
        In Hermite normal form.
    conjugation : bool
        Whether z ↦ z̄ is one.
    """

    permutations: np.ndarray
    lattice: np.ndarray
    conjugation: bool

    @cached_property
    def generators(self) -> np.ndarray:
        """A few of the permutations, of which all are products, (count, N): for each i, those that fix all before it.

        That is at most N(N − 1)/2 besides the identity.
        """
        rows, chosen = self.permutations, [np.arange(self.permutations.shape[1])[None]]
        for i in range(rows.shape[1]):
            chosen.append(rows[np.unique(rows[:, i], return_index=True)[1]])
            rows = rows[rows[:, i] == i]
        return np.unique(np.concatenate(chosen), axis=0)

    def phase_classes(self, monomials: np.ndarray) -> np.ndarray:
        """A number for each row of `monomials`, equal where the phases act equally.

        Parameters
        ----------
        monomials : (m, N) array of int
            Exponents.
        """
        _, labels = np.unique(cosets(monomials, self.lattice), axis=0, return_inverse=True)
        return labels.reshape(-1)

    def keeping(self, ambient: Ambient, kahler_class: Sequence[float]) -> Symmetry:
        """The subgroup that keeps the class Σ t_i H_i; phases and conjugation keep every class.

        Parameters
        ----------
        ambient : Ambient
            Whose coordinates are permuted.
        kahler_class : sequence of float
            The t_i.
        """
        kept = keeps_class(self.permutations, ambient, kahler_class)
        return self if kept.all() else replace(self, permutations=self.permutations[kept])

    def __repr__(self) -> str:
        kinds = [f"{len(self.permutations)} permutations", "phases that keep the lattice of exponents"]
        return "Symmetry: " + ", ".join(kinds + ["conjugation"] * self.conjugation)


def keeps_class(permutations: np.ndarray, ambient: Ambient, kahler_class: Sequence[float]) -> np.ndarray:
    """Which permutations of coordinates, (m, N), take every factor to one of equal t_i, and so keep Σ t_i H_i; (m,).

    Raises `InputError` for permutations of another number of coordinates or that mix the coordinates of two factors.
    """
    factor = ambient.factor_of
    if permutations.shape[1:] != factor.shape:
        raise InputError(f"permutations of {permutations.shape[1]} coordinates do not act on {ambient}")
    image = factor[permutations]
    mixed = np.flatnonzero(np.any(image != image[:, [b.start for b in ambient.blocks]][:, factor], axis=1))
    if mixed.size:
        raise InputError(f"the permutation {permutations[mixed[0]].tolist()} mixes coordinates of different factors of "
                         f"{ambient}")
    weights = np.asarray(kahler_class)
    result: np.ndarray = np.all(weights[image] == weights[factor], axis=1)
    return result


def trivial_symmetry(size: int) -> Symmetry:
    """No symmetry at all but the scalings of projective space.

    Parameters
    ----------
    size : int
        The number of homogeneous coordinates.
    """
    lattice = echelon(np.eye(size, dtype=np.int64)[1:] - np.eye(size, dtype=np.int64)[:-1])
    return Symmetry(np.arange(size)[None], lattice, False)


def find_symmetry(polynomial: Polynomial, ambient: Ambient) -> Symmetry:
    """All permutations, phases and the conjugation that map Q to a multiple of itself.

    Raises `MemoryLimitError` where there are more permutations than can be listed.
    """
    differences = polynomial.exponents[1:] - polynomial.exponents[0]
    whole = tuple(range(ambient.size))
    conjugation = _Search(polynomial, ambient, conjugate=True).agrees(whole)
    return Symmetry(_listed(_transversals(_Search(polynomial, ambient)), ambient), echelon(differences), conjugation)


def _transversals(search: _Search) -> list[np.ndarray]:
    """For each coordinate i: of the group that fixes all before it, one permutation for each image of i.

    An image that known permutations reach is not searched for, so that few searches find a large group.
    """
    size = search.size
    known: list[tuple[int, ...]] = []
    levels: list[np.ndarray] = []
    for i in reversed(range(size)):
        reached = _reached(i, known, size)
        for image in range(i + 1, size):
            if image not in reached:
                found = search.extend((*range(i), image))
                if found is not None:
                    known.append(found)
                    reached = _reached(i, known, size)
        levels.append(np.array([reached[image] for image in sorted(reached)]))
    return levels[::-1]


def _reached(point: int, generators: list[tuple[int, ...]], size: int) -> dict[int, tuple[int, ...]]:
    """The orbit of a coordinate, and a product of generators that takes it to each image."""
    reached = {point: tuple(range(size))}
    waiting = [point]
    while waiting:
        start = waiting.pop()
        for generator in generators:
            image = generator[start]
            if image not in reached:
                reached[image] = tuple(generator[k] for k in reached[start])
                waiting.append(image)
    return reached


def _listed(levels: list[np.ndarray], ambient: Ambient) -> np.ndarray:
    """All products of one permutation a level, by the order of factors first, then lexicographically."""
    order = prod(len(level) for level in levels)
    advice = "give Hypersurface a smaller symmetry=(...), or `trivial_symmetry`"
    require(4 * 8 * ambient.size * order, f"{order} permutations of {ambient.size} coordinates", advice)
    group = np.arange(ambient.size)[None]
    for level in reversed(levels):
        group = np.concatenate([permutation[group] for permutation in level])
    factors = ambient.factor_of[group[:, [block.start for block in ambient.blocks]]]
    return group[np.lexsort(np.hstack([factors, group]).T[::-1])]


class _Search:
    """Permutations p with Q(z[p]) (or its conjugate) a unit multiple of Q, found one coordinate after another."""

    def __init__(self, polynomial: Polynomial, ambient: Ambient, *, conjugate: bool = False) -> None:
        self.size = ambient.size
        self.factor = ambient.factor_of.tolist()
        self.dims = ambient.dims
        self.rows = [tuple(map(int, m)) for m in polynomial.exponents]
        self.coefficients = polynomial.coefficients.astype(complex).tolist()
        self.sources = [c.conjugate() for c in self.coefficients] if conjugate else self.coefficients
        identity = tuple(range(self.size))
        self.targets = [_grouped(self.rows, self.coefficients, identity[:k]) for k in range(self.size + 1)]

    def extend(self, start: tuple[int, ...]) -> tuple[int, ...] | None:
        """A permutation that begins so, if there is one."""
        if not self.agrees(start):
            return None
        if len(start) == self.size:
            return start
        found = (self.extend((*start, k)) for k in range(self.size) if k not in start)
        return next((permutation for permutation in found if permutation is not None), None)

    def agrees(self, start: tuple[int, ...]) -> bool:
        """Whether terms that the first coordinates tell apart go to such terms, all with one ratio of modulus one."""
        if not self._keeps_factors(start):
            return False
        target, ratio = self.targets[len(start)], None
        source = _grouped(self.rows, self.sources, start)
        if {row: len(found) for row, found in source.items()} != {row: len(found) for row, found in target.items()}:
            return False
        for row, found in source.items():
            if len(found) == 1:
                quotient = target[row][0] / found[0]
                if ratio is None:
                    ratio = quotient
                if abs(abs(ratio) - 1) > 1e-12 or abs(quotient - ratio) > 1e-12 * abs(ratio):
                    return False
        return True

    def _keeps_factors(self, start: tuple[int, ...]) -> bool:
        """Whether the last image lies in one factor with the images of just those coordinates that its own does."""
        factor, last, image = self.factor, len(start) - 1, start[-1]
        if self.dims[factor[last]] != self.dims[factor[image]]:
            return False
        return all((factor[k] == factor[last]) == (factor[i] == factor[image]) for k, i in enumerate(start))


def _grouped(
    rows: list[tuple[int, ...]], coefficients: list[complex], places: tuple[int, ...]
) -> dict[tuple[int, ...], list[complex]]:
    """The coefficients by the exponents in those places."""
    found: dict[tuple[int, ...], list[complex]] = {}
    for row, coefficient in zip(rows, coefficients):
        found.setdefault(tuple(row[i] for i in places), []).append(coefficient)
    return found


def echelon(generators: np.ndarray) -> np.ndarray:
    """A basis in Hermite normal form of the lattice spanned by the rows, shape (rank, N).

    >>> echelon(np.array([[5, -5, 0], [0, 5, -5], [5, 0, -5]])).tolist()
    [[5, 0, -5], [0, 5, -5]]
    """
    rows = [list(map(int, row)) for row in generators if np.any(row)]
    basis: list[list[int]] = []
    for column in range(np.shape(generators)[-1]):
        pivot = _clear(rows, column)
        if pivot is None:
            continue
        for done in basis:
            factor = done[column] // pivot[column]
            done[:] = [a - factor * b for a, b in zip(done, pivot)]
        basis.append(pivot)
    return np.array(basis, dtype=np.int64).reshape(len(basis), np.shape(generators)[-1])


def _clear(rows: list[list[int]], column: int) -> list[int] | None:
    """Reduce `rows` until one has a nonzero entry in `column`; take it out (made positive) and return it."""
    while True:
        active = sorted((row for row in rows if row[column]), key=lambda row: abs(row[column]))
        if not active:
            return None
        first = active[0]
        if len(active) == 1:
            rows[:] = [row for row in rows if row is not first and any(row)]
            return first if first[column] > 0 else [-a for a in first]
        for row in active[1:]:
            factor = row[column] // first[column]
            row[:] = [a - factor * b for a, b in zip(row, first)]


def cosets(vectors: np.ndarray, basis: np.ndarray) -> np.ndarray:
    """The normal form of each row of `vectors` modulo the lattice of a Hermite `basis`."""
    reduced = np.array(vectors, dtype=np.int64)
    for row in basis:
        pivot = int(np.nonzero(row)[0][0])
        reduced -= (reduced[:, pivot] // row[pivot])[:, None] * row
    return reduced
