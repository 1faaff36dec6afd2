"""Unknown functions at arguments, as leaves with values of their own.

f(x + 1) and its derivatives become jets under the label "f(x + 1)". A function at equal arguments has one label. It is
real where its arguments are, or are each other's conjugates, unless it is declared complex; the conjugate of any other
is the function fbar of the conjugate arguments. Arguments that are different expressions may still meet at a point, as
x and |x| do: the values there are then the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import permutations
from operator import is_
from typing import Any

from geomflow.core.graph.calculus import leaves, rebuild, schedule, substitute
from geomflow.core.graph.domain import Domain
from geomflow.core.graph.evaluate import ball_values
from geomflow.core.graph.node import I, Node, jet, mul, symbol

SAME = 2.0**-100
"""Arguments that cannot be told apart, and are known to this relative accuracy, are the same at a point."""
Equal = Callable[[Node, Node], bool]


def conjugate_name(function: str) -> str:
    """fbar for f, and f for fbar."""
    return function[:-3] if function.endswith("bar") and len(function) > 3 else f"{function}bar"


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

    def complex_labels(self, domain: Domain) -> dict[str, str | None]:
        """The labels of functions that take complex values, with those of their conjugates where these occur."""
        swap: dict[Node, Node] = {I: mul(-1, I)}
        for bar, name in domain.conjugates.items():
            swap |= {symbol(bar): symbol(name), symbol(name): symbol(bar)}
        alone = {symbol(name) for name in domain.planes} - set(swap)
        found: dict[str, str | None] = {}
        for place in self.found:
            bars = _mirrored(place.args, swap, alone, found)
            if place.function in domain.complex_functions or not self._is_permuted(place.args, bars):
                partners = (other.label for other in self.found
                            if other.function == conjugate_name(place.function) and bars
                            and self._alike(other.args, bars))
                found[place.label] = next(partners, None)
        return found

    def _is_permuted(self, args: Sequence[Node], bars: Sequence[Node] | None) -> bool:
        return bars is not None and any(self._alike(args, order) for order in permutations(bars))


def _labels(nodes: Iterable[Node]) -> set[str]:
    return {leaf.data[0] for leaf in leaves(nodes) if leaf.op == "jet"}


def _mirrored(args: Sequence[Node], swap: Mapping[Node, Node], alone: set[Node],
              partners: Mapping[str, str | None]) -> list[Node] | None:
    """The conjugates of the arguments; None if the conjugate of something in them has no name."""
    table = dict(swap)
    for leaf in leaves(args):
        if leaf.op == "jet" and leaf.data[0] in partners:
            partner = partners[leaf.data[0]]
            if partner is None:
                return None
            table[leaf] = jet(partner, leaf.data[1])
        elif leaf in alone:
            return None
    return substitute(args, table)


def _meet(args: Sequence[Any], others: Sequence[Any]) -> bool | None:
    """Whether arguments are equal, as far as balls can tell; None where these are too wide."""
    gaps = [(a - b, float((abs(a - b) / (1 + abs(a))).upper())) for a, b in zip(args, others, strict=True)]
    if not all(gap.contains(0) for gap, _ in gaps):
        return False
    return True if all(size < SAME for _, size in gaps) else None


def meeting(places: Sequence[Place], point: Mapping[Node, Any]) -> dict[Node, Any] | None:
    """The point with one value for a function at arguments that are equal there; None where they have no values."""
    values = dict(point)
    seen: list[tuple[Place, list[Any]]] = []
    for place in places:
        args = ball_values(place.args, values)
        if args is None or not all(a.is_finite() for a in args):
            return None
        meets = [(_meet(args, others), other.label) for other, others in seen
                 if other.function == place.function and len(others) == len(args)]
        if any(same is None for same, _ in meets):
            return None
        twins = {jet(label, leaf.data[1]): leaf for same, label in meets[::-1] if same
                 for leaf in point if leaf.op == "jet" and leaf.data[0] == place.label}
        values |= {leaf: values[twin] for twin, leaf in twins.items() if twin in values}
        seen.append((place, args))
    return values
