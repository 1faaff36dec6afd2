"""Cartesian derivatives as combinations of derivatives along the lattice directions.

∂/∂X_j = Σ_a dual[j, a] ∂/∂s_a, so ∂^index is a polynomial in the ∂/∂s_a with constant coefficients; on a rectangular
torus it is the single term ∂^index itself.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

from geomflow.field.lattice import FlatTorus

Index = tuple[int, ...]


@lru_cache(maxsize=4096)
def cell_expansion(torus: FlatTorus, index: Index) -> dict[Index, float]:
    """Cell derivative index -> coefficient, for the Cartesian derivative `index`."""
    dual = torus.dual
    return expand(index, lambda j, a: float(dual[j, a]), 1.0)


def expand(index: Sequence[int], coefficient: Callable[[int, int], Any], one: Any) -> dict[Index, Any]:
    """The product over j of (Σ_a coefficient(j, a) ∂_a)^index[j], multiplied out; zero coefficients are left out."""
    dim = len(index)
    terms: dict[Index, Any] = {(0,) * dim: one}
    for j, times in enumerate(index):
        row = [(a, coefficient(j, a)) for a in range(dim)]
        for _ in range(times):
            terms = _times_row(terms, [(a, c) for a, c in row if not _is_zero(c)])
    return terms


def _times_row(terms: dict[Index, Any], row: list[tuple[int, Any]]) -> dict[Index, Any]:
    result: dict[Index, Any] = {}
    for index, value in terms.items():
        for a, c in row:
            bumped = (*index[:a], index[a] + 1, *index[a + 1 :])
            result[bumped] = result[bumped] + value * c if bumped in result else value * c
    return result


def _is_zero(value: Any) -> bool:
    return isinstance(value, float | int) and value == 0
