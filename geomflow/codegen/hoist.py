"""What need not be computed at every point: parts of expressions that only depend on some of the loops."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from geomflow.core import graph as gr
from geomflow.core.graph import Node

_OUTER, _INNER, _FIELD, _CALL = 1, 2, 4, 8


@dataclass(frozen=True)
class Hoisted:
    """Largest subexpressions that are known early.

    `once` depend on parameters only, `by_line` on outer coordinates, and `tables` on the inner coordinate and call
    a function, so that they are worth a table along it.
    """

    once: tuple[Node, ...]
    by_line: tuple[Node, ...]
    tables: tuple[Node, ...]


def hoist(roots: Sequence[Node], coordinates: Sequence[str]) -> Hoisted:
    """Find the subexpressions of `roots` that can be computed outside the loop over the last coordinate."""
    order = gr.schedule(roots)
    kinds: dict[Node, int] = {}
    for node in order:
        kinds[node] = _kind(node, kinds, coordinates)
    places = {node: _place(kinds[node]) if node.args else "" for node in order}
    exposed = set(roots)
    for node in order:
        if not places[node]:
            exposed.update(node.args)
        else:
            exposed.update(a for a in node.args if places[a] != places[node])
    return Hoisted(*(tuple(n for n in order if n in exposed and places[n] == place)
                     for place in ("once", "by_line", "table")))


def _kind(node: Node, kinds: Mapping[Node, int], coordinates: Sequence[str]) -> int:
    if node.op == "jet":
        return _FIELD
    if node.op == "symbol" and node.data in coordinates:
        return _INNER if node.data == coordinates[-1] else _OUTER
    kind = _CALL if node.op == "call" else 0
    for argument in node.args:
        kind |= kinds[argument]
    return kind


def _place(kind: int) -> str:
    depends = kind & (_OUTER | _INNER | _FIELD)
    if not depends:
        return "once"
    if depends == _OUTER:
        return "by_line"
    return "table" if depends == _INNER and kind & _CALL else ""
