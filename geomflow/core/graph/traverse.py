"""Walks over the graph: evaluation order, leaves, substitution, and derivatives.

Derivatives are total ones along coordinates, partial ones by a leaf, and gradients in reverse mode.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Mapping, Sequence

from geomflow.core.graph.functions import FUNCTIONS, call
from geomflow.core.graph.node import ONE, ZERO, Node, Rational, apply, jet, linear, product


def schedule(nodes: Iterable[Node], known: Container[Node] = ()) -> list[Node]:
    """Every node below `nodes`, each once and after its arguments; walks stop at `known` nodes."""
    order: list[Node] = []
    seen: set[Node] = set()
    for root in nodes:
        stack = [(root, False)]
        while stack:
            current, expanded = stack.pop()
            if expanded:
                order.append(current)
            elif current not in seen and current not in known:
                seen.add(current)
                stack.append((current, True))
                stack.extend((a, False) for a in reversed(current.args))
    return order


def leaves(nodes: Iterable[Node]) -> list[Node]:
    """The symbols and jets below `nodes`: symbols by name, then jets by field and index."""
    found = [n for n in schedule(nodes) if n.op in ("symbol", "jet")]
    return sorted(found, key=lambda n: (n.op == "jet", n.data if n.op == "jet" else (n.data,)))


def rebuild(node: Node, args: Sequence[Node]) -> Node:
    """The same operation on other arguments, in canonical form."""
    if node.op == "add":
        return linear(node.data[0], zip(node.data[1], args, strict=True))
    if node.op == "mul":
        return product(zip(args, node.data, strict=True))
    if node.op == "call":
        return call(node.data, args[0])
    if node.op == "apply":
        function, index = node.data
        return apply(function, index, args)
    return node


def substitute(nodes: Iterable[Node], replacements: Mapping[Node, Node]) -> list[Node]:
    """The nodes with every occurrence of a key replaced, all at once."""
    roots = list(nodes)
    done = dict(replacements)
    for current in schedule(roots, known=done):
        done[current] = rebuild(current, [done[a] for a in current.args])
    return [done[r] for r in roots]


class Derivation:
    """Total derivatives along named coordinates.

    D_i x_j = delta_ij for the coordinates, D_i of a jet is the jet with index i raised by one, unknown functions
    of arguments follow the chain rule, and any other symbol is a parameter with derivative zero. Results are
    remembered by content while the object lives.

    >>> from geomflow.core import graph as gr
    >>> D = gr.Derivation(("x", "y"))
    >>> D(gr.symbol("x") ** 2 * gr.jet("u", (0, 0)), 0)
    x**2*u_x + 2*x*u
    """

    def __init__(self, coordinates: Sequence[str]) -> None:
        self.coordinates = tuple(coordinates)
        self._known: list[dict[Node, Node]] = [{} for _ in self.coordinates]

    def __call__(self, node: Node, axis: int) -> Node:
        known = self._known[axis]
        for current in schedule((node,), known=known):
            known[current] = differentiate(current, known.__getitem__, lambda leaf: self._leaf(leaf, axis))
        return known[node]

    def _leaf(self, leaf: Node, axis: int) -> Node:
        if leaf.op == "symbol":
            return ONE if leaf.data == self.coordinates[axis] else ZERO
        field, index = leaf.data
        return jet(field, (*index[:axis], index[axis] + 1, *index[axis + 1:]))


def partial(node: Node, leaf: Node) -> Node:
    """The partial derivative by one symbol or jet, all others held fixed."""
    known: dict[Node, Node] = {}
    for current in schedule((node,)):
        known[current] = differentiate(current, known.__getitem__, lambda x: ONE if x is leaf else ZERO)
    return known[node]


def differentiate(node: Node, of: Callable[[Node], Node], of_leaf: Callable[[Node], Node]) -> Node:
    """The chain rule at one node, given the derivatives `of` its arguments."""
    if node.op in ("symbol", "jet"):
        return of_leaf(node)
    if node.op == "add":
        return linear(0, ((c, of(a)) for c, a in zip(node.data[1], node.args, strict=True)))
    return linear(0, ((c, product(((p, 1), (of(a), 1)))) for a, c, p in slopes(node) if of(a) is not ZERO))


def slopes(node: Node) -> list[tuple[Node, Rational, Node]]:
    """The partial derivatives of one operation: triples (argument a, c, p) with slope c * p."""
    if node.op == "add":
        return [(a, c, ONE) for c, a in zip(node.data[1], node.args, strict=True)]
    if node.op == "mul":
        return [(a, e, _without(node, k)) for k, (a, e) in enumerate(zip(node.args, node.data, strict=True))]
    if node.op == "call":
        return [(node.args[0], 1, FUNCTIONS[node.data].derivative(node.args[0]))]
    if node.op == "apply":
        return [(a, 1, _raised(node, k)) for k, a in enumerate(node.args)]
    return []


def _raised(node: Node, place: int) -> Node:
    """The unknown function differentiated once more in the argument at `place`."""
    function, index = node.data
    return apply(function, [i + (k == place) for k, i in enumerate(index)], node.args)


def _without(node: Node, place: int) -> Node:
    """The product with the exponent at `place` lowered by one."""
    return product((a, e - (k == place)) for k, (a, e) in enumerate(zip(node.args, node.data, strict=True)))


def gradient(node: Node, leaves: Sequence[Node]) -> list[Node]:
    """The partial derivatives by all the leaves, in one reverse sweep."""
    sums: dict[Node, list[tuple[Rational, Node]]] = {node: [(1, ONE)]}
    result: dict[Node, Node] = {}
    for current in reversed(schedule((node,))):
        if current not in sums:
            continue
        adjoint = result[current] = linear(0, sums.pop(current))
        if adjoint is ZERO:
            continue
        for argument, c, slope in slopes(current):
            if argument.op != "constant":
                sums.setdefault(argument, []).append((c, product(((adjoint, 1), (slope, 1)))))
    return [result.get(leaf, ZERO) for leaf in leaves]
