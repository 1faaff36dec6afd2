"""Rates of regular fields at the points of a grid, and their exact Jacobians."""

from __future__ import annotations

from abc import ABC, abstractmethod
from functools import cached_property
from typing import final

import numpy as np
import sympy
from scipy.linalg import block_diag

from geomflow.core import graph as gr
from geomflow.core.errors import InputError
from geomflow.field.reduced.arclength import lengthwise
from geomflow.field.reduced.compiled import compiled_nodes
from geomflow.field.reduced.conditions import Conditions
from geomflow.field.reduced.evaluate import Evaluated
from geomflow.field.reduced.grid import ReducedGrid
from geomflow.symbolic.ansatz import Reduction
from geomflow.symbolic.ansatz.reduction import from_start, transported
from geomflow.symbolic.ansatz.regular import DRIFT, FIRST, SPEED, START
from geomflow.symbolic.language.words import TIME


class Rates(ABC):
    """What a reduced flow does to the regular fields of a grid, packed as (fields, *grid)."""

    grid: ReducedGrid

    def rate(self, t: float, y: np.ndarray, out: np.ndarray) -> None:
        """dy/dt into `out`, of what the modes of each field keep."""
        rows = self.raw(t, y.reshape(len(y), -1))
        for target, row, matrix in zip(out.reshape(len(y), -1), rows, self._projections, strict=True):
            target[:] = row if matrix is None else matrix @ row

    def jacobian(self, t: float, y: np.ndarray) -> np.ndarray:
        """d rate/dy, (n, n)."""
        found = self.raw_jacobian(t, y.reshape(len(y), -1))
        size = self.grid.basis.size
        for place, matrix in enumerate(self._projections):
            if matrix is not None:
                rows = slice(place * size, (place + 1) * size)
                found[rows] = matrix @ found[rows]
        return found

    @cached_property
    def directions(self) -> np.ndarray:
        """Orthonormal changes of flattened fields that rates make, (n, m): what the modes of each field keep.

        An end of a span that stays is not changed.
        """
        whole = zip(self.grid.ansatz.regular.fields, self.nodes, self._blocks(), strict=True)
        still = [node is gr.ZERO and bool(self.grid.shape) and not f.unknown.coordinates for f, node, _ in whole]
        blocks = [block[:, :0] if stays else block for stays, block in zip(still, self._blocks(), strict=True)]
        return np.asarray(block_diag(*blocks))

    def _blocks(self) -> list[np.ndarray]:
        whole = np.eye(self.grid.basis.size)
        return [whole if matrix is None else _range(matrix) for matrix in self._projections]

    @cached_property
    def _projections(self) -> list[np.ndarray | None]:
        bases = [self.grid.basis_of(f) for f in self.grid.ansatz.regular.fields]
        return [None if basis.order is not None or not self.grid.shape else basis.project for basis in bases]

    @abstractmethod
    def raw(self, t: float, y: np.ndarray) -> np.ndarray:
        """The rates of the fields y (fields, N), before they are projected."""

    @abstractmethod
    def raw_jacobian(self, t: float, y: np.ndarray) -> np.ndarray:
        """Their derivatives by y, (n, n)."""

    def drift(self, t: float, y: np.ndarray) -> np.ndarray:
        """ν, the regular function of the field V ∂_x along which points are dragged beside the equation, (N,).

        Parameters
        ----------
        t : float
            The time.
        y : (fields, N) array
            The regular fields.
        """
        return np.zeros(y.shape[1])

    @property
    @abstractmethod
    def nodes(self) -> tuple[gr.Node, ...]:
        """The rates as expressions in regular fields."""

    @property
    def order(self) -> int:
        """The highest order of differentiation."""
        return max((sum(leaf.data[1]) for leaf in gr.leaves(self.nodes) if leaf.op == "jet"), default=0)

    @property
    def timed(self) -> bool:
        """Whether the time is in the rates."""
        return any(leaf.op == "symbol" and leaf.data == TIME for leaf in gr.leaves(self.nodes))


@final
class Comoving(Rates):
    """The equations as they are reduced, at fixed coordinates.

    Parameters
    ----------
    grid : ReducedGrid
        Where.
    reduction : Reduction
        The rates of the unknowns.
    """

    def __init__(self, grid: ReducedGrid, reduction: Reduction) -> None:
        self.grid = grid
        self._nodes = grid.ansatz.regular.of_rates(reduction.rates).rates
        self._evaluated = compiled_nodes(grid, self._nodes, reduction.means)
        require_known_numbers(self._evaluated)

    @property
    def nodes(self) -> tuple[gr.Node, ...]:
        return self._nodes

    def raw(self, t: float, y: np.ndarray) -> np.ndarray:
        return self._evaluated(y, {TIME: t})

    def raw_jacobian(self, t: float, y: np.ndarray) -> np.ndarray:
        return self._evaluated.jacobian(y, {TIME: t})


