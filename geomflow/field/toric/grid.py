"""Polynomials h on a moment polygon, the unknowns of toric metrics, and the points at which these are evaluated."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, final

import numpy as np

from geomflow.core import memory
from geomflow.core.errors import InputError
from geomflow.core.notebook import Facts, InNotebook
from geomflow.core.numbers import whole
from geomflow.core.threads import one_thread_products
from geomflow.field.toric.polynomials import OrthogonalPolynomials
from geomflow.field.toric.quadrature import Rule, fine_points, inner_rule
from geomflow.field.toric.regular import Regular
from geomflow.field.toric.state import ToricState, make_state
from geomflow.symbolic.toric import Motion, Toric

MORE = 8
"""Places of the rules beyond what polynomials of the degree need: metrics are no polynomials."""

LEAST, MOST = 2, 60
"""Degrees: below the least h is affine and changes nothing; beyond the most there are 2000 polynomials and more."""


@final
@dataclass(frozen=True)
class ToricGrid(InNotebook):
    """Polynomials of total degree up to `degree` on a polygon, modulo affine ones. Made by `toric.grid(degree)`.

    Parameters
    ----------
    toric : Toric
        The surface.
    degree : int
        Of the polynomials.
    symmetric : bool
        Whether only those count that all symmetries of the polygon keep.
    """

    toric: Toric
    degree: int
    symmetric: bool = False

    @property
    def group(self) -> tuple[Motion, ...]:
        """The motions that all polynomials are kept by, the identity among them."""
        return self.toric.symmetries if self.symmetric else self.toric.symmetries[:1]

    @cached_property
    def polynomials(self) -> OrthogonalPolynomials:
        """All polynomials of the degree, orthonormal."""
        return OrthogonalPolynomials(self.toric.polygon, self.degree)

    @cached_property
    def rule(self) -> Rule:
        """Places and weights for integrals of functions that the motions keep."""
        return inner_rule(self.toric.polygon, self.group, self.degree + MORE)

    @cached_property
    def fine(self) -> np.ndarray:
        """Places (N, 2), with the boundary, at which maxima are looked for."""
        return fine_points(self.toric.polygon, self.group)

    @cached_property
    def kept(self) -> np.ndarray:
        """The polynomials that the motions keep as combinations of all, (all, kept): orthonormal, degree by degree."""
        if len(self.group) == 1:
            return np.eye(self.polynomials.size)
        with one_thread_products():
            return self._kept_by_motions()

    def _kept_by_motions(self) -> np.ndarray:
        rule = inner_rule(self.toric.polygon, self.group, self.degree + 1)
        moved = [rule.points @ np.array(g.matrix, dtype=float).T + np.array(g.shift, dtype=float) for g in self.group]
        mean = sum(self.polynomials.jets(points)[0] for points in moved) / len(self.group)
        blocks = [self.polynomials.block(k) for k in range(self.degree + 1)]
        return _spread([_projected(mean[:, own].T @ (rule.weights[:, None] * mean[:, own])) for own in blocks])

    @cached_property
    def span(self) -> np.ndarray:
        """Those of `kept` that are not affine, of degree two and above: the unknowns."""
        return self.kept[:, np.abs(self.kept[:3]).max(axis=0) == 0]

    @property
    def size(self) -> int:
        """The number of unknowns."""
        return int(self.span.shape[1])

    @cached_property
    def modes(self) -> np.ndarray:
        """The unknowns' polynomials at the places of the rule, (6, N, size): φ, φ_1, φ_2, φ_11, φ_12, φ_22."""
        return self.modes_at(self.rule.points)

    def modes_at(self, points: np.ndarray) -> np.ndarray:
        """The unknowns' polynomials with first and second derivatives at any places, (6, M, size).

        Parameters
        ----------
        points : (M, 2) array
            Places.
        """
        size = 8.0 * 6 * len(points) * (self.size + 3 * self.degree)
        memory.require(size, f"{self.size} polynomials at {len(points)} places", "take a lower degree")
        found = np.zeros((6, len(points), self.size))
        for k, block in enumerate(self.polynomials.blocks(points, 2)):
            found += block @ self.span[self.polynomials.block(k)]
        return found

    @cached_property
    def regular(self) -> Regular:
        """What of metrics does not depend on h, at the places of the rule."""
        return Regular.at(self.toric.polygon, self.rule.points)

    @property
    def shape(self) -> tuple[int, ...]:
        """(size,)."""
        return (self.size,)

    def state(self, h: Any = 0) -> ToricState:
        """The metric of u = Σ l_a log l_a + h.

        Raises InputError where h is no polynomial of the degree, or is not kept by the motions; PositivityError where
        u is not convex.

        Parameters
        ----------
        h : text, number, sympy expression or (size,) array
            A polynomial in x1 and x2, or its coefficients.
        """
        return make_state(self, h)

    def __content__(self) -> Mapping[str, Any]:
        return {"normals": self.toric.normals, "constants": [str(c) for c in self.toric.constants],
                "degree": self.degree, "symmetric": self.symmetric}

    def __facts__(self) -> Facts:
        yield "surface", self.toric
        yield "degree", self.degree
        yield "unknowns", self.size
        yield "symmetries", len(self.group)

    def __repr__(self) -> str:
        kept = f", kept by {len(self.group)} motions" if self.symmetric else ""
        return f"{self.size} polynomials of degree up to {self.degree}{kept} on {self.toric!r}"


def _projected(matrix: np.ndarray) -> np.ndarray:
    """An orthonormal basis of the range of a projection."""
    from scipy.linalg import qr

    count = round(float(np.trace(matrix)))
    found, triangle, _ = qr(matrix, pivoting=True)
    return np.asarray(found[:, :count] * np.sign(np.diag(triangle)[:count]))


def _spread(blocks: list[np.ndarray]) -> np.ndarray:
    from scipy.linalg import block_diag

    return np.asarray(block_diag(*blocks))


def make_grid(toric: Toric, degree: int, symmetric: bool) -> ToricGrid:
    """`toric.grid(degree, symmetric)`, checked."""
    number = whole(degree, "the degree of polynomials on a polygon", LEAST, ": affine ones change no metric.")
    if number > MOST:
        raise InputError(f"the degree {number} has {(number + 1) * (number + 2) // 2:,} polynomials: take one up to "
                         f"{MOST}.")
    if not isinstance(symmetric, bool):
        raise InputError(f"symmetric is True or False, and {symmetric!r} was given.")
    grid = ToricGrid(toric, number, symmetric)
    if grid.size == 0:
        least = next(d for d in range(number + 1, 2 * len(grid.group) + 3) if ToricGrid(toric, d, True).size)
        raise InputError(f"no polynomial of degree up to {number} that is not affine is kept by the symmetries of the "
                         f"polygon: take a degree of {least} or more.")
    return grid
