"""Where the symbols of an expression take their values, and points there at several scales and signs.

A point is made from shares in (0, 1), one for each real direction: an open interval (a, b) is a + (b − a)s, a half-line
a + s/(1 − s), the real line (2s − 1)/(2s(1 − s)). The same map runs on exact rationals and on arrays of floats.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from math import ceil, floor
from random import Random
from types import MappingProxyType
from typing import Any

import numpy as np

from geomflow.core.graph.calculus import leaves
from geomflow.core.graph.evaluate import ball_values, evaluate
from geomflow.core.graph.node import Node, jet, symbol

Bound = Node | None
Twin = tuple[str, tuple[int, ...]] | None
"""The label of a conjugate function, and which of its arguments the conjugate of each argument is; None: unknown."""
MOST_STEPS = 100
"""How far from a point a whole number of the kind that is wanted is looked for."""
FINEST = 2**12
"""Shares are multiples of its inverse."""
BOUND_BITS = 2**12
"""Bits for bounds that other symbols give: more than twice those of the shares nearest to an end."""


class OutsideDomain(ArithmeticError):
    """Bounds that depend on other symbols leave no room: take another point."""


@dataclass(frozen=True)
class Domain:
    """The values that are allowed to symbols and unknown functions, by name; what is not named is any real number.

    `intervals` gives open intervals (low, high) of symbols, None for an unbounded end; a bound may name other symbols.
    `functions` gives those of unknown functions. `planes` are the names of complex symbols, `complex_functions` of
    functions that are complex whatever their arguments, `conjugates` gives for a name the one that it is the conjugate
    of. `imaginary` are the names of imaginary numbers, `integers` says which whole numbers those of a name are.
    """

    intervals: Mapping[str, tuple[Bound, Bound]] = field(default_factory=dict)
    functions: Mapping[str, tuple[Bound, Bound]] = field(default_factory=dict)
    planes: frozenset[str] = frozenset()
    complex_functions: frozenset[str] = frozenset()
    conjugates: Mapping[str, str] = field(default_factory=dict)
    imaginary: frozenset[str] = frozenset()
    integers: Mapping[str, Callable[[int], bool]] = field(default_factory=dict)

    def frame(self, roots: Sequence[Node], twins: Mapping[str, Twin] = MappingProxyType({})) -> Frame:
        """The directions in which the leaves of some expressions may move.

        `twins` are the conjugates of functions with complex values, by label.
        """
        return Frame(self, leaves(roots), twins)

    def whole_values(self, leaf: Node, most: int) -> list[int] | None:
        """The whole numbers that a symbol may be; None if its bounds are no constants, or further apart than `most`."""
        low, high = self.interval(leaf)
        if low is None or high is None or leaves([low, high]):
            return None
        between = range(floor(_bound(low, {})) + 1, ceil(_bound(high, {})))
        return [n for n in between if self.integers[leaf.data](n)] if between.stop - between.start <= most else None

    def interval(self, leaf: Node) -> tuple[Bound, Bound]:
        """The interval of a leaf; derivatives of unknown functions are any real numbers."""
        if leaf.op == "symbol":
            return self.intervals.get(leaf.data, (None, None))
        label, index = leaf.data
        return (None, None) if any(index) else self.functions.get(label.partition("(")[0], (None, None))


def twin_of(leaf: Node, twins: Mapping[str, Twin]) -> Node:
    """The conjugate of a jet; itself where it is real, or where its conjugate is unknown."""
    label, index = leaf.data
    twin = twins.get(label)
    return leaf if twin is None else jet(twin[0], [index[k] for k in twin[1]])


REALS = Domain()
"""Every symbol is any real number."""


class Frame:
    """The real directions of a list of leaves, those that bounds need first."""

    def __init__(self, domain: Domain, wanted: Sequence[Node], twins: Mapping[str, Twin]) -> None:
        self.domain = domain
        self._twins = twins
        self._order: list[Node] = []
        for leaf in wanted:
            self._visit(leaf, ())
        self._first: dict[Node, int] = {}
        self.size = 0
        for leaf in self._order:
            if self._partner(leaf) is None:
                self._first[leaf] = self.size
                self.size += 2 if self._is_plane(leaf) else 1

    def _visit(self, leaf: Node, above: tuple[Node, ...]) -> None:
        if leaf in self._order or leaf in above:
            return
        partner = self._partner(leaf)
        needs = [partner] if partner else leaves([b for b in self.domain.interval(leaf) if b is not None])
        for other in needs:
            self._visit(other, (*above, leaf))
        self._order.append(leaf)

    def _partner(self, leaf: Node) -> Node | None:
        if leaf.op == "symbol":
            name = self.domain.conjugates.get(leaf.data)
            return symbol(name) if name else None
        twin = twin_of(leaf, self._twins)
        return twin if twin.data < leaf.data else None

    def _is_plane(self, leaf: Node) -> bool:
        if leaf.op == "symbol":
            return leaf.data in self.domain.planes
        return self._twins.get(leaf.data[0], ()) is None or twin_of(leaf, self._twins) is not leaf

    def directions(self, of: Sequence[Node]) -> list[int]:
        """The numbers of the directions that the given leaves move in."""
        found = []
        for leaf in of:
            first = self._first.get(self._partner(leaf) or leaf)
            if first is not None:
                found.extend([first, first + 1] if self._is_plane(self._partner(leaf) or leaf) else [first])
        return sorted(set(found))

    def shares(self, seed: int) -> list[Fraction]:
        """Random shares: in the middle of (0, 1) for the first seeds, then at several scales near its ends too."""
        random = Random(seed)
        return [_share(random, 0 if seed < 2 else random.randrange(4)) for _ in range(self.size)]

    def point(self, shares: Sequence[Fraction]) -> dict[Node, Any]:
        """The rational point with these shares: Fractions, and pairs (re, im) for complex symbols.

        Raises OutsideDomain where bounds leave no room.
        """
        values: dict[Node, Any] = {}
        for leaf in self._order:
            partner = self._partner(leaf)
            if partner is not None:
                re, im = values[partner]
                values[leaf] = (re, -im)
            elif self._is_plane(leaf):
                k = self._first[leaf]
                values[leaf] = (_placed(shares[k], None, None), _placed(shares[k + 1], None, None))
            else:
                low, high = (None if b is None else _bound(b, values) for b in self.domain.interval(leaf))
                value = _placed(shares[self._first[leaf]], low, high)
                if leaf.op == "symbol" and leaf.data in self.domain.integers:
                    value = _whole(value, low, high, self.domain.integers[leaf.data])
                values[leaf] = (Fraction(0), value) if self._is_imaginary(leaf) else value
        return values

    def _is_imaginary(self, leaf: Node) -> bool:
        return leaf.op == "symbol" and leaf.data in self.domain.imaginary

    def arrays(self, shares: np.ndarray) -> dict[Node, np.ndarray]:
        """The points with these shares (directions first) in double precision."""
        values: dict[Node, Any] = {}
        with np.errstate(all="ignore"):
            for leaf in self._order:
                partner = self._partner(leaf)
                if partner is not None:
                    values[leaf] = np.conj(values[partner])
                elif self._is_plane(leaf):
                    re, im = (_placed(s, None, None) for s in shares[self._first[leaf] :][:2])
                    values[leaf] = re + 1j * im
                else:
                    ends = [None if b is None else evaluate([b], values)[0] for b in self.domain.interval(leaf)]
                    turn = 1j if self._is_imaginary(leaf) else 1 + 0j
                    values[leaf] = turn * _placed(shares[self._first[leaf]], *ends)
        return values


def _share(random: Random, scale: int) -> Fraction:
    """A share in (1/8, 7/8), or near an end, or near the middle."""
    if scale == 3:
        return Fraction(1, 2) + Fraction(random.choice((-1, 1)) * random.randrange(1, FINEST // 8), FINEST)
    inner = Fraction(random.randrange(FINEST // 8, FINEST * 7 // 8), FINEST)
    narrow = inner / 4 ** random.randrange(1, 4)
    return (inner, narrow, 1 - narrow)[scale]


def _bound(bound: Node, values: Mapping[Node, Any]) -> Fraction:
    """The number that a bound is at a point."""
    found = ball_values([bound], values, BOUND_BITS)
    if found is None or not found[0].is_finite():
        raise OutsideDomain
    if (whole := found[0].unique_fmpz()) is not None:
        return Fraction(int(whole))
    middle = found[0].real.mid().fmpq()
    return Fraction(int(middle.p), int(middle.q))


def _whole(value: Fraction, low: Fraction | None, high: Fraction | None, allowed: Callable[[int], bool]) -> Fraction:
    """A whole number of the interval that is allowed, near the value."""
    start = round(4 * value) if low is None and high is None else ceil(value)
    for step in range(MOST_STEPS):
        for number in (start + step, start - step):
            if (low is None or number > low) and (high is None or number < high) and allowed(number):
                return Fraction(number)
    raise OutsideDomain


def _placed(s: Any, low: Any, high: Any) -> Any:
    """The point of the interval with share s."""
    if low is None and high is None:
        return (2 * s - 1) / (2 * s * (1 - s))
    if high is None:
        return low + s / (1 - s)
    if low is None:
        return high - (1 - s) / s
    if isinstance(low, Fraction) and low >= high:
        raise OutsideDomain
    return low + (high - low) * s
