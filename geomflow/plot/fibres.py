"""The sphere that joins the ends of a span, as a surface of revolution."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from geomflow.core.errors import require_known

if TYPE_CHECKING:
    from geomflow.field.reduced.state import ReducedState
    from geomflow.symbolic.ansatz import Ansatz

PLACES = 401
"""Along the sphere."""


def on_span(ansatz: Ansatz) -> bool:
    """Whether the coordinate of an ansatz is on a span with ends that move."""
    from geomflow.symbolic.ansatz.span import span_of

    return span_of(ansatz) is not None


def fibre(state: ReducedState, name: str | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Arclength and radius of c dy²/F + dF dθ², (M,) each: ρ = (2/m)√(cF), and ρ_s = F'/m is ±1 at the ends.

    Raises UnknownNameError for another unknown than F.

    Parameters
    ----------
    state : ReducedState
        On a span.
    name : str, optional
        Of the profile.
    """
    from scipy.interpolate import CubicSpline

    from geomflow.symbolic.ansatz.span import closing_of

    ansatz = state.grid.ansatz
    closing, (coordinate,) = closing_of(ansatz), ansatz.coordinates
    if name is not None:
        require_known("radius", name, (closing.unknown.name,))
    place = ansatz.metric.chart.coordinates.index(coordinate)
    across = float(ansatz.metric.matrix[place, place] * closing.unknown.value)
    angle = np.linspace(0, np.pi, PLACES)
    y = state.places_of((1 - np.cos(angle)) / 2)
    profile = np.maximum(state.at(closing.unknown.name, y), 0)
    speed = np.empty(PLACES)
    speed[1:-1] = CubicSpline(angle, y)(angle[1:-1], 1) * np.sqrt(across / profile[1:-1])
    bend = np.abs(CubicSpline(angle, y)(angle[[0, -1]], 2))
    speed[[0, -1]] = np.sqrt(2 * across * bend / float(closing.slope))
    return CubicSpline(angle, speed).antiderivative()(angle), 2 / float(closing.slope) * np.sqrt(across * profile)
