"""The curvatures of planes of coordinates, where the metric of an ansatz is diagonal and these say all."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np
import sympy

from geomflow.symbolic.exact import all_zero

if TYPE_CHECKING:
    from geomflow.symbolic.ansatz.ansatz import Ansatz


def sectional_curvatures(ansatz: Ansatz) -> dict[sympy.Expr, int] | None:
    """K_ij = R_ijij/(g_ii g_jj) and how many planes have it; None where Rm has other components than these.

    Then R = 2 Σ K and |Rm|² = 4 Σ K² over planes.
    """
    metric = ansatz.metric
    if not metric.matrix.is_diagonal():
        return None
    riemann, found = metric.riemann_lower, dict[sympy.Expr, int]()
    rest = [riemann[place] for place in np.ndindex((metric.dim,) * 4) if set(place[:2]) != set(place[2:])]
    if not all_zero(rest, metric.chart):
        return None
    for i, j in combinations(range(metric.dim), 2):
        curvature = ansatz.constant_on_orbits(riemann[i, j, i, j] / (metric.matrix[i, i] * metric.matrix[j, j]))
        found[curvature] = found.get(curvature, 0) + 1
    return found
