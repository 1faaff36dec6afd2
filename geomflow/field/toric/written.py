"""Grids of toric metrics as plain facts, and back: what stores keep of them."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from geomflow.field.toric.grid import ToricGrid
from geomflow.symbolic.toric import Polygon, Toric


def toric_facts(grid: ToricGrid) -> dict[str, Any]:
    """JSON-able facts from which `read_toric` makes an equal grid."""
    return {
        "normals": [list(normal) for normal in grid.toric.normals],
        "constants": [str(constant) for constant in grid.toric.constants],
        "degree": grid.degree,
        "symmetric": grid.symmetric,
    }


def read_toric(facts: Mapping[str, Any]) -> ToricGrid:
    """The grid that `toric_facts` has told of.

    Parameters
    ----------
    facts : mapping
        As `toric_facts` gives them.
    """
    normals = tuple((int(first), int(second)) for first, second in facts["normals"])
    polygon = Polygon(normals, tuple(Fraction(constant) for constant in facts["constants"]))
    return ToricGrid(Toric(polygon), facts["degree"], facts["symmetric"])
