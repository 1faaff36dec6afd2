"""Symmetries of a hypersurface that are isometries of Fubini–Study: permutations, phases and conjugation.

The diagonal phases θ with Q(e^{iθ}z) ∝ Q(z) are the annihilator of the lattice L spanned by the differences of Q's
exponents, so z^m z̄^n is invariant under all of them exactly where m − n ∈ L: no phase is ever written down.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import permutations, product

import numpy as np

from geomflow.variety.ambient import Ambient
from geomflow.variety.lattice import cosets, echelon
from geomflow.variety.polynomial import Polynomial


@dataclass(frozen=True, eq=False)
class Symmetry:
    """A finite group of isometries.

    `permutations` (order, N): z ↦ z[permutation], the identity among them. `lattice` (rank, N): the Hermite basis of
    the exponent differences that the phases leave invariant. `conjugation`: whether z ↦ z̄ keeps Q.
    """

    permutations: np.ndarray
    lattice: np.ndarray
    conjugation: bool

    def phase_classes(self, monomials: np.ndarray) -> np.ndarray:
        """A number for each row of `monomials`, equal where the phases act equally."""
        _, labels = np.unique(cosets(monomials, self.lattice), axis=0, return_inverse=True)
        return labels.reshape(-1)

    def __repr__(self) -> str:
        kinds = [f"{len(self.permutations)} permutations", "phases that keep the lattice of exponents"]
        return "Symmetry: " + ", ".join(kinds + ["conjugation"] * self.conjugation)


def trivial_symmetry(size: int) -> Symmetry:
    """No symmetry at all but the scalings of projective space."""
    lattice = echelon(np.eye(size, dtype=np.int64)[1:] - np.eye(size, dtype=np.int64)[:-1])
    return Symmetry(np.arange(size)[None], lattice, False)


def find_symmetry(polynomial: Polynomial, ambient: Ambient) -> Symmetry:
    """All permutations, phases and the conjugation that map Q to a multiple of itself."""
    differences = polynomial.exponents[1:] - polynomial.exponents[0]
    terms = {tuple(map(int, m)): c for m, c in zip(polynomial.exponents, polynomial.coefficients)}
    kept = [p for p in _candidates(ambient) if _keeps(terms, p, conjugate=False)]
    conjugation = _keeps(terms, tuple(range(ambient.size)), conjugate=True)
    return Symmetry(np.array(kept), echelon(differences), conjugation)


def _candidates(ambient: Ambient) -> Iterator[tuple[int, ...]]:
    """Permutations of coordinates inside factors, and of factors of equal dimension."""
    starts = [block.start for block in ambient.blocks]
    for order in permutations(range(len(ambient.dims))):
        if any(ambient.dims[a] != ambient.dims[b] for a, b in enumerate(order)):
            continue
        for inner in product(*(permutations(range(n + 1)) for n in ambient.dims)):
            yield tuple(starts[order[f]] + i for f, inside in enumerate(inner) for i in inside)


def _keeps(terms: dict[tuple[int, ...], complex], permutation: tuple[int, ...], *, conjugate: bool) -> bool:
    """Whether the permuted (and conjugated) polynomial is a unit multiple of the polynomial."""
    ratio = None
    for monomial, coefficient in terms.items():
        image = terms.get(tuple(monomial[i] for i in permutation))
        if image is None:
            return False
        quotient = image / (np.conj(coefficient) if conjugate else coefficient)
        if ratio is None:
            ratio = quotient
            if abs(abs(ratio) - 1) > 1e-12:
                return False
        elif abs(quotient - ratio) > 1e-12 * abs(ratio):
            return False
    return True
