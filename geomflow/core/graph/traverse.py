"""Walks over the graph: evaluation order, leaves, substitution."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence

from geomflow.core.graph.build import apply, call, linear, product
from geomflow.core.graph.node import Node


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
