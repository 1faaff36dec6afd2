"""Modes that grow because of how space is divided: a grid on which they do is refused before a run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from geomflow.core.errors import InputError
from geomflow.field.bases.circles import Drawn
from geomflow.field.bases.clustering import Clustered
from geomflow.field.reduced.grid import ReducedGrid
from geomflow.flow.reduced.rates import Rates

COARSE = {1: 16, 2: 8}
"""Points along each of so many coordinates of the coarser grid that is looked at; the finer one has twice as many."""

FASTER, ROUNDING = 2.0, 1e-3
"""By which factor the fastest growth may differ on the two, beside a share of the largest eigenvalue. Modes of a smooth
solution grow alike on both; spurious ones of an equation of order m grow 2^m times faster on the finer."""

DRAWN = float(np.sqrt(np.finfo(float).eps))
"""By what share of the largest eigenvalue rounding moves a double one; of drawn points more is not rounding."""


def require_same_growth(grid: ReducedGrid, make: Callable[[ReducedGrid], Rates]) -> None:
    """Raises InputError where a finer grid of the same kind lets a mode grow faster, or drawn points do.

    The rates are linearised where all regular fields vanish: a round sphere where the orbits close, a product where
    they do not. Where that is no metric, nothing is known.

    Parameters
    ----------
    grid : ReducedGrid
        Whose kind is looked at.
    make : function
        Gives the rates on a grid.
    """
    if not grid.shape:
        return
    coarse = _coarse(grid)
    if any(isinstance(basis, Clustered | Drawn) for basis in grid.bases):
        _require_no_more(grid, _even(coarse), make)
        return
    fine = coarse.resized([2 * n for n in coarse.shape])
    found = [growth(make(one)) for one in (coarse, fine)]
    (slow, _), (fast, size) = found
    if fast > FASTER * max(slow, 0.0) + ROUNDING * size:
        order = grid.basis.order
        advice = (f"by stencils of order {order} the cone angle grows where spheres of dimension two or more close; "
                  "leave the order out, for a spectral grid, whose unknown that closes has fewer modes"
                  if order is not None else "the equation is not well-posed, or the grid keeps too many modes")
        raise InputError(f"a mode grows faster the finer the grid is: e^({slow:.4g} t) with {_told(coarse)} points, "
                         f"e^({fast:.4g} t) with {_told(fine)}, about the metric whose regular fields vanish. Of this "
                         f"a run would die, not of its geometry: {advice}.")


def _require_no_more(grid: ReducedGrid, even: ReducedGrid, make: Callable[[ReducedGrid], Rates]) -> None:
    """Raises InputError where a mode grows faster on a drawn grid than on even points, beyond rounding."""
    (slow, _), (fast, size) = growth(make(even)), growth(make(grid))
    if fast > FASTER * max(slow, 0.0) + DRAWN * size or not size:
        raise InputError(f"a mode grows as e^({fast:.4g} t) with {_told(grid)} points that are drawn to places, and as "
                         f"e^({slow:.4g} t) with even ones, about the metric whose regular fields vanish. Of this a "
                         "run would die, not of its geometry: points are drawn too strongly, take smaller κ in "
                         "places=[(X, κ), ...], half of it to begin with, or more points.")


def growth(rates: Rates) -> tuple[float, float]:
    """The largest real part and the largest modulus of eigenvalues where all regular fields vanish.

    −∞ and 0 where the rates are not finite there.

    Parameters
    ----------
    rates : Rates
        On a grid.
    """
    grid = rates.grid
    with np.errstate(all="ignore"):
        matrix = rates.jacobian(0.0, grid.reference)
    if not np.isfinite(matrix).all():
        return -np.inf, 0.0
    values = np.linalg.eigvals(matrix)
    return float(values.real.max()), float(np.abs(values).max())


def _coarse(grid: ReducedGrid) -> ReducedGrid:
    """The grid with few points, or itself where its fields would have no modes then."""
    found = grid.resized([min(n, COARSE[len(grid.shape)]) for n in grid.shape])
    try:
        for field in grid.ansatz.regular.fields:
            found.basis_of(field)
    except InputError:
        return grid
    return found


def _even(grid: ReducedGrid) -> ReducedGrid:
    """The grid with points that are not drawn to places."""
    return replace(grid, bases=tuple(
        replace(basis, places=()) if isinstance(basis, Clustered | Drawn) else basis for basis in grid.bases))


def _told(grid: ReducedGrid) -> str:
    return " × ".join(map(str, grid.shape))
