"""The stretches of a domain that the branch points of an expression cut, and one point in each.

Between the zeros of what stands in absolute values, signs, roots and logarithms, and between the places where an
argument of an inverse function meets ±1, an expression is analytic: it vanishes on a stretch if it does near one
generic point of it. The zeros are looked for along the directions of the domain and along random lines, on a grid that
is refined where a sign changes or a modulus comes near to zero.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from random import Random

import numpy as np

from geomflow.core.graph.calculus import call, leaves, schedule
from geomflow.core.graph.domain import FINEST, Frame
from geomflow.core.graph.evaluate import evaluate
from geomflow.core.graph.node import Node

AT_ZERO = ("abs", "sign", "log", "atan", "asinh")
AT_ONE = ("asin", "acos", "acosh", "atanh")
MOST_DIRECTIONS, MOST_BASES = 6, 12
RANDOM_LINES = 4
TOWARDS_ENDS = 0.5 ** np.arange(7, 50, 3)
COARSE = np.sort(np.concatenate([np.linspace(0, 1, 66)[1:-1], TOWARDS_ENDS, 1 - TOWARDS_ENDS]))
"""Where a line is looked at first: evenly, and at all scales towards its ends."""
FAR = (45, 60, 100, 200, 500, 1000)
"""Binary digits of the shares near the ends and the middle at which exact values are taken."""
NEAR, MOST_POLES = (12, 24, 36, 46), 8
"""Binary digits of the distance from a pole at which values are taken, and beside how many poles on a line."""
ROUNDS, FINER = 12, 8
"""How often, and into how many parts, the cells with a branch point are divided."""
MOST_CELLS = 64
MOST_STRETCHES = 48
"""Of more stretches on one line, about as many are taken, evenly."""
EPSILON = 1e-15
ROUNDING = 1e-12
"""Relative differences below this are taken for rounding errors of a line's values."""

Shares = list[Fraction]


def branching(roots: Sequence[Node]) -> list[tuple[Node, int]]:
    """The pairs (u, c) such that an expression changes its branch where u = c."""
    found: dict[tuple[Node, int], None] = {}
    for node in schedule(roots):
        if node.op == "call" and node.data in AT_ZERO:
            found[node.args[0], 0] = None
        elif node.op == "call" and node.data in AT_ONE:
            found[node.args[0], 1] = found[node.args[0], -1] = None
        elif node.op == "mul":
            found.update(dict.fromkeys((a, 0) for a, e in zip(node.args, node.data, strict=True) if e.denominator != 1))
    return [(u, c) for u, c in found if u.op != "constant"]


def stretches(frame: Frame, critical: Sequence[tuple[Node, int]]) -> Iterator[Shares]:
    """The shares of one point in every stretch that was found between zeros of u − c, for the pairs (u, c).

    Directions are taken one after the other, from a point in every stretch of those before: a cell that is thin in
    several directions is met all the same. Random lines come last.
    """
    moving = frame.directions(leaves([u for u, _ in critical]))
    random = Random(frame.size)
    level = [_somewhere(random, frame.size)]
    for k in moving[:MOST_DIRECTIONS]:
        found: list[Shares] = []
        for base in level:
            for shares in _along(frame, critical, base, [Fraction(k == j) for j in range(frame.size)]):
                yield shares
                found.append(shares)
        level = random.sample(found, MOST_BASES) if len(found) > MOST_BASES else found
    for _ in range(RANDOM_LINES if len(moving) > 1 else 0):
        slope = [Fraction(random.randrange(-FINEST, FINEST) | 1, FINEST) * (j in moving) for j in range(frame.size)]
        yield from _along(frame, critical, _somewhere(random, frame.size), slope)


def far_ends(frame: Frame, critical: Sequence[tuple[Node, int]]) -> Iterator[Shares]:
    """Shares nearer to the ends and to the middle of each direction than doubles reach: values of 10^18 to 10^±300."""
    random = Random(frame.size)
    for k in frame.directions(leaves([u for u, _ in critical]))[:MOST_DIRECTIONS]:
        for tiny in (Fraction(1, 2**e) for e in FAR):
            for place in (tiny, 1 - tiny, Fraction(1, 2) + tiny, Fraction(1, 2) - tiny):
                yield [place if j == k else share for j, share in enumerate(_somewhere(random, frame.size))]


def beside_poles(frame: Frame, critical: Sequence[tuple[Node, int]]) -> Iterator[Shares]:
    """Shares on both sides of poles of each u, where u is beyond every c, however large."""
    below = [(a, 0) for node in schedule([u for u, _ in critical]) for a in _poles(node) if a.op != "constant"]
    random = Random(frame.size)
    for k in frame.directions(leaves([a for a, _ in below]))[:MOST_DIRECTIONS]:
        base = _somewhere(random, frame.size)
        for zero in _crossings(frame, below, base, k):
            for step in (Fraction(sign, 2**e) for e in NEAR for sign in (-1, 1)):
                yield [zero + step if j == k else share for j, share in enumerate(base)]


def _poles(node: Node) -> list[Node]:
    """What is zero where a node is infinite."""
    if node.op == "mul":
        return [a for a, e in zip(node.args, node.data, strict=True) if e < 0]
    if node.op == "call" and node.data in ("log", "tan"):
        return [node.args[0] if node.data == "log" else call("cos", node.args[0])]
    return []


