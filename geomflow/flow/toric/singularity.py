"""How Kähler–Ricci flow on a toric surface ends: as the polygon of its class does, at a time that the class says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from geomflow.core.outcome import OutcomeKind
from geomflow.field.toric.moving import MovingClass, moved
from geomflow.flow.reduced.fits import approach
from geomflow.flow.reduced.singularity import COLLAPSE, EXTINCTION, ROUNDING, TYPE_TWO, Singularity
from geomflow.symbolic.toric import Toric
from geomflow.symbolic.toric.integrals import ONE, over_boundary, over_polygon

if TYPE_CHECKING:
    from geomflow.flow.solution import Solution

CONTRACTION = "contraction"


def toric_singularity(solution: Solution[Any]) -> Singularity | None:
    """The singularity that ended a run whose class moves; None unless it ended so, with curvature doubled three times.

    Parameters
    ----------
    solution : Solution
        A run.
    """
    if solution.outcome.kind is not OutcomeKind.singular or not isinstance(solution.template, MovingClass):
        return None
    if "riemann_max" not in solution.monitors:
        return None
    toric, sizes = solution.template.grid.toric, solution["riemann_max"]
    least = int(np.argmin(sizes))
    found = approach(solution.monitor_times[least:], sizes[least:])
    if found is None:
        return None
    time = float(solution.recipe["t0"]) + float(solution.description["last_time"])
    kind, last = end_of_class(toric), solution.last
    places = last.grid.fine
    curvature = last.curvature(places)
    top = places[int(curvature.riemann.argmax())]
    return Singularity(
        time=time,
        error=ROUNDING * abs(time),
        kind=kind,
        location={} if kind == EXTINCTION else {"x1": float(top[0]), "x2": float(top[1])},
        rate="type I" if found.exponent < TYPE_TWO else "type II",
        scale=float(sizes[-1] * (time - solution.monitor_times[-1])),
        roundness=float((6 * curvature.riemann**2 / curvature.scalar**2).max()),
        curves=tuple(f"{toric.edges[side]} = 0" for side in toric.vanishing_sides),
    )


def end_of_class(toric: Toric) -> str:
    """Whether curves contract, fibres collapse or all dies at `toric.class_end`, by the polygon that is left: exactly.

    A polygon with an area, a segment, or a point (J. Song, B. Weinkove, J. reine angew. Math. 659, 2011).

    Parameters
    ----------
    toric : Toric
        At the start.
    """
    left = moved(toric.polygon, toric.class_end)
    if over_polygon(left, ONE) > 0:
        return CONTRACTION
    return COLLAPSE if over_boundary(left, ONE) > 0 else EXTINCTION
