"""What is known of unknowns beside their regular fields: factors that vanish where orbits close, powers at infinity."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import sympy

from geomflow.core import graph as gr
from geomflow.core.graph.sympy_bridge import from_sympy
from geomflow.symbolic.ansatz.axis import Ended, closing_axis
from geomflow.symbolic.ansatz.regular_fields import RegularField


class Scales(NamedTuple):
    """ρ², R/q and Γ^p of a field at places.

    Parameters
    ----------
    square, radius : (N,) array
        Of a field that closes orbits, else unused.
    growth : (N,) array or 1
        What grows at infinity.
    """

    square: Any = 0.0
    radius: Any = 1.0
    growth: Any = 1.0


def scales_of(axis: Ended, field: RegularField, low: np.ndarray, high: np.ndarray) -> Scales:
    """Those of a field from (1 ∓ ξ)/2."""
    with np.errstate(divide="ignore"):
        growth = high ** (-field.power / 2) if field.power else 1.0
    if field.factor is None:
        return Scales(growth=growth)
    square = field.factor.of_halves(low, high)
    return Scales(square, float(closing_axis(axis).scale(field.factor)) / float(field.cone) * np.sqrt(square), growth)


def scales_at(axis: Ended, fields: Sequence[RegularField], points: Any) -> dict[str, Scales]:
    """Those of all fields at any places of one coordinate."""
    x, symbol = np.atleast_1d(np.asarray(points, dtype=float)), sympy.Symbol(axis.name, real=True)
    near = np.where(np.isinf(x), 0.0, x)
    low, high = gr.evaluate(map(from_sympy, axis.shares(symbol)), {gr.symbol(axis.name): near})
    low, high = np.where(np.isinf(x), 1.0, low), np.where(np.isinf(x), 0.0, high)
    return {field.name: scales_of(axis, field, low, high) for field in fields}


def unknowns_from(fields: Sequence[RegularField], rows: Mapping[str, np.ndarray],
                  scales: Mapping[str, Scales]) -> dict[str, np.ndarray]:
    """The unknowns from the regular fields, and from what vanishes or grows at the same places."""
    found = {}
    for field in fields:
        row, own = rows[field.name], scales.get(field.name, Scales())
        if field.exponent == 0:
            found[field.unknown.name] = row
        elif field.factor is None:
            found[field.unknown.name] = np.exp(field.exponent * row) * own.growth
        else:
            log = rows[field.beside] + own.square * row
            found[field.unknown.name] = (own.radius * np.exp(log)) ** field.exponent * own.growth
    return found
