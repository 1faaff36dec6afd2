"""Where exact work is done: in a field of fractions if the expressions allow it, on the graph otherwise."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from typing import Any, TypeVar

import numpy as np
import sympy
from sympy.core.function import AppliedUndef

from geomflow.symbolic.fractions import OutsideField, field_of
from geomflow.symbolic.given import given_freely
from geomflow.symbolic.ring import ExactRing, GraphRing

MOST_UNKNOWN_FUNCTIONS = 3
"""With more unknown functions than this, expanded fractions are larger than graphs."""

T = TypeVar("T")


def rings(expressions: Sequence[sympy.Expr], coordinates: Sequence[sympy.Symbol]) -> Iterator[ExactRing]:
    """The rings that hold the expressions, the preferred one first; the last one is the graph."""
    unknown = sorted(set().union(*(e.atoms(AppliedUndef) for e in expressions)), key=str)
    if len(unknown) <= MOST_UNKNOWN_FUNCTIONS:
        with suppress(OutsideField):
            yield field_of(expressions, coordinates)
    symbols = set(coordinates).union(*(e.free_symbols for e in expressions))
    names = [s.name for s in coordinates]
    extra = sorted({str(a) for f in unknown for a in f.args} - set(names))
    yield GraphRing(names, symbols=symbols, functions=unknown, extra=extra)


def readings(values: Any, coordinates: Sequence[sympy.Symbol]) -> Iterator[tuple[ExactRing, np.ndarray]]:
    """The rings that hold a matrix, the preferred one first, each with the matrix read into it."""
    for ring in rings(list(values), coordinates):
        try:
            yield ring, read_array(ring, values)
        except OutsideField:
            continue


def compute(
    expressions: Sequence[sympy.Expr], coordinates: Sequence[sympy.Symbol], task: Callable[[ExactRing], T]
) -> T:
    """`task(ring)` in the first ring that is large enough for it."""
    *fields, graph = rings(expressions, coordinates)
    for ring in fields:
        try:
            return task(ring)
        except OutsideField:
            continue
    return task(graph)


def all_zero(expressions: Iterable[Any], coordinates: Sequence[sympy.Symbol] = ()) -> bool:
    """Whether all the sympy expressions vanish identically, decided."""
    items = [given_freely(e, coordinates) for e in expressions]
    pending = [e for e in items if e != 0]
    return compute(pending, coordinates, lambda ring: all(ring.is_zero(ring.read(e)) for e in pending))


def is_zero(expression: Any, coordinates: Sequence[sympy.Symbol] = ()) -> bool:
    """Whether the sympy expression, or every entry of the matrix or array, vanishes identically, decided.

    Rational normal forms decide where they exist, exact evaluation at random points otherwise. Unknown functions must
    be functions of symbols; `coordinates` are needed only to order their derivatives.
    """
    rows = expression.tolist() if hasattr(expression, "tolist") else expression
    return all_zero(np.array(rows, dtype=object).ravel(), coordinates)


def written(ring: ExactRing, values: np.ndarray) -> sympy.ImmutableMatrix | sympy.ImmutableDenseNDimArray:
    """An array of elements as a sympy matrix (rank 2) or array (other ranks)."""
    flat = values.ravel()
    unique = {id(e): e for e in flat}
    table = dict(zip(unique, ring.write(list(unique.values())), strict=True))
    entries = [table[id(e)] for e in flat]
    if values.ndim == 2:
        return sympy.ImmutableMatrix(*values.shape, entries)
    return sympy.ImmutableDenseNDimArray(entries, values.shape)


def read_array(ring: ExactRing, values: Any) -> np.ndarray:
    """A nested sequence, matrix or array of sympy expressions as an object array of elements."""
    shape = np.shape(values) if not isinstance(values, sympy.MatrixBase) else values.shape
    result = ring.array(shape)
    for place in np.ndindex(*shape):
        entry = values[place] if hasattr(values, "shape") else _at(values, place)
        result[place] = ring.read(entry)
    return result


def _at(values: Any, place: tuple[int, ...]) -> Any:
    for i in place:
        values = values[i]
    return values
