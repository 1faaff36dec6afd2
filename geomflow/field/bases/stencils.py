"""Bases of stencils of order 2, 4, 6 and 8: on circles, and for even functions between poles or mirrors."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import final

import numpy as np
from numpy.typing import ArrayLike

from geomflow.codegen.stencils import check_order, radius, weights
from geomflow.core.errors import GridTooSmallError
from geomflow.field.bases.axes import OnCircle, OneAxis, OnInterval, check_count, check_interval, inside
from geomflow.field.bases.basis import Arrays


class Stencils(OneAxis):
    """Equidistant nodes, continued beyond them by symmetry."""

    order: int

    @property
    @abstractmethod
    def spacing(self) -> float:
        """The distance h of neighbours."""

    @abstractmethod
    def _fold(self, number: np.ndarray) -> np.ndarray:
        """The node that carries the value of any number."""

    @abstractmethod
    def _reach(self) -> int:
        """How far a stencil may reach."""

    @property
    def weights(self) -> np.ndarray:
        return np.full(self.n, self.spacing)

    def derivative(self, index: Sequence[int]) -> np.ndarray:
        (times,) = self._checked(index)
        reach = radius(times, self.order)
        if reach > self._reach():
            raise GridTooSmallError(f"the stencil of derivative {times} at order {self.order} reaches {reach} nodes to "
                                    f"either side, too far for {self.n} nodes; take more, or a lower order")
        row = np.array([float(w) for w in weights(times, self.order)]) / self.spacing**times
        return self._matrix(np.arange(self.n) - reach, np.broadcast_to(row, (self.n, len(row))))

    def _interpolated(self, place: np.ndarray) -> np.ndarray:
        """Lagrange's polynomial through `order` nodes around places in units of h from node 0."""
        first = np.floor(place).astype(int) - self.order // 2 + 1
        gaps = (place - first)[:, None] - np.arange(self.order)
        columns = [np.prod([gaps[:, j] / (i - j) for j in range(self.order) if j != i], axis=0)
                   for i in range(self.order)]
        return self._matrix(first, np.stack(columns, axis=1))

    def _matrix(self, first: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """Rows of weights for consecutive nodes, beginning at `first`."""
        found = np.zeros((len(rows), self.n))
        columns = self._fold(first[:, None] + np.arange(rows.shape[1]))
        np.add.at(found, (np.arange(len(rows))[:, None], columns), rows)
        return found


@final
@dataclass(frozen=True)
class Periodic(OnCircle, Stencils):
    """Functions on a circle by stencils; the regular variable is x.

    Parameters
    ----------
    n : int
        Nodes.
    period : float
        The length of the circle.
    order : int
        2, 4, 6 or 8.
    start : float
        Where the first node is.
    """

    n: int
    period: float
    order: int
    start: float = 0.0

    def __post_init__(self) -> None:
        check_order(self.order)
        check_count(self.n, self.order + 1, f"a circle with stencils of order {self.order}")
        check_interval(self.start, self.start + self.period)

    @property
    def spacing(self) -> float:
        return self.period / self.n

    def at(self, points: ArrayLike) -> np.ndarray:
        return self._interpolated(self.n * self._turns(points))

    def _fold(self, number: np.ndarray) -> np.ndarray:
        return number % self.n

    def _reach(self) -> int:
        return (self.n - 1) // 2


@final
@dataclass(frozen=True)
class Staggered(OnInterval, Stencils):
    """Functions on [a, b] that are even about both ends, at x = a + (j + ½)h, by stencils; the regular variable is x.

    Values beyond the ends are mirror images. Midpoint sums of even functions are spectrally accurate; those of odd
    functions are corrected at the ends.

    Parameters
    ----------
    n : int
        Nodes.
    a, b : float
        The ends.
    order : int
        2, 4, 6 or 8.
    """

    n: int
    a: float
    b: float
    order: int

    def __post_init__(self) -> None:
        check_order(self.order)
        check_count(self.n, self.order // 2 + 1, f"an interval with stencils of order {self.order}")
        check_interval(self.a, self.b)

    @property
    def spacing(self) -> float:
        return (self.b - self.a) / self.n

    @property
    def x(self) -> Arrays:
        return (self.a + (self.b - self.a) * (np.arange(self.n) + 0.5) / self.n,)

    @property
    def points(self) -> Arrays:
        return self.x

    @property
    def odd_weights(self) -> np.ndarray:
        return self.root_weights(True, True)

    def root_weights(self, low: bool, high: bool) -> np.ndarray:
        found, ends = np.ones(self.n), end_corrections(self.order)
        found[:len(ends)] += low * ends
        found[-len(ends):] += high * ends[::-1]
        return self.spacing * found

    def at(self, points: ArrayLike) -> np.ndarray:
        return self._interpolated((inside(points, self.a, self.b) - self.a) / self.spacing - 0.5)

    def _fold(self, number: np.ndarray) -> np.ndarray:
        place = number % (2 * self.n)
        return np.where(place < self.n, place, 2 * self.n - 1 - place)

    def _reach(self) -> int:
        return self.n


_BERNOULLI = (Fraction(1, 6), Fraction(-1, 30), Fraction(1, 42), Fraction(-1, 30))


def end_corrections(order: int) -> np.ndarray:
    """What weights of midpoint sums gain at the first order/2 nodes, for functions odd about the end.

    Σ_j c_j (j + ½)^{2k−1} = B_{2k}(½)/(2k) for k = 1, …, order/2, which cancels the terms of Euler and Maclaurin up to
    h^order.
    """
    k = np.arange(1, order // 2 + 1)
    powers = (np.arange(len(k)) + 0.5) ** (2 * k[:, None] - 1)
    middle = [float((Fraction(2) ** (1 - 2 * int(m)) - 1) * b / (2 * int(m))) for m, b in zip(k, _BERNOULLI)]
    return np.linalg.solve(powers, np.array(middle))
