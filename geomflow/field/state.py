"""Fields on a grid: what every one can do (pack, measure, compare itself), and real functions.

Public arrays are `values`, (*grid, i, j), tensor indices last. Packed arrays are component-major, (ncomp, *grid),
C-contiguous float64, with one row for each independent real component.
"""

from __future__ import annotations

import operator
from abc import abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, Self, final

import numpy as np

from geomflow.core import memory
from geomflow.core.errors import ShapeError
from geomflow.core.notebook import Facts, InNotebook
from geomflow.core.numbers import require_unmasked
from geomflow.field import matrices
from geomflow.field.mesh import checked_automorphism, permute
from geomflow.field.sampling import as_numbers, sample

if TYPE_CHECKING:
    from geomflow.field.grid import Grid


SHOWN = 10
"""Components that a notebook shows the ranges of."""


class Field(InNotebook):
    """Numbers at the points of a grid. Fields are immutable: `values` is read-only."""

    grid: Grid
    values: np.ndarray

    called: ClassVar[str]
    """What it is called where no name is given to it."""

    @abstractmethod
    def names(self, name: str) -> tuple[str, ...]:
        """Names of the independent real components of a field of this name, in packed order.

        Parameters
        ----------
        name : str
            Of the field.
        """

    @property
    def component_names(self) -> tuple[str, ...]:
        """Names of the independent real components, in packed order."""
        return self.names(self.called)

    @abstractmethod
    def pack(self) -> np.ndarray:
        """The independent real components, a new array (ncomp, *grid) of float64."""

    @abstractmethod
    def unpack(self, packed: np.ndarray) -> Self:
        """The field of the same kind, on the same grid, with these components; not checked for positivity.

        Parameters
        ----------
        packed : (ncomp, *grid) array
            In the order of `component_names`.
        """

    def change(self, packed: np.ndarray) -> Field:
        """A change of the field with these components: a tensor for a metric, a function for a potential.

        Parameters
        ----------
        packed : (ncomp, *grid) array
            In the order of `component_names`.
        """
        return self.unpack(packed)

    def norm(self) -> float:
        """Root mean square over the flat probability measure of the pointwise (Frobenius) norm of `values`."""
        return float(np.sqrt(np.mean(self._pointwise_square(self.values))))

    def distance(self, other: Field) -> float:
        """√(mean |a − b|²): the root mean square, over the flat probability measure, of the Frobenius distance.

        Parameters
        ----------
        other : Field
            Of the same kind, on the same grid.
        """
        return float(np.sqrt(np.mean(self._pointwise_square(self.values - self._same_kind(other)))))

    def max_distance(self, other: Field) -> float:
        """The largest difference |a − b| of any component at any grid point.

        Parameters
        ----------
        other : Field
            Of the same kind, on the same grid.
        """
        return float(np.max(np.abs(self.values - self._same_kind(other))))

    def _pointwise_square(self, values: np.ndarray) -> np.ndarray:
        axes = tuple(range(self.grid.dim, values.ndim))
        squares = values.real**2 + values.imag**2 if np.iscomplexobj(values) else values**2
        return np.asarray(np.sum(squares, axis=axes))

    def _same_kind(self, other: Field) -> np.ndarray:
        if type(other) is not type(self) or other.grid.shape != self.grid.shape or other.grid.torus != self.grid.torus:
            raise ShapeError(f"{self!r} cannot be compared with {other!r}: give two fields of one kind on one grid.")
        return other.values

    def __facts__(self) -> Facts:
        rows = [(name, f"from {row.min():.6g} to {row.max():.6g}")
                for name, row in zip(self.component_names, self.pack(), strict=True)]
        left = [("…", f"and {len(rows) - SHOWN} more components")] if len(rows) > SHOWN else []
        return [("on", self.grid), *rows[:SHOWN], *left]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return np.array(self.values, dtype=dtype) if copy else np.asarray(self.values, dtype=dtype)


def freeze(field: Field, trailing: tuple[int, ...], dtype: type) -> None:
    """Stores `values` in the frozen `field` as a read-only C-contiguous array of shape (*grid, *trailing)."""
    values = field.values
    if type(values) is not np.ndarray or values.dtype != dtype:
        values = as_numbers(values, np.shape(values), "values", dtype)
    array: np.ndarray = np.ascontiguousarray(values, dtype=dtype)
    wanted = (*field.grid.shape, *trailing)
    if array.shape != wanted:
        raise ShapeError(f"values of shape {array.shape} were given where {wanted} is needed: (*grid, tensor indices).")
    view = array.view()
    view.flags.writeable = False
    object.__setattr__(field, "values", view)


