"""Programs for the curvature of a metric field: which nodes are computed, and where the numbers go.

Only independent components are computed; `spread` puts them in their public places.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import combinations, combinations_with_replacement
from typing import Any

import numpy as np

from geomflow.core import graph as gr
from geomflow.core.program import Program, Stage
from geomflow.field.matrices import unpack_symmetric, upper_pairs
from geomflow.symbolic.jets import MetricNodes, field_node, metric_nodes

RANKS = {"scalar": 0, "ricci": 2, "christoffel": 3, "riemann_lower": 4}


@lru_cache(maxsize=64)
def metric_program(coordinates: tuple[str, ...], quantity: str) -> Program | None:
    """The program of "scalar", "ricci", "christoffel" or "riemann_lower" of a general metric.

    Fields are the components g_xx, g_xy, ... in packed order. None where the quantity is identically zero, as all
    curvature is in dimension one.
    """
    names, matrix = metric_nodes(coordinates)
    nodes = MetricNodes(coordinates, matrix)
    outputs = _independent(quantity, getattr(nodes, quantity), len(coordinates))
    if all(node is gr.ZERO for node in outputs):
        return None
    stage = Stage(tuple((f"{quantity}_{k}", node) for k, node in enumerate(outputs)))
    return Program(coordinates, names, (), (), (stage,))


@lru_cache(maxsize=16)
def laplacian_program(coordinates: tuple[str, ...]) -> Program:
    """The program of Δf: fields are the components of the metric, then the function f."""
    names, matrix = metric_nodes(coordinates)
    node = MetricNodes(coordinates, matrix).laplacian(field_node("f", coordinates))
    return Program(coordinates, (*names, "f"), (), (), (Stage((("laplacian", node),)),))


def riemann_places(dim: int) -> list[tuple[tuple[int, int], tuple[int, int]]]:
    """Pairs ((l, k), (i, j)) with l < k, i < j and the first pair not after the second: independent up to Bianchi."""
    return list(combinations_with_replacement(list(combinations(range(dim), 2)), 2))


def _independent(quantity: str, nodes: Any, dim: int) -> list[Any]:
    if quantity == "scalar":
        return [nodes]
    if quantity == "ricci":
        return [nodes[pair] for pair in upper_pairs(dim)]
    if quantity == "christoffel":
        return [nodes[(k, *pair)] for k in range(dim) for pair in upper_pairs(dim)]
    return [nodes[(*first, *second)] for first, second in riemann_places(dim)]


def spread(quantity: str, rows: np.ndarray, dim: int) -> np.ndarray:
    """The outputs (nout, *grid) of a metric program as a public array (*grid, tensor indices)."""
    if quantity == "scalar":
        return rows[0]
    if quantity == "ricci":
        return unpack_symmetric(rows, dim)
    if quantity == "christoffel":
        blocks = rows.reshape(dim, -1, *rows.shape[1:])
        return np.stack([unpack_symmetric(block, dim) for block in blocks], axis=rows.ndim - 1)
    return _spread_riemann(rows, dim)


def _spread_riemann(rows: np.ndarray, dim: int) -> np.ndarray:
    values = np.zeros((*rows.shape[1:], *(dim,) * 4))
    for row, ((l, k), (i, j)) in zip(rows, riemann_places(dim)):
        for p, q, r, s in ((l, k, i, j), (i, j, l, k)):
            values[..., p, q, r, s] = values[..., q, p, s, r] = row
            values[..., q, p, r, s] = values[..., p, q, s, r] = -row
    return values
