"""Symbols of the linearised operator of a staged expression, through its stages.

A perturbation e^{ik·x} of field u changes an output by Σ_α ∂output/∂u_α (ik)^α, stage by stage. Symbols are kept order
by order in k, so that the principal one is the highest that does not vanish.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from geomflow.core import graph as gr
from geomflow.symbolic.variation.staged import Staged

Symbol = dict[int, gr.Node]
"""From the order in k to the part of that order."""


@dataclass(frozen=True)
class Background:
    """A constant background: the value of each field; derivatives vanish."""

    values: Mapping[str, gr.Node]

    def of(self, leaf: gr.Node, stages: Mapping[str, gr.Node]) -> gr.Node:
        """The value of a jet."""
        name, index = leaf.data
        if any(index):
            return gr.ZERO
        return self.values.get(name, stages.get(name, gr.ZERO))


def linearised(staged: Staged, fields: Sequence[str], waves: Sequence[gr.Node],
               background: Background | None = None) -> list[list[Symbol]]:
    """`result[o][u]`: the symbol of output o by field u; `waves[i]` stands for ∂_i, as i k_i.

    Without a background the coefficients are nodes over the jets that they depend on.
    """
    walk = _Walk(fields, waves, background)
    for stage in staged.stages:
        values, rows = walk.rows(stage.nodes)
        walk.known.update(zip(stage.names, rows, strict=True))
        walk.constants.update(zip(stage.names, values, strict=True))
    return [[row[u] for u in fields] for row in walk.rows(staged.outputs)[1]]


class _Walk:
    def __init__(self, fields: Sequence[str], waves: Sequence[gr.Node], background: Background | None) -> None:
        self._fields, self._waves, self._background = tuple(fields), waves, background
        self.constants: dict[str, gr.Node] = {}
        self.known: dict[str, dict[str, Symbol]] = {
            u: {w: {0: gr.ONE} if u == w else {} for w in fields} for u in fields
        }

    def rows(self, nodes: Sequence[gr.Node]) -> tuple[list[gr.Node], list[dict[str, Symbol]]]:
        leaves = [leaf for leaf in gr.leaves(nodes) if leaf.op == "jet"]
        moving = [leaf for leaf in leaves if leaf.data[0] in self.known]
        slopes = [gr.gradient(node, moving) for node in nodes]
        values = list(nodes)
        if self._background is not None:
            point = {leaf: self._background.of(leaf, self.constants) for leaf in leaves}
            values = gr.substitute(nodes, point)
            slopes = [gr.substitute(row, point) for row in slopes]
        return values, [self._row(moving, row) for row in slopes]

    def _row(self, leaves: Sequence[gr.Node], slopes: Sequence[gr.Node]) -> dict[str, Symbol]:
        total: dict[str, Symbol] = {u: {} for u in self._fields}
        for leaf, slope in zip(leaves, slopes, strict=True):
            if slope is gr.ZERO:
                continue
            name, index = leaf.data
            wave = gr.product((w, e) for w, e in zip(self._waves, index, strict=True) if e)
            for u, symbol in self.known[name].items():
                for order, part in symbol.items():
                    reached = order + sum(index)
                    total[u][reached] = total[u].get(reached, gr.ZERO) + slope * wave * part
        return total


def whole(symbol: Symbol) -> gr.Node:
    """The sum over all orders."""
    return gr.add(*symbol.values()) if symbol else gr.ZERO


def principal(rows: Sequence[Sequence[Symbol]]) -> tuple[int, list[list[gr.Node]]]:
    """The highest order at which some entry does not vanish identically, and the matrix of that order."""
    orders = sorted({order for row in rows for symbol in row for order in symbol}, reverse=True)
    for order in orders:
        matrix = [[symbol.get(order, gr.ZERO) for symbol in row] for row in rows]
        if not gr.all_zero([entry for row in matrix for entry in row]):
            return order, matrix
    return 0, [[gr.ZERO for _ in row] for row in rows]
