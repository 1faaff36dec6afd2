"""Exact integrals of polynomials over a polygon and its boundary, whose measure dσ has dσ ∧ dl_a = dx on each side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from math import comb
from typing import TypeAlias, final

from geomflow.symbolic.toric.polygon import Edge, Pair, Polygon

Powers: TypeAlias = tuple[int, int]
Polynomial: TypeAlias = Mapping[Powers, Fraction]


@lru_cache(maxsize=4096)
def over_edge(edge: Edge, powers: Powers) -> Fraction:
    """∫ x₁^i x₂^j dσ over a side."""
    total = Fraction(0)
    first, second = (_binomial(edge.start[k], edge.end[k] - edge.start[k], powers[k]) for k in (0, 1))
    for i, a in enumerate(first):
        for j, b in enumerate(second):
            total += a * b / (i + j + 1)
    return total * edge.length


def _binomial(start: Fraction, step: Fraction, power: int) -> list[Fraction]:
    """The coefficients of (start + t step)^power in t."""
    return [comb(power, k) * start ** (power - k) * step**k for k in range(power + 1)]


def over_boundary(polygon: Polygon, polynomial: Polynomial) -> Fraction:
    """∫_{∂P} f dσ.

    Parameters
    ----------
    polygon : Polygon
        P.
    polynomial : mapping
        The coefficients of f by powers of x₁ and x₂.
    """
    return sum((factor * over_edge(edge, powers) for edge in polygon.edges for powers, factor in polynomial.items()),
               Fraction(0))


def over_polygon(polygon: Polygon, polynomial: Polynomial) -> Fraction:
    """∫_P f dx, by (k + 2)∫_P f = Σ_a c_a ∫_{l_a = 0} f dσ for f homogeneous of degree k (Lasserre 1998).

    Parameters
    ----------
    polygon : Polygon
        P.
    polynomial : mapping
        The coefficients of f by powers of x₁ and x₂.
    """
    return sum((factor * edge.constant * over_edge(edge, powers) / (sum(powers) + 2)
                for edge in polygon.edges for powers, factor in polynomial.items()), Fraction(0))


ONE: Polynomial = {(0, 0): Fraction(1)}
COORDINATES: tuple[Powers, Powers] = ((1, 0), (0, 1))


@final
@dataclass(frozen=True)
class Affine:
    """f = a x₁ + b x₂ + c.

    Parameters
    ----------
    a, b, c : Fraction
        Its coefficients.
    """

    a: Fraction
    b: Fraction
    c: Fraction

    def __call__(self, x: Sequence[Fraction]) -> Fraction:
        """f(x)."""
        return self.a * x[0] + self.b * x[1] + self.c


def futaki(polygon: Polygon) -> Pair:
    """∫_{∂P} x_i dσ − r̄ ∫_P x_i with the mean r̄ = |∂P|/|P| (Donaldson 2002, §3): Futaki's invariant of the torus."""
    mean = over_boundary(polygon, ONE) / over_polygon(polygon, ONE)
    first, second = ({powers: Fraction(1)} for powers in COORDINATES)
    return (over_boundary(polygon, first) - mean * over_polygon(polygon, first),
            over_boundary(polygon, second) - mean * over_polygon(polygon, second))


def extremal_affine(polygon: Polygon) -> Affine:
    """The affine s with ∫_{∂P} f dσ = ∫_P s f for all affine f: the scalar curvature r of an extremal metric."""
    basis: list[Powers] = [(1, 0), (0, 1), (0, 0)]
    matrix = [[over_polygon(polygon, {(p[0] + q[0], p[1] + q[1]): Fraction(1)}) for q in basis] for p in basis]
    return Affine(*_solved(matrix, [over_boundary(polygon, {p: Fraction(1)}) for p in basis]))


def _solved(matrix: list[list[Fraction]], right: list[Fraction]) -> list[Fraction]:
    """By Gauss, of a positive matrix."""
    rows = [[*row, value] for row, value in zip(matrix, right, strict=True)]
    for k in range(len(rows)):
        pivot = [value / rows[k][k] for value in rows[k]]
        rows = [pivot if j == k else [a - row[k] * b for a, b in zip(row, pivot, strict=True)]
                for j, row in enumerate(rows)]
    return [row[-1] for row in rows]
