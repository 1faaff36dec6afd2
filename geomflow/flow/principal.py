"""The principal part of a discretised equation: bounds of its spectral radius, and a frozen stand-in for it.

In each stage the coefficients c of the highest derivatives ∂^α of each input are found by differentiating the
stage's expressions. With |∂^α| the largest factor by which the discrete derivative multiplies a Fourier mode, the row
sums Σ |c_α| |∂^α|, multiplied along the stages, bound the stiff eigenvalues of the linearised equation at a state
with slowly varying coefficients; lower derivatives are smaller by a factor of the spacing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from geomflow.codegen import Program, Stage
from geomflow.core import graph as gr
from geomflow.field.operators import discretise
from geomflow.flow.implicit import FourierImplicit
from geomflow.flow.problem import Implicit

if TYPE_CHECKING:
    from geomflow.field.grid import Grid

Index = tuple[int, ...]

FIELDS = 0
"""The source number of the evolving fields; stage s has number s + 1."""


@dataclass(frozen=True)
class Slope:
    """The coefficient of ∂^index of input component `column` (of `source`) in output `row` of `stage`."""

    stage: int
    row: int
    source: int
    column: int
    index: Index
    coefficient: gr.Node


@dataclass(frozen=True)
class PrincipalPart:
    """The coefficients of the highest derivatives of a program, stage by stage."""

    program: Program

    @cached_property
    def slopes(self) -> list[Slope]:
        """All coefficients that are not identically zero."""
        return [slope for s in range(len(self.program.stages)) for slope in self._stage(s)]

    @cached_property
    def order(self) -> int:
        """The highest order of differentiation of the fields, through all stages."""
        return self._orders()[-1]

    def _orders(self) -> list[int]:
        orders = [0]
        for s in range(len(self.program.stages)):
            reached = [orders[x.source] + sum(x.index) for x in self.slopes if x.stage == s]
            orders.append(max(reached, default=0))
        return orders

    def _names(self, source: int) -> tuple[str, ...]:
        if source == FIELDS:
            return self.program.fields
        return tuple(name for name, _ in self.program.stages[source - 1].outputs)

    def _stage(self, stage: int) -> list[Slope]:
        nodes = [node for _, node in self.program.stages[stage].outputs]
        found = [leaf for leaf in gr.leaves(nodes) if leaf.op == "jet"]
        slopes = []
        for source in range(stage + 1):
            names = self._names(source)
            jets = highest([leaf for leaf in found if leaf.data[0] in names])
            for row, node in enumerate(nodes):
                for jet, coefficient in zip(jets, gr.gradient(node, jets), strict=True):
                    if coefficient is not gr.ZERO:
                        field, index = jet.data
                        slopes.append(Slope(stage, row, source, names.index(field), index, coefficient))
        return slopes


def highest(jets: Sequence[gr.Node]) -> list[gr.Node]:
    """Those jets whose order is the highest among them."""
    top = max((sum(jet.data[1]) for jet in jets), default=0)
    return [jet for jet in jets if sum(jet.data[1]) == top]


class SpectralBound:
    """A bound of the stiff eigenvalues of a discretised program at a state; see the module's text."""

    def __init__(self, part: PrincipalPart, grid: Grid, statics: np.ndarray | None) -> None:
        self._keys = sorted({(x.stage, x.source) for x in part.slopes})
        self._stages = len(part.program.stages)
        indices = sorted({x.index for x in part.slopes})
        self._reach = tuple(float(np.abs(grid.derivative_symbol(i)).max()) for i in indices)
        reach = {index: gr.symbol(f"reach_{n}") for n, index in enumerate(indices)}
        names = tuple(node.data for node in reach.values())
        rows = [(key, row) for key in self._keys for row in _rows(part, key)]
        outputs = tuple((f"bound_{n}", _row_sum(part, key, row, reach)) for n, (key, row) in enumerate(rows))
        self._row_keys = [key for key, _ in rows]
        self._parameters = len(part.program.parameters)
        program = Program(part.program.coordinates, part.program.fields, part.program.statics,
                          (*part.program.parameters, *names), (*part.program.stages[:-1], Stage(outputs)))
        self._operator = discretise(program, grid, statics)

    def __call__(self, y: np.ndarray, parameters: tuple[float, ...] = ()) -> float:
        """The bound at the packed state y, in units of 1/time."""
        peaks = [float(row.max()) for row in self._operator(y, (*parameters, *self._reach))]
        worst = {key: max(p for p, k in zip(peaks, self._row_keys, strict=True) if k == key) for key in self._keys}
        radius = [1.0]
        for stage in range(self._stages):
            radius.append(sum(worst.get((stage, source), 0.0) * radius[source] for source in range(stage + 1)))
        return radius[-1]


