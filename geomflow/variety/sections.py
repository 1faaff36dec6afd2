"""Line bundles O(k t) in Kähler classes t, monomials, and sections: monomials modulo Q, moved by symmetries."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import csr_array

from geomflow.core.errors import InputError
from geomflow.core.memory import require
from geomflow.core.numbers import finite_number, whole
from geomflow.variety.ambient import Ambient

if TYPE_CHECKING:
    from geomflow.core.archive import Archive
    from geomflow.variety.hypersurface import Hypersurface
    from geomflow.variety.points import Points
    from geomflow.variety.symmetry import Symmetry


@lru_cache(maxsize=64)
def monomials(size: int, degree: int) -> np.ndarray:
    """All exponents of total degree `degree` in `size` variables, lexicographically falling: (count, size).

    >>> monomials(2, 2).tolist()
    [[2, 0], [1, 1], [0, 2]]
    """
    if size == 1:
        return _frozen(np.array([[degree]], dtype=np.int64))
    parts = []
    for first in range(degree, -1, -1):
        rest = monomials(size - 1, degree - first)
        parts.append(np.concatenate([np.full((len(rest), 1), first), rest], axis=1))
    return _frozen(np.concatenate(parts))


def number_of_monomials(ambient: Ambient, degrees: Sequence[int]) -> int:
    """How many monomials of multi-degree `degrees` there are: Π C(n_i + k_i, n_i)."""
    return math.prod(math.comb(n + degree, n) for n, degree in zip(ambient.dims, degrees))


def require_monomials(ambient: Ambient, degrees: Sequence[int]) -> None:
    """Raise `MemoryLimitError`, before any is listed, where the monomials of multi-degree `degrees` would not fit."""
    count = number_of_monomials(ambient, degrees)
    shown = degrees[0] if len(degrees) == 1 else tuple(degrees)
    require(32 * count * ambient.size, f"a list of the {count:,} monomials of degree {shown} in {ambient.size} "
                                       "coordinates", "take a lower degree")


def multi_monomials(ambient: Ambient, degrees: Sequence[int]) -> np.ndarray:
    """All exponents of multi-degree `degrees` in the homogeneous coordinates of `ambient`: (count, size).

    Raises `MemoryLimitError` before they are listed.
    """
    require_monomials(ambient, degrees)
    result = np.zeros((1, 0), dtype=np.int64)
    for n, degree in zip(ambient.dims, degrees):
        factor = monomials(n + 1, degree)
        left = np.repeat(result, len(factor), axis=0)
        result = np.concatenate([left, np.tile(factor, (len(result), 1))], axis=1)
    return result


class Places:
    """Rows of exponents to their numbers in a list of monomials, (M, N).

    A monomial that is not in the list is a defect of whoever asks for it: AssertionError, with the first.
    """

    def __init__(self, exponents: np.ndarray) -> None:
        self.exponents = exponents
        self.base = (int(exponents.max()) + 1) ** np.arange(exponents.shape[1], dtype=np.int64)
        self.order = np.argsort(exponents @ self.base)
        self.keys = (exponents @ self.base)[self.order]

    def __call__(self, exponents: np.ndarray) -> np.ndarray:
        """The numbers of the rows, (n,)."""
        near = np.minimum(np.searchsorted(self.keys, exponents @ self.base), len(self.keys) - 1)
        places = self.order[near]
        lost = np.flatnonzero(np.any(self.exponents[places] != exponents, axis=1))
        if lost.size:
            raise AssertionError(f"{lost.size} monomials are not among the {len(self.exponents)} of their degree, the "
                                 f"first {exponents[lost[0]].tolist()}")
        return places


def _frozen(array: np.ndarray) -> np.ndarray:
    array.setflags(write=False)
    return array


#: Up to which relative error a number counts as whole.
_WHOLE = 1e-12
#: Decimal digits of the largest and the smallest volume of a class.
_VOLUME_DIGITS = 120


def checked_class(variety: Hypersurface, kahler_class: Sequence[float] | None) -> tuple[float, ...]:
    """The t_i as floats, 1 for each factor unless given.

    Raises `InputError` where one is no positive number, or where the volume's square, of which errors are made, may be
    no double.
    """
    count = len(variety.ambient.dims)
    try:
        found = (1.0,) * count if kahler_class is None else tuple(finite_number(t, "t") for t in kahler_class)
    except (TypeError, InputError):
        found = ()
    if len(found) != count or not all(t > 0 for t in found):
        raise InputError(
            f"the Kähler class {kahler_class} must be one positive number for each factor of {variety.ambient}"
        )
    digits = _VOLUME_DIGITS // variety.dim
    if np.any(np.abs(np.log10(found)) > digits):
        raise InputError(f"the Kähler class {found} is beyond 10^±{digits}, its volume squared beyond doubles: "
                         "give a multiple of it, whose metrics are that multiple of these")
    return found


def whole_degrees(variety: Hypersurface, degree: int | Sequence[int]) -> tuple[int, ...]:
    """One degree for each factor; a single number stands for all. Raises `InputError`."""
    count = len(variety.ambient.dims)
    degrees = tuple(degree) if isinstance(degree, (Sequence, np.ndarray)) else (degree,) * count
    advice = f", or one for each factor of {variety.ambient}"
    if len(degrees) != count:
        raise InputError(f"the degree is {degree!r}; give a whole number >= 1{advice}")
    return tuple(whole(d, "the degree", 1, advice) for d in degrees)


def line_bundle(
    variety: Hypersurface, degree: int | Sequence[int], kahler_class: Sequence[float] | None = None
) -> tuple[tuple[int, ...], int]:
    """((k t_1, …, k t_r), k): the bundle whose forms P give metrics K = (1/k) log P in the class t = (t_1, …, t_r).

    `degree` is k, or k t itself. Without a class t is (1, …, 1) or the primitive class on the ray of the degrees: of
    O(2, 4) it is (1, 2), k = 2. Raises `InputError` where k or a k t_i is no whole number: O(k t) is no bundle then.

    >>> from geomflow.variety.hypersurface import Bicubic
    >>> X = Bicubic()
    >>> line_bundle(X, (2, 4)), line_bundle(X, 2, (1, 2)), line_bundle(X, (2, 4), (2, 4)), line_bundle(X, 2, (1, 1.5))
    (((2, 4), 2), ((2, 4), 2), ((2, 4), 1), ((2, 3), 2))
    """
    given = whole_degrees(variety, degree)
    if kahler_class is None:
        return given, math.gcd(*given)
    t = np.array(checked_class(variety, kahler_class))
    level = given[0] if isinstance(degree, (int, np.integer)) else round(sum(given) / t.sum())
    rounded = np.round(level * t)
    if level < 1 or np.any(np.abs(level * t - rounded) > _WHOLE * rounded):
        raise InputError(
            f"O(k t) with t = {tuple(kahler_class)} and k = {level} is no line bundle: an algebraic metric needs whole "
            f"k t_i; take another degree k, or a network or kernel metric, whose class may be any"
        )
    degrees = tuple(int(r) for r in rounded)
    if not isinstance(degree, (int, np.integer)) and degrees != given:
        raise InputError(
            f"the degree {given} is no whole multiple of the Kähler class {tuple(kahler_class)}; give k, or k times it"
        )
    return degrees, int(level)


def halved(degrees: Sequence[int]) -> tuple[int, ...]:
    """About half the degrees on the same ray, where a fit starts that ends at them: ⌈g/2⌉/g of them, g their gcd.

    >>> halved((10,)), halved((3, 6)), halved((1, 2))
    ((5,), (2, 4), (1, 2))
    """
    g = math.gcd(*degrees)
    return tuple(-(-g // 2) * (d // g) for d in degrees)


def stored_class(file: Archive, variety: Hypersurface, name: str = "kahler_class") -> tuple[float, ...]:
    """The t_i of a file, one for each factor. Raises `StoreError` and `InputError`."""
    return checked_class(variety, file.numbers(name, "f", len(variety.ambient.dims)).tolist())


@dataclass(frozen=True, eq=False)
class Sections:
    """The basis of H⁰(X, O(k_1, …, k_r)) of monomials not divisible by Q's leading one.

    Parameters
    ----------
    variety : Hypersurface
        The variety Q = 0.
    degrees : tuple of int
        (k_1, …, k_r), one for each factor.

    Examples
    --------
    >>> from geomflow.variety.hypersurface import Fermat
    >>> [Sections(Fermat(5), (k,)).count for k in range(1, 9)]
    [5, 15, 35, 70, 125, 205, 315, 460]
    """

    variety: Hypersurface
    degrees: tuple[int, ...]

    @cached_property
    def exponents(self) -> np.ndarray:
        """The monomials, (count, N)."""
        every = multi_monomials(self.variety.ambient, self.degrees)
        standard: np.ndarray = every[~np.all(every >= self._leading[0], axis=1)]
        return standard

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
        """Raise `MemoryLimitError` where the sections at so many points would not fit.

        Parameters
        ----------
        points : int
            How many.
        """
        what = f"{self.count} sections at {points} points"
        require(32 * points * self.count, what, "take fewer points or a lower degree")

    def values(self, points: Points) -> np.ndarray:
        """The sections at the points, divided by Π|z_i|^{k_i}; shape (P, count).

        Parameters
        ----------
        points : Points
            P points.
        """
        self.require(len(points))
        z = self.variety.ambient.unit(points.coordinates)
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

    def actions(self, permutations: np.ndarray | None = None) -> list[csr_array]:
        """R_g with s(g z) = s(z) R_g for permutations g, those of the `symmetry` unless given, (count, count).

        Parameters
        ----------
        permutations : (order, N) array of int, optional
            z ↦ z[permutation], of those that keep Q and the degrees.
        """
        every, matrix = self.reduction()
        places = Places(every)
        result = []
        for permutation in self.symmetry.permutations if permutations is None else permutations:
            image = np.empty_like(self.exponents)
            image[:, permutation] = self.exponents
            result.append(csr_array(matrix[places(image)].T))
        return result
