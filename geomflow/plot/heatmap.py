"""One quantity of one state as colours over the torus."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from geomflow.plot.quantities import Quantity, quantity, tex
from geomflow.plot.style import ACCENT, DIVERGING, styled

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from geomflow.field.grid import Grid
    from geomflow.field.state import Field


@styled
def heatmap(state: Field, name: str | None = None, *, limit: float | None = None, ax: Axes | None = None) -> Axes:
    """Draw one quantity of a state over the fundamental cell, in colours centred on its neutral value.

    `name` is "scalar curvature" (of metrics and potentials; the default), "potential", "density", a metric
    component such as "g_xy", or "values" of a scalar field. The neutral value is 0 for curvature and potential
    (whose mean is taken off: a constant is no geometry), 1 for the density and the mean for the others. `limit` is
    the distance from it at which the colours end; the largest on the grid unless given. Of a torus of dimension
    above two a plane through the largest value is drawn, and named in the title; on a circle, a curve.

    Returns the Axes. Raises `UnknownNameError` for a quantity that the state does not have.
    """
    import matplotlib.pyplot as plt

    if ax is None:
        ax = plt.subplots(figsize=(4.6, 3.9))[1]
    chosen = quantity(state, name)
    mesh, where = draw_quantity(ax, state.grid, chosen, limit or symmetric_limit(chosen), largest_place(chosen))
    ax.set_title(chosen.label + where, loc="left")
    if mesh is not None:
        bar = ax.figure.colorbar(mesh, ax=ax, shrink=0.88, pad=0.03)
        bar.outline.set_visible(False)
    return ax


def draw_quantity(ax: Axes, grid: Grid, chosen: Quantity, limit: float, place: tuple[int, ...]):
    """A quantity as colours of the plane through `place`, or on a circle as a curve, over centre ± limit.

    Returns the mesh, None for a curve, and a phrase that says which plane was drawn.
    """
    if grid.torus.real_dim == 1:
        _draw_curve(ax, grid, chosen)
        ax.set_ylim(chosen.centre - 1.05 * limit, chosen.centre + 1.05 * limit)
        return None, ""
    plane, where = plane_through(chosen.values, grid, place)
    return draw_plane(ax, grid, plane, chosen, limit), where


def symmetric_limit(chosen: Quantity) -> float:
    """The largest distance of a quantity from its neutral value; 1 where it is constant to rounding."""
    distance = float(np.max(np.abs(chosen.values - chosen.centre)))
    return distance if distance > 1e-12 * max(1.0, abs(chosen.centre)) else 1.0


def largest_place(chosen: Quantity) -> tuple[int, ...]:
    """The grid index where a quantity is farthest from its neutral value."""
    distance = np.abs(chosen.values - chosen.centre)
    return tuple(int(i) for i in np.unravel_index(int(np.argmax(distance)), distance.shape))


def plane_through(values: np.ndarray, grid: Grid, place: tuple[int, ...]) -> tuple[np.ndarray, str]:
    """The values on the plane of the first two axes through `place`, and a phrase that says which plane that is."""
    if values.ndim == 2:
        return values, ""
    names = grid.torus.coordinates[2:]
    fixed = [f"{tex(name)} = {place[a] * grid.spacing[a]:.3g}" for a, name in enumerate(names, start=2)]
    return values[(slice(None), slice(None), *place[2:])], f" at ${', '.join(fixed)}$"


def draw_plane(ax: Axes, grid: Grid, plane: np.ndarray, chosen: Quantity, limit: float):
    """Colours of a periodic array over the cell, closed up at its far edges; returns the mesh."""
    x, y = _corners(grid, plane.shape)
    mesh = ax.pcolormesh(
        x,
        y,
        np.pad(plane, ((0, 1), (0, 1)), mode="wrap"),
        shading="gouraud",
        cmap=DIVERGING,
        vmin=chosen.centre - limit,
        vmax=chosen.centre + limit,
        rasterized=True,
    )
    across, up = (tex(name) for name in grid.torus.coordinates[:2])
    ax.set(xlabel=f"${across}$", ylabel=f"${up}$", xlim=(x.min(), x.max()), ylim=(y.min(), y.max()), aspect="equal")
    ax.grid(False)
    return mesh


def _corners(grid: Grid, shape: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Cartesian coordinates of the points of the first two axes, the far edges included."""
    s = [np.arange(count + 1) * h for count, h in zip(shape, grid.spacing)]
    first, second = np.meshgrid(*s, indexing="ij")
    e = grid.torus.directions[:2, :2]
    return first * e[0, 0] + second * e[1, 0], first * e[0, 1] + second * e[1, 1]


def _draw_curve(ax: Axes, grid: Grid, chosen: Quantity) -> None:
    """A quantity on a circle, as a curve."""
    points = np.arange(grid.shape[0] + 1) * grid.spacing[0]
    ax.plot(points, np.append(chosen.values, chosen.values[0]), color=ACCENT)
    ax.set(xlabel=f"${tex(grid.torus.coordinates[0])}$", xlim=(0, points[-1]))
