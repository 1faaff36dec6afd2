"""K-stability of toric surfaces, decided exactly over all simple piecewise linear functions f = max(0, l).

L(f) = ∫_{∂P} f dσ − ∫_P s f with the extremal affine s. A surface is K-stable, relative to its torus, if and only if
L(f) > 0 for all f = max(0, l), l affine, that are not affine on P: such functions are enough in two dimensions
(Donaldson 2002, §5.3; relatively: Wang and Zhou 2011). The zeros of l join two sides of P, at shares s and t of them,
and L is a polynomial of degree three in each: its sign on the square is decided by its coefficients in Bernstein's
basis, on smaller and smaller squares.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from math import gcd, lcm
from typing import Any, TypeAlias, final

from flint import fmpq

from geomflow.symbolic.toric.integrals import extremal_affine
from geomflow.symbolic.toric.polygon import Polygon, affine_text, cross

DEPTH = 12
"""How often a square is halved before its sign counts as undecided."""

FINE = 12
"""Parts of a side among which the cut of least L is looked for, once there is one with L < 0."""

Coefficients: TypeAlias = list[list[Any]]
Number: TypeAlias = Callable[[Fraction], Any]
Place: TypeAlias = tuple[int, Fraction, int, Fraction]
_FOUR = [Fraction(k, 3) for k in range(4)]
_TO_BERNSTEIN = [[fmpq(v, 6) for v in row] for row in ((6, 0, 0, 0), (-5, 18, -9, 2), (2, -9, 18, -5), (0, 0, 0, 6))]


@final
@dataclass(frozen=True)
class Cut:
    """The convex function max(0, a x₁ + b x₂ + c), which breaks along a line across the polygon.

    Parameters
    ----------
    a, b, c : int
        Its coefficients, without a common factor.
    value : Fraction
        L of it.
    """

    a: int
    b: int
    c: int
    value: Fraction

    @property
    def line(self) -> str:
        """a x1 + b x2 + c as text."""
        return affine_text(self.a, self.b, self.c)

    def __str__(self) -> str:
        return f"max(0, {self.line}), of which L = {self.value}"


@final
@dataclass(frozen=True)
class Stability:
    """What is known of the K-stability of a surface relative to its torus.

    Parameters
    ----------
    stable : bool or None
        Whether L > 0 for all cuts; None where that is not decided, as where L = 0 for one.
    cut : Cut or None
        One with L < 0, of a stable surface none.
    """

    stable: bool | None
    cut: Cut | None = None

    def __str__(self) -> str:
        if self.cut is not None:
            return f"not K-stable: it is destabilised by {self.cut}"
        return "K-stable" if self.stable else "not decided: L comes near 0 without a cut that is negative"


@final
@dataclass(frozen=True)
class Cuts:
    """L of the functions that break between two sides of a polygon, in numbers of any kind.

    Parameters
    ----------
    corners : sequence of pairs
        Of the polygon, anticlockwise.
    lengths : sequence
        Of the sides, in units of the lattice.
    scalar : triple
        s = a x₁ + b x₂ + c.
    """

    corners: Sequence[Any]
    lengths: Sequence[Any]
    scalar: tuple[Any, Any, Any]

    @classmethod
    def of(cls, polygon: Polygon, number: Number) -> Cuts:
        """Those of a polygon, in numbers that `number` makes of fractions."""
        affine = extremal_affine(polygon)
        corners = [(number(x), number(y)) for x, y in polygon.vertices]
        lengths = [number(edge.length) for edge in polygon.edges]
        return cls(corners, lengths, (number(affine.a), number(affine.b), number(affine.c)))

    def along(self, side: int, share: Any) -> tuple[Any, Any]:
        """A place on a side."""
        p, q = self.corners[side], self.corners[(side + 1) % len(self.corners)]
        return p[0] + share * (q[0] - p[0]), p[1] + share * (q[1] - p[1])

    def parts(self, i: int, s: Any, j: int, t: Any) -> tuple[Any, Any]:
        """∫_{∂P} f dσ and ∫_P s f of f = max(0, l), where l = (p − q) × (x − q) vanishes at p on i and q on j."""
        p, q = self.along(i, s), self.along(j, t)
        m = len(self.corners)
        arc = [(i + k) % m for k in range((j - i) % m + 1)]
        corners = [p, *(self.corners[(k + 1) % m] for k in arc[:-1]), q]
        a, b = p[0] - q[0], p[1] - q[1]
        heights = [a * (x[1] - q[1]) - b * (x[0] - q[0]) for x in corners]
        shares = [1 - s, *(1 for _ in arc[1:-1]), t]
        around = sum(share * self.lengths[k] * (low + high)
                     for share, k, (low, high) in zip(shares, arc, pairwise(heights), strict=True)) / 2
        sizes = [self.scalar[0] * x[0] + self.scalar[1] * x[1] + self.scalar[2] for x in corners]
        from_p = [(x[0] - p[0], x[1] - p[1]) for x in corners]
        weights = [height * size for height, size in zip(heights, sizes, strict=True)]
        inside = sum(cross(from_p[k], from_p[k + 1]) * ((heights[k] + heights[k + 1]) * (sizes[0] + sizes[k]
                     + sizes[k + 1]) + weights[k] + weights[k + 1]) for k in range(1, len(corners) - 1)) / 24
        return around, inside

    def __call__(self, i: int, s: Any, j: int, t: Any) -> Any:
        """L(f)."""
        around, inside = self.parts(i, s, j, t)
        return around - inside


def stability(polygon: Polygon) -> Stability:
    """Whether there is a cut with L < 0, and one; decided by exact integrals."""
    cuts, decided = Cuts.of(polygon, _flint), True
    for i, j in _pairs(len(polygon.edges)):
        sign = _sign(_coefficients(cuts, i, j), DEPTH)
        if sign < 0:
            return Stability(False, _least(polygon))
        decided = decided and sign > 0
    return Stability(True if decided else None)


def _flint(value: Fraction) -> Any:
    return fmpq(value.numerator, value.denominator)


def _pairs(m: int) -> Iterator[tuple[int, int]]:
    """Pairs of sides, each once, by the shorter arc between them: L of an affine function is 0."""
    for i in range(m):
        for j in range(i + 1, m):
            yield (i, j) if 2 * (j - i) <= m else (j, i)


def _coefficients(cuts: Cuts, i: int, j: int) -> Coefficients:
    """L of the cut from the side i at s to the side j at t, in Bernstein's basis; over (1 − s)t for neighbours."""
    four = [_flint(k) for k in _FOUR]
    values = [[cuts(i, s, j, t) for t in four] for s in four]
    rows = [[sum(w * v for w, v in zip(weights, row, strict=True)) for weights in _TO_BERNSTEIN] for row in values]
    found = [[sum(w * row[k] for w, row in zip(weights, rows, strict=True)) for k in range(4)]
             for weights in _TO_BERNSTEIN]
    if j != (i + 1) % len(cuts.corners):
        return found
    three, two = (1, 3, 3, 1), (1, 2, 1)
    return [[found[a][b] * three[a] * three[b] / (two[a] * two[b - 1]) for b in (1, 2, 3)] for a in (0, 1, 2)]


