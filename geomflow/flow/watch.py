"""Whether an equation turns ill-posed along a run: its principal symbol, worked out once and evaluated at states.

Which entries of the symbol are principal is a matter of the equation, not of the state: orders and weights are those of
`flow.character`, of all coefficients that are not identically zero. At a state there is no more to do than to evaluate
the coefficients of these entries at some points.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

import numpy as np

from geomflow.core import graph as gr
from geomflow.core.program import Program, Stage
from geomflow.field.grid import Grid
from geomflow.field.operators import Operator, discretise
from geomflow.flow.blocks import Block, grown
from geomflow.flow.character import unit_vectors
from geomflow.flow.composed import Row, Terms, order_of, summed
from geomflow.flow.orders import circles, largest_mean, weights_of
from geomflow.flow.slopes import sampled

DIRECTIONS = 4
"""Random directions of wave vectors beside the axes."""

SHARE = 5e-3
"""Growth smaller than this beside the largest eigenvalue is what steps and grids leave of a zero."""


@dataclass(frozen=True)
class Entries:
    """The principal symbol of some unknowns: entry (a, b) is the sum of its coefficients times its waves.

    names  the unknowns
    order  of the eigenvalues in |k|
    places  a n + b of each coefficient
    waves  (coefficients, directions)
    first  the place of the first coefficient among all of an equation
    """

    names: tuple[str, ...]
    order: Fraction
    places: list[int]
    waves: np.ndarray
    first: int

    @np.errstate(all="ignore")
    def eigenvalues(self, values: np.ndarray) -> np.ndarray:
        """(points, directions, n), of the values (coefficients, points) of all coefficients of the equation."""
        count, own = len(self.names), values[self.first : self.first + len(self.places)]
        shape = (count * count, own.shape[1], self.waves.shape[1])
        symbols = np.zeros(shape, dtype=self.waves.dtype)
        np.add.at(symbols, self.places, own[:, :, None] * self.waves[:, None, :])
        if count == 1 or not np.isfinite(symbols).all():
            return np.moveaxis(symbols, 0, -1)
        return np.linalg.eigvals(np.moveaxis(symbols.reshape(count, count, *shape[1:]), (0, 1), (-2, -1)))


class Watch:
    """The principal symbol of a program, at the states of a run.

    Parameters
    ----------
    rows : sequence of mappings
        What `composed` gives, with lower derivatives.
    program : Program
        Whose symbol it is.
    grid : Grid
        Where the run is.
    statics : array or None
        Given arrays of the program.
    """

    def __init__(self, rows: Sequence[Row], program: Program, grid: Grid, statics: np.ndarray | None) -> None:
        self._program, self._grid, self._statics = program, grid, statics
        self._nodes: list[gr.Node] = []
        self._blocks = list(self._found(_merged(rows)))
        self._sizes: list[float] | None = None

    @property
    def turns(self) -> bool:
        """Whether the symbol follows time or state."""
        program = self._program
        moving = {*program.fields, *program.parameters, *(name for stage in program.inner for name in stage.names)}
        return any((leaf.data[0] if leaf.op == "jet" else leaf.data) in moving for leaf in gr.leaves(self._nodes))

    def start(self, y: np.ndarray, parameters: Sequence[float]) -> None:
        """Take the size of the symbol at the state where a run starts: growth is seen beside it."""
        self._sizes = [_size(eigenvalues) for eigenvalues in self._eigenvalues(y, parameters)]

    def growth(self, y: np.ndarray, parameters: Sequence[float]) -> str | None:
        """How short waves grow without bound, in words; None where they do not."""
        first = self._sizes or [0.0] * len(self._blocks)
        for block, eigenvalues, size in zip(self._blocks, self._eigenvalues(y, parameters), first, strict=True):
            growth = float(eigenvalues.real.max())
            if growth > SHARE * max(size, _size(eigenvalues)):
                return grown(Block(block.names, block.order, growth, 0.0, 0.0, 0))
        return None

    def _found(self, rows: Sequence[Row]) -> Iterator[Entries]:
        directions = unit_vectors(self._grid.wave_directions, DIRECTIONS)
        orders = [defaultdict[int, int](int) for _ in rows]
        for row, own in zip(rows, orders, strict=True):
            for column, way in row:
                own[column] = max(own[column], order_of(way))
        for circle in circles([dict.fromkeys(own, True) for own in orders]):
            inner = [[orders[i].get(j) for j in circle] for i in circle]
            mean = largest_mean(inner)
            if mean:
                weights = weights_of(inner, mean)
                yield self._entries(rows, circle, mean, weights, directions)

    def _entries(self, rows: Sequence[Row], circle: list[int], mean: Fraction, weights: Sequence[Fraction],
                 directions: np.ndarray) -> Entries:
        places, waves, first = list[int](), list[np.ndarray](), len(self._nodes)
        for a, i in enumerate(circle):
            for (column, way), node in rows[i].items():
                b = circle.index(column) if column in circle else None
                if b is not None and order_of(way) + weights[b] - weights[a] == mean:
                    self._nodes.append(node)
                    places.append(a * len(circle) + b)
                    waves.append(1j ** order_of(way) * np.prod(directions ** np.array(way[0] if way else 0), axis=1))
        table = np.array(waves)
        names = tuple(self._program.fields[n] for n in circle)
        return Entries(names, mean, places, table if table.imag.any() else table.real, first)

    def _eigenvalues(self, y: np.ndarray, parameters: Sequence[float]) -> list[np.ndarray]:
        values = self._values(y, parameters)
        return [entries.eigenvalues(values) for entries in self._blocks]

    def _values(self, y: np.ndarray, parameters: Sequence[float]) -> np.ndarray:
        """(coefficients, points)."""
        return sampled(self._operator(y, parameters))

    @cached_property
    def _operator(self) -> Operator:
        program = self._program
        outputs = Stage(tuple((f"coefficient_{n}", node) for n, node in enumerate(self._nodes)))
        inner = Program(program.coordinates, program.fields, program.statics, program.parameters,
                        (*program.inner, outputs))
        return discretise(inner, self._grid, self._statics)


def _size(eigenvalues: np.ndarray) -> float:
    return float(np.abs(eigenvalues).max())


def _merged(rows: Sequence[Row]) -> list[Row]:
    """The coefficients of each product of derivatives, whatever stages it is taken through."""
    merged: list[Terms] = []
    for row in rows:
        terms: Terms = defaultdict(list)
        for (column, way), node in row.items():
            whole = tuple(map(sum, zip(*way, strict=True)))
            terms[column, (whole,) if whole else ()].append(node)
        merged.append(terms)
    return summed(merged)
