"""Quadrature on polygons: Gauss rules on the triangles between the centre, the corners and the middles of sides.

Symmetries of a polygon permute these triangles, none of them stays where it is: integrals of functions that a symmetry
keeps are taken over one triangle of each orbit.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import final

import numpy as np

from geomflow.symbolic.toric import Motion, Polygon
from geomflow.symbolic.toric.integrals import COORDINATES, ONE, over_polygon
from geomflow.symbolic.toric.symmetry import motions

FINE = 24
"""Parts of a side of a triangle at whose corners maxima are looked for."""


@final
@dataclass(frozen=True)
class Rule:
    """Places and weights, Σ w f ≈ ∫ f.

    Parameters
    ----------
    points : (N, 2) array
        Places.
    weights : (N,) array
        w.
    """

    points: np.ndarray
    weights: np.ndarray


def centre(polygon: Polygon) -> np.ndarray:
    """The centre of mass of a polygon."""
    return np.array([float(over_polygon(polygon, {p: ONE[0, 0]}) / over_polygon(polygon, ONE)) for p in COORDINATES])


def triangles(polygon: Polygon, group: tuple[Motion, ...]) -> np.ndarray:
    """One triangle of each orbit, (count, 3, 2): the centre, the middle of a side, a corner of it."""
    middle = centre(polygon)
    kept, seen = [], set()
    for side, edge in enumerate(polygon.edges):
        for corner, place in ((side, edge.start), ((side + 1) % len(polygon.edges), edge.end)):
            if (side, corner) not in seen:
                seen |= set(_images(side, corner, group))
                ends = np.array([edge.start, edge.end], dtype=float)
                kept.append([middle, ends.mean(axis=0), np.array(place, dtype=float)])
    return np.array(kept)


def _images(side: int, corner: int, group: tuple[Motion, ...]) -> Iterator[tuple[int, int]]:
    """Where a triangle goes: the corner k lies on the sides k − 1 and k."""
    for motion in group:
        m = len(motion.sides)
        pair = {motion.sides[corner - 1], motion.sides[corner]}
        yield motion.sides[side], next(k for k in pair if (k - 1) % m in pair)


def inner_rule(polygon: Polygon, group: tuple[Motion, ...], order: int) -> Rule:
    """Gauss rules with order² places a triangle, exact for polynomials of degree 2·order − 1 that motions keep."""
    shares, weights = triangle_rule(order)
    corners = triangles(polygon, group)
    steps = corners[:, 1:] - corners[:, :1]
    sizes = np.abs(steps[:, 0, 0] * steps[:, 1, 1] - steps[:, 0, 1] * steps[:, 1, 0])
    points = np.einsum("qk,tkc->tqc", shares, corners).reshape(-1, 2)
    return Rule(points, len(group) * np.outer(sizes, weights).ravel())


@lru_cache(maxsize=32)
def triangle_rule(order: int) -> tuple[np.ndarray, np.ndarray]:
    """Barycentric places and weights on the triangle of area ½, by a square collapsed at its first corner."""
    from scipy.special import roots_jacobi, roots_legendre

    along, first = roots_jacobi(order, 0, 1)
    across, second = roots_legendre(order)
    r, s = (1 + along) / 2, (1 + across) / 2
    far, side = (grid.ravel() for grid in np.meshgrid(r, s, indexing="ij"))
    shares = np.stack([1 - far, far * (1 - side), far * side], axis=1)
    return shares, np.outer(first / 4, second / 2).ravel()


def boundary_rule(polygon: Polygon, order: int) -> Rule:
    """Gauss rules on the sides for dσ."""
    nodes, weights = np.polynomial.legendre.leggauss(order)
    share = (1 + nodes)[:, None] / 2
    ends = [np.array([edge.start, edge.end], dtype=float) for edge in polygon.edges]
    points = np.concatenate([(1 - share) * start + share * end for start, end in ends])
    return Rule(points, np.concatenate([float(edge.length) / 2 * weights for edge in polygon.edges]))


def fine_points(polygon: Polygon, group: tuple[Motion, ...], parts: int = FINE) -> np.ndarray:
    """Places (N, 2) spread evenly over one triangle of each orbit, its sides and corners among them."""
    i, j = (grid.ravel() for grid in np.meshgrid(*[np.arange(parts + 1)] * 2, indexing="ij"))
    inside = i + j <= parts
    shares = np.stack([parts - i - j, i, j], axis=1)[inside] / parts
    return np.asarray(np.einsum("qk,tkc->tqc", shares, triangles(polygon, group)).reshape(-1, 2))


def alone(polygon: Polygon) -> tuple[Motion, ...]:
    """The identity by itself."""
    return motions(polygon)[:1]
