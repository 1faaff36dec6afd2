"""Periodic grids on tori: points, spacings, the discretisation, and what lives on them.

A grid has the points X = Σ_a (i_a/n_a) v_a, 0 ≤ i_a < n_a. Sums over its points integrate trigonometric polynomials of
degree below n_a exactly.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import prod
from typing import TYPE_CHECKING, Any, final

import numpy as np

from geomflow.codegen.stencils import ORDERS
from geomflow.core import memory
from geomflow.core.errors import GridTooSmallError, InputError, ShapeError, UnknownNameError
from geomflow.core.numbers import require_unmasked
from geomflow.field.cell import cell_expansion
from geomflow.field.derivatives import Discretisation, Fourier, Jets, Stencil, cell_jets
from geomflow.field.torus import FlatTorus

if TYPE_CHECKING:
    from geomflow.field.hermitian import HermitianField
    from geomflow.field.metric import MetricField
    from geomflow.field.potential import PotentialField
    from geomflow.field.scalar import ScalarField

SPECTRAL = "spectral"
SMALLEST_SPECTRAL = 3


@final
@dataclass(frozen=True, repr=False)
class Grid:
    """A periodic grid of `shape` on `torus`; `order` is 2, 4, 6, 8 (centred stencils) or "spectral" (Fourier).

    Make one with `torus.grid(n, order=...)`, which checks everything.
    """

    torus: FlatTorus
    shape: tuple[int, ...]
    order: int | str = 4

    @property
    def dim(self) -> int:
        """The real dimension, which is the number of axes."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """The number of points."""
        return prod(self.shape)

    @property
    def nbytes(self) -> int:
        """Bytes of one real number a point."""
        return 8 * self.size

    @property
    def is_spectral(self) -> bool:
        """Whether derivatives are taken by Fourier transforms."""
        return self.order == SPECTRAL

    @cached_property
    def spacing(self) -> tuple[float, ...]:
        """Distance of neighbours along each lattice direction."""
        return tuple(period / n for period, n in zip(self.torus.periods, self.shape))

    @cached_property
    def discretisation(self) -> Discretisation:
        """How derivatives along one cell direction are taken."""
        return Fourier() if isinstance(self.order, str) else Stencil(self.order)

    def coordinates(self) -> tuple[np.ndarray, ...]:
        """The Cartesian coordinates, one array each, of shapes that broadcast to the grid's shape."""
        axes = [h * np.arange(n) for h, n in zip(self.spacing, self.shape)]
        mesh = np.meshgrid(*axes, indexing="ij", sparse=True)
        if self.torus.is_rectangular:
            return tuple(mesh)
        columns = self.torus.directions.T
        return tuple(np.asarray(sum(c * s for c, s in zip(column, mesh) if c != 0)) for column in columns)

    def points(self) -> np.ndarray:
        """The Cartesian coordinates of all points, (*grid, d)."""
        memory.require(self.dim * self.nbytes, f"the points of {self!r}", "use a smaller grid")
        return np.stack(np.broadcast_arrays(*self.coordinates()), axis=-1)

    def derivative(self, values: np.ndarray, index: Sequence[int]) -> np.ndarray:
        """The partial derivative ∂^index of one real array of the grid's shape, in Cartesian coordinates.

        `index` counts derivatives per coordinate: (1, 0) is ∂_x. Mixed ones are products of single ones.
        """
        return self.derivatives(values, [index])[tuple(index)]

    def derivatives(self, values: np.ndarray, indices: Iterable[Sequence[int]]) -> dict[tuple[int, ...], np.ndarray]:
        """Several partial derivatives of one real array, by index; what they have in common is computed once."""
        expansions = {index: cell_expansion(self.torus, index) for index in map(self._checked_index, indices)}
        jets = cell_jets(self.discretisation, self.spacing, self._checked(values))
        return {index: _combination(expansion, jets) for index, expansion in expansions.items()}

    def derivative_symbol(self, index: Sequence[int]) -> np.ndarray:
        """The factors by which the discrete ∂^index multiplies Fourier modes.

        Complex, of the shape that `numpy.fft.rfftn` gives: (n_0, ..., n_{d-2}, n_{d-1}//2 + 1).
        """
        half = (*self.shape[:-1], self.shape[-1] // 2 + 1)
        total = np.zeros(half, complex)
        for cell_index, factor in cell_expansion(self.torus, self._checked_index(index)).items():
            total += factor * self._cell_symbol(cell_index, half)
        return total

    def laplacian_symbol(self) -> np.ndarray:
        """The factors of the discrete flat Laplacian Σ_j ∂_j² on real Fourier modes, ≤ 0; shape as `rfftn` gives."""
        squares = np.eye(self.dim, dtype=int) * 2
        return np.asarray(sum(self.derivative_symbol(tuple(index)).real for index in squares))

    def _cell_symbol(self, index: Sequence[int], shape: tuple[int, ...]) -> np.ndarray:
        total = np.ones((1,) * self.dim, complex)
        for axis, times in enumerate(index):
            if times:
                line = self.discretisation.symbol(self.shape[axis], times, self.spacing[axis])[: shape[axis]]
                total = total * line.reshape((-1,) + (1,) * (self.dim - 1 - axis))
        return np.broadcast_to(total, shape)

    def _checked(self, values: np.ndarray) -> np.ndarray:
        require_unmasked(values, "the array")
        array = np.asarray(values, dtype=float)
        if array.shape != self.shape:
            raise ShapeError(f"an array of shape {array.shape} was given on a grid of shape {self.shape}.")
        return array

    def _checked_index(self, index: Sequence[int]) -> tuple[int, ...]:
        if len(index) != self.dim or any(times < 0 for times in index):
            raise ShapeError(f"a derivative index is {self.dim} counts ≥ 0, one an axis; {tuple(index)} was given.")
        return tuple(int(times) for times in index)

    def mean(self, values: np.ndarray) -> float:
        """The mean over the points: the integral with respect to the flat probability measure."""
        return float(np.mean(self._checked(values)))

    def scalar(self, expression: Any) -> ScalarField:
        """A real function from text, a sympy expression, a callable of the coordinate arrays, a number or an array."""
        from geomflow.field.scalar import make_scalar

        return make_scalar(self, expression)

    def metric(self, components: Any = None) -> MetricField:
        """A Riemannian metric from d×d expressions, a callable, or an array (*grid, d, d); flat unless given.

        Checked to be finite, symmetric and positive at every point.
        """
        from geomflow.field.metric import make_metric

        return make_metric(self, components)

    def hermitian(self, components: Any = None) -> HermitianField:
        """A Hermitian metric g_{ab̄} from n×n expressions, a callable, or an array; flat, ½δ, unless given."""
        from geomflow.field.hermitian import make_hermitian

        return make_hermitian(self, components)

    def potential(self, expression: Any = 0, reference: Any = None) -> PotentialField:
        """A Kähler potential φ of the metric reference + ∂∂̄φ, which is checked to be positive.

        `reference` is a constant n×n Hermitian matrix, n×n expressions or a HermitianField; ½δ unless given.
        """
        from geomflow.field.potential import make_potential

        return make_potential(self, expression, reference)

    def random_scalar(self, seed: Any, amplitude: float = 0.1, modes: int = 2) -> ScalarField:
        """A random trigonometric polynomial of degree `modes` with values in [−amplitude, amplitude]."""
        from geomflow.field.random import random_scalar

        return random_scalar(self, seed, amplitude, modes)

    def random_metric(self, seed: Any, amplitude: float = 0.1, modes: int = 2) -> MetricField:
        """δ plus random trigonometric polynomials: a metric with eigenvalues in [1 − amplitude, 1 + amplitude]."""
        from geomflow.field.random import random_metric

        return random_metric(self, seed, amplitude, modes)

    def random_potential(self, seed: Any, amplitude: float = 0.1, modes: int = 2) -> PotentialField:
        """A random potential whose metric has eigenvalues in ½[1 − amplitude, 1 + amplitude]."""
        from geomflow.field.random import random_potential

        return random_potential(self, seed, amplitude, modes)

    def __repr__(self) -> str:
        points = " × ".join(str(n) for n in self.shape)
        how = "spectral derivatives" if self.is_spectral else f"stencils of order {self.order}"
        return f"a grid of {points} points with {how} on {self.torus!r}"


def _combination(expansion: dict[tuple[int, ...], float], jets: Jets) -> np.ndarray:
    """Σ c_m ∂_s^m u."""
    if list(expansion.values()) == [1.0]:
        return jets(next(iter(expansion)))
    return np.asarray(sum(factor * jets(index) for index, factor in expansion.items()))


def make_grid(torus: FlatTorus, n: int | Sequence[int], order: int | str) -> Grid:
    """The grid of `torus.grid`, checked: its order, its shape, the stencil's reach and the memory of one field."""
    shape = checked_shape(torus.real_dim, n)
    grid = Grid(torus, shape, checked_order(order))
    least = SMALLEST_SPECTRAL if isinstance(grid.order, str) else grid.order + 1
    for axis, points in enumerate(shape):
        if points < least:
            needs = "Fourier derivatives need" if grid.is_spectral else f"stencils of order {order} reach over"
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


def checked_order(order: int | str) -> int | str:
    """`order` if it is one of 2, 4, 6, 8 and "spectral"."""
    if order == SPECTRAL:
        return SPECTRAL
    if isinstance(order, str) or order not in ORDERS:
        raise UnknownNameError.among("order of accuracy", str(order), [str(known) for known in (*ORDERS, SPECTRAL)])
    return int(order)
