"""Flat tori R^d/Λ as numbers: the lattice by which a torus closes up, and its Cartesian coordinates.

A lattice is given by its rows v_0, ..., v_{d-1}, Cartesian vectors. Grids live on *cell coordinates* s with
X = Σ_a s_a e_a, where e_a = v_a/|v_a| and s_a runs over [0, |v_a|); hence ∂/∂X_j = Σ_a (E^{-1})_{ja} ∂/∂s_a with the
matrix E of rows e_a. On a rectangular torus E = 1 and the two kinds of coordinates are the same.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from geomflow.core.errors import InputError, ShapeError
from geomflow.core.numbers import finite_number

if TYPE_CHECKING:
    import sympy

    from geomflow.field.grid import Grid

Rows = tuple[tuple[float, ...], ...]

Order = Literal[2, 4, 6, 8]
"""Of the accuracy of stencils."""

Scheme = Literal["stencil", "spectral"]
"""How derivatives are taken."""


class FlatTorus(ABC):
    """What real and complex tori share: a lattice of R^d and named Cartesian coordinates."""

    lattice: Rows

    @property
    @abstractmethod
    def coordinates(self) -> tuple[str, ...]:
        """Names of the real Cartesian coordinates, in the order of the grid axes."""

    @property
    @abstractmethod
    def complex_dim(self) -> int:
        """The complex dimension n; 0 on a real torus."""

    @property
    def real_dim(self) -> int:
        """The real dimension d."""
        return len(self.lattice)

    @cached_property
    def periods(self) -> tuple[float, ...]:
        """Lengths |v_a| of the lattice vectors; on a rectangular torus, the periods of the coordinates."""
        return tuple(float(np.hypot.reduce(np.array(row))) for row in self.lattice)

    @cached_property
    def directions(self) -> np.ndarray:
        """Unit lattice vectors e_a as rows, (d, d): X = Σ_a s_a e_a."""
        return np.asarray(np.array(self.lattice) / np.array(self.periods)[:, None])

    @cached_property
    def dual(self) -> np.ndarray:
        """The inverse of `directions`, (d, d): ∂/∂X_j = Σ_a dual[j, a] ∂/∂s_a."""
        return np.linalg.inv(self.directions)

    @cached_property
    def is_rectangular(self) -> bool:
        """Whether the lattice vectors lie along the coordinate axes, in order."""
        return bool(np.array_equal(self.directions, np.eye(self.real_dim)))

    @cached_property
    def cell_volume(self) -> float:
        """Volume of the fundamental cell, |det Λ|."""
        return abs(float(np.linalg.det(np.array(self.lattice))))

    @cached_property
    def symbols(self) -> tuple[sympy.Symbol, ...]:
        """The real coordinates as sympy symbols."""
        import sympy

        return tuple(sympy.Symbol(name, real=True) for name in self.coordinates)

    def names(self) -> dict[str, Any]:
        """What expressions on the torus may name, as sympy expressions in `symbols`."""
        return dict(zip(self.coordinates, self.symbols, strict=True))

    @abstractmethod
    def grid(self, n: int | Sequence[int], order: Order | None = None, scheme: Scheme = "stencil") -> Grid:
        """A periodic grid.

        Raises InputError and
        UnknownNameError for others, GridTooSmallError when an axis is shorter than the stencil and MemoryLimitError
        when not even one scalar field would fit in memory.

        Parameters
        ----------
        n : int or d ints
            Points along each axis; one along an axis that nothing depends on.
        order : {2, 4, 6, 8, None}
            Of the accuracy of centred differences; 4 unless given.
        scheme : {"stencil", "spectral"}
            Differences, or the trigonometric interpolant, which has no order.
        """

    def _period_sentence(self) -> str:
        """The periods or lattice vectors, in words."""
        if self.is_rectangular:
            word = "period " if self.real_dim == 1 else "periods "
            return word + ", ".join(f"{period:g}" for period in self.periods)
        rows = ", ".join("(" + ", ".join(f"{value:g}" for value in row) + ")" for row in self.lattice)
        return f"lattice vectors {rows}"


def rectangular_rows(periods: Sequence[Any]) -> Rows:
    """Rows of the lattice of a rectangular torus with these positive periods."""
    numbers = [finite_number(period, f"period {axis}") for axis, period in enumerate(periods)]
    for axis, period in enumerate(numbers):
        if period <= 0:
            raise InputError(f"period {axis} is {period:g}; periods are positive lengths.")
    return tuple(tuple(period if i == j else 0.0 for j in range(len(numbers))) for i, period in enumerate(numbers))


def general_rows(lattice: Any, dim: int) -> Rows:
    """Rows of a general lattice, checked: `dim` vectors of `dim` numbers that are linearly independent."""
    rows = [list(row) for row in lattice]
    if len(rows) != dim or any(len(row) != dim for row in rows):
        lengths = ", ".join(str(len(row)) for row in rows)
        raise ShapeError(
            f"a lattice of R^{dim} has {dim} row vectors of {dim} numbers; "
            f"{len(rows)} rows of lengths ({lengths}) were given."
        )
    numbers = [
        [finite_number(value, f"lattice[{i}][{j}]") for j, value in enumerate(row)] for i, row in enumerate(rows)
    ]
    matrix = np.array(numbers)
    lengths_product = float(np.prod(np.linalg.norm(matrix, axis=1)))
    volume = abs(float(np.linalg.det(matrix)))
    if not volume > 1e-12 * lengths_product:
        raise InputError(f"the lattice vectors span a cell of volume {volume:.3g}; give linearly independent rows.")
    return tuple(tuple(row) for row in numbers)


def resolve_rows(dim: int, periods: Any, lattice: Any) -> Rows:
    """Rows of the lattice from the arguments of a torus: `periods`, or `lattice`, or unit periods."""
    if periods is not None and lattice is not None:
        raise InputError("give either periods or lattice, not both: the lattice vectors contain the periods.")
    if lattice is not None:
        return general_rows(lattice, dim)
    if periods is None:
        return rectangular_rows((1.0,) * dim)
    given = tuple(periods) if isinstance(periods, Sequence | np.ndarray) and np.ndim(periods) else (periods,) * dim
    if len(given) != dim:
        raise ShapeError(f"{len(given)} periods were given for {dim} real coordinates; give {dim}, or one number.")
    return rectangular_rows(given)
