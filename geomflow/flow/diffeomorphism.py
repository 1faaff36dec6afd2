"""Diffeomorphisms of a torus that are homotopic to the identity: maps, pull-back, and those that a field generates."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any, final

import numpy as np

from geomflow.core.errors import InputError, ShapeError
from geomflow.field import MetricField, ScalarField
from geomflow.field.grid import Grid
from geomflow.field.interpolate import Interpolation
from geomflow.field.matrices import determinant, require_finite
from geomflow.field.mesh import place


class FoldedMapError(InputError):
    """A map that should be a diffeomorphism has a Jacobian that is not positive."""


@final
@dataclass(frozen=True, eq=False, repr=False)
class TorusMap:
    """ψ(x) = x + u(x) with a periodic displacement u: `displacement` of shape (*grid, d), Cartesian.

    It is a diffeomorphism where its Jacobian determinant is positive. Derivatives of u are the grid's own; between the
    grid points fields are interpolated: exactly for modes that a spectral grid resolves, to order p + 2 on stencils of
    order p. Raises ShapeError and NotFiniteError for a displacement that does not fit or is not finite.
    """

    grid: Grid
    displacement: np.ndarray

    def __post_init__(self) -> None:
        array = np.array(self.displacement, dtype=float)
        wanted = (*self.grid.shape, self.grid.dim)
        if array.shape != wanted:
            raise ShapeError(f"a displacement of shape {array.shape} was given where {wanted} is needed: (*grid, d).")
        require_finite(self.grid, array, "the displacement")
        array.flags.writeable = False
        object.__setattr__(self, "displacement", array)

    @staticmethod
    def identity(grid: Grid) -> TorusMap:
        """The map that moves nothing."""
        return TorusMap(grid, np.zeros((*grid.shape, grid.dim)))

    def images(self) -> np.ndarray:
        """ψ at the grid points, (*grid, d), Cartesian and not reduced to the fundamental cell."""
        images: np.ndarray = self.grid.points() + self.displacement
        return images

    @cached_property
    def jacobian(self) -> np.ndarray:
        """∂_j ψ^i at the grid points, (*grid, i, j)."""
        unit = [tuple(row) for row in np.eye(self.grid.dim, dtype=int)]
        rows = [self.grid.derivatives(np.ascontiguousarray(u), unit) for u in np.moveaxis(self.displacement, -1, 0)]
        slopes = np.array([[row[index] for index in unit] for row in rows])
        return np.moveaxis(slopes, (0, 1), (-2, -1)) + np.eye(self.grid.dim)

    @cached_property
    def determinant(self) -> ScalarField:
        """det ∂ψ, the factor by which volumes dx grow."""
        return ScalarField(self.grid, determinant(self.jacobian))

    def fold(self) -> str | None:
        """Where the map folds, in words: the least Jacobian determinant if it is not positive, with its place."""
        values = self.determinant.values
        worst = np.unravel_index(int(np.argmin(values)), values.shape)
        if values[worst] > 0:
            return None
        return f"its Jacobian determinant is {values[worst]:.6g} at {place(self.grid, [int(i) for i in worst])}"

    def pull_back(self, field: Any) -> Any:
        """f∘ψ of a ScalarField, (ψ*g)_ij = ∂_iψ^k ∂_jψ^l (g_kl∘ψ) of a MetricField.

        Raises FoldedMapError where the map folds, InputError for other kinds of fields, ShapeError on another grid.
        """
        if not isinstance(field, ScalarField | MetricField):
            raise InputError(f"scalar fields and metrics are pulled back, and a {type(field).__name__} was given.")
        if field.grid != self.grid:
            raise ShapeError(f"{field!r} and {self!r} live on different grids.")
        self.require_unfolded()
        if isinstance(field, ScalarField):
            return ScalarField(self.grid, self._interpolation(field.values))
        moved = field.unpack(np.moveaxis(self._interpolation(np.moveaxis(field.pack(), 0, -1)), -1, 0)).values
        return MetricField(self.grid, np.swapaxes(self.jacobian, -1, -2) @ moved @ self.jacobian)

    def require_unfolded(self) -> None:
        """Raises FoldedMapError where the Jacobian determinant is not positive."""
        where = self.fold()
        if where:
            raise FoldedMapError(f"the map is no diffeomorphism: {where}. Refine the grid, or move points less far.")

    @cached_property
    def _interpolation(self) -> Interpolation:
        return Interpolation.to(self.grid, self.images())

    def __repr__(self) -> str:
        farthest = float(np.linalg.norm(self.displacement, axis=-1).max())
        return f"a map that moves points by up to {farthest:.6g} on {self.grid!r}"


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
