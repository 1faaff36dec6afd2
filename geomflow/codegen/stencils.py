"""Centred finite-difference weights, exact.

For the m-th derivative at order p the weights w_s, s = -r..r with r = (m + 1)//2 - 1 + p/2, are those for which

    sum_s w_s s**k = m! [k = m],   k = 0, ..., 2r,

so that sum_s w_s u(x + s h) / h**m = u^(m)(x) + O(h**p), exactly for polynomials of degree up to 2r.
"""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache

from geomflow.core.errors import InputError

ORDERS = (2, 4, 6, 8)
"""The orders of accuracy that stencils come in."""


def check_order(order: int) -> int:
    """`order` itself; InputError unless it is one of `ORDERS`."""
    if order not in ORDERS:
        raise InputError(f"the order of a stencil must be one of {', '.join(map(str, ORDERS))}, not {order!r}")
    return order


def radius(derivative: int, order: int) -> int:
    """How many points the stencil reaches to either side; 0 for no derivative."""
    return (derivative + 1) // 2 - 1 + check_order(order) // 2 if derivative else 0


@lru_cache(maxsize=256)
def weights(derivative: int, order: int) -> tuple[Fraction, ...]:
    """The weights w_{-r}, ..., w_r of the m-th derivative on a grid of spacing one.

    Raises InputError for an order that is not 2, 4, 6 or 8 or for a negative derivative.

    >>> [str(w) for w in weights(2, 4)]
    ['-1/12', '4/3', '-5/2', '4/3', '-1/12']
    """
    check_order(order)
    if derivative < 0:
        raise InputError(f"the number of derivatives must not be negative, it is {derivative}")
    reach = radius(derivative, order)
    return _fornberg(tuple(range(-reach, reach + 1)), derivative)


def _fornberg(points: tuple[int, ...], derivative: int) -> tuple[Fraction, ...]:
    """Weights at zero for any distinct points; B. Fornberg, Math. Comp. 51 (1988) 699."""
    table = [[Fraction(0)] * (derivative + 1) for _ in points]
    table[0][0] = scale = Fraction(1)
    for n, here in enumerate(points[1:], start=1):
        product = Fraction(1)
        for v, there in enumerate(points[:n]):
            product *= here - there
            if v == n - 1:
                table[n] = _entering(table[n - 1], scale / product, there)
            table[v] = [(here * table[v][m] - (m * table[v][m - 1] if m else 0)) / (here - there)
                        for m in range(derivative + 1)]
        scale = product
    return tuple(row[derivative] for row in table)


def _entering(last: list[Fraction], ratio: Fraction, there: int) -> list[Fraction]:
    return [ratio * ((m * last[m - 1] if m else 0) - there * last[m]) for m in range(len(last))]
