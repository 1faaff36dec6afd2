"""The elementary functions that a graph may call, walks over it, substitution, and derivatives.

Derivatives are total ones along coordinates, partial ones by a leaf, and gradients in reverse mode.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from geomflow.core.errors import UnknownFunctionError
from geomflow.core.graph.node import (
    ONE,
    PI,
    ZERO,
    Node,
    Rational,
    apply,
    constant,
    intern,
    is_number,
    jet,
    linear,
    mul,
    node,
    power,
    product,
    split,
)


@dataclass(frozen=True)
class Function:
    """An elementary function of one argument.

    `derivative` maps the argument u to f'(u), for |u| and sign(u) away from their kinks (no δ is kept there); `parity`
    is +1 for an even, -1 for an odd and 0 for any other function; `values` holds exact values at rational arguments.
    """

    name: str
    derivative: Callable[[Node], Node]
    parity: int = 0
    values: Mapping[Rational, int] = field(default_factory=dict)

    def at(self, argument: Rational) -> int | None:
        """The exact value at a rational argument where it is rational and known."""
        return self.values.get(argument)


def call(name: str, argument: Node | Rational) -> Node:
    """The function `name` of the argument.

    Raises UnknownFunctionError for a name that is not in `FUNCTIONS`.
    """
    if name == "sqrt":
        return power(argument, Fraction(1, 2))
    if name not in FUNCTIONS:
        raise UnknownFunctionError(f"unknown function '{name}'; known are: sqrt, {', '.join(sorted(FUNCTIONS))}")
    function, value = FUNCTIONS[name], node(argument)
    if is_number(value) and (special := function.at(value.data)) is not None:
        return constant(special)
    coefficient, rest = split(value)
    negative = coefficient < 0 or (is_number(rest) and rest.data < 0)
    if negative and function.parity:
        return mul(function.parity, call(name, mul(-1, value)))
    return intern("call", name, (value,))


_HALF = Fraction(1, 2)

FUNCTIONS: dict[str, Function] = {f.name: f for f in (
    Function("log", lambda u: u**-1, values={1: 0}),
    Function("exp", lambda u: call("exp", u), values={0: 1}),
    Function("sin", lambda u: call("cos", u), parity=-1, values={0: 0}),
    Function("cos", lambda u: -call("sin", u), parity=1, values={0: 1}),
    Function("tan", lambda u: 1 + call("tan", u) ** 2, parity=-1, values={0: 0}),
    Function("sinh", lambda u: call("cosh", u), parity=-1, values={0: 0}),
    Function("cosh", lambda u: call("sinh", u), parity=1, values={0: 1}),
    Function("tanh", lambda u: 1 - call("tanh", u) ** 2, parity=-1, values={0: 0}),
    Function("asin", lambda u: (1 - u**2) ** -_HALF, parity=-1, values={0: 0}),
    Function("acos", lambda u: -((1 - u**2) ** -_HALF), values={1: 0}),
    Function("atan", lambda u: (1 + u**2) ** -1, parity=-1, values={0: 0}),
    Function("asinh", lambda u: (1 + u**2) ** -_HALF, parity=-1, values={0: 0}),
    Function("acosh", lambda u: (u - 1) ** -_HALF * (u + 1) ** -_HALF, values={1: 0}),
    Function("atanh", lambda u: (1 - u**2) ** -1, parity=-1, values={0: 0}),
    Function("erf", lambda u: 2 * PI**-_HALF * call("exp", -(u**2)), parity=-1, values={0: 0}),
    Function("abs", lambda u: call("sign", u), parity=1, values={0: 0}),
    Function("sign", lambda u: 0 * u, parity=-1, values={0: 0, 1: 1}),
)}
"""Every function that a graph knows, by name; square roots are powers."""


def _named(name: str) -> Callable[[Node | Rational], Node]:
    def function(argument: Node | Rational) -> Node:
        return call(name, argument)

    function.__name__ = name
    function.__doc__ = f"{name} of the argument, as a node."
    return function


log, exp, sqrt = _named("log"), _named("exp"), _named("sqrt")
sin, cos, tan = _named("sin"), _named("cos"), _named("tan")
sinh, cosh, tanh = _named("sinh"), _named("cosh"), _named("tanh")


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
    remembered by content while the object lives. Along `ignorable` coordinates nothing changes.

    >>> from geomflow.core import graph as gr
    >>> D = gr.Derivation(("x", "y"))
    >>> D(gr.symbol("x") ** 2 * gr.jet("u", (0, 0)), 0)
    x**2*u_x + 2*x*u
    """

    def __init__(self, coordinates: Sequence[str], ignorable: Sequence[str] = ()) -> None:
        self.coordinates, self.ignorable = tuple(coordinates), tuple(ignorable)
        self._known: list[dict[Node, Node]] = [{} for _ in self.coordinates]

    def __call__(self, node: Node, axis: int) -> Node:
        if self.coordinates[axis] in self.ignorable:
            return ZERO
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
    """The partial derivatives by all the leaves, in one reverse sweep of what stands on them."""
    order = schedule((node,))
    moving = set(leaves)
    for current in order:
        if not moving.isdisjoint(current.args):
            moving.add(current)
    sums: dict[Node, list[tuple[Rational, Node]]] = {node: [(1, ONE)]}
    result: dict[Node, Node] = {}
    for current in reversed(order):
        if current not in sums or current not in moving:
            continue
        adjoint = result[current] = linear(0, sums.pop(current))
        if adjoint is ZERO:
            continue
        for argument, c, slope in slopes(current):
            if argument in moving:
                sums.setdefault(argument, []).append((c, product(((adjoint, 1), (slope, 1)))))
    return [result.get(leaf, ZERO) for leaf in leaves]
