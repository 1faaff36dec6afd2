"""Functions f_αβ = s_α s̄_β/Π|z_i|^{2k_i} on a variety, by how its symmetries act on them.

The phases act on f_αβ by a character, that of α − β modulo the lattice of exponents. Permutations move characters; the
conjugate of a function has the opposite one. What keeps a character, its stabiliser, acts on the functions of it, whose
space a row of each irreducible representation divides into `Sector`s. Operators that commute with all symmetries keep
every sector, and each of their eigenvalues in one stands for `multiplicity` of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, final

import numpy as np
from scipy.linalg import qr
from scipy.sparse import coo_array, csr_array, kron

from geomflow.core.errors import InputError
from geomflow.core.memory import require
from geomflow.core.notebook import Facts, InNotebook
from geomflow.core.report import degree_text
from geomflow.variety.lifts import Lifts
from geomflow.variety.representations import rows
from geomflow.variety.sections import Sections, whole_degrees
from geomflow.variety.symmetry import Symmetry, cosets

if TYPE_CHECKING:
    from geomflow.variety.hypersurface import Hypersurface
    from geomflow.variety.points import Points


@final
@dataclass(frozen=True, eq=False)
class FunctionJets:
    """Functions at points with derivatives in local coordinates: complex arrays, the functions on the last axis.

    Parameters
    ----------
    values : (P, m) array
        f.
    holomorphic, antiholomorphic : (P, n, m) array
        ∂_a f and ∂_b̄ f.
    second : (P, n, n, m) array
        ∂_a∂_b̄ f.
    """

    values: np.ndarray
    holomorphic: np.ndarray
    antiholomorphic: np.ndarray
    second: np.ndarray


@final
@dataclass(frozen=True, eq=False)
class Character:
    """The functions f_αβ of one character of the phases.

    Parameters
    ----------
    charge : (N,) array of int
        α − β modulo the lattice.
    left, right : (K,) array of int
        α and β by their numbers among the sections.
    images : (I,) array of int
        Permutations, by their numbers, that take the character to each other one of its orbit, itself first.
    stabiliser : (order,) array of int
        Those that keep it.
    copies : int
        I, or 2I where the opposite character is in another orbit.
    """

    charge: np.ndarray
    left: np.ndarray
    right: np.ndarray
    images: np.ndarray
    stabiliser: np.ndarray
    copies: int

    @property
    def count(self) -> int:
        """K, the number of functions."""
        return len(self.left)

    def action(self, moved: csr_array) -> csr_array:
        """T with f(z[g]) = f(z) T on the functions f of the character, (K, K).

        Parameters
        ----------
        moved : (M, M) sparse array
            R_g of the sections, for g in the stabiliser.
        """
        keys = self.left * moved.shape[0] + self.right
        return csr_array(csr_array(kron(moved, moved.conj(), format="csr"))[keys][:, keys])

    def functions(self, jets: np.ndarray) -> np.ndarray:
        """f, then ∂_a f and ∂_ā f for all a, (1 + 2n, K, P).

        Parameters
        ----------
        jets : (1 + n, M, P) array
            Of the sections: `Lifts.sections`.
        """
        n = len(jets) - 1
        out = np.empty((1 + 2 * n, self.count, jets.shape[2]), complex)
        right = jets[:, self.right].conj()
        np.multiply(jets[:, self.left], right[0], out=out[: 1 + n])
        np.multiply(jets[0, self.left], right[1:], out=out[1 + n :])
        return out

    def bent(self, jets: np.ndarray, metric: np.ndarray) -> np.ndarray:
        """∂_a∂_b̄ f, (n, n, K, P).

        Parameters
        ----------
        jets : (1 + n, M, P) array
            Of the sections: `Lifts.sections`.
        metric : (P, n, n) array
            `Lifts.polarisation`.
        """
        left, right = jets[:, self.left], jets[:, self.right].conj()
        result: np.ndarray = left[1:, None] * right[None, 1:]
        result -= np.moveaxis(metric, 0, 2)[:, :, None] * (left[0] * right[0])
        return result


@final
@dataclass(frozen=True, eq=False)
class Sector:
    """The functions of one character in one row of an irreducible representation of its stabiliser.

    Parameters
    ----------
    space : FunctionSpace
        Of which it is a part.
    character : Character
        The character.
    row : int
        The number of the representation, 0 for the trivial one.
    basis : (K, m) array
        The functions, in terms of the f_αβ of the character.
    multiplicity : int
        For how many eigenvalues one of an invariant operator in the sector stands.
    """

    space: FunctionSpace
    character: Character
    row: int
    basis: np.ndarray
    multiplicity: int

    @property
    def charge(self) -> np.ndarray:
        """The character, as exponents (N,)."""
        return self.character.charge

    @property
    def size(self) -> int:
        """m, the number of functions."""
        return int(self.basis.shape[1])

    def at(self, points: Points) -> FunctionJets:
        """The functions with ∂_a, ∂_b̄ and ∂_a∂_b̄ in the local coordinates of the points.

        Parameters
        ----------
        points : Points
            P of them.
        """
        n, count = self.space.variety.dim, len(points)
        require(16 * count * (1 + n) ** 2 * self.character.count * 2, f"{self.character.count} functions with their "
                f"derivatives at {count} points", "take fewer points or a lower degree")
        lifts = Lifts.coordinate(self.space.checked(points))
        jets = lifts.sections(self.space.sections.exponents)
        first = np.moveaxis(self.character.functions(jets), 1, 2) @ self.basis
        metric = lifts.polarisation(self.space.degrees)
        second = np.moveaxis(self.character.bent(jets, metric), 2, 3) @ self.basis
        holomorphic, antiholomorphic = (np.moveaxis(part, 0, 1) for part in (first[1 : 1 + n], first[1 + n :]))
        return FunctionJets(first[0], holomorphic, antiholomorphic, np.moveaxis(second, 2, 0))

    def __repr__(self) -> str:
        return f"{self.size} functions of charge {tuple(self.charge.tolist())}, each for {self.multiplicity}"


@final
@dataclass(frozen=True, eq=False)
class FunctionSpace(InNotebook):
    """All Σ c_αβ s_α s̄_β/Π|z_i|^{2k_i}, s_α the sections of O(k): they hold those of all lower degrees on the ray.

    Products of sections modulo Q are independent, so that there are exactly h⁰(X, O(k))² of them. Made by
    `function_space`.

    Parameters
    ----------
    variety : Hypersurface
        Where they are.
    degrees : tuple of int
        k_i, one for each factor.
    symmetry : Symmetry
        By which they are divided into sectors.
    """

    variety: Hypersurface
    degrees: tuple[int, ...]
    symmetry: Symmetry

    @cached_property
    def sections(self) -> Sections:
        """The s_α."""
        return Sections(self.variety, self.degrees)

    @property
    def count(self) -> int:
        """The number of functions."""
        return self.sections.count**2

    @cached_property
    def moved(self) -> list[csr_array]:
        """R_g with s(z[g]) = s(z) R_g for all permutations of the symmetry, real where they are."""
        found = self.sections.actions(self.symmetry.permutations)
        return found if any(np.any(action.imag.data) for action in found) else [action.real for action in found]

    @cached_property
    def characters(self) -> tuple[Character, ...]:
        """One character of each orbit under permutations and conjugates that has functions."""
        lattice, exponents = self.symmetry.lattice, self.sections.exponents
        classes, label = np.unique(cosets(exponents, lattice), axis=0, return_inverse=True)
        members = [np.flatnonzero(label.reshape(-1) == c) for c in range(len(classes))]
        pairs = cosets((classes[:, None] - classes[None]).reshape(-1, exponents.shape[1]), lattice)
        charges, which = np.unique(pairs, axis=0, return_inverse=True)
        found, known = [], set()
        for number, charge in enumerate(charges):
            orbit, images, stabiliser = self._orbit(charge)
            opposite = tuple(cosets(-charge[None], lattice)[0].tolist())
            if tuple(charge.tolist()) not in known:
                known |= orbit | self._orbit(np.array(opposite))[0]
                places = np.flatnonzero(which.reshape(-1) == number)
                left, right = (np.concatenate(side) for side in zip(*(
                    (np.repeat(members[a], len(members[b])), np.tile(members[b], len(members[a])))
                    for a, b in zip(*np.divmod(places, len(classes))))))
                copies = len(images) * (1 if opposite in orbit else 2)
                found.append(Character(charge, left, right, images, stabiliser, copies))
        return tuple(found)

    def _orbit(self, charge: np.ndarray) -> tuple[set[tuple[int, ...]], np.ndarray, np.ndarray]:
        """The orbit of a charge under the permutations, one permutation to each of it, and those that keep it."""
        permutations = self.symmetry.permutations
        images = np.empty_like(permutations)
        np.put_along_axis(images, permutations, np.broadcast_to(charge, permutations.shape), axis=1)
        images = cosets(images, self.symmetry.lattice)
        kept = np.all(images == charge, axis=1)
        _, first = np.unique(images, axis=0, return_index=True)
        first = np.concatenate([np.flatnonzero(kept)[:1], first[~kept[first]]])
        return set(map(tuple, images.tolist())), first, np.flatnonzero(kept)

    @cached_property
    def sectors(self) -> tuple[Sector, ...]:
        """All sectors that have functions."""
        return tuple(sector for character in self.characters for sector in self._divided(character))

    def _divided(self, character: Character) -> list[Sector]:
        if len(character.stabiliser) == 1:
            return [Sector(self, character, 0, np.eye(character.count), character.copies)]
        actions = [coo_array(character.action(self.moved[g])) for g in character.stabiliser]
        place = np.repeat(np.arange(len(actions)), [action.nnz for action in actions])
        entry, left, right = (np.concatenate([getattr(a, name) for a in actions]) for name in ("data", "row", "col"))
        found = []
        for number, row in enumerate(rows(self.symmetry.permutations[character.stabiliser])):
            projection = csr_array((row.coefficients[place] * entry, (left, right)), actions[0].shape)
            rank = round(float(projection.trace().real))
            if rank:
                draw = np.random.default_rng(0).standard_normal((character.count, rank))
                basis = qr(projection @ draw, mode="economic")[0]
                found.append(Sector(self, character, number, basis, character.copies * row.weight))
        return found

    def checked(self, points: Points) -> Points:
        """The points; `InputError` where they are on another variety.

        Parameters
        ----------
        points : Points
            P of them.
        """
        if not self.variety.same_as(points.variety):
            raise InputError(f"the functions are on the {self.variety}, the points on the {points.variety}")
        return points

    def __facts__(self) -> Facts:
        return [("on", self.variety), ("degree", self.degrees), ("functions", f"{self.count:,}"),
                ("sectors", len(self.sectors)), ("largest sector", max(s.size for s in self.sectors))]

    def __repr__(self) -> str:
        return f"{self.count} functions of degree {degree_text(self.degrees)} on the {self.variety}"


def function_space(
    variety: Hypersurface, degree: int | Sequence[int], *, symmetry: Symmetry | None = None
) -> FunctionSpace:
    """The functions f_αβ = s_α s̄_β/Π|z_i|^{2k_i} in symmetry sectors.

    In this space the potential of a metric of the class is linear, φ = Σ c_αβ f_αβ, a fixed kernel of the potential of
    degree k lives, and the Laplacian is diagonalised (`spectrum`).

    Raises `MemoryLimitError`, with the bytes, where the pairs of sections cannot be listed.

    Parameters
    ----------
    variety : Hypersurface
        Where they are.
    degree : int or sequence of int
        k, or one k_i for each factor.
    symmetry : Symmetry, optional
        By which sectors are told; the variety's unless given. `trivial_symmetry(N)` makes one sector of all.

    Examples
    --------
    >>> from geomflow.variety import Fermat
    >>> space = function_space(Fermat(3), 2)
    >>> space.count, sum(sector.size * sector.multiplicity for sector in space.sectors)
    (36, 36)
    """
    degrees = whole_degrees(variety, degree)
    symmetry = (symmetry or variety.symmetry).keeping(variety.ambient, degrees)
    space = FunctionSpace(variety, degrees, symmetry)
    classes = np.bincount(symmetry.phase_classes(space.sections.exponents)).astype(float)
    largest = float(classes @ classes)
    require(16 * space.count + 32 * largest**2, f"the matrices of {space.count:,} functions, {largest:,.0f} of one "
            "character,", "take a lower degree")
    return space
