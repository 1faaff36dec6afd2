"""The principal part of a discretised equation, and a bound of its spectral radius.

In each stage the coefficients c of the highest derivatives ∂^α of each input are found by differentiating the
stage's expressions. With |∂^α| the largest factor by which the discrete derivative multiplies a Fourier mode, the row
sums Σ |c_α| |∂^α|, multiplied along the stages, bound the stiff eigenvalues of the linearised equation at a state
with slowly varying coefficients; in a stage what is differentiated once and what is not at all are bounded apart.
Lower derivatives are smaller by a factor of the spacing, unless their coefficients
are large, as those of a user's equation may be: there they are taken in too.

Centred differences multiply a mode by a real number if they are even, and by an imaginary one if they are odd; so the
bound has two parts, for the damping and for the oscillation of the modes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property, lru_cache

import numpy as np

from geomflow.core import graph as gr
from geomflow.core.program import Program, Stage
from geomflow.field.grid import Grid
from geomflow.field.operators import discretise

Index = tuple[int, ...]
Key = tuple[int, int, int, int, int]

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

    @property
    def odd(self) -> int:
        """1 if the symbol of the derivative is imaginary, 0 if it is real."""
        return sum(self.index) % 2


@dataclass(frozen=True)
class PrincipalPart:
    """The coefficients of the highest derivatives of a program, stage by stage; with `lower`, of all derivatives."""

    program: Program
    lower: bool = False

    @cached_property
    def slopes(self) -> list[Slope]:
        """All coefficients that are not identically zero."""
        return [slope for stage in self._by_stage for slope in stage]

    @cached_property
    def _by_stage(self) -> list[list[Slope]]:
        return [self._stage(s) for s in range(len(self.program.stages))]

    @property
    def order(self) -> int:
        """The highest order of differentiation of the fields, through all stages."""
        return max(self.orders[-1], default=0)

    @cached_property
    def orders(self) -> list[list[int]]:
        """Of the fields, then of the outputs of each stage: how often the fields are differentiated, through all."""
        found = [[0] * len(self.program.fields)]
        for s, stage in enumerate(self.program.stages):
            found.append([0] * len(stage.outputs))
            for x in self._by_stage[s]:
                found[-1][x.row] = max(found[-1][x.row], found[x.source][x.column] + sum(x.index))
        return found

    @property
    def depth(self) -> int:
        """The number of stages that differentiate, at least one."""
        return max(1, len({slope.stage for slope in self.slopes if any(slope.index)}))

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
        jets = [leaf for leaf in gr.leaves([node]) if leaf.op == "jet" and leaf.data[0] in names]
        jets = jets if self.lower else highest(jets)
        pairs = zip(jets, gr.gradient(node, jets), strict=True)
        return [Slope(stage, row, source, names.index(jet.data[0]), jet.data[1], coefficient)
                for jet, coefficient in pairs if coefficient is not gr.ZERO]


@lru_cache(maxsize=32)
def principal_part(program: Program, lower: bool = False) -> PrincipalPart:
    """The principal part of a program, found once for all runs of it."""
    return PrincipalPart(program, lower)


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
        self._orders = part.orders
        self._keys = sorted({_key(part, x) for x in part.slopes})
        indices = sorted({x.index for x in part.slopes})
        self._peak = 1.0 if damping is None else float(damping.max())
        share = 1.0 if damping is None else (damping / self._peak) ** (1 / part.depth)
        square = float(np.abs(share * grid.laplacian_symbol()).max())
        self._reach = (square, *(float(np.abs(share * grid.derivative_symbol(i)).max()) for i in indices))
        reach = {index: gr.symbol(f"reach_{n}") for n, index in enumerate(indices)}
        names = (SQUARE.data, *(node.data for node in reach.values()))
        rows = [(key, node) for key in self._keys for node in _row_bounds(part, key, reach, damping is not None)]
        outputs = tuple((f"bound_{n}", node) for n, (_, node) in enumerate(rows))
        self._row_keys = [key for key, _ in rows]
        self._parameters = len(part.program.parameters)
        program = Program(part.program.coordinates, part.program.fields, part.program.statics,
                          (*part.program.parameters, *names), (*part.program.stages[:-1], Stage(outputs)))
        self._operator = discretise(program, grid, statics)

    def __call__(self, y: np.ndarray, parameters: tuple[float, ...] = ()) -> float:
        """The bound at the packed state y, in units of 1/time."""
        return max(even + odd for even, odd in self._rows(y, parameters))

    def parts(self, y: np.ndarray, parameters: tuple[float, ...] = ()) -> tuple[float, float]:
        """Bounds of the even and of the odd symbols: of one unknown, of |Re λ| and of |Im λ|."""
        return _largest(self._rows(y, parameters))

    def _rows(self, y: np.ndarray, parameters: tuple[float, ...]) -> list[tuple[float, float]]:
        """Bounds of the even and of the odd symbols of each rate."""
        peaks = [float(row.max()) for row in self._operator(y, (*parameters, *self._reach))]
        worst = {key: max(p for p, k in zip(peaks, self._row_keys, strict=True) if k == key) for key in self._keys}
        known = {(FIELDS, 0): (1.0, 0.0)}
        for stage, orders in enumerate(self._orders[1:]):
            rows = [_through(worst, known, stage, row) for row in range(len(orders))]
            for order in set(orders):
                known[stage + 1, order] = _largest(row for row, own in zip(rows, orders, strict=True) if own == order)
        return [(even * self._peak, odd * self._peak) for even, odd in rows]


def _key(part: PrincipalPart, slope: Slope) -> Key:
    """The stage and the row of the output, the source and the order of the input, and the parity of the symbol."""
    return slope.stage, slope.row, slope.source, part.orders[slope.source][slope.column], slope.odd


def _through(worst: dict[Key, float], known: dict[tuple[int, int], tuple[float, float]], stage: int,
             row: int) -> tuple[float, float]:
    """Bounds of the even and odd symbols of an output of a stage, from those of its inputs."""
    even = odd = 0.0
    for (own_stage, own_row, source, order, parity), bound in worst.items():
        if (own_stage, own_row) == (stage, row):
            same, other = known[source, order]
            even += bound * (other if parity else same)
            odd += bound * (same if parity else other)
    return even, odd


def _largest(bounds: Iterable[tuple[float, float]]) -> tuple[float, float]:
    even, odd = zip(*bounds, strict=True)
    return max(even), max(odd)


def _row_bounds(part: PrincipalPart, key: Key, reach: dict[Index, gr.Node], together: bool) -> list[gr.Node]:
    """Nodes of which the largest bounds a row: the sum of all entries, or of second derivatives one node an axis."""
    own = [x for x in part.slopes if _key(part, x) == key]
    sizes = [(x.index, gr.call("abs", x.coefficient)) for x in own]
    if not together or any(sum(index) != 2 for index, _ in sizes):
        return [gr.add(*(size * reach[index] for index, size in sizes))]
    dim = len(part.program.coordinates)
    return [gr.add(*(size * SQUARE * Fraction(index[axis], 2) for index, size in sizes)) for axis in range(dim)]
