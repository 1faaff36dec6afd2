"""What a moment polygon keeps: affine maps of the lattice that permute its sides."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import final

from geomflow.symbolic.toric.polygon import Integers, Pair, Polygon


@final
@dataclass(frozen=True)
class Motion:
    """x ↦ M x + b, with l_{π(a)}(M x + b) = l_a(x).

    Parameters
    ----------
    matrix : pair of pairs of int
        M, of determinant ±1.
    shift : pair of Fraction
        b.
    sides : tuple of int
        π.
    """

    matrix: tuple[Integers, Integers]
    shift: Pair
    sides: tuple[int, ...]

    def __call__(self, x: Sequence[Fraction]) -> Pair:
        """M x + b."""
        first, second = (row[0] * x[0] + row[1] * x[1] + b for row, b in zip(self.matrix, self.shift, strict=True))
        return first, second

    @property
    def turns(self) -> bool:
        """Whether it keeps the orientation."""
        (a, b), (c, d) = self.matrix
        return a * d - b * c > 0


def motions(polygon: Polygon) -> tuple[Motion, ...]:
    """All of them, the identity first."""
    m = len(polygon.normals)
    orders = [tuple((k + step * a) % m for a in range(m)) for step in (1, -1) for k in range(m)]
    return tuple(found for sides in orders if (found := _motion(polygon, sides)) is not None)


def _motion(polygon: Polygon, sides: tuple[int, ...]) -> Motion | None:
    """The motion that permutes the sides so, if there is one: Mᵀ n_{π(a)} = n_a."""
    normals, constants = polygon.normals, polygon.constants
    (p, q), (r, s) = normals[sides[0]], normals[sides[1]]
    size = p * s - q * r
    (a, b), (c, d) = normals[0], normals[1]
    # the rows of M solve (n_π0; n_π1) M = (n_0; n_1)
    matrix = ((size * (s * a - q * c), size * (s * b - q * d)), (size * (p * c - r * a), size * (p * d - r * b)))
    gaps = [constants[k] - constants[sides[k]] for k in (0, 1)]
    shift = (size * (s * gaps[0] - q * gaps[1]), size * (p * gaps[1] - r * gaps[0]))
    for k, (n, own) in enumerate(zip(normals, constants, strict=True)):
        other = normals[sides[k]]
        if (other[0] * matrix[0][0] + other[1] * matrix[1][0], other[0] * matrix[0][1] + other[1] * matrix[1][1]) != n:
            return None
        if other[0] * shift[0] + other[1] * shift[1] + constants[sides[k]] != own:
            return None
    return Motion(matrix, shift, sides)
