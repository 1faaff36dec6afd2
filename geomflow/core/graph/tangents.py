"""Numbers with their derivatives from a graph, in one forward sweep: no expression is differentiated."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from geomflow.core.graph.calculus import FUNCTIONS, schedule
from geomflow.core.graph.evaluate import NUMPY, evaluate
from geomflow.core.graph.node import Node, symbol

Dual = tuple[Any, Any]
"""A value, and its derivatives by some parameters, in a first axis; None where these are zero."""

_ARGUMENT = symbol("argument")


def tangents(nodes: Sequence[Node], values: Mapping[Node, Any], slopes: Mapping[Node, Any]) -> list[Dual]:
    """The values of the nodes, and their derivatives along those of the leaves.

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
    return evaluate([node], values)[0], slopes.get(node)


def _operation(node: Node, args: list[Dual]) -> Dual:
    if node.op == "add":
        return _sum(node, args)
    if node.op == "mul":
        return _product(node, args)
    value, slope = args[0]
    own = NUMPY.call(node.data, value)
    if slope is None:
        return own, None
    return own, slope * evaluate([FUNCTIONS[node.data].derivative(_ARGUMENT)], {_ARGUMENT: value})[0]


def _sum(node: Node, args: list[Dual]) -> Dual:
    start, coefficients = node.data
    value, slope = NUMPY.number(start), None
    for c, (term, along) in zip(coefficients, args, strict=True):
        number = NUMPY.number(c)
        value = value + number * term
        if along is not None:
            slope = number * along if slope is None else slope + number * along
    return value, slope


def _product(node: Node, args: list[Dual]) -> Dual:
    """(∏ a^e)' = Σ e a^{e−1} a' ∏ of the others."""
    powers = [a if e == 1 else NUMPY.power(a, e) for (a, _), e in zip(args, node.data, strict=True)]
    slope = None
    for k, ((a, along), e) in enumerate(zip(args, node.data, strict=True)):
        if along is None:
            continue
        factor = 1.0 if e == 1 else float(e) * NUMPY.power(a, e - 1)
        for n, other in enumerate(powers):
            factor = factor * other if n != k else factor
        slope = factor * along if slope is None else slope + factor * along
    value = powers[0]
    for other in powers[1:]:
        value = value * other
    return value, slope


def jacobian(nodes: Sequence[Node], values: Mapping[Node, Any], leaves: Sequence[Node], points: int) -> np.ndarray:
    """The derivatives of the nodes by the leaves, (nodes, leaves, points).

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
    return np.stack([np.zeros(shape) if slope is None else np.broadcast_to(slope, shape) for _, slope in found])