def _sign(given: Coefficients, depth: int) -> int:
    """1 where the polynomial is positive inside of the square, −1 where it is negative somewhere, 0 if undecided."""
    flat = [value for row in given for value in row]
    if min(given[0][0], given[0][-1], given[-1][0], given[-1][-1]) < 0:
        return -1
    if min(flat) >= 0:
        return 1 if max(flat) > 0 else 0
    if depth == 0:
        return 0
    signs = []
    for half in _halves(given):
        for quarter in _halves(_transposed(half)):
            signs.append(_sign(_transposed(quarter), depth - 1))
            if signs[-1] < 0:
                return -1
    return min(signs)


def _transposed(given: Coefficients) -> Coefficients:
    return [list(row) for row in zip(*given, strict=True)]


def _halves(given: Coefficients) -> tuple[Coefficients, Coefficients]:
    """The polynomial on both halves in its first variable (de Casteljau)."""
    low, high, rows = [given[0]], [given[-1]], given
    while len(rows) > 1:
        rows = [[(a + b) / 2 for a, b in zip(p, q, strict=True)] for p, q in pairwise(rows)]
        low.append(rows[0])
        high.append(rows[-1])
    return low, high[::-1]


def _least(polygon: Polygon) -> Cut:
    """Of the cuts between parts of sides one of least L(f)/∫_{∂P} f dσ, looked for in floats and then exact."""
    rough, shares = Cuts.of(polygon, float), [Fraction(k, FINE) for k in range(1, FINE)]
    places = [(i, s, j, t) for i, j in _pairs(len(polygon.edges)) for s in shares for t in shares]

    def worth(place: Place) -> float:
        around, inside = rough.parts(place[0], float(place[1]), place[2], float(place[3]))
        return float(1 - inside / around)

    return cut_at(polygon, *min(places, key=worth))


def cut_at(polygon: Polygon, i: int, s: Fraction, j: int, t: Fraction) -> Cut:
    """The function that breaks from the side i at the share s to the side j at t, and is positive between them."""
    exact = Cuts.of(polygon, Fraction)
    p, q = exact.along(i, s), exact.along(j, t)
    a, b = q[1] - p[1], p[0] - q[0]
    found = [a, b, -(a * q[0] + b * q[1])]
    scale = Fraction(lcm(*(value.denominator for value in found)))
    scale /= gcd(*(int(value * scale) for value in found))
    a1, b1, c1 = (int(value * scale) for value in found)
    return Cut(a1, b1, c1, exact(i, s, j, t) * scale)
