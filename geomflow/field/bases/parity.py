"""Stencils for functions that are even about both ends of an interval, differentiated with respect to ξ = cos X."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import final

import numpy as np
from numpy.typing import ArrayLike

from geomflow.field.bases.axes import InCosine
from geomflow.field.bases.polynomials import Angles
from geomflow.field.bases.stencils import Staggered


@final
@dataclass(frozen=True)
class Cosines(InCosine):
    """Functions on [a, b] that are even about both ends, by stencils in x; the regular variable is ξ = cos X.

    X = π(x − a)/(b − a), at the points of `Staggered`; d/dξ = −(1/ sin X) d/dX, by the chain rule, of derivatives by
    stencils whose errors vanish at the ends as the derivatives do.

    Parameters
    ----------
    n : int
        Nodes.
    a, b : float
        The ends.
    order : int
        2, 4, 6 or 8.
    stencils : Staggered
        The same points, with derivatives along x.
    """

    n: int
    a: float
    b: float
    order: int = 4
    stencils: Staggered = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "stencils", Staggered(self.n, self.a, self.b, self.order))

    @cached_property
    def angles(self) -> Angles:
        """X at the nodes."""
        return Angles.of(np.pi * (np.arange(self.n) + 0.5) / self.n)

    @property
    def weights(self) -> np.ndarray:
        return self.stencils.weights

    @property
    def odd_weights(self) -> np.ndarray:
        return self.stencils.odd_weights

    def root_weights(self, low: bool, high: bool) -> np.ndarray:
        return self.stencils.root_weights(low, high)

    def derivative(self, index: Sequence[int]) -> np.ndarray:
        (times,) = self._checked(index)
        if not times:
            return np.eye(self.n)
        speed = (self.b - self.a) / np.pi
        return sum((factor[:, None] * speed**j * self.stencils.derivative((j,))
                    for j, factor in enumerate(chain_of_cosine(self.angles, times)) if j), np.zeros((self.n, self.n)))

    def at(self, points: ArrayLike) -> np.ndarray:
        return self.stencils.at(points)


def chain_of_cosine(angles: Angles, times: int) -> list[np.ndarray]:
    """c_j with (d/dξ)^k = Σ_j c_j (d/dX)^j: c_{k+1, j} = −(c_kj' + c_{k, j−1})/ sin X.

    Each is a sum of p cos^m X / sin^n X, kept as a table (m, n) -> p.
    """
    rows: list[dict[tuple[int, int], int]] = [{(0, 0): 1}, *({} for _ in range(times))]
    for _ in range(times):
        raised = [_total(_slope(row), rows[j - 1] if j else {}) for j, row in enumerate(rows)]
        rows = [{(m, n + 1): -p for (m, n), p in row.items()} for row in raised]
    sine, cosine = angles.sin, angles.cos
    return [sum((p * cosine**m / sine**n for (m, n), p in row.items()), np.zeros_like(sine)) for row in rows]


def _slope(row: dict[tuple[int, int], int]) -> dict[tuple[int, int], int]:
    """d/dX of p cos^m X sin^−n X = −p m cos^{m−1} sin^{1−n} − p n cos^{m+1} sin^{−n−1}."""
    found: dict[tuple[int, int], int] = {}
    for (m, n), p in row.items():
        for place, value in (((m - 1, n - 1), -p * m), ((m + 1, n + 1), -p * n)):
            if value:
                found[place] = found.get(place, 0) + value
    return found


def _total(*rows: dict[tuple[int, int], int]) -> dict[tuple[int, int], int]:
    found: dict[tuple[int, int], int] = {}
    for row in rows:
        for place, value in row.items():
            found[place] = found.get(place, 0) + value
    return found
