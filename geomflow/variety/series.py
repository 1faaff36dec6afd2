"""Truncated power series along a variety: homogeneous coordinates, sections and log det ∂∂̄K about points.

Series are in the local coordinates x of the points (their patch, their eliminated coordinate), centred at each point,
and in x̄; their arrays are those of `geomflow.variety.routines.series`, points last. Coefficients, not derivatives.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from typing import TYPE_CHECKING, final

import numpy as np

from geomflow.core.hermitian import log_determinant
from geomflow.core.monomials import Index, monomials, multi_indices
from geomflow.variety.routines import series as routine

if TYPE_CHECKING:
    from geomflow.variety.points import Points
    from geomflow.variety.polynomial import Polynomial


@final
@dataclass(frozen=True)
class Truncation:
    """Series to degree `order` in x (and in x̄) of n variables: their tables and what is done with them.

    Parameters
    ----------
    n : int
        How many local coordinates.
    order : int
        The highest degree that is kept.
    """

    n: int
    order: int

    @cached_property
    def indices(self) -> tuple[Index, ...]:
        """The exponents α of the rows."""
        return multi_indices(self.n, self.order)

    @property
    def rows(self) -> int:
        """How many there are."""
        return len(self.indices)

    @cached_property
    def degrees(self) -> np.ndarray:
        """|α|, (R,)."""
        return np.array([sum(index) for index in self.indices])

    @cached_property
    def tables(self) -> tuple[np.ndarray, np.ndarray]:
        """(starts, pairs) of products: see `geomflow.variety.routines.series`."""
        products = monomials((self.n,), (self.order,)).products
        starts = np.cumsum([0, *map(len, products)])
        return starts, np.array([pair for row in products for pair in row], dtype=np.int64)

    @cached_property
    def raised(self) -> tuple[np.ndarray, np.ndarray]:
        """For each a the rows of α + e_a, for α of one degree less, and α_a + 1: ∂_a of a series; each (n, rows)."""
        place = {index: row for row, index in enumerate(self.indices)}
        lower = multi_indices(self.n, self.order - 1)
        up = [[place[tuple(e + (i == a) for i, e in enumerate(index))] for index in lower] for a in range(self.n)]
        return np.array(up), np.array([[index[a] + 1.0 for index in lower] for a in range(self.n)])

    def logarithm(self, series: np.ndarray) -> np.ndarray:
        """log of real series (R, R, B); NaN where they are not positive."""
        out = np.empty_like(series)
        with np.errstate(invalid="ignore", divide="ignore"):
            routine.logarithm(series, *self.tables, self.degrees, out)
        return out

    def determinant(self, matrix: Sequence[Sequence[np.ndarray]]) -> np.ndarray:
        """Of a matrix of series (R, R, B), by its first row."""
        if len(matrix) == 1:
            return matrix[0][0]
        total = np.zeros_like(matrix[0][0])
        for column, entry in enumerate(matrix[0]):
            minor = self.determinant([[*row[:column], *row[column + 1 :]] for row in matrix[1:]])
            routine.add_product(entry, minor, *self.tables, (-1.0) ** column, total)
        return total

    def log_volume(self, potential: np.ndarray) -> np.ndarray:
        """log det ∂∂̄K to one order less, from K (R, R, B); NaN where ∂∂̄K is not positive at the points."""
        below, (up, factor) = truncation(self.n, self.order - 1), self.raised
        metric = [
            [potential[np.ix_(up[a], up[b])] * np.multiply.outer(factor[a], factor[b])[:, :, None]
             for b in range(self.n)] for a in range(self.n)
        ]  # fmt: skip
        found = below.logarithm(below.determinant(metric))
        found[0, 0] = log_determinant(np.moveaxis(np.array([[entry[0, 0] for entry in row] for row in metric]), 2, 0))
        return found

    def coordinates(self, points: Points) -> np.ndarray:
        """The homogeneous coordinates as functions of x, (N, R, P); the eliminated one solves Q = 0 order by order."""
        z = points.coordinates
        count, size = z.shape
        series = np.zeros((count, size, self.rows), complex)
        series[:, :, 0] = z
        series[:, :, 1 : 1 + self.n] = np.swapaxes(points.pullbacks, 1, 2)
        series = np.ascontiguousarray(np.moveaxis(series, 0, 2))
        polynomial, every = points.variety.polynomial, np.arange(count)
        slope = polynomial.gradient(z)[1][every, points.elim]
        for order in range(2, self.order + 1):
            new = np.nonzero(self.degrees == order)[0]
            value = self.polynomial(polynomial, series)[new]
            series[points.elim[:, None], new, every[:, None]] -= (value / slope).T
        return series

    def polynomial(self, polynomial: Polynomial, series: np.ndarray) -> np.ndarray:
        """A polynomial in series (N, R, P), as a series (R, P)."""
        terms = self.monomials(polynomial.exponents, series)
        result: np.ndarray = np.tensordot(np.asarray(polynomial.coefficients, complex), terms, 1)
        return result

    def monomials(self, exponents: np.ndarray, series: np.ndarray) -> np.ndarray:
        """Monomials in series (N, R, P), as series (M, R, P)."""
        wanted = tuple(map(tuple, np.asarray(exponents).tolist()))
        parent, variable, places = _chain(wanted)
        out = np.empty((len(parent), *series.shape[1:]), complex)
        routine.monomials(series, parent, variable, *self.tables, out)
        result: np.ndarray = out[places]
        return result


@cache
def truncation(n: int, order: int) -> Truncation:
    """The truncation to an order, whose tables are made once.

    Parameters
    ----------
    n : int
        How many local coordinates.
    order : int
        The highest degree that is kept.
    """
    return Truncation(n, order)


@cache
def _chain(wanted: tuple[Index, ...]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A list of monomials that begins with 1, each a parent before it times a variable; and where the wanted are."""
    places: dict[Index, int] = {(0,) * len(wanted[0]): 0}
    steps = [(0, 0)]
    for index in wanted:
        missing = []
        while index not in places:
            missing.append(index)
            first = next(i for i, e in enumerate(index) if e)
            index = tuple(e - (i == first) for i, e in enumerate(index))
        for each in reversed(missing):
            first = next(i for i, e in enumerate(each) if e)
            steps.append((places[index], first))
            places[each] = len(steps) - 1
            index = each
    parent, variable = np.array(steps).T
    return np.ascontiguousarray(parent), np.ascontiguousarray(variable), np.array([places[each] for each in wanted])
