"""The functional that reduced equations descend, and the square of its gradient, along a run."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import sympy

from geomflow.field.reduced.compiled import compiled_nodes
from geomflow.field.reduced.grid import ReducedGrid
from geomflow.flow.reduced.rates import Comoving
from geomflow.symbolic.ansatz import Reduction
from geomflow.symbolic.ansatz.functional import products
from geomflow.symbolic.ansatz.regular_fields import RegularField

Observe = Callable[[float, np.ndarray], dict[str, float]]
"""Monitors at a time and packed fields."""


def energies(grid: ReducedGrid, reduction: Reduction) -> Observe | None:
    """"energy" and "dissipation" of a descent; None of other equations."""
    if reduction.energy is None:
        return None
    regular, rates = grid.ansatz.regular, Comoving(grid, reduction)
    count = len(regular.fields)
    square = products(grid.ansatz)
    scales = [sympy.Integer(1) if f.exponent == 0 else f.exponent * f.unknown.value for f in regular.fields]
    entries = [square[k, l] * scales[k] * scales[l] for k, l in np.ndindex(count, count)]
    held = [place for place, entry in enumerate(entries) if entry != 0]
    evaluated = compiled_nodes(grid, [regular.node(e) for e in (reduction.energy.density,
                                                                *(entries[place] for place in held))])

    def observe(t: float, y: np.ndarray) -> dict[str, float]:
        rows = y.reshape(count, -1)
        density, *inner = evaluated(rows, {})
        speeds = _log_rates(grid, rates.raw(t, rows))
        squares = sum(entry * speeds[place // count] * speeds[place % count]
                      for place, entry in zip(held, inner, strict=True))
        return {"energy": float(grid.weights @ density), "dissipation": float(grid.weights @ squares)}

    return observe


def _log_rates(grid: ReducedGrid, rates: np.ndarray) -> np.ndarray:
    """∂_t log u / e of unknowns, ∂_t u of those that have any sign, from the rates of regular fields, (fields, N)."""
    fields: tuple[RegularField, ...] = grid.ansatz.regular.fields
    names = [f.name for f in fields]
    return np.array([row if f.factor is None else rates[names.index(f.beside)] + grid.square(f) * row
                     for f, row in zip(fields, rates, strict=True)])
