"""The principal part of a discretised equation: bounds of its spectral radius, and a frozen stand-in for it.

In each stage the coefficients c of the highest derivatives ∂^α of each input are found by differentiating the
stage's expressions. With |∂^α| the largest factor by which the discrete derivative multiplies a Fourier mode, the row
sums Σ |c_α| |∂^α|, multiplied along the stages, bound the stiff eigenvalues of the linearised equation at a state
with slowly varying coefficients; lower derivatives are smaller by a factor of the spacing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from geomflow.codegen import Program, Stage
from geomflow.core import graph as gr
from geomflow.field.operators import Operator, discretise, pointwise
from geomflow.flow.implicit import FourierImplicit
from geomflow.flow.problem import Implicit

if TYPE_CHECKING:
    from geomflow.field.grid import Grid

Index = tuple[int, ...]
Damping = Callable[[np.ndarray], np.ndarray]
Fields = Callable[[np.ndarray], tuple[np.ndarray, tuple[float, ...]]]

SQUARE = gr.symbol("reach_square")
"""The parameter that holds the largest |k|² of the grid, damped."""

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

    @property
    def depth(self) -> int:
        """The number of stages that differentiate, at least one."""
        return max(1, len({slope.stage for slope in self.slopes if any(slope.index)}))

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
        rows = [node for _, node in self.program.stages[stage].outputs]
        return [slope for source in range(stage + 1) for row, node in enumerate(rows)
                for slope in self._row(stage, row, node, source)]

    def _row(self, stage: int, row: int, node: gr.Node, source: int) -> list[Slope]:
        names = self._names(source)
        jets = highest([leaf for leaf in gr.leaves([node]) if leaf.op == "jet" and leaf.data[0] in names])
        pairs = zip(jets, gr.gradient(node, jets), strict=True)
        return [Slope(stage, row, source, names.index(jet.data[0]), jet.data[1], coefficient)
                for jet, coefficient in pairs if coefficient is not gr.ZERO]


@lru_cache(maxsize=32)
def principal_part(program: Program) -> PrincipalPart:
    """The principal part of a program, found once for all runs of it."""
    return PrincipalPart(program)


def highest(jets: Sequence[gr.Node]) -> list[gr.Node]:
    """Those jets whose order is the highest among them."""
    top = max((sum(jet.data[1]) for jet in jets), default=0)
    return [jet for jet in jets if sum(jet.data[1]) == top]


class SpectralBound:
    """A bound of the stiff eigenvalues of a discretised program at a state; see the module's text.

    With `damping`, factors ≥ 0 of the Fourier modes, of the program followed by that multiplier: each of the stages
    that differentiate takes its root, so that the product over the stages is bounded mode by mode. Second derivatives
    are then bounded together by |k|²: Σ |c_ij k_i k_j| ≤ |k|² max_i (|c_ii| + ½ Σ_j |c_ij|).
    """

    def __init__(self, part: PrincipalPart, grid: Grid, statics: np.ndarray | None,
                 damping: np.ndarray | None = None) -> None:
        self._keys = sorted({(x.stage, x.source) for x in part.slopes})
        self._stages = len(part.program.stages)
        indices = sorted({x.index for x in part.slopes})
        self._peak = 1.0 if damping is None else float(damping.max())
        share = 1.0 if damping is None else (damping / self._peak) ** (1 / part.depth)
        square = float(np.abs(share * grid.laplacian_symbol()).max())
        self._reach = (square, *(float(np.abs(share * grid.derivative_symbol(i)).max()) for i in indices))
        reach = {index: gr.symbol(f"reach_{n}") for n, index in enumerate(indices)}
        names = (SQUARE.data, *(node.data for node in reach.values()))
        rows = [(key, node) for key in self._keys for row in _rows(part, key)
                for node in _row_bounds(part, key, row, reach, damping is not None)]
        outputs = tuple((f"bound_{n}", node) for n, (_, node) in enumerate(rows))
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
        return radius[-1] * self._peak


def _rows(part: PrincipalPart, key: tuple[int, int]) -> list[int]:
    return sorted({x.row for x in part.slopes if (x.stage, x.source) == key})


def _row_bounds(part: PrincipalPart, key: tuple[int, int], row: int, reach: dict[Index, gr.Node],
                together: bool) -> list[gr.Node]:
    """Nodes of which the largest bounds a row: the sum of all entries, or of second derivatives one node an axis."""
    own = [x for x in part.slopes if (x.stage, x.source) == key and x.row == row]
    sizes = [(x.index, gr.call("abs", x.coefficient)) for x in own]
    if not together or any(sum(index) != 2 for index, _ in sizes):
        return [gr.add(*(size * reach[index] for index, size in sizes))]
    dim = len(part.program.coordinates)
    return [gr.add(*(size * SQUARE * Fraction(index[axis], 2) for index, size in sizes)) for axis in range(dim)]


class FrozenPrincipal(Implicit):
    """The principal part with its coefficients frozen to constants at the start of each step, solved by FFT.

    Pure coefficients (all derivative counts even) take their strongest value on the grid, so that products over several
    stages are not weaker than the truth; mixed ones their mean. Between components of the state there is no coupling:
    each gets the sum of the moduli of its row. `fields` gives the program's fields and parameters at a state, `damping`
    factors of the Fourier modes by which the program is followed.
    """

    def __init__(self, part: PrincipalPart, grid: Grid, statics: np.ndarray | None, fields: Fields,
                 damping: Damping | None = None) -> None:
        self._part, self._grid, self._statics, self._fields = part, grid, statics, fields
        self._damping = damping
        self._waves: dict[Index, np.ndarray] = {}
        self._operator: FourierImplicit | None = None

    def prepare(self, y: np.ndarray) -> None:
        """Freeze the coefficients at the state y."""
        symbol = self.symbol(y)
        self._operator = FourierImplicit(symbol, (len(symbol), *self._grid.shape))

    def symbol(self, y: np.ndarray) -> np.ndarray:
        """The eigenvalues of L on real Fourier modes, (ncomp, *grid.rfftn shape), frozen at the state y."""
        rows = self._composed(y)
        shape = self._wave((0,) * self._grid.dim).shape
        symbol = np.stack([np.broadcast_to(_uncoupled(c, row), shape) for c, row in enumerate(rows)])
        return symbol if self._damping is None else symbol * self._damping(y)

    def _composed(self, y: np.ndarray) -> list[dict[int, Any]]:
        """For each rate: the symbol by each field, through all stages."""
        values = self._frozen(y)
        known: list[list[dict[int, Any]]] = [[{column: 1.0} for column in range(len(self._part.program.fields))]]
        for stage, given in enumerate(self._part.program.stages):
            rows: list[dict[int, Any]] = [{} for _ in given.outputs]
            for slope, value in values:
                if slope.stage == stage:
                    factor = value * self._wave(slope.index)
                    for column, inner in known[slope.source][slope.column].items():
                        rows[slope.row][column] = rows[slope.row].get(column, 0.0) + factor * inner
            known.append(rows)
        return known[-1]

    def _wave(self, index: Index) -> np.ndarray:
        if index not in self._waves:
            self._waves[index] = self._grid.derivative_symbol(index)
        return self._waves[index]

    @cached_property
    def _coefficients(self) -> Operator:
        program = self._part.program
        outputs = tuple((f"c_{n}", x.coefficient) for n, x in enumerate(self._part.slopes))
        frozen = Program(program.coordinates, program.fields, program.statics, program.parameters,
                         (*program.stages[:-1], Stage(outputs)))
        return pointwise(frozen, self._grid, self._statics)

    def _frozen(self, y: np.ndarray) -> list[tuple[Slope, float]]:
        values = self._coefficients(*self._fields(y))
        return [(x, freeze(x.index, v)) for x, v in zip(self._part.slopes, values, strict=True)]

    def apply(self, y: np.ndarray, out: np.ndarray) -> None:
        """Write L y to `out`."""
        assert self._operator is not None
        self._operator.apply(y, out)

    def solve(self, b: np.ndarray, c: float, out: np.ndarray) -> None:
        """Solve (1 − c L) u = b and write u to `out`."""
        assert self._operator is not None
        self._operator.solve(b, c, out)


def _uncoupled(component: int, row: dict[int, Any]) -> Any:
    """The real symbol that stands for a row: its own if it has no other entry, else minus the sum of all moduli."""
    if set(row) <= {component}:
        return np.real(row.get(component, 0.0))
    return -sum(np.abs(entry) for entry in row.values())


def freeze(index: Index, values: np.ndarray) -> float:
    """One number for a coefficient that varies over the grid."""
    if any(times % 2 for times in index):
        return float(values.mean())
    low, high = float(values.min()), float(values.max())
    return high if abs(high) > abs(low) else low