def _rows(part: PrincipalPart, key: tuple[int, int]) -> list[int]:
    return sorted({x.row for x in part.slopes if (x.stage, x.source) == key})


def _row_sum(part: PrincipalPart, key: tuple[int, int], row: int, reach: dict[Index, gr.Node]) -> gr.Node:
    own = [x for x in part.slopes if (x.stage, x.source) == key and x.row == row]
    return gr.add(*[gr.call("abs", x.coefficient) * reach[x.index] for x in own])


WEAKEST = 0.85
"""The frozen coefficients are never below this share of the largest ones, so that products of two stages stay
above the two thirds that `SemiImplicit` needs."""


class FrozenPrincipal(Implicit):
    """The principal part with its coefficients frozen to constants, solved by FFT; made on first use.

    Pure coefficients (all derivative counts even) take the middle of their range over the grid, or `WEAKEST` times
    its end, whichever is stronger; mixed ones their mean. Off-diagonal coupling of components is left out.
    """

    def __init__(self, part: PrincipalPart, grid: Grid, statics: np.ndarray | None, y: np.ndarray,
                 parameters: tuple[float, ...] = ()) -> None:
        self._part, self._grid, self._statics = part, grid, statics
        self._start, self._parameters = y.copy(), parameters

    @cached_property
    def symbol(self) -> np.ndarray:
        """The eigenvalues of L on real Fourier modes, (ncomp, *grid.rfftn shape)."""
        columns = range(len(self._part.program.fields))
        return np.stack([self._component(c) for c in columns])

    def _component(self, column: int) -> np.ndarray:
        values = self._frozen()
        per_source: list[Any] = [1.0]
        for stage in range(len(self._part.program.stages)):
            last = stage == len(self._part.program.stages) - 1
            total: Any = 0.0
            for slope, value in values:
                if slope.stage == stage and _diagonal(slope, column, last):
                    total = total + value * self._grid.derivative_symbol(slope.index) * per_source[slope.source]
            per_source.append(total)
        shape = self._grid.derivative_symbol((0,) * self._grid.dim).shape
        return np.broadcast_to(np.real(per_source[-1]), shape)

    def _frozen(self) -> list[tuple[Slope, float]]:
        slopes = [x for x in self._part.slopes
                  if _diagonal(x, x.row, x.stage == len(self._part.program.stages) - 1)]
        program = self._part.program
        outputs = tuple((f"c_{n}", x.coefficient) for n, x in enumerate(slopes))
        frozen = Program(program.coordinates, program.fields, program.statics, program.parameters,
                         (*program.stages[:-1], Stage(outputs)))
        values = discretise(frozen, self._grid, self._statics)(self._start, self._parameters)
        return [(x, freeze(x.index, v)) for x, v in zip(slopes, values, strict=True)]

    @cached_property
    def _operator(self) -> FourierImplicit:
        return FourierImplicit(self.symbol, self._start.shape)

    def apply(self, y: np.ndarray, out: np.ndarray) -> None:
        """Write L y to `out`."""
        self._operator.apply(y, out)

    def solve(self, b: np.ndarray, c: float, out: np.ndarray) -> None:
        """Solve (1 − c L) u = b and write u to `out`."""
        self._operator.solve(b, c, out)


def _diagonal(slope: Slope, column: int, last: bool) -> bool:
    """Whether the slope belongs to the chain of component `column`: inner stages have one output each."""
    if last and slope.row != column:
        return False
    return slope.column == column if slope.source == FIELDS else slope.column == 0


def freeze(index: Index, values: np.ndarray) -> float:
    """One number for a coefficient that varies over the grid."""
    if any(times % 2 for times in index):
        return float(values.mean())
    low, high = float(values.min()), float(values.max())
    end = high if abs(high) > abs(low) else low
    middle = (low + high) / 2
    return middle if abs(middle) > WEAKEST * abs(end) else WEAKEST * end
