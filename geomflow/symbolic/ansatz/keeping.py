"""Coordinates that are told by the size of orbits: a flow is reduced modulo the field that keeps them so.

Where a component of the metric is a function of a coordinate x alone, such as r² of dr²/F + r² g_{S^n}, its rate is
not zero, and V = v ∂_x with L_V of it minus the rate brings it back. v is algebraic in the rates.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import sympy

if TYPE_CHECKING:
    from geomflow.symbolic.ansatz.ansatz import Ansatz


def kept_component(ansatz: Ansatz) -> tuple[int, int] | None:
    """The place of a component that is a function of the one coordinate of the unknowns, and holds none of these."""
    if len(ansatz.coordinates) != 1:
        return None
    metric, values = ansatz.metric, [u.value for u in ansatz.unknowns]
    along = metric.chart.coordinates.index(ansatz.coordinates[0])
    x = metric.chart.symbols[along]
    for i, j in np.ndindex(metric.matrix.shape):
        entry = metric.matrix[i, j]
        if i <= j and along not in (i, j) and entry.has(x) and not any(entry.has(value) for value in values):
            return i, j
    return None


def keeping_speed(ansatz: Ansatz, rates: sympy.Matrix, place: tuple[int, int]) -> sympy.Expr:
    """v with (rates + L_V g) = 0 at a place, V = v ∂_x. Raises InputError where it depends on more than x.

    Parameters
    ----------
    ansatz : Ansatz
        With unknowns of one coordinate.
    rates : matrix
        ∂_t g.
    place : pair of int
        Of a component that is a function of x.
    """
    x = next(s for s in ansatz.metric.chart.symbols if s.name in ansatz.coordinates)
    return ansatz.constant_on_orbits(-rates[place] / ansatz.metric.matrix[place].diff(x))


def dragged(ansatz: Ansatz, speed: sympy.Expr) -> sympy.Matrix:
    """L_V g of V = v ∂_x along the one coordinate of the unknowns.

    Parameters
    ----------
    ansatz : Ansatz
        With unknowns of one coordinate.
    speed : sympy expression
        v, such as an unknown function of the coordinate.
    """
    (name,), metric = ansatz.coordinates, ansatz.metric
    along = [speed if x == name else sympy.Integer(0) for x in metric.chart.coordinates]
    moved = [metric.matrix.diff(x) * v for x, v in zip(metric.chart.symbols, along, strict=True)]
    slope = sympy.Matrix(metric.dim, metric.dim, lambda i, j: along[i].diff(metric.chart.symbols[j]))
    return sum(moved[1:], moved[0]) + metric.matrix * slope + slope.T * metric.matrix