def _crossings(frame: Frame, critical: Sequence[tuple[Node, int]], base: Shares, k: int) -> list[Fraction]:
    """Where u − c changes its sign as the share k of a base moves: nearest to the middle, by bisection."""
    def values(t: np.ndarray) -> np.ndarray:
        return _values(frame, critical, np.array([t if j == k else np.full(len(t), float(s))
                                                  for j, s in enumerate(base)]))

    t = np.linspace(0.02, 0.98, 514)
    sign = np.sign(values(t))
    rows, cells = np.nonzero(sign[:, 1:] * sign[:, :-1] < 0)
    nearest = np.argsort(np.abs(t[cells] - 0.5))[:MOST_POLES]
    rows, low, high = rows[nearest], t[cells[nearest]], t[cells[nearest] + 1]
    each = np.arange(len(rows))
    for _ in range(50 if len(rows) else 0):
        middle = (low + high) / 2
        same = np.sign(values(middle))[rows, each] == np.sign(values(low))[rows, each]
        low, high = np.where(same, middle, low), np.where(same, high, middle)
    return [Fraction(float(m)) for m in (low + high) / 2]


def _somewhere(random: Random, size: int) -> Shares:
    return [Fraction(random.randrange(FINEST // 8, FINEST * 7 // 8), FINEST) for _ in range(size)]


def _along(frame: Frame, critical: Sequence[tuple[Node, int]], base: Shares, slope: Shares) -> Iterator[Shares]:
    """One point in every stretch of the line base + t slope."""
    low, high = _extent(base, slope)
    starts, steps = (np.array([[float(v)] for v in values]) for values in (base, slope))
    cut, t = _cells(lambda t: _values(frame, critical, starts + steps * t), float(low), float(high))
    runs = list(_runs(cut, t))
    for first, last in runs[:: len(runs) // MOST_STRETCHES + 1]:
        middle = Fraction(first + (last - first) * 0.6)
        yield [b + s * middle for b, s in zip(base, slope, strict=True)]


def _extent(base: Shares, slope: Shares) -> tuple[Fraction, Fraction]:
    """The parameters between which all shares stay in (0, 1)."""
    ends = [sorted((-b / s, (1 - b) / s)) for b, s in zip(base, slope, strict=True) if s]
    return max(e[0] for e in ends), min(e[1] for e in ends)


def _values(frame: Frame, critical: Sequence[tuple[Node, int]], shares: np.ndarray) -> np.ndarray:
    """u − c along a line, one row a pair, real and imaginary parts apart."""
    point = frame.arrays(shares)
    unique = list(dict.fromkeys(u for u, _ in critical))
    with np.errstate(all="ignore"):
        found = dict(zip(unique, evaluate(unique, point), strict=True))
        rows = np.array([np.broadcast_to(found[u] - c, shares.shape[1:]) for u, c in critical])
        rows[np.abs(rows) < EPSILON * np.abs([[c] for _, c in critical])] = 0.0
    return _apart(rows)


def _apart(values: np.ndarray) -> np.ndarray:
    """Real and imaginary parts as rows, without what is rounding of the other."""
    parts = np.concatenate([values.real, values.imag])
    with np.errstate(all="ignore"):
        parts[np.abs(parts) < ROUNDING * np.abs(np.concatenate([values, values]))] = 0.0
    return parts


def _cells(
    values: Callable[[np.ndarray], np.ndarray], low: float, high: float
) -> tuple[np.ndarray, np.ndarray]:
    """The ends of cells along a line, and which cells hold a branch point, refined."""
    t = low + (high - low) * COARSE
    for round_ in range(ROUNDS + 1):
        cut = _changes(values(t))
        where = np.flatnonzero(cut)
        if round_ == ROUNDS or not len(where):
            break
        where = where[:: len(where) // MOST_CELLS + 1]
        inner = t[where, None] + np.diff(t)[where, None] * np.linspace(0, 1, FINER + 1)[1:-1]
        t = np.sort(np.concatenate([t, inner.ravel()]))
    return cut, t


def _changes(values: np.ndarray) -> np.ndarray:
    """For each cell, whether a row changes its sign, ceases to be finite, or has a least modulus there."""
    sign = np.sign(np.where(np.isfinite(values), values, 2.0))
    sign[~np.isfinite(values)] = 3
    cut: np.ndarray = np.any(sign[:, 1:] != sign[:, :-1], axis=0)
    with np.errstate(all="ignore"):
        falling = np.diff(np.abs(values), axis=1)
        falling[np.abs(falling) < ROUNDING * np.abs(values[:, 1:])] = 0.0
    last = np.maximum.accumulate(np.where(falling != 0, np.arange(falling.shape[1]), 0), axis=1)
    fell = np.take_along_axis(falling, last, axis=1) < 0
    bottom = np.any(fell[:, :-1] & (falling[:, 1:] > 0), axis=0)
    cut[:-1] |= bottom
    cut[1:] |= bottom
    return cut


def _runs(cut: np.ndarray, t: np.ndarray) -> Iterator[tuple[float, float]]:
    """The widest cell of every run of cells without a branch point."""
    start = None
    for k, is_cut in enumerate([*cut, True]):
        if not is_cut:
            start = k if start is None else start
        elif start is not None:
            widest = max(range(start, k), key=lambda j: t[j + 1] - t[j])
            yield float(t[widest]), float(t[widest + 1])
            start = None
