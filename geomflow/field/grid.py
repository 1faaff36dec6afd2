"""The grids that users have, from which all that lives on them is made.

Here both ends are known: the numbers of the grid (`geomflow.field.mesh`) and the fields on it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, final

import numpy as np

from geomflow.codegen.stencils import ORDERS
from geomflow.core import memory
from geomflow.core.errors import GridTooSmallError, InputError, ShapeError, UnknownNameError
from geomflow.field.hermitian import HermitianField, make_hermitian
from geomflow.field.lattice import FlatTorus
from geomflow.field.mesh import SPECTRAL, STENCIL, Mesh
from geomflow.field.metric import MetricField, make_metric
from geomflow.field.potential import PotentialField, make_potential
from geomflow.field.random import random_metric, random_potential, random_scalar
from geomflow.field.state import ScalarField, make_scalar

SMALLEST_SPECTRAL = 3


@final
class Grid(Mesh):
    """A periodic grid on a torus: its numbers, and the fields that are made on it.

    Make one with `torus.grid(n, order=...)` or `torus.grid(n, scheme="spectral")`, which check everything.
    """

    def scalar(self, expression: Any) -> ScalarField:
        """A real function from text, a sympy expression, a callable of the coordinate arrays, a number or an array."""
        return make_scalar(self, expression)

    def metric(self, components: Any = None) -> MetricField:
        """A Riemannian metric from d×d expressions, a callable, or an array (*grid, d, d); flat unless given.

        Checked to be finite, symmetric and positive at every point.
        """
        return make_metric(self, components)

    def hermitian(self, components: Any = None) -> HermitianField:
        """A Hermitian metric g_{ab̄} from n×n expressions, a callable, or an array; flat, ½δ, unless given."""
        return make_hermitian(self, components)

    def potential(self, expression: Any = 0, reference: Any = None) -> PotentialField:
        """A Kähler potential φ of the metric reference + ∂∂̄φ, which is checked to be positive.

        `reference` is a constant n×n Hermitian matrix, n×n expressions or a HermitianField; ½δ unless given.
        """
        return make_potential(self, expression, reference)

    def random_scalar(self, seed: Any, amplitude: float = 0.1, modes: int = 2) -> ScalarField:
        """A random trigonometric polynomial of degree `modes` with values in [−amplitude, amplitude]."""
        return random_scalar(self, seed, amplitude, modes)

    def random_metric(self, seed: Any, amplitude: float = 0.1, modes: int = 2) -> MetricField:
        """δ plus random trigonometric polynomials: a metric with eigenvalues in [1 − amplitude, 1 + amplitude]."""
        return random_metric(self, seed, amplitude, modes)

    def random_potential(self, seed: Any, amplitude: float = 0.1, modes: int = 2) -> PotentialField:
        """A random potential whose metric has eigenvalues in ½[1 − amplitude, 1 + amplitude]."""
        return random_potential(self, seed, amplitude, modes)


def make_grid(torus: FlatTorus, n: int | Sequence[int], order: int | None, scheme: str) -> Grid:
    """The grid of `torus.grid`, checked: scheme and order, shape, the stencil's reach, the memory of one field."""
    shape = checked_shape(torus.real_dim, n)
    grid = Grid(torus, shape, checked_order(order, scheme))
    least = SMALLEST_SPECTRAL if grid.order is None else grid.order + 1
    for axis, points in enumerate(shape):
        if points < least:
            needs = "Fourier derivatives need" if grid.is_spectral else f"stencils of order {grid.order} reach over"
            raise GridTooSmallError(
                f"axis {axis} ({torus.coordinates[axis]}) has {points} points, and {needs} {least}: "
                f"use at least {least} points an axis{'' if grid.is_spectral else ' or a lower order'}."
            )
    memory.require(grid.nbytes, f"one scalar field on {grid!r}", "use a smaller grid")
    return grid


def checked_shape(dim: int, n: int | Sequence[int]) -> tuple[int, ...]:
    """`n` as a tuple of `dim` positive integers."""
    given = tuple(n) if isinstance(n, Sequence | np.ndarray) else (n,) * dim
    if len(given) != dim:
        raise ShapeError(f"{len(given)} numbers of points were given for {dim} axes; give {dim}, or one for all.")
    for points in given:
        if isinstance(points, bool) or not isinstance(points, int | np.integer) or points < 1:
            raise InputError(f"numbers of grid points are positive integers, and {points!r} was given.")
    return tuple(int(points) for points in given)


def checked_order(order: int | None, scheme: str) -> int | None:
    """The order of the stencils, 4 unless given; None for the spectral scheme, which has none."""
    if isinstance(order, str):
        raise InputError(f"the order of a grid is that of its stencils, 2, 4, 6 or 8, and '{order}' was given: write "
                         f'scheme = "{SPECTRAL}" for Fourier derivatives.')
    if scheme not in (STENCIL, SPECTRAL):
        raise UnknownNameError.among("scheme", str(scheme), (STENCIL, SPECTRAL))
    if scheme == SPECTRAL:
        if order is not None:
            raise InputError(f"a spectral grid has no order, and order = {order} was given: leave it out.")
        return None
    if order is None:
        return 4
    if order not in ORDERS:
        raise UnknownNameError.among("order of accuracy", str(order), [str(known) for known in ORDERS])
    return int(order)
