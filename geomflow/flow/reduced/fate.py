"""What becomes of a sphere with rotational symmetry under Ricci flow, as soon as it is certain."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np
import sympy

from geomflow.core.errors import InputError
from geomflow.field.reduced.necks import poles
from geomflow.field.reduced.state import ReducedState
from geomflow.flow.reduced.singularity import EXTINCTION, NECKPINCH
from geomflow.symbolic.ansatz import Ansatz
from geomflow.symbolic.ansatz.closing import radial
from geomflow.symbolic.ansatz.curvature import curvatures
from geomflow.symbolic.ansatz.fibres import Fibre, fibres

MARGIN = 1e-3
"""By which share inequalities must hold to be believed of numbers."""


class Warped(NamedTuple):
    """The metric ds² + r² g_{S^n} of an ansatz.

    fibre  the unknown that r is of
    radius  r
    difference  a = r² (K_1 − K_0) = 1 − r_s² + r r_ss
    """

    fibre: Fibre
    radius: sympy.Expr
    difference: sympy.Expr


def fate(state: ReducedState) -> str | None:
    """How a metric ds² + r(s)² g_{S^n} ends under Ricci flow: "extinction", "neckpinch", or None while that is open.

    "extinction", to a round point: r has one maximum and no neck, and never gets one (Sturm), and all sectional
    curvatures are positive, with them the curvature operator: Hamilton 1982, 1986; Böhm and Wilking 2008.

    "neckpinch": a neck closes before the bumps beside it are gone, unless curvature is infinite elsewhere before. With
    a = r² (K_1 − K_0), whose maximum and minimum do not move away from 0 (Angenent and Knopf 2004), (r²)' = 2(a − n) at
    necks and bumps. So a neck of radius r is gone before r²/q, q = 2(n − max a), or n − 1 where R ≥ 0 if that is more,
    and a bump of radius b until then is not where b²/r² > 2(n − min(a, 0))/q.

    Raises InputError for metrics of another kind.

    Parameters
    ----------
    state : ReducedState
        Of `gf.catalogue.ansatz("sphere", n=n)`, or of an ansatz of one's own with such orbits.
    """
    warped = warped_of(state.grid.ansatz)
    name = warped.fibre.unknown.name
    necks, bumps = state.necks(name), state.bumps(name)
    if not len(necks.places):
        round_ends = len(bumps.places) == 1 and len(poles(state.grid)) == 2
        return EXTINCTION if round_ends and least_curvature(state) > 0 else None
    return NECKPINCH if (depths(state, warped) > least_depth(state, warped) * (1 + MARGIN)).any() else None


@lru_cache(maxsize=64)
def warped_of(ansatz: Ansatz) -> Warped:
    """The parts of a metric ds² + r² g_{S^n}. Raises InputError where it is none."""
    known = list(fibres(ansatz).values()) if len(ansatz.coordinates) == 1 else []
    along = radial(ansatz, ansatz.coordinates[0]) if len(ansatz.coordinates) == 1 else None
    if len(known) != 1 or known[0].dim != ansatz.metric.dim - 1 or along is None:
        raise InputError(f"the fate of metrics ds² + r(s)² g on round spheres of radius r is known, and {ansatz} has "
                         "others: watch necks, bumps and curvature by Event(name, function) instead.")
    (fibre,) = known
    (x,) = fibre.unknown.value.args
    length = along[0].value ** sympy.Rational(1, along[1])
    radius = fibre.cone * fibre.unknown.value ** sympy.Rational(1, fibre.exponent)
    slope = radius.diff(x) / length
    return Warped(fibre, radius, 1 - slope**2 + radius * slope.diff(x) / length)


def least_curvature(state: ReducedState) -> float:
    """The smallest sectional curvature at the points, over the largest there; −∞ where planes do not say all."""
    found = planes_of(state.grid.ansatz)
    if not found:
        return -np.inf
    planes = np.array([state.evaluated(plane) for plane in found])
    return float((planes.min(axis=0) / np.abs(planes).max(axis=0)).min())


@lru_cache(maxsize=64)
def planes_of(ansatz: Ansatz) -> tuple[sympy.Expr, ...]:
    """All sectional curvatures of planes of coordinates; () where there is more to the curvature than these."""
    found = curvatures(ansatz)
    return () if found is None or found.mixed else tuple(found.planes)


def depths(state: ReducedState, warped: Warped) -> np.ndarray:
    """b²/r² of each neck and the smaller bump beside it."""
    name = warped.fibre.unknown.name
    necks, bumps = state.necks(name), state.bumps(name)
    power = 2 / warped.fibre.exponent
    found = []
    for place, value in zip(*necks, strict=True):
        beside = [*bumps.values[bumps.places < place][-1:], *bumps.values[bumps.places > place][:1]]
        found.append((min(beside, default=0.0) / value) ** power)
    return np.array(found)


def least_depth(state: ReducedState, warped: Warped) -> float:
    """2(n − min(a, 0))/q."""
    n = warped.fibre.dim
    lowest, highest = state.grid.range_of(state.evaluated(warped.difference))
    speed = 2 * (n - max(highest, 0.0))
    if state.scalar("R").min() >= 0:
        speed = max(speed, n - 1.0)
    return 2 * (n - min(lowest, 0.0)) / speed if speed > 0 else np.inf