@final
class Lengthwise(Rates):
    """The equations with each point keeping its share of the whole length.

    With L_V g added, (e^L V)_x = (c − F) e^L where L = log √g_xx, F is its rate and c the mean of F over the length,
    L grows by c everywhere: x stays ∝ arclength where it is, and otherwise L tells where points are dense.

    Parameters
    ----------
    grid : ReducedGrid
        With one coordinate.
    reduction : Reduction
        The rates of the unknowns.
    radial : str
        The regular field log √g_xx.
    """

    def __init__(self, grid: ReducedGrid, reduction: Reduction, radial: str) -> None:
        self.grid, regular, ansatz = grid, grid.ansatz.regular, grid.ansatz
        self._place = [f.name for f in regular.fields].index(radial)
        (x,) = (s for s in ansatz.metric.chart.symbols if s.name in ansatz.coordinates)
        dragged = transported(ansatz, sympy.Function(SPEED)(x))
        still = regular.of_rates(reduction.rates).rates
        moved = regular.of_rates([a + b for a, b in zip(reduction.rates, dragged, strict=True)]).rates
        self._nodes = moved
        self._stretch = compiled_nodes(grid, [still[self._place]], reduction.means)
        others = [node for place, node in enumerate(moved) if place != self._place]
        self._others = compiled_nodes(grid, others, reduction.means, (DRIFT,))
        require_known_numbers(self._stretch)
        self._mean, self._drift = lengthwise(grid.bases[0])

    @property
    def nodes(self) -> tuple[gr.Node, ...]:
        return self._nodes

    def _blocks(self) -> list[np.ndarray]:
        size = self.grid.basis.size
        found = super()._blocks()
        found[self._place] = np.full((size, 1), size**-0.5)
        return found

    def drift(self, t: float, y: np.ndarray) -> np.ndarray:
        return self._moved(t, y)[3]

    def raw(self, t: float, y: np.ndarray) -> np.ndarray:
        _, _, mean, drift = self._moved(t, y)
        others = self._others(np.concatenate([y, drift[None]]), {TIME: t})
        return np.insert(others, self._place, mean, axis=0)

    def _moved(self, t: float, y: np.ndarray) -> tuple[np.ndarray, np.ndarray, float, np.ndarray]:
        """F − c, e^L, c and the regular speed of V."""
        (stretch,) = self._stretch(y, {TIME: t})
        lengths = np.exp(y[self._place])
        mean = float(self._mean @ (stretch * lengths) / (self._mean @ lengths))
        return stretch - mean, lengths, mean, self._drift @ ((stretch - mean) * lengths) / lengths

    def raw_jacobian(self, t: float, y: np.ndarray) -> np.ndarray:
        size, place = y.shape[1], self._place * y.shape[1]
        excess, lengths, _, drift = self._moved(t, y)
        grown = lengths[:, None] * self._stretch.jacobian(y, {TIME: t})  # d(F e^L) − F d(e^L), then less c d(e^L)
        grown[:, place : place + size] += np.diag(excess * lengths)
        own = self._mean @ grown / (self._mean @ lengths)
        drifts = self._drift @ (grown - lengths[:, None] * own) / lengths[:, None]
        drifts[:, place : place + size] -= np.diag(drift)
        whole = self._others.jacobian(np.concatenate([y, drift[None]]), {TIME: t})
        others = whole[:, : y.size] + whole[:, y.size :] @ drifts
        return np.concatenate([others[:place], np.broadcast_to(own, (size, y.size)), others[place:]])


def _range(projection: np.ndarray) -> np.ndarray:
    """Orthonormal columns that span what a projection keeps."""
    columns, sizes, _ = np.linalg.svd(projection)
    return columns[:, sizes > 0.5]


@final
class FromStart(Rates):
    """DeTurck's gauge along the coordinate, with the metric at the start behind it; what is given at ends stays.

    L_V g is added, V = g^xx (Γ^x_xx − Γ̄^x_xx): a metric that stands still from the start on does so exactly.

    Parameters
    ----------
    grid : ReducedGrid
        With one coordinate.
    reduction : Reduction
        The rates of the unknowns.
    radial : str
        The regular field log √g_xx.
    start : (N,) array
        That field at the start.
    """

    def __init__(self, grid: ReducedGrid, reduction: Reduction, radial: str, start: np.ndarray) -> None:
        self.grid, regular, ansatz = grid, grid.ansatz.regular, grid.ansatz
        (x,) = (s for s in ansatz.metric.chart.symbols if s.name in ansatz.coordinates)
        dragged = transported(ansatz, from_start(ansatz, sympy.Function(START)(x)))
        self._nodes = regular.of_rates([a + b for a, b in zip(reduction.rates, dragged, strict=True)]).rates
        self._evaluated = compiled_nodes(grid, self._nodes, reduction.means, (FIRST,))
        self._start, self._ends = start.reshape(1, -1), Conditions(grid, radial)
        require_known_numbers(self._evaluated)

    @property
    def nodes(self) -> tuple[gr.Node, ...]:
        return self._nodes

    def rate(self, t: float, y: np.ndarray, out: np.ndarray) -> None:
        super().rate(t, y, out)
        out[:] = self._ends.kept(out)

    def jacobian(self, t: float, y: np.ndarray) -> np.ndarray:
        found = super().jacobian(t, y)
        return self._ends.kept(found.reshape(*y.shape, -1)).reshape(found.shape)

    def raw(self, t: float, y: np.ndarray) -> np.ndarray:
        return self._evaluated(np.concatenate([y, self._start]), {TIME: t})

    def raw_jacobian(self, t: float, y: np.ndarray) -> np.ndarray:
        return self._evaluated.jacobian(np.concatenate([y, self._start]), {TIME: t})[:, : y.size]


def require_known_numbers(evaluated: Evaluated) -> None:
    """Raises InputError for a parameter of the metric or the rate that has no value."""
    left = [name for name in evaluated.numbers if name != TIME]
    if left:
        raise InputError(f"the parameter '{left[0]}' has no value: give the metric with a number in its place.")
