"""The recursion in depth of infinite-width kernels, by compiled rows of closed forms or of Hermite series."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from typing import Generic, TypeVar, final

import numpy as np

from geomflow.core import memory
from geomflow.kernels import network_routines as routines
from geomflow.kernels import network_series
from geomflow.kernels.activations import ClosedForm
from geomflow.kernels.expansions import Expanded


class Known(ABC):
    """Points, and what a network knows of every point alone."""

    @abstractmethod
    def __len__(self) -> int: ...

    @abstractmethod
    def __getitem__(self, rows: slice) -> Known: ...

    @property
    @abstractmethod
    def terms(self) -> int:
        """How many terms the longest series has; none of closed forms."""


K = TypeVar("K", bound=Known)


@final
@dataclass(frozen=True, eq=False)
class Layered(Known):
    """Points, and what each layer knows of every point alone.

    Parameters
    ----------
    points : (p, d) array
        With the bias as last coordinate.
    squares : (p,) array
        |x|².
    deviations : (depth + 1, p) array
        √K_l(x, x).
    orders : (depth,) array
        How many coefficients a layer has; none where closed forms take no series.
    values, slopes : (depth, order, p) array
        Coefficients of φ and of φ'.
    """

    points: np.ndarray
    squares: np.ndarray
    deviations: np.ndarray
    orders: np.ndarray
    values: np.ndarray
    slopes: np.ndarray

    def __len__(self) -> int:
        return len(self.points)

    @property
    def terms(self) -> int:
        """The most of any layer."""
        return int(self.orders.max(initial=0))

    def __getitem__(self, rows: slice) -> Layered:
        return replace(self, points=self.points[rows], squares=self.squares[rows],
                       deviations=np.ascontiguousarray(self.deviations[:, rows]),
                       values=self.values[:, :, rows], slopes=self.slopes[:, :, rows])


class Recursion(ABC, Generic[K]):
    """What is filled in for an architecture: layers of points, and blocks of kernels from them."""

    @abstractmethod
    def layers(self, points: np.ndarray, more: int = 1) -> K:
        """What every layer knows of points (p, d), series with `more` times as many terms as are enough."""

    @abstractmethod
    def block(self, x: K, y: K, tangent: bool, out: np.ndarray) -> None:
        """out = the tangent kernel or the covariance of points, (p, q)."""

    def symmetric(self, x: K, rows: slice, tangent: bool, out: np.ndarray) -> None:
        """Rows of the symmetric matrix from their diagonal on, and their mirror images."""
        after = slice(rows.start, len(x))
        self.block(x[rows], x[after], tangent, out[rows, after])  # type: ignore[arg-type]  # rows of K are a K
        square = out[rows, rows]
        square[np.tril_indices(len(square), -1)] = square.T[np.tril_indices(len(square), -1)]
        out[rows.stop :, rows] = out[rows, rows.stop :].T

    @abstractmethod
    def diagonal(self, x: K, tangent: bool) -> np.ndarray:
        """The kernel of each point with itself, (p,)."""


@final
@dataclass(frozen=True)
class ClosedRecursion(Recursion[Layered]):
    """By closed forms; m = σ_w² and β = σ_b²."""

    form: ClosedForm
    depth: int
    m: float
    beta: float

    def _network(self, x: Layered) -> routines.Network:
        return self.form.code, self.m / (x.points.shape[1] - 1), self.m, self.beta, self.form.slope

    def layers(self, points: np.ndarray, more: int = 1) -> Layered:
        """Deviations alone."""
        squares = np.einsum("pi,pi->p", points, points)
        variances = [self.m / (points.shape[1] - 1) * squares]
        for _ in range(self.depth):
            variances.append(self.m * self.form.square(variances[-1]) + self.beta)
        none = np.zeros((0, 0, len(points)))
        return Layered(points, squares, np.sqrt(variances), np.zeros(0, int), none, none)

    def block(self, x: Layered, y: Layered, tangent: bool, out: np.ndarray) -> None:
        """One compiled row a hidden layer."""
        columns = np.ascontiguousarray(y.points.T)
        routines.block(self._network(x), x.points, x.deviations, x.squares, columns, y.deviations, y.squares, tangent,
                       out)

    def symmetric(self, x: Layered, rows: slice, tangent: bool, out: np.ndarray) -> None:
        """The same for pairs above the diagonal."""
        routines.symmetric_rows(self._network(x), x.points, np.ascontiguousarray(x.points.T), x.deviations, x.squares,
                                rows.start, rows.stop, tangent, out)

    def diagonal(self, x: Layered, tangent: bool) -> np.ndarray:
        """The rows of the correlation one."""
        out = np.empty(len(x))
        routines.diagonal(self._network(x), x.deviations, tangent, out)
        return out


@final
@dataclass(frozen=True)
class SeriesRecursion(Recursion[Layered]):
    """By Hermite series of the activation; m = σ_w² and β = σ_b²."""

    activation: Expanded
    depth: int
    m: float
    beta: float

    def layers(self, points: np.ndarray, more: int = 1) -> Layered:
        """Coefficients of φ and φ' at the deviations of every layer."""
        squares = np.einsum("pi,pi->p", points, points)
        variances = [self.m / (points.shape[1] - 1) * squares]
        values: list[np.ndarray] = []
        slopes: list[np.ndarray] = []
        for _ in range(self.depth):
            deviations = np.sqrt(variances[-1])
            order = more * self.activation.order(deviations)
            memory.require(16.0 * self.depth * order * len(points), f"the series of {order} terms of an activation at "
                           f"{len(points):,} points", "take fewer points at a time, or a larger tolerance")
            for kept, found in zip((values, slopes), self.activation.series(deviations, order)):
                kept.append(found)
            variances.append(self.m * np.einsum("np,np->p", values[-1], values[-1]) + self.beta)
        orders = np.array([len(found) for found in values])
        return Layered(points, squares, np.sqrt(variances), orders, _padded(values), _padded(slopes))

    def block(self, x: Layered, y: Layered, tangent: bool, out: np.ndarray) -> None:
        """One compiled row of series a hidden layer."""
        numbers = self.m / (x.points.shape[1] - 1), self.m, self.beta
        sides = [(z.points, z.deviations, z.squares, z.values, z.slopes) for z in (x, y)]
        network_series.block(numbers, x.orders, *sides[0], *sides[1], tangent, out)

    def diagonal(self, x: Layered, tangent: bool) -> np.ndarray:
        """K or Θ = K + m Σ d_n² Θ of the layer before."""
        covariance = x.deviations**2
        if not tangent:
            return covariance[-1]
        theta = covariance[0]
        for l in range(self.depth):
            theta = covariance[l + 1] + self.m * np.einsum("np,np->p", x.slopes[l], x.slopes[l]) * theta
        return theta


def _padded(series: list[np.ndarray]) -> np.ndarray:
    """Series of several lengths as one array (layers, order, p), zeros behind the short ones."""
    out = np.zeros((len(series), max(map(len, series)), series[0].shape[1]))
    for row, found in zip(out, series):
        row[: len(found)] = found
    return out
