"""Input derivatives of networks and of what is made of them: jets, and their products by Leibniz' rule.

A jet is a mapping from multi-indices (counts of derivatives, one per coordinate) to arrays with the points first.
Absent indices are zero, so that a constant is the jet {(0, ..., 0): value}.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from math import comb, prod
from typing import final

import numpy as np

from geomflow.core.errors import InputError
from geomflow.core.monomials import Index, minus
from geomflow.networks.series import Series

Jet = dict[Index, np.ndarray]
Bilinear = Callable[[np.ndarray, np.ndarray], np.ndarray]

#: The highest input derivative that networks offer.
HIGHEST_JET = 4


@final
@dataclass(frozen=True, repr=False)
class Jets(Mapping[Index, np.ndarray]):
    """∂^α f(x) for every multi-index α of degree <= order: a mapping {α: (p, outputs)}.

    α counts derivatives per input coordinate, (2, 0) is ∂_x². `array` (C, p, outputs) holds all of them in the order
    of `indices`: by degree, the value first.
    """

    series: Series
    array: np.ndarray

    @property
    def order(self) -> int:
        """The highest degree."""
        return self.series.order

    @property
    def indices(self) -> tuple[Index, ...]:
        """The multi-indices in the order of `array`."""
        return self.series.indices

    def __getitem__(self, index: Index) -> np.ndarray:
        try:
            return self.array[self.series.indices.index(tuple(index))]
        except ValueError:
            message = f"no derivative {index}: these jets have {self.series.dim} inputs and order {self.order}."
            raise KeyError(message) from None

    def __iter__(self) -> Iterator[Index]:
        return iter(self.series.indices)

    def __len__(self) -> int:
        return self.series.channels

    def __repr__(self) -> str:
        _, points, outputs = self.array.shape
        return (
            f"the derivatives up to order {self.order} by {self.series.dim} inputs of {outputs} outputs at "
            f"{points} points"
        )


def checked_order(order: int) -> int:
    """`order` if it is a whole number from 0 to 4; raises `InputError` otherwise."""
    if isinstance(order, bool) or not isinstance(order, int | np.integer) or not 0 <= order <= HIGHEST_JET:
        raise InputError(f"jets have order 0 to {HIGHEST_JET}, and the order is {order!r}.")
    return int(order)

def binomial(upper: Index, lower: Index) -> int:
    """Π_k (upper_k choose lower_k)."""
    return prod(map(comb, upper, lower))


def below(index: Index) -> Iterator[Index]:
    """All multi-indices β ≤ index, entry by entry."""
    return product(*(range(n + 1) for n in index))


def leibniz(first: Mapping[Index, np.ndarray], second: Mapping[Index, np.ndarray], multiply: Bilinear,
            wanted: Iterable[Index]) -> Jet:
    """∂^α(a·b) = Σ_{β≤α} (α choose β) ∂^β a · ∂^{α−β} b for the wanted α, with a bilinear product."""
    result: Jet = {}
    for index in wanted:
        for part in below(index):
            rest = minus(index, part)
            if part in first and rest in second:
                term = binomial(index, part) * multiply(first[part], second[rest])
                result[index] = result[index] + term if index in result else term
    return result


def leibniz_adjoint(first: Mapping[Index, np.ndarray], cotangents: Mapping[Index, np.ndarray],
                    multiply: Bilinear) -> Jet:
    """The adjoint of b ↦ `leibniz(a, b)`: cotangents of ∂^γ b from cotangents of ∂^α(a·b).

    `multiply(a, c)` is the adjoint of the bilinear product in its second argument.
    """
    result: Jet = {}
    for index, cotangent in cotangents.items():
        for part in below(index):
            rest = minus(index, part)
            if rest in first:
                term = binomial(index, part) * multiply(first[rest], cotangent)
                result[part] = result[part] + term if part in result else term
    return result


def exponential(jet: Mapping[Index, np.ndarray]) -> Jet:
    """The jet of e^u, by ∂_k e^u = e^u ∂_k u; infinite beyond double precision."""
    result: Jet = {}
    for index in sorted(jet, key=sum):
        if not any(index):
            with np.errstate(over="ignore"):
                result[index] = np.exp(jet[index])
            continue
        axis = next(k for k, n in enumerate(index) if n)
        lower = tuple(n - (k == axis) for k, n in enumerate(index))
        parts = ((part, minus(index, part)) for part in below(lower))
        terms = [binomial(lower, part) * result[part] * jet[rest] for part, rest in parts if rest in jet]
        result[index] = np.asarray(sum(terms, start=np.zeros_like(jet[index])))
    return result
