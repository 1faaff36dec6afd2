"""Sections of O(k): monomials modulo Q, and how the symmetries act on them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import csr_array

from geomflow.core.memory import require
from geomflow.variety.monomials import Places, multi_monomials, standard

if TYPE_CHECKING:
    from geomflow.variety.hypersurface import Hypersurface
    from geomflow.variety.points import Points
    from geomflow.variety.symmetry import Symmetry


@dataclass(frozen=True, eq=False)
class Sections:
    """The basis of H⁰(X, O(k_1, …, k_r)) of monomials not divisible by Q's leading one.

    >>> from geomflow.variety.families import Fermat
    >>> [Sections(Fermat(5), (k,)).count for k in range(1, 9)]
    [5, 15, 35, 70, 125, 205, 315, 460]
    """

    variety: Hypersurface
    degrees: tuple[int, ...]

    @cached_property
    def exponents(self) -> np.ndarray:
        """The monomials, (count, N)."""
        every = multi_monomials(self.variety.ambient, self.degrees)
        return standard(every, self._leading[0])

    @property
    def count(self) -> int:
        """The number of sections."""
        return len(self.exponents)

    @cached_property
    def symmetry(self) -> Symmetry:
        """The symmetries of the variety that keep the class of O(k_1, …, k_r), and so act on its sections."""
        return self.variety.symmetry.keeping(self.variety.ambient, self.degrees)

    @cached_property
    def _leading(self) -> tuple[np.ndarray, int]:
        """The lexicographically largest exponent of Q and its place."""
        exponents = self.variety.polynomial.exponents
        place = int(np.lexsort(exponents.T[::-1])[-1])
        return exponents[place], place

    def require(self, points: int) -> None:
        """Raise `MemoryLimitError` where the sections at so many points would not fit."""
        what = f"{self.count} sections at {points} points"
        require(32 * points * self.count, what, "take fewer points or a lower degree")

    def values(self, points: Points) -> np.ndarray:
        """The sections at the points, divided by Π|z_i|^{k_i}; shape (P, count)."""
        self.require(len(points))
        z = points.coordinates.copy()
        for block in self.variety.ambient.blocks:
            z[:, block] /= np.linalg.norm(z[:, block], axis=1, keepdims=True)
        powers = z[:, :, None] ** np.arange(max(self.degrees) + 1)
        result = powers[:, 0, self.exponents[:, 0]]
        for i in range(1, z.shape[1]):
            result *= powers[:, i, self.exponents[:, i]]
        return result

    def reduction(self) -> tuple[np.ndarray, csr_array]:
        """All monomials of this degree (M, N), and the matrix (M, count) that writes them modulo Q in the basis."""
        every = multi_monomials(self.variety.ambient, self.degrees)
        places = Places(every)
        leading, place = self._leading
        polynomial = self.variety.polynomial
        divisible = np.all(every >= leading, axis=1)
        kept = np.nonzero(~divisible)[0]
        rows, columns, entries = [kept], [kept], [np.ones(len(kept), complex)]
        moved = np.nonzero(divisible)[0]
        for t, (m, c) in enumerate(zip(polynomial.exponents, polynomial.coefficients)):
            if t != place:
                rows, columns = [*rows, moved], [*columns, places(every[moved] - leading + m)]
                entries.append(np.full(len(moved), -c / polynomial.coefficients[place]))
        shape = (len(every), len(every))
        step = csr_array((np.concatenate(entries), (np.concatenate(rows), np.concatenate(columns))), shape=shape)
        matrix = step
        while np.any(np.abs(matrix[:, moved]).sum(axis=0) > 0):
            matrix = csr_array(matrix @ step)
            matrix.eliminate_zeros()
        return every, csr_array(matrix[:, kept])

    def actions(self) -> list[csr_array]:
        """R_g with s(g z) = s(z) R_g for every permutation g of the `symmetry`, (count, count)."""
        every, matrix = self.reduction()
        places = Places(every)
        result = []
        for permutation in self.symmetry.permutations:
            image = np.empty_like(self.exponents)
            image[:, permutation] = self.exponents
            result.append(csr_array(matrix[places(image)].T))
        return result
