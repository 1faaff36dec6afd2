"""The curvatures of planes at one point of each orbit, where the metric of an ansatz is diagonal."""

from __future__ import annotations

from functools import lru_cache
from itertools import combinations, islice, product
from typing import TYPE_CHECKING, NamedTuple

import sympy

from geomflow.symbolic.ansatz.measure import inside, normal
from geomflow.symbolic.exact import all_zero

if TYPE_CHECKING:
    from geomflow.symbolic.ansatz.ansatz import Ansatz

MOST_PLACES = 81
"""How many points of an orbit are tried."""


class Curvatures(NamedTuple):
    """R_ijkl/√(g_ii g_jj g_kk g_ll) over pairs of planes, each value with how often it comes.

    R = 2 Σ planes and |Rm|² = 4 Σ planes² + 8 Σ mixed².

    Parameters
    ----------
    planes : dict
        K_ij, i < j.
    mixed : dict
        Those of two planes ij and kl, each pair once.
    """

    planes: dict[sympy.Expr, int]
    mixed: dict[sympy.Expr, int]


@lru_cache(maxsize=64)
def curvatures(ansatz: Ansatz) -> Curvatures | None:
    """The curvatures of an ansatz; None where its metric is nowhere seen to be diagonal."""
    metric, place = ansatz.metric, _diagonal(ansatz)
    if place is None:
        return None
    riemann, planes = metric.riemann_lower, list(combinations(range(metric.dim), 2))
    squares = [metric.matrix[k, k].xreplace(place) for k in range(metric.dim)]
    found = Curvatures({}, {})
    for n, first in enumerate(planes):
        for second in planes[n:]:
            whole = sympy.sqrt(sympy.Mul(*[squares[k] for k in (*first, *second)]))
            value = normal(riemann[(*first, *second)].xreplace(place) / whole, metric.chart)
            if value != 0:
                table = found.planes if first == second else found.mixed
                table[value] = table.get(value, 0) + 1
    return found


def _diagonal(ansatz: Ansatz) -> dict[sympy.Symbol, sympy.Expr] | None:
    """Where on each orbit the metric is diagonal."""
    metric, chart = ansatz.metric, ansatz.metric.chart
    others = [s for s in chart.symbols if s.name not in ansatz.coordinates]
    for values in islice(product(*[inside(chart, s.name) for s in others]), MOST_PLACES):
        place = dict(zip(others, values, strict=True))
        there = metric.matrix.xreplace(place)
        apart = [there[i, j] for i, j in combinations(range(metric.dim), 2)]
        if not there.has(sympy.zoo, sympy.nan, sympy.oo) and all_zero(apart, chart) and 0 not in there.diagonal():
            return place
    return None
