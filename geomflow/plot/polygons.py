"""Toric surfaces and their metrics as pictures over the moment polygon."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from geomflow.core.errors import InputError, require_known
from geomflow.plot.moments import picked_times, times_left
from geomflow.plot.style import INK, MUTED, SECOND, axes_or_new, colour_bar, diverging, sequential, styled

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.collections import TriMesh
    from matplotlib.figure import Figure

    from geomflow.field.toric import ToricState
    from geomflow.flow import Solution
    from geomflow.symbolic.toric import Cut, Toric

PARTS, MOST_TOLD = 24, 8
"""Parts of a side of a triangle; and of how many sides self-intersections are written at most."""

_FLAT = 1e-6
"""Quantities that vary by less of their size are constant: colours of rounding say nothing."""

QUANTITIES: dict[str, tuple[str, Callable[[ToricState, np.ndarray], np.ndarray]]] = {
    "scalar": ("scalar curvature $R$", lambda state, x: state.scalar(x)),
    "riemann": (r"$|\mathrm{Rm}|$", lambda state, x: state.curvature(x).riemann),
    "h": ("$h$", lambda state, x: state.h(x)),
    "potential": ("symplectic potential $u$", lambda state, x: state.potential(x)),
}
CURVATURES = ("scalar", "riemann")
FRAMES = 60
"""Of a film, at most."""


@styled
def polygon(thing: Any, quantity: str = "scalar", *, ax: Axes | None = None) -> Axes:
    """Draw a toric metric over its moment polygon, or a polygon itself, with the cut that destabilises it.

    Raises InputError for what is no toric surface, metric or run of such, UnknownNameError for a quantity that is not
    known.

    Parameters
    ----------
    thing : Toric, ToricState, ToricMetric or Solution
        A surface, a metric, what `toric.einstein` and the like give, or a run, of which the last state is drawn.
    quantity : {"scalar", "riemann", "h", "potential"}
        What of the metric.
    ax : Axes, optional
        Where to draw; a new figure unless given.
    """
    from geomflow.symbolic.toric import Toric

    if isinstance(thing, Toric):
        return _outline(axes_or_new(ax, (4.2, 3.8)), thing)
    state = _state(thing)
    require_known("quantity of toric metrics", quantity, QUANTITIES)
    ax = axes_or_new(ax, (5.0, 3.8))
    colour_bar(ax.figure, draw_over_polygon(ax, state, quantity), ax, shrink=0.85, label=QUANTITIES[quantity][0])
    return _sides(ax, state.grid.toric)


def draw_over_polygon(ax: Axes, state: ToricState, quantity: str) -> TriMesh:
    """The colours of a quantity by name, smooth over the polygon."""
    found = QUANTITIES[quantity][1](state, _mesh(state.grid.toric)[0])
    return _coloured(ax, state.grid.toric, found, (float(found.min()), float(found.max())))


def _coloured(ax: Axes, toric: Toric, found: np.ndarray, ends: tuple[float, float]) -> TriMesh:
    """The colours of values at the places of the mesh, on a scale between two ends."""
    from matplotlib.tri import Triangulation

    (low, high), (x, triangles) = ends, _mesh(toric)
    if high - low < _FLAT * max(1.0, abs(high)):
        low, high = low - 0.5, high + 0.5
    crossing = low < 0 < high
    if crossing:
        low, high = -max(-low, high), max(-low, high)
    ax.set_aspect("equal")
    return ax.tripcolor(Triangulation(x[:, 0], x[:, 1], triangles), found, shading="gouraud", vmin=low, vmax=high,
                        cmap=diverging() if crossing else sequential(), rasterized=True)


def is_toric(sol: Any) -> bool:
    """Whether a run is one of toric metrics."""
    from geomflow.field.toric import ToricState

    return isinstance(getattr(sol, "last", None), ToricState)


def polygon_frames(ax: Axes, sol: Solution[Any], name: str | None) -> Iterator[None]:
    """Draw one metric after another over its polygon in one scale, for a film; before T, curvature times T − t."""
    quantity = name or "scalar"
    require_known("quantity of toric metrics", quantity, QUANTITIES)
    label, values = QUANTITIES[quantity]
    picked, left = picked_times(sol, FRAMES), times_left(sol) if quantity in CURVATURES else None
    states = [sol.states[k] for k in picked]
    found = [values(state, _mesh(state.grid.toric)[0]) for state in states]
    if left is not None:
        label, found = f"$(T - t)$ {label}", [each * left[k] for each, k in zip(found, picked, strict=True)]
    ends = min(float(each.min()) for each in found), max(float(each.max()) for each in found)
    corners = np.concatenate([np.array(state.grid.toric.vertices, dtype=float) for state in states])
    margin = 0.05 * float(np.ptp(corners, axis=0).max())
    low, high = corners.min(axis=0) - margin, corners.max(axis=0) + margin
    for number, (k, state, each) in enumerate(zip(picked, states, found, strict=True)):
        ax.clear()
        mesh = _coloured(ax, state.grid.toric, each, ends)
        _sides(ax, state.grid.toric).set(xlim=(low[0], high[0]), ylim=(low[1], high[1]))
        ax.set_title(f"$t$ = {sol.times[k]:.4g}", loc="left")
        if number == 0:
            colour_bar(ax.figure, mesh, ax, shrink=0.85, label=label)
            ax.figure.canvas.draw()
            cast("Figure", ax.figure).set_layout_engine("none")
        ax.figure.canvas.draw()
        yield


def _state(thing: Any) -> ToricState:
    from geomflow.field.toric import ToricState

    found = thing.last if hasattr(thing, "last") else thing.state() if hasattr(thing, "residual") else thing
    if not isinstance(found, ToricState):
        raise InputError(f"toric surfaces, their metrics and runs of these are drawn over polygons, and {thing!r} was "
                         "given.")
    return found


def _mesh(toric: Toric) -> tuple[np.ndarray, np.ndarray]:
    """Places over the whole polygon, and triangles of their numbers."""
    from geomflow.field.toric.quadrature import alone, fine_points

    points = fine_points(toric.polygon, alone(toric.polygon), PARTS)
    i, j = (grid.ravel() for grid in np.meshgrid(*[np.arange(PARTS + 1)] * 2, indexing="ij"))
    pairs = {(a, b): k for k, (a, b) in enumerate((a, b) for a, b in zip(i, j, strict=True) if a + b <= PARTS)}
    own = [(pairs[a, b], pairs[a + 1, b], pairs[a, b + 1]) for a, b in pairs if a + b < PARTS]
    own += [(pairs[a + 1, b], pairs[a + 1, b + 1], pairs[a, b + 1]) for a, b in pairs if a + b < PARTS - 1]
    count = len(points) // len(pairs)
    return points, np.concatenate([np.array(own) + k * len(pairs) for k in range(count)])


def _sides(ax: Axes, toric: Toric) -> Axes:
    corners = np.array([*toric.vertices, toric.vertices[0]], dtype=float)
    ax.plot(corners[:, 0], corners[:, 1], color=INK, linewidth=1.2)
    ax.set(xlabel="$x_1$", ylabel="$x_2$", aspect="equal")
    ax.grid(False)
    return ax


def _outline(ax: Axes, toric: Toric) -> Axes:
    """The polygon with self-intersections at its sides, and the line along which a cut breaks."""
    corners = np.array(toric.vertices, dtype=float)
    ax.fill(corners[:, 0], corners[:, 1], color=MUTED, alpha=0.15, linewidth=0)
    told = zip(toric.edges, toric.self_intersections, strict=True) if len(corners) <= MOST_TOLD else ()
    for edge, number in told:
        middle = np.array([edge.start, edge.end], dtype=float).mean(axis=0)
        ax.annotate(f"${number}$", middle, ha="center", va="center", fontsize=8,
                    bbox={"boxstyle": "circle,pad=0.15", "facecolor": "white", "edgecolor": "none"})
    cut = toric.stability.cut
    if cut is not None:
        ends = _chord(corners, cut)
        ax.plot(ends[:, 0], ends[:, 1], "--", color=SECOND)
        line = cut.line.replace("*", "").replace("x1", "x_1").replace("x2", "x_2")
        ax.set_title(f"destabilised along ${line} = 0$")
    return _sides(ax, toric)


def _chord(corners: np.ndarray, cut: Cut) -> np.ndarray:
    """Where the line of a cut meets the boundary, (2, 2)."""
    values = corners @ np.array([cut.a, cut.b], dtype=float) + cut.c
    found = []
    for k, value in enumerate(values):
        after = values[(k + 1) % len(values)]
        if (value < 0) != (after < 0):
            share = value / (value - after)
            found.append(corners[k] + share * (corners[(k + 1) % len(corners)] - corners[k]))
    return np.array(found)
