"""Toric metrics whose Kähler class moves along c₁: one space of polynomials h, on polygons whose sides move inwards."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from typing import TYPE_CHECKING, final

import numpy as np

from geomflow.core.errors import ShapeError
from geomflow.core.notebook import Facts, InNotebook
from geomflow.field.toric.state import ToricState
from geomflow.symbolic.toric import Polygon, Toric

if TYPE_CHECKING:
    from geomflow.field.toric.grid import ToricGrid


def moved(polygon: Polygon, shift: float | Fraction) -> Polygon:
    """{l_a ≥ s}: the class less s c₁."""
    return Polygon(polygon.normals, tuple(c - Fraction(shift) for c in polygon.constants))


def shrinking_lengths(toric: Toric) -> np.ndarray:
    """The lengths of the sides and how fast they fall with s, (2, sides): c₁ has the degree 2 + D_a² there."""
    lengths = [float(edge.length) for edge in toric.edges]
    return np.array([lengths, [2.0 + number for number in toric.self_intersections]])


@final
@dataclass(frozen=True, eq=False, repr=False)
class MovingClass(InNotebook):
    """How runs pack metrics of several classes: the coefficients of h by a grid's polynomials, and s.

    Parameters
    ----------
    grid : ToricGrid
        At s = 0.
    packed : (1, size + 1) array
        The coefficients and s.
    """

    grid: ToricGrid
    packed: np.ndarray

    component_names = ("h",)

    def __post_init__(self) -> None:
        rows = np.array(self.packed, dtype=float)
        if rows.shape != (1, self.grid.size + 1):
            raise ShapeError(f"packed values of shape {rows.shape} were given where (1, {self.grid.size + 1}) is "
                             "needed: the coefficients of h and the shift of the class.")
        rows.flags.writeable = False
        object.__setattr__(self, "packed", rows)

    @classmethod
    def of(cls, state: ToricState) -> MovingClass:
        """A metric at s = 0."""
        return cls(state.grid, np.append(state.packed[0], 0.0)[None])

    @cached_property
    def here(self) -> ToricState:
        """The metric on the polygon of its own class."""
        polygon = moved(self.grid.toric.polygon, float(self.packed[0, -1]))
        grid = replace(self.grid, toric=Toric(polygon))
        rule = grid.polynomials.polygon_rule
        values = self.grid.polynomials.combined(self.grid.span @ self.packed[0, :-1], rule.points)[0]
        found = grid.polynomials.jets(rule.points)[0].T @ (rule.weights * values)
        return ToricState(grid, (grid.span.T @ found)[None])

    def pack(self) -> np.ndarray:
        """The coefficients and s, a new array (1, size + 1)."""
        return self.packed.copy()

    def unpack(self, packed: np.ndarray) -> ToricState:
        """The metric of these coefficients, on the polygon of its own class.

        Parameters
        ----------
        packed : (1, size + 1) array
            The coefficients and s.
        """
        return MovingClass(self.grid, packed).here

    def __facts__(self) -> Facts:
        yield "shift", float(self.packed[0, -1])
        yield "on", self.grid
