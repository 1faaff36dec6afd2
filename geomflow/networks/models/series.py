"""Jets of products: partial derivatives by multi-index, multiplied by Leibniz' rule.

A jet is a mapping from multi-indices (counts of derivatives, one per coordinate) to arrays with the points first.
Absent indices are zero, so that a constant is the jet {(0, ..., 0): value}.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import product
from math import comb, prod

import numpy as np

Index = tuple[int, ...]
Jet = dict[Index, np.ndarray]
Bilinear = Callable[[np.ndarray, np.ndarray], np.ndarray]


def binomial(upper: Index, lower: Index) -> int:
    """Π_k (upper_k choose lower_k)."""
    return prod(map(comb, upper, lower))


def minus(upper: Index, lower: Index) -> Index:
    """upper − lower, entry by entry."""
    return tuple(a - b for a, b in zip(upper, lower, strict=True))


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
