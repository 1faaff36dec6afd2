"""The symbol of a program through all of its stages, and the bound of its spectral radius from it.

A rate that stands on inner stages has for each unknown the sum, over all ways through the stages, of the product of the
coefficients on the way times the product of the derivatives. The coefficients are taken for constants, so that
derivatives commute, and ways with the same derivatives are added up: what cancels between stages, as the derivatives of
a coefficient do in the symmetric form of a flux, is gone.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from geomflow.core import graph as gr
from geomflow.core.program import Program, Stage
from geomflow.field.grid import Grid
from geomflow.field.operators import discretise
from geomflow.flow.principal import Index, Slope, principal_part

Way = tuple[Index, ...]
"""The derivatives on a way through the stages, sorted."""

Key = tuple[int, Way]
"""An unknown, and a way to it."""

Row = dict[Key, gr.Node]
"""The coefficient of each way to each unknown."""

Terms = dict[Key, list[gr.Node]]

MOST = 1500
"""Beyond so many products the symbol is not worked out."""

ROUNDING = 1e-10
"""What is smaller than this beside its terms, at random points, is zero."""


@lru_cache(maxsize=32)
def composed(program: Program, lower: bool) -> list[Row] | None:
    """For each rate of a program, the coefficients of its symbol; None for programs with very many ways.

    Parameters
    ----------
    program : Program
        The rates and their stages.
    lower : bool
        Whether lower derivatives than the highest of each rate count.
    """
    jets = (leaf.op == "jet" for stage in program.stages for node in stage.nodes for leaf in gr.leaves([node]))
    if sum(jets) > MOST:
        return None
    part, left = principal_part(program, True), MOST
    known: list[list[Row]] = [[{(column, ()): gr.ONE} for column in range(len(program.fields))]]
    for number, stage in enumerate(program.stages):
        terms: list[Terms] = [defaultdict(list) for _ in stage.outputs]
        for slope in part.slopes:
            if slope.stage == number:
                inner = known[slope.source][slope.column]
                left -= len(inner)
                if left < 0:
                    return None
                _add(terms[slope.row], slope, inner)
        known.append(summed(terms))
    return known[-1] if lower else [_highest(row) for row in known[-1]]


def order_of(way: Way) -> int:
    """How often one differentiates on a way."""
    return sum(map(sum, way))


def _add(row: Terms, slope: Slope, inner: Row) -> None:
    for (column, way), node in inner.items():
        longer = tuple(sorted((*way, slope.index))) if any(slope.index) else way
        row[column, longer].append(slope.coefficient * node)


def summed(terms: Sequence[Terms]) -> list[Row]:
    """The sums, without those that vanish.

    Parameters
    ----------
    terms : sequence of mappings
        For each rate the coefficients of each way.
    """
    nodes = [node for row in terms for own in row.values() if len(own) > 1 for node in own]
    leaves, random = gr.leaves(nodes), np.random.default_rng(0)
    points = {leaf: random.standard_normal(8) + 1j * random.standard_normal(8) for leaf in leaves}
    with np.errstate(all="ignore"):
        values = dict(zip(nodes, gr.evaluate(nodes, points), strict=True))
    rows = [{key: gr.add(*own) for key, own in row.items()
             if len(own) == 1 or not _cancels(np.array([np.broadcast_to(values[node], 8) for node in own]))}
            for row in terms]
    return [{key: node for key, node in row.items() if node is not gr.ZERO} for row in rows]


def _cancels(values: np.ndarray) -> bool:
    """Whether terms (terms, points) add up to nothing but rounding."""
    with np.errstate(all="ignore"):
        return bool((np.abs(values.sum(axis=0)) <= ROUNDING * np.abs(values).sum(axis=0)).all())


def _highest(row: Row) -> Row:
    top = max((order_of(way) for _, way in row), default=0)
    return {key: node for key, node in row.items() if order_of(key[1]) == top}


class SymbolBound:
    """A bound of the stiff eigenvalues by the row sums Σ |c| |∂^…|, with |∂^…| the most that derivatives do to a mode.

    Parameters
    ----------
    rows : sequence of mappings
        What `composed` gives.
    program : Program
        Whose symbol it is.
    grid : Grid
        Where it is discretised.
    statics : array or None
        Given arrays of the program.
    """

    def __init__(self, rows: Sequence[Row], program: Program, grid: Grid, statics: np.ndarray | None) -> None:
        ways = sorted({way for row in rows for _, way in row})
        reach = {way: gr.symbol(f"reach_{n}") for n, way in enumerate(ways)}
        self._reach = tuple(float(np.abs(np.prod([grid.derivative_symbol(i) for i in way], axis=0)).max())
                            for way in ways)
        sums = [gr.add(*(gr.call("abs", node) * reach[way] for (_, way), node in row.items()
                         if order_of(way) % 2 == odd)) for row in rows for odd in (0, 1)]
        outputs = tuple((f"bound_{n}", node) for n, node in enumerate(sums))
        parameters = (*program.parameters, *(node.data for node in reach.values()))
        self._operator = discretise(Program(program.coordinates, program.fields, program.statics, parameters,
                                            (*program.stages[:-1], Stage(outputs))), grid, statics)

    def __call__(self, y: np.ndarray, parameters: tuple[float, ...] = ()) -> float:
        """The bound at the packed state y, in units of 1/time."""
        return float(self._pairs(y, parameters).sum(axis=1).max())

    def parts(self, y: np.ndarray, parameters: tuple[float, ...] = ()) -> tuple[float, float]:
        """Bounds of the even and of the odd symbols: of one unknown, of |Re λ| and of |Im λ|."""
        even, odd = self._pairs(y, parameters).max(axis=0)
        return float(even), float(odd)

    def _pairs(self, y: np.ndarray, parameters: tuple[float, ...]) -> np.ndarray:
        """(rates, 2): bounds of the even and of the odd symbols of each rate."""
        rows = self._operator(y, (*parameters, *self._reach))
        return np.array([row.max() for row in rows]).reshape(-1, 2)
