"""Where the symbols of an expression take their values, and points there at several scales and signs.

A point is made from shares in (0, 1), one for each real direction: an open interval (a, b) is a + (b − a)s, a half-line
a + s/(1 − s), the real line (2s − 1)/(2s(1 − s)). The same map runs on exact rationals and on arrays of floats.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from math import ceil
from random import Random
from typing import Any

import numpy as np

from geomflow.core.graph.calculus import leaves
from geomflow.core.graph.evaluate import ball_values, evaluate
from geomflow.core.graph.node import Node, intern

Bound = Node | None
FINEST = 2**12
"""Shares are multiples of its inverse."""
BOUND_BITS = 2**12
"""Bits for bounds that other symbols give: more than twice those of the shares nearest to an end."""


class OutsideDomain(ArithmeticError):
    """Bounds that depend on other symbols leave no room: take another point."""


@dataclass(frozen=True)
class Domain:
    """The values that are allowed to symbols and unknown functions, by name; what is not named is any real number.

    `intervals` gives open intervals (low, high), None for an unbounded end; a bound may name other symbols. `planes`
    are the names of complex symbols, `conjugates` gives for a name the one that it is the conjugate of, `integers` the
    names of whole numbers.
    """

    intervals: Mapping[str, tuple[Bound, Bound]] = field(default_factory=dict)
    planes: frozenset[str] = frozenset()
    conjugates: Mapping[str, str] = field(default_factory=dict)
    integers: frozenset[str] = frozenset()

    def frame(self, roots: Sequence[Node]) -> Frame:
        """The directions in which the leaves of some expressions may move."""
        return Frame(self, leaves(roots))

    def interval(self, leaf: Node) -> tuple[Bound, Bound]:
        """The interval of a leaf; derivatives of unknown functions are any real numbers."""
        if leaf.op == "symbol":
            return self.intervals.get(leaf.data, (None, None))
        name, index = leaf.data[0], leaf.data[-1]
        found = self.intervals.get(name) or self.intervals.get(name.partition("(")[0], (None, None))
        return (None, None) if any(index) else found


REALS = Domain()
"""Every symbol is any real number."""


class Frame:
    """The real directions of a list of leaves, those that bounds need first."""

    def __init__(self, domain: Domain, wanted: Sequence[Node]) -> None:
        self.domain = domain
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
        name = self.domain.conjugates.get(leaf.data) if leaf.op == "symbol" else None
        return intern("symbol", name) if name else None

    def _is_plane(self, leaf: Node) -> bool:
        return leaf.op == "symbol" and leaf.data in self.domain.planes

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
                low, high = (self._exact(b, values) for b in self.domain.interval(leaf))
                value = _placed(shares[self._first[leaf]], low, high)
                values[leaf] = _whole(value, low, high) if self._is_whole(leaf) else value
        return values

    def _is_whole(self, leaf: Node) -> bool:
        return leaf.op == "symbol" and leaf.data in self.domain.integers

    def _exact(self, bound: Bound, values: Mapping[Node, Any]) -> Fraction | None:
        if bound is None:
            return None
        found = ball_values([bound], values, BOUND_BITS)
        if found is None or not found[0].is_finite():
            raise OutsideDomain
        middle = found[0].real.mid().fmpq()
        return Fraction(int(middle.p), int(middle.q))

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
                    values[leaf] = _placed(shares[self._first[leaf]], *ends) + 0j
        return values


def _share(random: Random, scale: int) -> Fraction:
    """A share in (1/8, 7/8), or near an end, or near the middle."""
    if scale == 3:
        return Fraction(1, 2) + Fraction(random.choice((-1, 1)) * random.randrange(1, FINEST // 8), FINEST)
    inner = Fraction(random.randrange(FINEST // 8, FINEST * 7 // 8), FINEST)
    narrow = inner / 4 ** random.randrange(1, 4)
    return (inner, narrow, 1 - narrow)[scale]


def _whole(value: Fraction, low: Fraction | None, high: Fraction | None) -> Fraction:
    """A whole number of the interval."""
    number = Fraction(round(4 * value) if low is None and high is None else ceil(value))
    if high is not None and number >= high:
        number = Fraction(ceil(high) - 1)
    if low is not None and number <= low:
        raise OutsideDomain
    return number


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
