"""Periodic grids on tori as numbers: points, spacings, derivatives, and words for places. They know no fields.

A grid has the points X = Σ_a (i_a/n_a) v_a, 0 ≤ i_a < n_a. Sums over its points integrate trigonometric polynomials of
degree below n_a exactly. An axis of one point is that of a direction that nothing depends on: its derivatives vanish.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import prod
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from geomflow.core import memory
from geomflow.core.errors import InputError, ShapeError
from geomflow.core.numbers import require_unmasked
from geomflow.field.derivatives import CellJets, Discretisation, Fourier, Stencil, cell_expansion
from geomflow.field.lattice import FlatTorus, Order, Scheme

if TYPE_CHECKING:
    from geomflow.field.state import ScalarField

STENCIL: Final = "stencil"
SPECTRAL: Final = "spectral"


@dataclass(frozen=True, repr=False)
class Mesh(ABC):
    """A periodic grid of `shape` on `torus`, without the fields that live on it.

    `order` is that of centred stencils, 2, 4, 6 or 8; None where derivatives are spectral.
    """

    torus: FlatTorus
    shape: tuple[int, ...]
    order: Order | None = 4

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
    def scheme(self) -> Scheme:
        """How derivatives are taken: "stencil", or "spectral" by Fourier transforms."""
        return SPECTRAL if self.is_spectral else STENCIL

    @property
    def is_spectral(self) -> bool:
        """Whether derivatives are taken by Fourier transforms."""
        return self.order is None

    @cached_property
    def spacing(self) -> tuple[float, ...]:
        """Distance of neighbours along each lattice direction."""
        return tuple(period / n for period, n in zip(self.torus.periods, self.shape))

    @cached_property
    def resolved(self) -> tuple[int, ...]:
        """The axes of more than one point."""
        return tuple(axis for axis, points in enumerate(self.shape) if points > 1)

    @cached_property
    def wave_directions(self) -> np.ndarray:
        """A basis of the Cartesian wave vectors of what lives on the grid, as rows (r, d)."""
        if len(self.resolved) == self.dim:
            return np.eye(self.dim)
        return np.asarray(self.torus.dual[:, self.resolved].T)

    @cached_property
    def ignorable(self) -> tuple[str, ...]:
        """The Cartesian coordinates along which all derivatives on the grid vanish."""
        along = zip(self.torus.coordinates, self.wave_directions.T, strict=True)
        return tuple(name for name, column in along if not column.any())

    @cached_property
    def discretisation(self) -> Discretisation:
        """How derivatives along one cell direction are taken."""
        return Fourier() if self.order is None else Stencil(self.order)

    def __content__(self) -> dict[str, Any]:
        """The grid in the stores of runs: its scheme stands where the order of stencils would."""
        return {"torus": self.torus, "shape": self.shape, "order": self.order or self.scheme}

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
        jets = CellJets(self.discretisation, self.spacing, self._checked(values))
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

    @abstractmethod
    def scalar(self, expression: Any) -> ScalarField:
        """A real function from text, a sympy expression, a callable of the coordinate arrays, a number or an array."""

    def __repr__(self) -> str:
        points = " × ".join(str(n) for n in self.shape)
        how = "spectral derivatives" if self.is_spectral else f"stencils of order {self.order}"
        return f"a grid of {points} points with {how} on {self.torus!r}"


def _combination(expansion: dict[tuple[int, ...], float], jets: CellJets) -> np.ndarray:
    """Σ c_m ∂_s^m u."""
    if list(expansion.values()) == [1.0]:
        return jets(next(iter(expansion)))
    return np.asarray(sum(factor * jets(index) for index, factor in expansion.items()))


# Places, and maps of a grid to itself


def coordinates_in_words(names: Sequence[str], point: Iterable[float]) -> str:
    """`(x, y) = (0.25, 0.5)`."""
    values = ", ".join(f"{float(value):.6g}" for value in point)
    if len(names) == 1:
        return f"{names[0]} = {values}"
    return f"({', '.join(names)}) = ({values})"


def place(grid: Mesh, index: Sequence[int]) -> str:
    """A grid point in words: its index and its Cartesian coordinates."""
    cell = np.array([i * h for i, h in zip(index, grid.spacing)])
    point = cell @ grid.torus.directions
    numbers = ", ".join(str(int(i)) for i in index)
    return f"grid point ({numbers}), {coordinates_in_words(grid.torus.coordinates, point)}"


def checked_automorphism(grid: Mesh, matrix: Any) -> np.ndarray:
    """`matrix` as an integer array of determinant ±1, for a grid that it maps to itself."""
    array = np.array(matrix)
    if array.shape != (grid.dim, grid.dim):
        raise ShapeError(f"an automorphism here is a {grid.dim}×{grid.dim} matrix; shape {array.shape} was given.")
    integers: np.ndarray = np.rint(array).astype(int)
    determinant = round(float(np.linalg.det(array)))
    if not np.array_equal(integers, array) or abs(determinant) != 1:
        raise InputError(f"automorphisms of a torus are integer matrices of determinant ±1; got {array.tolist()}.")
    if len(set(grid.shape)) != 1:
        raise ShapeError(f"a pull-back permutes points only on grids with equal axes, and this one has {grid.shape}.")
    return integers


def permute(grid: Mesh, values: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """Values at A·u for every grid point u; the grid's axes come first."""
    n = grid.shape[0]
    indices = np.meshgrid(*[np.arange(n)] * grid.dim, indexing="ij", sparse=True)
    images = tuple(np.asarray(sum(int(c) * i for c, i in zip(row, indices))) % n for row in matrix)
    return np.asarray(values[tuple(np.broadcast_arrays(*images))])
