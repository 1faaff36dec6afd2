"""Real functions on a grid."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, final

import numpy as np

from geomflow.core import memory
from geomflow.core.errors import ShapeError
from geomflow.field.mesh import checked_automorphism, permute, place
from geomflow.field.sampling import sample
from geomflow.field.state import Field, freeze, unpacked_rows

if TYPE_CHECKING:
    from geomflow.field.grid import Grid


class HasVolume(Protocol):
    """A metric of any kind, for integrals with respect to its volume."""

    def volume_density(self) -> ScalarField:
        """√det g, the density of its volume with respect to dx."""


@final
@dataclass(frozen=True, eq=False, repr=False)
class ScalarField(Field):
    """A real function: `values` of shape (*grid).

    Sums, differences, products, quotients and powers with numbers and other scalar fields act point by point.
    """

    grid: Grid
    values: np.ndarray

    def __post_init__(self) -> None:
        freeze(self, (), float)

    @property
    def component_names(self) -> tuple[str, ...]:
        """("f",)."""
        return ("f",)

    def pack(self) -> np.ndarray:
        """(1, *grid)."""
        return self.values[None].copy()

    def unpack(self, packed: np.ndarray) -> ScalarField:
        """The scalar field with these values, (1, *grid)."""
        return ScalarField(self.grid, unpacked_rows(self, packed)[0].copy())

    def mean(self) -> float:
        """The mean over the flat probability measure."""
        return float(np.mean(self.values))

    def integral(self, metric: HasVolume | None = None) -> float:
        """∫ f dμ with respect to the flat volume dx, or to the volume √det g dx of a metric.

        Sums over a periodic grid are exact for trigonometric polynomials of degree below the number of points.
        """
        if metric is None:
            return self.mean() * self.grid.torus.cell_volume
        return (self * metric.volume_density()).integral()

    def min(self) -> float:
        """The smallest value."""
        return float(self.values.min())

    def max(self) -> float:
        """The largest value."""
        return float(self.values.max())

    def place_of_max_modulus(self) -> str:
        """The point, in words, where |f| is largest."""
        index = np.unravel_index(int(np.argmax(np.abs(self.values))), self.grid.shape)
        return place(self.grid, [int(i) for i in index])

    def derivative(self, index: Sequence[int]) -> ScalarField:
        """∂^index f in Cartesian coordinates; (1, 0) is ∂_x f."""
        return ScalarField(self.grid, self.grid.derivative(self.values, index))

    def laplacian(self) -> ScalarField:
        """The flat Laplacian Σ_j ∂_j² f, ≤ 0 as an operator."""
        squares = np.eye(self.grid.dim, dtype=int) * 2
        terms = self.grid.derivatives(self.values, [tuple(index) for index in squares])
        return ScalarField(self.grid, np.sum(list(terms.values()), axis=0))

    def map(self, function: Callable[[np.ndarray], np.ndarray]) -> ScalarField:
        """function(f), for a function of arrays such as numpy.exp."""
        return ScalarField(self.grid, function(self.values))

    def pull_back(self, matrix: Any) -> ScalarField:
        """f∘A for an integer matrix A of determinant ±1 acting on lattice coordinates; permutes grid points."""
        automorphism = checked_automorphism(self.grid, matrix)
        return ScalarField(self.grid, permute(self.grid, self.values, automorphism))

    def _combine(self, other: Any, act: Callable[[Any, Any], Any], swapped: bool = False) -> ScalarField:
        if isinstance(other, ScalarField):
            if other.grid != self.grid:
                raise ShapeError(f"{self!r} and {other!r} live on different grids.")
            other = other.values
        elif not isinstance(other, int | float | np.number):
            return NotImplemented
        return ScalarField(self.grid, act(other, self.values) if swapped else act(self.values, other))

    def __add__(self, other: Any) -> ScalarField:
        return self._combine(other, operator.add)

    __radd__ = __add__

    def __sub__(self, other: Any) -> ScalarField:
        return self._combine(other, operator.sub)

    def __rsub__(self, other: Any) -> ScalarField:
        return self._combine(other, operator.sub, swapped=True)

    def __mul__(self, other: Any) -> ScalarField:
        return self._combine(other, operator.mul)

    __rmul__ = __mul__

    def __truediv__(self, other: Any) -> ScalarField:
        return self._combine(other, operator.truediv)

    def __rtruediv__(self, other: Any) -> ScalarField:
        return self._combine(other, operator.truediv, swapped=True)

    def __pow__(self, exponent: float) -> ScalarField:
        return self._combine(exponent, operator.pow)

    def __neg__(self) -> ScalarField:
        return ScalarField(self.grid, -self.values)

    def __repr__(self) -> str:
        return f"a real function with values in [{self.min():.6g}, {self.max():.6g}] on {self.grid!r}"


def make_scalar(grid: Grid, expression: Any) -> ScalarField:
    """The scalar field of `grid.scalar(expression)`."""
    if isinstance(expression, ScalarField):
        expression = expression.values
    memory.require(grid.nbytes, f"a scalar field on {grid!r}", "use a smaller grid")
    return ScalarField(grid, sample(grid, expression, "the function"))
