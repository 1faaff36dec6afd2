"""How long a polynomial becomes when it is written out, known before it is."""

from __future__ import annotations

import math
from collections.abc import Sequence

import sympy

from geomflow.core.errors import InputError

MOST_TERMS = 10_000
"""All monomials of a Calabi–Yau hypersurface in P^7 are 6,435."""
MANY = 10**18
"""All larger numbers are told alike."""


def require_short(expression: sympy.Expr, symbols: Sequence[sympy.Symbol]) -> None:
    """Raise `InputError`, with the number, where a polynomial written out may have more than `MOST_TERMS` terms."""
    terms, degree = size_written_out(expression, frozenset(symbols))
    if terms > MOST_TERMS:
        raise InputError(f"written out, the polynomial has up to {_count(terms)} terms of degree up to {_count(degree)}"
                         f"; the most is {MOST_TERMS:,} terms")


def size_written_out(expression: sympy.Expr, symbols: frozenset[sympy.Symbol]) -> tuple[int, int]:
    """Bounds of the number of terms and of the degree of an expression that is written out in some symbols.

    >>> x, y, z = sympy.symbols("x y z")
    >>> size_written_out((x + y + z)**200, frozenset((x, y, z)))
    (20301, 200)
    """
    if not expression.free_symbols & symbols:
        return 1, 0
    if isinstance(expression, sympy.Add | sympy.Mul):
        parts = [size_written_out(part, symbols) for part in expression.args]
        if expression.is_Add:
            return sum(terms for terms, _ in parts), max(degree for _, degree in parts)
        degree = sum(degree for _, degree in parts)
        return min(math.prod(terms for terms, _ in parts), _all(len(symbols), degree)), degree
    if isinstance(expression, sympy.Pow) and expression.exp.is_Integer and expression.exp > 0:
        terms, degree = size_written_out(expression.base, symbols)
        power = int(expression.exp)
        return min(_all(terms, power, homogeneous=True), _all(len(symbols), degree * power)), degree * power
    return 1, 1


def _all(variables: int, degree: int, homogeneous: bool = False) -> int:
    """All monomials of a degree in so many variables, of lower degrees too unless `homogeneous`."""
    if min(variables - homogeneous, degree) > 60:
        return MANY
    return min(MANY, math.comb(variables + degree - homogeneous, degree))


def _count(number: int) -> str:
    return f"{number:,}" if number < MANY else "10^18 or more"
