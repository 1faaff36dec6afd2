"""The smallest neck of a metric along a run: minima of the radii of round spheres among the orbits."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from geomflow.field.reduced.grid import ReducedGrid
from geomflow.symbolic.ansatz import Interval
from geomflow.symbolic.ansatz.domain import Domain
from geomflow.symbolic.ansatz.regular_fields import RegularField, even_ends


def spheres(grid: ReducedGrid) -> tuple[RegularField, ...]:
    """The fields of unknowns that are radii of round spheres, or circles, along the one coordinate of a grid."""
    if len(grid.bases) != 1:
        return ()
    return tuple(f for f in grid.ansatz.regular.fields
                 if f.unknown.name in grid.ansatz.fibres and f.unknown.coordinates == grid.coordinates)


def poles(grid: ReducedGrid) -> list[float]:
    """The ends of the one coordinate of a grid at which orbits close."""
    domain = grid.ansatz.domain[grid.coordinates[0]]
    if not isinstance(domain, Interval):
        return []
    return [float(x) for x, end in zip((domain.a, domain.b), domain.ends, strict=True) if end.closes]


def smallest_neck(grid: ReducedGrid) -> Callable[[np.ndarray], float] | None:
    """A function of packed fields: the least local minimum of such unknowns, by parabolas between close places.

    Infinite where there is none. None for a grid without such unknowns.
    """
    closing = spheres(grid)
    if not closing:
        return None
    fields, x = grid.ansatz.regular.fields, grid.places
    scales, domain = grid.scales_at(x), grid.ansatz.domain[grid.coordinates[0]]

    def radius(y: np.ndarray) -> float:
        rows = {f.name: grid.fine @ row for f, row in zip(fields, y.reshape(len(y), -1), strict=True)}
        values = grid.unknowns(rows, scales)
        return min(_least(_continued(values[f.unknown.name], f, domain)) for f in closing)

    return radius


def _continued(values: np.ndarray, field: RegularField, domain: Domain) -> np.ndarray:
    """With a value beyond each end, where it is even or periodic; an end where it vanishes is none of its minima."""
    if not isinstance(domain, Interval):
        return np.concatenate([values[-2:-1], values, values[1:2]])
    low, high = even_ends(field, domain)
    return np.concatenate([values[1:2] if low else [], values, values[-2:-1] if high else []])


def _least(values: np.ndarray) -> float:
    before, here, after = values[:-2], values[1:-1], values[2:]
    places = np.flatnonzero((here <= before) & (here < after))
    bend = before[places] + after[places] - 2 * here[places]
    found = here[places] - (after[places] - before[places]) ** 2 / (8 * bend)
    return float(found.min(initial=np.inf))
