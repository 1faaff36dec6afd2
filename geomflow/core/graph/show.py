"""Nodes as text, for a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from geomflow.core.graph.node import Node, Rational

LONGEST = 400
"""Texts are cut at this many characters: a graph can be exponentially larger when written out."""

_AXES = "xyzw"


def text(node: Node) -> str:
    """The expression in Python's notation, cut when it is long."""
    written = _text(node, LONGEST)
    return written if len(written) <= LONGEST else written[:LONGEST] + " ..."


def _text(node: Node, room: int) -> str:
    if room <= 0:
        return "..."
    if node.op in ("constant", "symbol"):
        return str(node.data)
    if node.op == "jet":
        return jet_name(*node.data)
    if node.op == "call":
        return f"{node.data}({_text(node.args[0], room - 5)})"
    if node.op == "apply":
        arguments = ", ".join(_text(a, (room - 5) // len(node.args)) for a in node.args)
        return f"{_applied_name(*node.data)}({arguments})"
    return _sum(node, room) if node.op == "add" else _product(node, room)


def _sum(node: Node, room: int) -> str:
    start, coefficients = node.data
    parts = []
    for c, a in zip(coefficients, node.args, strict=True):
        inner = _text(a, room // len(node.args))
        inner = f"({inner})" if a.op == "add" else inner
        parts.append({1: inner, -1: f"-{inner}"}.get(c, f"{c}*{inner}"))
    if start:
        parts.append(str(start))
    return " + ".join(parts).replace("+ -", "- ")


def _product(node: Node, room: int) -> str:
    return "*".join(_power(a, e, room // len(node.args)) for a, e in zip(node.args, node.data, strict=True))


def _power(base: Node, exponent: Rational, room: int) -> str:
    inner = _text(base, room)
    if base.op in ("add", "mul"):
        inner = f"({inner})"
    if exponent == 1:
        return inner
    return f"{inner}**{exponent}" if exponent.denominator == 1 and exponent > 0 else f"{inner}**({exponent})"


def _applied_name(function: str, index: tuple[int, ...]) -> str:
    """f, f', f'' for one argument; f_1_1_2 for the derivative twice in the first and once in the second of several."""
    if len(index) == 1:
        return function + "'" * index[0]
    return "_".join([function, *(str(k + 1) for k, times in enumerate(index) for _ in range(times))])


def jet_name(field: str, index: tuple[int, ...]) -> str:
    """The usual name of a derivative: u, u_x, u_xxy, or u_1_1_2 beyond four coordinates."""
    if not any(index):
        return field
    if len(index) <= len(_AXES):
        return f"{field}_" + "".join(a * k for a, k in zip(_AXES, index, strict=False))
    return f"{field}_" + "_".join(str(i + 1) for i, k in enumerate(index) for _ in range(k))