def unpacked_rows(field: Field, packed: np.ndarray) -> np.ndarray:
    """`packed` as a float64 array, checked to be (ncomp, *grid)."""
    require_unmasked(packed, "the packed values")
    rows = np.asarray(packed, dtype=float)
    wanted = (len(field.component_names), *field.grid.shape)
    if rows.shape != wanted:
        raise ShapeError(f"packed values of shape {rows.shape} were given where {wanted} is needed: (ncomp, *grid).")
    return rows


class HasVolume(Protocol):
    """A metric of any kind, for integrals with respect to its volume."""

    def volume_density(self) -> ScalarField:
        """√det g, the density of its volume with respect to dx."""


class MatrixField(Field):
    """A symmetric or Hermitian matrix at each point: a metric, or a form."""

    @abstractmethod
    def volume_density(self) -> ScalarField:
        """√det g of the real metric, the density of its volume with respect to dx."""

    def volume(self) -> float:
        """∫ dμ."""
        return self.volume_density().integral()

    def smallest_eigenvalue(self) -> tuple[float, tuple[int, ...]]:
        """The least eigenvalue over the grid, and the index of its point."""
        return matrices.smallest_eigenvalue(self.values)

    def eigenvalue_range(self) -> tuple[float, float]:
        """The least and the largest eigenvalue over the grid."""
        lowest, highest = matrices.eigenvalue_range(self.values)
        return float(lowest.min()), float(highest.max())

    def __facts__(self) -> Facts:
        low, high = self.eigenvalue_range()
        return [*super().__facts__(), ("eigenvalues", f"from {low:.6g} to {high:.6g}"), ("volume", self.volume())]


@final
@dataclass(frozen=True, eq=False, repr=False)
class ScalarField(Field):
    """A real function.

    Sums, differences, products, quotients and powers with numbers and other scalar fields act point by point.

    Parameters
    ----------
    grid : Grid
        Where it lives.
    values : (*grid) array
        Real.
    """

    grid: Grid
    values: np.ndarray

    def __post_init__(self) -> None:
        freeze(self, (), float)

    called: ClassVar[str] = "f"

    def names(self, name: str) -> tuple[str, ...]:
        """("f",)."""
        return (name,)

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

        Parameters
        ----------
        metric : metric or None
            Anything with a `volume_density`; the flat one unless given.
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

    def derivative(self, index: Sequence[int]) -> ScalarField:
        """∂^index f in Cartesian coordinates; (1, 0) is ∂_x f.

        Parameters
        ----------
        index : d counts
            Derivatives along each coordinate.
        """
        return ScalarField(self.grid, self.grid.derivative(self.values, index))

    def laplacian(self) -> ScalarField:
        """The flat Laplacian Σ_j ∂_j² f, ≤ 0 as an operator."""
        squares = np.eye(self.grid.dim, dtype=int) * 2
        terms = self.grid.derivatives(self.values, [tuple(index) for index in squares])
        return ScalarField(self.grid, np.sum(list(terms.values()), axis=0))

    def map(self, function: Callable[[np.ndarray], np.ndarray]) -> ScalarField:
        """function(f).

        Parameters
        ----------
        function : function of arrays
            Such as numpy.exp.
        """
        return ScalarField(self.grid, function(self.values))

    def pull_back(self, matrix: Any) -> ScalarField:
        """f∘A for a matrix A acting on lattice coordinates; permutes grid points.

        Parameters
        ----------
        matrix : (d, d) integers
            A, of determinant ±1.
        """
        automorphism = checked_automorphism(self.grid, matrix)
        return ScalarField(self.grid, permute(self.grid, self.values, automorphism))

    def _combine(self, other: Any, act: Callable[[Any, Any], Any], swapped: bool = False) -> ScalarField:
        if isinstance(other, ScalarField):
            if other.grid != self.grid:
                raise ShapeError(f"{self!r} and {other!r} live on different grids.")
            other = other.values
        elif not isinstance(other, int | float | np.number):
            return NotImplemented  # type: ignore[no-any-return]
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
