"""The bookkeeping of truncated power series: which monomials are kept, what multiplies to what, and composition.

A series is kept as coefficients in the order of `Monomials.indices`; what a coefficient is (a float at many points, a
complex number, a residue modulo a prime) is its owner's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from itertools import combinations_with_replacement, product
from math import factorial, prod
from typing import TypeVar, final

import numpy as np
from numpy.typing import NDArray

Index = tuple[int, ...]
V = TypeVar("V")


@cache
def multi_indices(dim: int, order: int) -> tuple[Index, ...]:
    """All multi-indices of `dim` entries and degree <= `order`, by degree, the first coordinate first.

    >>> multi_indices(2, 2)
    ((0, 0), (1, 0), (0, 1), (2, 0), (1, 1), (0, 2))
    """
    chosen = (c for degree in range(order + 1) for c in combinations_with_replacement(range(dim), degree))
    return tuple(tuple(c.count(axis) for axis in range(dim)) for c in chosen)


@final
@dataclass(frozen=True)
class Monomials:
    """Monomials of total degree at most `degrees[g]` in the `groups[g]` variables of each group g."""

    groups: tuple[int, ...]
    degrees: tuple[int, ...]

    @cached_property
    def indices(self) -> tuple[Index, ...]:
        """The exponents, by degree in each group; the first is zero."""
        parts = [multi_indices(size, degree) for size, degree in zip(self.groups, self.degrees, strict=True)]
        return tuple(tuple(e for part in choice for e in part) for choice in product(*parts))

    @cached_property
    def places(self) -> Mapping[Index, int]:
        """The place of each monomial."""
        return {index: place for place, index in enumerate(self.indices)}

    @cached_property
    def factorials(self) -> NDArray[np.float64]:
        """α! of each monomial: derivative = α! × coefficient."""
        return np.array([float(prod(map(factorial, index))) for index in self.indices])

    @cached_property
    def products(self) -> tuple[tuple[tuple[int, int], ...], ...]:
        """For each monomial the pairs of places whose monomials multiply to it, by the left one, zero first."""
        return tuple(tuple(sorted(self._splittings(index))) for index in self.indices)

    def _splittings(self, index: Index) -> list[tuple[int, int]]:
        lefts = product(*(range(e + 1) for e in index))
        return [(self.places[left], self.places[minus(index, left)]) for left in lefts]


@cache
def monomials(groups: tuple[int, ...], degrees: tuple[int, ...]) -> Monomials:
    """The monomials of these groups and degrees, whose tables are made once."""
    return Monomials(groups, degrees)


def minus(upper: Index, lower: Index) -> Index:
    """upper − lower, entry by entry."""
    return tuple(a - b for a, b in zip(upper, lower, strict=True))


def plus(first: Index, second: Index) -> Index:
    """The sum, entry by entry."""
    return tuple(a + b for a, b in zip(first, second, strict=True))


def falling(index: Index, by: Index) -> int:
    """The factor of ∂^by x^{index + by} = factor · x^index."""
    return prod(factorial(i + k) // factorial(i) for i, k in zip(index, by, strict=True))


def horner(coefficients: Sequence[V], multiply: Callable[[V], V], add: Callable[[V, V], V]) -> V:
    """Σ_k c_k x^k of a series x without constant term, with `multiply(s)` = s·x and `add(s, c)` = s + c."""
    *rest, result = coefficients
    for coefficient in reversed(rest):
        result = add(multiply(result), coefficient)
    return result
