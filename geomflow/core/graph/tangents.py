"""Numbers with their derivatives from a graph, in one forward sweep: no expression is differentiated."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from geomflow.core.graph.calculus import FUNCTIONS, schedule
from geomflow.core.graph.evaluate import NUMPY, evaluate
from geomflow.core.graph.node import Node, symbol

Dual = tuple[Any, Any, Any]
"""A value, its derivatives by some parameters, in a first axis, and what these would be if no terms cancelled; None
where they are zero."""

ROUNDING = 1e-13
"""Below this share of what it would be if no terms cancelled, a derivative is rounding: zero."""

_ARGUMENT = symbol("argument")


def tangents(nodes: Sequence[Node], values: Mapping[Node, Any], slopes: Mapping[Node, Any]) -> list[Dual]:
    """The values of the nodes, their derivatives along those of the leaves, and the sizes of the sums that these are.

    Parameters
    ----------
    nodes : sequence of Node
        The results.
    values : mapping
        Numbers or arrays (points,) of all leaves.
    slopes : mapping
        Arrays (seeds, points) of the derivatives of leaves; zero for all others.
    """
    roots, known = list(nodes), dict[Node, Dual]()
    order = schedule(roots)
    left = Counter(argument for node in order for argument in node.args)
    left.update(roots)
    for node in order:
        known[node] = _leaf(node, values, slopes) if not node.args else _operation(node, [known[a] for a in node.args])
        for argument in node.args:
            left[argument] -= 1
            if not left[argument]:
                del known[argument]
    return [known[root] for root in roots]


def _leaf(node: Node, values: Mapping[Node, Any], slopes: Mapping[Node, Any]) -> Dual:
    slope = slopes.get(node)
    return evaluate([node], values)[0], slope, None if slope is None else np.abs(slope)


def _operation(node: Node, args: list[Dual]) -> Dual:
    if node.op == "add":
        return _sum(node, args)
    if node.op == "mul":
        return _product(node, args)
    value, slope, size = args[0]
    own = NUMPY.call(node.data, value)
    if slope is None:
        return own, None, None
    factor = evaluate([FUNCTIONS[node.data].derivative(_ARGUMENT)], {_ARGUMENT: value})[0]
    return own, slope * factor, size * np.abs(factor)


def _sum(node: Node, args: list[Dual]) -> Dual:
    start, coefficients = node.data
    value, slope, size = NUMPY.number(start), None, None
    for c, (term, along, reach) in zip(coefficients, args, strict=True):
        number = NUMPY.number(c)
        value = value + number * term
        if along is not None:
            slope, size = _plus(slope, number * along), _plus(size, abs(number) * reach)
    return value, slope, size


def _plus(total: Any, term: Any) -> Any:
    return term if total is None else total + term


def _product(node: Node, args: list[Dual]) -> Dual:
    """(∏ a^e)' = Σ e a^{e−1} a' ∏ of the others."""
    powers = [a if e == 1 else NUMPY.power(a, e) for (a, _, _), e in zip(args, node.data, strict=True)]
    slope = size = None
    for k, ((a, along, reach), e) in enumerate(zip(args, node.data, strict=True)):
        if along is None:
            continue
        factor = 1.0 if e == 1 else float(e) * NUMPY.power(a, e - 1)
        for n, other in enumerate(powers):
            factor = factor * other if n != k else factor
        slope, size = _plus(slope, factor * along), _plus(size, np.abs(factor) * reach)
    value = powers[0]
    for other in powers[1:]:
        value = value * other
    return value, slope, size


def jacobian(nodes: Sequence[Node], values: Mapping[Node, Any], leaves: Sequence[Node], points: int) -> np.ndarray:
    """The derivatives of the nodes by the leaves, (nodes, leaves, points); where their terms cancel to rounding, zero.

    Parameters
    ----------
    nodes, leaves : sequence of Node
        Results, and what they are differentiated by.
    values : mapping
        Numbers or arrays (points,) of all leaves of the nodes.
    points : int
        How many points the arrays have.
    """
    unit = np.eye(len(leaves))[:, :, None]
    found = tangents(nodes, values, {leaf: unit[n] for n, leaf in enumerate(leaves)})
    shape = (len(leaves), points)
    return np.stack([np.zeros(shape) if slope is None else np.broadcast_to(
        np.where((np.abs(slope) > ROUNDING * size) | np.isinf(slope), slope, 0.0), shape) for _, slope, size in found])
