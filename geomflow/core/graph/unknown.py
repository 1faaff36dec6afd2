"""Unknown functions at arguments, as leaves with values of their own.

f(x + 1) and its derivatives become jets under the label "f(x + 1)". A function at equal arguments has one label. It is
real where its arguments are, or are each other's conjugates, unless it is declared complex; the conjugate of any other
is the function fbar of the conjugate arguments. Arguments that are different expressions may still meet at a point, as
x and |x| do: the values there are then the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from operator import is_
from random import Random
from typing import Any

from geomflow.core.graph.calculus import leaves, rebuild, schedule, substitute
from geomflow.core.graph.domain import Domain, Twin, twin_of
from geomflow.core.graph.evaluate import ball_values, is_real
from geomflow.core.graph.node import I, Node, jet, mul, symbol

SAME = 2.0**-100
"""Arguments are the same at a point if they are known to this relative accuracy and cannot be told apart."""
Equal = Callable[[Node, Node], bool]


def conjugate_name(function: str) -> str:
    """fbar for f, and f for fbar: the name with a bar more, or with one less where their number is odd."""
    stem = function
    while stem.endswith("bar") and len(stem) > 3:
        stem = stem[:-3]
    return function[:-3] if (len(function) - len(stem)) % 2 else f"{function}bar"


@dataclass(frozen=True)
class Place:
    """A function at arguments, and the label of its jets."""

    function: str
    args: tuple[Node, ...]
    label: str


class Places:
    """The functions at arguments that stand in some expressions, inner ones first; `equal` compares arguments."""

    def __init__(self, equal: Equal) -> None:
        self._equal = equal
        self.found: list[Place] = []

    def as_jets(self, roots: Sequence[Node]) -> list[Node]:
        """The expressions with jets for unknown functions of arguments."""
        known: dict[Node, Node] = {}
        for node in schedule(roots):
            args = [known[a] for a in node.args]
            if node.op == "apply":
                function, index = node.data
                known[node] = jet(self._label(function, args), index)
            else:
                known[node] = node if all(map(is_, args, node.args)) else rebuild(node, args)
        return [known[root] for root in roots]

    def _label(self, function: str, args: list[Node]) -> str:
        for place in self.found:
            if place.function == function and self._alike(place.args, args):
                return place.label
        label = f"{function}({', '.join(map(repr, args))})"
        if any(label == place.label for place in self.found):  # long arguments are shown in short
            label += f" no. {len(self.found) + 1}"
        self.found.append(Place(function, tuple(args), label))
        return label

    def _alike(self, some: Sequence[Node], others: Sequence[Node]) -> bool:
        return len(some) == len(others) and all(map(self._equal, some, others))

    @property
    def can_meet(self) -> bool:
        """Whether one function stands at several arguments."""
        return len({place.function for place in self.found}) < len(self.found)

    def under(self, root: Node) -> list[Place]:
        """The places that an expression and the arguments of its functions need."""
        wanted, found = _labels([root]), []
        for place in reversed(self.found):
            if place.label in wanted:
                found.append(place)
                wanted |= _labels(place.args)
        return found[::-1]

    def conjugates(self, domain: Domain) -> dict[str, Twin]:
        """What is the conjugate of each function with complex values, by label; of others nothing stands there."""
        swap: dict[Node, Node] = {I: mul(-1, I)} | {symbol(k): mul(-1, symbol(k)) for k in domain.imaginary}
        for bar, name in domain.conjugates.items():
            swap |= {symbol(bar): symbol(name), symbol(name): symbol(bar)}
        alone = {symbol(name) for name in domain.planes} - set(swap)
        found: dict[str, Twin] = {}
        for place in self.found:
            bars = _mirrored(place.args, swap, alone, found)
            own = None if place.function in domain.complex_functions else self._order(place.args, bars)
            if own is None:
                others = (other.label for other in self.found if bars is not None
                          and other.function == conjugate_name(place.function) and self._alike(other.args, bars))
                label = next(others, None)
                found[place.label] = None if label is None else (label, tuple(range(len(place.args))))
            elif own != tuple(range(len(own))):
                found[place.label] = place.label, own
        for label, twin in list(found.items()):
            if twin is not None and twin[0] not in found:
                found[twin[0]] = label, twin[1]
        return found

    def _order(self, args: Sequence[Node], bars: Sequence[Node] | None) -> tuple[int, ...] | None:
        """Which of the arguments each of the conjugates is, each once; None if they are not these."""
        if bars is None or len(args) != len(bars):
            return None
        left, order = list(range(len(args))), []
        for k, bar in enumerate(bars):  # where it can be, each is its own conjugate
            place = next((i for i in sorted(left, key=lambda i: i != k) if self._equal(args[i], bar)), None)
            if place is None:
                return None
            order.append(left.pop(left.index(place)))
        return tuple(order)


def _labels(nodes: Iterable[Node]) -> set[str]:
    return {leaf.data[0] for leaf in leaves(nodes) if leaf.op == "jet"}


def _mirrored(args: Sequence[Node], swap: Mapping[Node, Node], alone: set[Node],
              twins: Mapping[str, Twin]) -> list[Node] | None:
    """The conjugates of the arguments; None if the conjugate of something in them has no name."""
    table = dict(swap)
    for leaf in leaves(args):
        if leaf in alone or (leaf.op == "jet" and twins.get(leaf.data[0], ()) is None):
            return None
        if leaf.op == "jet":
            table[leaf] = twin_of(leaf, twins)
    return substitute(args, table)


def _is_sharp(ball: Any) -> bool:
    """Whether a value is known to a small relative error: on a branch cut it is not."""
    return bool(ball.is_finite()) and float((abs(ball - ball) / (1 + abs(ball))).upper()) < SAME


def _another(leaf: Node, value: Fraction) -> Fraction:
    """An imaginary part, up to some turns, for the value of a real function at an argument that is not real there."""
    return Fraction(Random(hash((leaf.key, value))).randrange(-(2**20), 2**20) | 1, 2**16)


def meeting(places: Sequence[Place], point: Mapping[Node, Any], twins: Mapping[str, Twin]) -> dict[Node, Any] | None:
    """The point with one value for a function at arguments that are equal there; None where they have no values.

    A function that is real because its arguments are takes a complex value where these are not, as √x for x < 0.
    """
    values, real = dict(point), is_real(point)
    seen: list[tuple[Place, list[Any]]] = []
    for place in places:
        args = ball_values(place.args, values, real=real)
        if args is None or not all(map(_is_sharp, args)):
            return None
        jets = [leaf for leaf in point if leaf.op == "jet" and leaf.data[0] == place.label]
        met = (other.label for other, others in seen if other.function == place.function and len(others) == len(args)
               and all((a - b).contains(0) for a, b in zip(args, others, strict=True)))
        for label in met:
            values |= {leaf: values[same] for leaf in jets if (same := jet(label, leaf.data[1])) in values}
        if place.label not in twins and not all(a.imag.contains(0) for a in args):
            values |= {leaf: (values[leaf], _another(leaf, values[leaf])) for leaf in jets
                       if not isinstance(values[leaf], tuple)}
        seen.append((place, args))
    return values
