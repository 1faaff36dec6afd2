"""Moment polygons of toric surfaces: rational, convex, with corners as those of a quadrant (Delzant 1988)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property, cmp_to_key
from math import gcd, lcm
from typing import Any, TypeAlias, final

import sympy

from geomflow.core.errors import InputError, warn
from geomflow.core.exact_numbers import fraction_of, meant
from geomflow.core.numbers import exact_number

Pair: TypeAlias = tuple[Fraction, Fraction]
Integers: TypeAlias = tuple[int, int]


@final
@dataclass(frozen=True)
class Edge:
    """One side of a polygon, where l = ⟨n, x⟩ + c vanishes: a curve in the surface.

    Parameters
    ----------
    normal : pair of int
        n, primitive, inward.
    constant : Fraction
        c.
    start, end : pair of Fraction
        Its corners, anticlockwise.
    """

    normal: Integers
    constant: Fraction
    start: Pair
    end: Pair

    @property
    def length(self) -> Fraction:
        """Its length in units of the lattice: ω has the area 2π times this on the curve."""
        along = (self.normal[1], -self.normal[0])
        size = along[0] ** 2 + along[1] ** 2
        return sum(((q - p) * t for p, q, t in zip(self.start, self.end, along, strict=True)), Fraction(0)) / size

    def __call__(self, x: Sequence[Any]) -> Any:
        """l(x).

        Parameters
        ----------
        x : pair
            A place, or arrays of places.
        """
        return self.normal[0] * x[0] + self.normal[1] * x[1] + self.constant

    def __str__(self) -> str:
        return affine_text(*self.normal, self.constant)


@final
@dataclass(frozen=True)
class Polygon:
    """{x : ⟨n_a, x⟩ + c_a ≥ 0}, its sides anticlockwise. Made by `polygon_of`.

    Parameters
    ----------
    normals : tuple of pairs of int
        n_a, primitive, inward.
    constants : tuple of Fraction
        c_a.
    """

    normals: tuple[Integers, ...]
    constants: tuple[Fraction, ...]

    @cached_property
    def vertices(self) -> tuple[Pair, ...]:
        """The corners, anticlockwise; the side a goes from `vertices[a]` to the next."""
        lines = list(zip(self.normals, self.constants, strict=True))
        return tuple(_meeting(*lines[a - 1], *lines[a]) for a in range(len(lines)))

    @cached_property
    def edges(self) -> tuple[Edge, ...]:
        """The sides, anticlockwise."""
        corners = self.vertices
        ends = (*corners[1:], corners[0])
        return tuple(Edge(*each) for each in zip(self.normals, self.constants, corners, ends, strict=True))

    @cached_property
    def self_intersections(self) -> tuple[int, ...]:
        """D_a² of the curves over the sides, where every corner is Delzant: n_{a−1} + n_{a+1} = −D_a² n_a."""
        m = len(self.normals)
        both = [(self.normals[a - 1], self.normals[(a + 1) % m]) for a in range(m)]
        return tuple(-((p[0] + q[0]) * n[0] + (p[1] + q[1]) * n[1]) // (n[0] ** 2 + n[1] ** 2)
                     for n, (p, q) in zip(self.normals, both, strict=True))

    @cached_property
    def equidistant(self) -> tuple[Pair, Fraction] | None:
        """A place x₀ with l_a(x₀) = κ for all a, and κ: then κ c₁ is the class. None where there is none."""
        (a, b), (c, d) = self.normals[:2]
        # of l_0 = l_1 = κ the solution is a place plus κ times a direction
        p, k = _solve((a, b), (c, d), -self.constants[0], -self.constants[1]), _solve((a, b), (c, d), *ONES)
        for n, own in zip(self.normals[2:], self.constants[2:], strict=True):
            slope = n[0] * k[0] + n[1] * k[1] - 1
            if slope != 0:
                size = -(n[0] * p[0] + n[1] * p[1] + own) / slope
                place = (p[0] + size * k[0], p[1] + size * k[1])
                return (place, size) if all(edge(place) == size for edge in self.edges) else None
        return None

    def __str__(self) -> str:
        return ", ".join(f"{edge} >= 0" for edge in self.edges)


ONES = (Fraction(1), Fraction(1))


def cross(p: Sequence[Any], q: Sequence[Any]) -> Any:
    """p × q in the plane."""
    return p[0] * q[1] - p[1] * q[0]


def affine_text(a: Any, b: Any, c: Any) -> str:
    """a x1 + b x2 + c as it would be typed.

    >>> affine_text(1, -2, Fraction(1, 2))
    'x1 - 2*x2 + 1/2'
    """
    text = ""
    for factor, name in ((a, "x1"), (b, "x2"), (c, "")):
        if factor == 0:
            continue
        size = abs(factor)
        body = str(size) if not name else name if size == 1 else f"{size}*{name}"
        text += f" {'-' if factor < 0 else '+'} {body}"
    return text.lstrip(" +").replace("- ", "-", 1) if text.startswith(" -") else text.lstrip(" +") or "0"


def _solve(n: Sequence[Any], m: Sequence[Any], p: Fraction, q: Fraction) -> Pair:
    """x with ⟨n, x⟩ = p and ⟨m, x⟩ = q."""
    size = Fraction(cross(n, m))
    return (p * m[1] - q * n[1]) / size, (q * n[0] - p * m[0]) / size


def _meeting(n: Integers, c: Fraction, m: Integers, d: Fraction) -> Pair:
    return _solve(n, m, -c, -d)


def rational(value: Any, what: str) -> Fraction:
    """A number exactly: "1/3" is a third, and a float the simplest fraction that rounds to it.

    Warns where that is no simple one, as of √2. Raises InputError for what is no finite rational number.

    Parameters
    ----------
    value : number or text
        What was given.
    what : str
        What it is, for the message.
    """
    if isinstance(value, str):
        try:
            return Fraction(value)
        except (ValueError, ZeroDivisionError):
            raise InputError(f"{what} is a rational number, such as 2 or '1/3', and {value!r} was given.") from None
    found = exact_number(value, what)
    return _meant(value, what) if isinstance(value, float) else found


def _meant(value: float, what: str) -> Fraction:
    """The simple fraction that arithmetic in floats made this of, or else, warned of, the nearest that rounds to it."""
    exact, simple = meant(sympy.Float(value))
    if simple and exact.is_Rational:
        return Fraction(int(exact.p), int(exact.q))
    found = fraction_of(value)
    warn(f"{what}, the float {value!r}, is no simple fraction and is read as {found}: exact results are for that; "
         "write the rational number that is meant as text, such as '1/3'")
    return found


def polygon_of(given: Sequence[Any]) -> Polygon:
    """A Delzant polygon from its corners (x, y), or from its sides (n1, n2, c), as they are told in `Toric`.

    Raises InputError for one that is none: not bounded, without inner points, with a side outside of the others or a
    corner that is not Delzant.

    Parameters
    ----------
    given : sequence of pairs or of triples
        Numbers.
    """
    rows = _rows(given)
    sizes = {len(row) for row in rows}
    if len(rows) < 3 or sizes not in ({2}, {3}):
        raise InputError(f"a polygon is three or more corners (x, y), or three or more sides (n1, n2, c) where "
                         f"n1*x1 + n2*x2 + c >= 0, and {given!r} was given.")
    sides = _sides_of(rows) if sizes == {2} else [_primitive(*row) for row in rows]
    return checked(sides)


def _rows(given: Any) -> list[tuple[Fraction, ...]]:
    """Rows of numbers; none for what is no sequence of sequences."""
    if not all(isinstance(each, Iterable) and not isinstance(each, str) for each in (given, *_listed(given))):
        return []
    return [tuple(rational(value, "a number of the polygon") for value in row) for row in given]


def _listed(given: Any) -> list[Any]:
    return list(given) if isinstance(given, Iterable) else []


def checked(sides: Iterable[tuple[Integers, Fraction]]) -> Polygon:
    """The polygon with these sides, anticlockwise from the first on. Raises InputError as `polygon_of` does."""
    given = list(sides)

    def order(p: tuple[Integers, Fraction], q: tuple[Integers, Fraction]) -> int:
        return _turn(given[0][0], p[0], q[0])

    ordered = sorted(given, key=cmp_to_key(order))
    polygon = Polygon(tuple(n for n, _ in ordered), tuple(c for _, c in ordered))
    for n, m in zip(polygon.normals, (*polygon.normals[1:], polygon.normals[0]), strict=True):
        if cross(n, m) <= 0:
            same = n == m
            raise InputError(f"the sides with the inward normals {n} and {m} "
                             + ("are parallel and on one side: leave one out." if same else
                                "leave the polygon open between them: add a side there."))
    _require_lengths(polygon)
    _require_delzant(polygon)
    return polygon


def _require_lengths(polygon: Polygon) -> None:
    for edge in polygon.edges:
        if edge.length <= 0:
            raise InputError(f"the side {edge} = 0 has the length {edge.length}, so that the class lies outside of the "
                             "Kähler cone: the curve over it would have no area. Raise its constant's neighbours, "
                             f"lower its own, or leave it out; the sides are {polygon}.")


def _require_delzant(polygon: Polygon) -> None:
    for a, corner in enumerate(polygon.vertices):
        before, after = polygon.edges[a - 1], polygon.edges[a]
        size = cross(before.normal, after.normal)
        if size != 1:
            raise InputError(f"the corner ({corner[0]}, {corner[1]}), where {before} = 0 and {after} = 0, is not "
                             f"Delzant: its normals {before.normal} and {after.normal} have the determinant {size}, "
                             "and 1 is needed, so that the surface is smooth. Cut the corner off, or change a side.")


def _sides_of(corners: list[Any]) -> list[tuple[Integers, Fraction]]:
    """The sides between corners in their order. Raises InputError where they are not those of a convex polygon."""
    m = len(corners)
    steps = [(corners[(k + 1) % m][0] - p[0], corners[(k + 1) % m][1] - p[1]) for k, p in enumerate(corners)]
    turns = [cross(steps[k - 1], steps[k]) for k in range(m)]
    wrong = [k for k, turn in enumerate(turns) if turn * sum(turns) <= 0]
    area = sum(cross(corners[k - 1], corners[k]) for k in range(m))
    if wrong or area == 0:
        place = corners[wrong[0] if wrong else 0]
        raise InputError(f"the polygon does not turn at the corner ({place[0]}, {place[1]}) as it does at others: give "
                         "the corners of a convex polygon in their order, each once.")
    if area < 0:
        return _sides_of(corners[::-1])
    return [_primitive(-t[1], t[0], t[1] * p[0] - t[0] * p[1]) for p, t in zip(corners, steps, strict=True)]


def _primitive(a: Fraction, b: Fraction, c: Fraction) -> tuple[Integers, Fraction]:
    """The same side with a primitive normal."""
    if a == b == 0:
        raise InputError("a side has the normal (0, 0): give the inward normal (n1, n2) of each.")
    scale = lcm(a.denominator, b.denominator)
    n = (int(a * scale), int(b * scale))
    common = gcd(*n)
    return (n[0] // common, n[1] // common), c * scale / common


def _turn(first: Integers, p: Integers, q: Integers) -> int:
    """−1, 0 or 1 as p comes before, with or after q, anticlockwise from the first on."""
    halves = [_half(first, each) for each in (p, q)]
    if halves[0] != halves[1]:
        return -1 if halves[0] < halves[1] else 1
    side = cross(p, q)
    return -1 if side > 0 else 1 if side < 0 else 0


def _half(first: Integers, n: Integers) -> int:
    side = cross(first, n)
    ahead = first[0] * n[0] + first[1] * n[1] > 0
    return 0 if side > 0 or (side == 0 and ahead) else 1
