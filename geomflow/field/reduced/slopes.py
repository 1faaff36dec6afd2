"""Compiled expressions and their derivatives by leaves, remembered by content."""

from __future__ import annotations

from functools import lru_cache

from geomflow.codegen import PointRoutine, compile_points
from geomflow.core import graph as gr
from geomflow.core.graph import Node
from geomflow.field.reduced.closing import Closing


@lru_cache(maxsize=256)
def compiled(nodes: tuple[Node, ...]) -> tuple[PointRoutine, tuple[Node, ...]]:
    """The routine of expressions, and its arguments."""
    leaves = tuple(gr.leaves(nodes))
    return compile_points(nodes, leaves), leaves


@lru_cache(maxsize=256)
def slopes(nodes: tuple[Node, ...], leaves: tuple[Node, ...], closings: tuple[Closing, ...],
           axes: int) -> tuple[list[tuple[int, Node]], tuple[Node, ...]]:
    """The places (node, leaf) of derivatives that are not zero, and the derivatives.

    Leaves are jets on `axes` coordinates, and numbers; an exponential of `closings` counts to its unknown.
    """
    symbols = tuple(s for closing in closings for s in closing.symbols)
    places, found = [], []
    for number, node in enumerate(nodes):
        by = dict(zip((*leaves, *symbols), gr.gradient(node, (*leaves, *symbols)), strict=True))
        for closing in closings:
            w = gr.jet(closing.unknown, (0,) * axes)
            for k, symbol in enumerate(closing.symbols):
                by[w] = by[w] + by[symbol] * closing.slope(k)
        for leaf in leaves:
            if by[leaf] is not gr.ZERO:
                places.append((number, leaf))
                found.append(by[leaf])
    return places, tuple(found)
