"""One quantity of one state as colours over the torus."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from geomflow.plot.quantities import Quantity, Scale, drawable, quantity, scale_of, scientific, tex
from geomflow.plot.style import ACCENT, INK, MISSING, axes_or_new, colour_bar, colour_map, styled

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.collections import QuadMesh
    from matplotlib.colorbar import Colorbar

    from geomflow.field.grid import Grid
    from geomflow.field.state import Field


@styled
def heatmap(state: Field, name: str | None = None, *, limit: float | None = None, ax: Axes | None = None) -> Axes:
    """Draw one quantity of a state over the fundamental cell, in colours centred on its neutral value.

    `name` is "scalar curvature" (of metrics and potentials; the default), "potential", "density", a metric
    component such as "g_xy", or "values" of a scalar field; of several fields "f" or "scalar curvature of g", see
    `quantity_names`. The neutral value is 0 for curvature and potential
    (whose mean is taken off: a constant is no geometry) and 1 for the density. For the others it is 0 where the values
    have both signs or come near it, and else the mean. The bar goes from the least value to the largest. `limit` is
    the distance from the neutral value at which the colours end, which the bar shows by arrows; the largest on the grid
    unless given.
    Where a quantity is not finite it is left grey, and counted. Where more than two axes have points, a plane through
    the largest value is drawn, and named in the title; where one has, a curve.

    Returns the Axes. Raises `UnknownNameError` for a quantity that the state does not have.

    Parameters
    ----------
    state : Field
        A field on a grid, or the state of a network that is one.
    name : str, optional
        The quantity.
    limit : float, optional
        How far from the neutral value colours go.
    ax : Axes, optional
        Where to draw; a new figure's unless given.
    """
    ax = axes_or_new(ax, (4.6, 3.9))
    chosen = quantity(state, name)
    scale = scale_of([chosen], limit)
    mesh, where = draw_quantity(ax, drawable(state).grid, chosen, scale, largest_place(chosen, scale))
    ax.set_title(chosen.label + where, loc="left")
    if mesh is not None:
        scale_bar(ax.figure, mesh, ax, scale, shrink=0.88, pad=0.03)
    return ax


def scale_bar(figure: Any, mesh: Any, axes: Any, scale: Scale, **options: Any) -> Colorbar:
    """A bar with the numbers of a scale, or of scales that differ from panel to panel with signs."""
    bar = colour_bar(figure, mesh, axes, extend="both" if scale.cut else "neither", **options)
    if scale.own:
        low, high = scale.ends
        bar.set_ticks([low, scale.centre, high], labels=["$-$", "$0$" if scale.centre == 0 else "middle", "$+$"])
    else:
        bar.ax.set_ylim(scale.reached)
    return bar


def draw_quantity(
    ax: Axes, grid: Grid, chosen: Quantity, scale: Scale, place: tuple[int, ...]
) -> tuple[QuadMesh | None, str]:
    """A quantity as colours of the plane through `place`, or on a circle as a curve, over the scale.

    Returns the mesh, None for a curve, and a phrase that says which plane was drawn.
    """
    if len(drawn_axes(grid)) == 1:
        _draw_curve(ax, grid, chosen)
        low, high = scale.reached
        ax.set_ylim(low - scale.limit / 20, high + scale.limit / 20)
        _note(ax, chosen, chosen.values)
        return None, ""
    plane, origin, where = plane_through(chosen.values, grid, place)
    _note(ax, chosen, plane)
    return draw_plane(ax, grid, plane, origin, scale), where


def drawn_axes(grid: Grid) -> tuple[int, ...]:
    """The axes that a picture is over: the first two of more than one point, or the only one."""
    return grid.resolved[:2]


def largest_place(chosen: Quantity, scale: Scale) -> tuple[int, ...]:
    """The grid index where a quantity is finite and farthest from its neutral value."""
    distance = np.where(np.isfinite(chosen.values), np.abs(chosen.values - scale.centre), -1.0)
    return tuple(int(i) for i in np.unravel_index(int(np.argmax(distance)), distance.shape))


def plane_through(values: np.ndarray, grid: Grid, place: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray, str]:
    """The values on the plane of the drawn lattice vectors through `place`, its origin, and which plane it is."""
    axes, dim = drawn_axes(grid), grid.dim
    plane = values[tuple(slice(None) if axis in axes else place[axis] for axis in range(dim))]
    if len(grid.resolved) == 2:
        return plane, np.zeros(2), ""
    along = np.array([0 if axis in axes else place[axis] * grid.spacing[axis] for axis in range(dim)])
    origin = along @ grid.torus.directions
    named = [(name, j) for j, name in enumerate(grid.torus.coordinates) if j not in axes and name not in grid.ignorable]
    fixed = ", ".join(f"{tex(name)} = {origin[j] + 0:.3g}" for name, j in named)
    where = f" at ${fixed}$"
    if np.any(grid.torus.directions[np.ix_(axes, [j for _, j in named])]):
        where = f" over lattice vectors {axes[0] + 1} and {axes[1] + 1}, from ${fixed}$"
    return plane, origin[list(axes)], where


def draw_plane(ax: Axes, grid: Grid, plane: np.ndarray, origin: np.ndarray, scale: Scale) -> QuadMesh:
    """Colours of a periodic array over the cell, closed up at its far edges; returns the mesh."""
    x, y = _corners(grid, plane.shape)
    closed = np.pad(plane, ((0, 1), (0, 1)), mode="wrap")
    mesh = colour_map(ax, x + origin[0], y + origin[1], closed, scale.ends)
    across, up = (tex(grid.torus.coordinates[axis]) for axis in drawn_axes(grid))
    ax.set(xlabel=f"${across}$", ylabel=f"${up}$")
    ax.set(xlim=origin[0] + np.array([x.min(), x.max()]), ylim=origin[1] + np.array([y.min(), y.max()]))
    return mesh


def _note(ax: Axes, chosen: Quantity, values: np.ndarray) -> None:
    """In words that a panel holds a constant, or, on a grey ground, how many values have no place on the scale."""
    missing = int(np.count_nonzero(~np.isfinite(values)))
    note = ""
    if missing:
        ax.set_facecolor(MISSING)
        note = f"not finite at {missing} of {values.size} points"
    elif chosen.constant:
        spread = float(np.ptp(chosen.finite))
        note = constancy(spread)
    if note:
        ax.text(0.5, 0.5, note, transform=ax.transAxes, ha="center", va="center", color=INK, fontsize=8.5, wrap=True)


def constancy(spread: float) -> str:
    """In words that something is constant, to how much."""
    return f"constant to ${scientific(spread, 1)}$" if spread > 0 else "constant"


def _corners(grid: Grid, shape: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Cartesian coordinates of the points of the drawn axes from their origin, the far edges included."""
    axes = drawn_axes(grid)
    s = [np.arange(count + 1) * grid.spacing[axis] for count, axis in zip(shape, axes)]
    first, second = np.meshgrid(*s, indexing="ij")
    e = grid.torus.directions[np.ix_(axes, axes)]
    return first * e[0, 0] + second * e[1, 0], first * e[0, 1] + second * e[1, 1]


def _draw_curve(ax: Axes, grid: Grid, chosen: Quantity) -> None:
    """A quantity on a circle, as a curve."""
    (axis,), values = drawn_axes(grid), chosen.values.ravel()
    points = np.arange(grid.shape[axis] + 1) * grid.spacing[axis]
    ax.plot(points, np.append(values, values[0]), color=ACCENT)
    ax.set(xlabel=f"${tex(grid.torus.coordinates[axis])}$", xlim=(0, points[-1]))
