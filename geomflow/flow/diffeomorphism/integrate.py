"""The diffeomorphisms that a vector field generates, ∂_t ψ_t = V(t)∘ψ_t."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from geomflow.field.interpolate import Interpolation
from geomflow.flow.diffeomorphism.torus_map import TorusMap

if TYPE_CHECKING:
    from geomflow.field.grid import Grid

Drift = Callable[[float], np.ndarray]


def integrated_maps(grid: Grid, drift: Drift, times: Sequence[float]) -> Iterator[tuple[float, TorusMap]]:
    """(t, ψ_t) at all `times`, with ψ = identity at the first; times may run backward.

    `drift(t)` is the vector field V at the grid points, (*grid, d), Cartesian; it is asked for at the times and halfway
    between them. From each time to the next goes one step of the classical Runge–Kutta method, every grid point on its
    own path: the error is of fourth order in the distance of the times. V is interpolated as in `Interpolation`.
    """
    points, displacement = grid.points(), np.zeros((*grid.shape, grid.dim))
    yield times[0], TorusMap(grid, displacement)

    def moved(velocity: np.ndarray, by: np.ndarray) -> np.ndarray:
        return Interpolation.to(grid, points + displacement + by)(velocity)

    now = drift(times[0])
    for left, right in pairwise(times):
        step = right - left
        middle, after = drift(0.5 * (left + right)), drift(right)
        k1 = moved(now, np.zeros_like(displacement))
        k2 = moved(middle, 0.5 * step * k1)
        k3 = moved(middle, 0.5 * step * k2)
        k4 = moved(after, step * k3)
        displacement = displacement + step / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
        now = after
        yield right, TorusMap(grid, displacement)
