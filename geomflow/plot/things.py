"""What a notebook shows of a thing beside its table, small and without axes; and what `thing.plot()` draws."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from geomflow.core.errors import GeomflowError, InputError
from geomflow.plot.files import png
from geomflow.plot.heatmap import draw_quantity, largest_place
from geomflow.plot.outlines import outline
from geomflow.plot.polygons import draw_over_polygon
from geomflow.plot.profiles import profile
from geomflow.plot.quantities import Quantity, drawable, quantity, quantity_names, scales_of
from geomflow.plot.revolution import draw_revolution, has_outline, is_reduced, span, steep_note
from geomflow.plot.runs import LARGEST, monitors, snapshots
from geomflow.plot.style import styled

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST_POINTS = 4000
LINE = "#2f8fb0"
"""A blue that is seen on light ground and on dark."""
_SIDE = 1.5


def plot(thing: Any, *names: str) -> np.ndarray:
    """Draw a solution: its monitors against time, its states where it has none. Returns the array of Axes.

    Unknowns of metrics with symmetry are drawn as `profile` does.

    Parameters
    ----------
    thing : Solution
        A run.
    *names : str
        Monitors in their order, or quantities of states; all unless given.
    """
    if len(names) == 1 and is_reduced(thing) and names[0] in thing.last.unknowns:
        return profile(thing, *names)
    if not thing.monitors:
        return snapshots(thing, names or None)
    return monitors(thing, names or None)


@styled
def thumbnail(thing: Any) -> tuple[bytes, str] | None:
    """A small PNG of a thing and its caption; None where there is nothing to see, or what is there cannot be drawn."""
    draw = next((_DRAWN[kind.__name__] for kind in type(thing).__mro__ if kind.__name__ in _DRAWN), None)
    if draw is None:
        return None
    try:
        with np.errstate(all="ignore"):
            found = draw(thing)
    except (GeomflowError, ArithmeticError, np.linalg.LinAlgError):  # a table without a picture is better than none
        return None
    if found is None:
        return None
    figure, caption = found
    return png(figure, 110, transparent=True), caption


def quick_quantity(state: Any) -> tuple[Quantity, str]:
    """What of a state is at hand without further computation, and its name in words."""
    field = drawable(state)
    if type(field).__name__ == "PotentialField":
        return quantity(field, "potential"), "potential"
    if type(field).__name__ == "ScalarField":
        return quantity(field, "values"), "values"
    if type(field).__name__ not in ("MetricField", "HermitianField"):
        name = next(name for name in quantity_names(field) if not name.startswith("scalar curvature"))
        return quantity(field, name), name
    return Quantity(np.linalg.det(np.asarray(field.values)).real, "det g", centre=None), "det g"


def _tiles(states: list[Any], caption: str) -> tuple[Figure, str]:
    """States side by side, in one scale where that shows something in each."""
    from matplotlib.figure import Figure

    shown = [quick_quantity(state) for state in states]
    items = [item for item, _ in shown]
    scales = scales_of(items)
    place = largest_place(items[0], scales[0])
    figure = Figure(figsize=(_SIDE * len(states), _SIDE))
    axes = figure.subplots(1, len(states), squeeze=False)[0]
    for ax, state, item, scale in zip(axes, states, items, scales, strict=True):
        mesh, _ = draw_quantity(ax, drawable(state).grid, item, scale, place)
        for line in ax.lines if mesh is None else ():
            line.set_color(LINE)
        ax.set_axis_off()
    return figure, caption.format(shown[0][1]) + (", each in its own scale" if scale.own else "")


def _state(state: Any) -> tuple[Figure, str]:
    return _tiles([state], "{}")


def _reduced(state: Any) -> tuple[Figure, str] | None:
    """A surface of revolution, or what the first unknown does along its coordinate."""
    if has_outline(state.grid.ansatz):
        return _surfaces([state], "surface of revolution")
    if len(state.grid.shape) != 1:
        return None
    name, places = state.unknowns[0], state.places_of(state.grid.places)
    return _curve(places, state.at(name, places), f"{name} against {state.grid.coordinates[0]}")


def _surfaces(states: list[Any], caption: str) -> tuple[Figure, str]:
    """Surfaces of revolution side by side, each in its own scale."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(_SIDE * len(states), _SIDE))
    outlines = [outline(state) for state in states]
    for ax, shape in zip(figure.subplots(1, len(states), squeeze=False)[0], outlines, strict=True):
        draw_revolution(ax, shape, 0.0)
        low, high = span([shape])
        half = max(1.05 * float(shape.radius.max()), (high - low) / 2)
        ax.set(xlim=(-half, half), ylim=((low + high) / 2 - half, (low + high) / 2 + half), aspect="equal")
        ax.set_axis_off()
    return figure, caption + (", without what is too steep" if steep_note(outlines) else "")


def _reduced_run(sol: Any) -> tuple[Figure, str] | None:
    """First and last surface, or the unknowns of homogeneous metrics against time."""
    from matplotlib.figure import Figure

    if has_outline(sol.last.grid.ansatz):
        return _surfaces([sol.states[0], sol.last], "surface of revolution, first and last, each in its own scale")
    if sol.last.grid.shape:
        return _monitor(sol)
    figure = Figure(figsize=(1.6 * _SIDE, _SIDE))
    ax = figure.subplots()
    for name in sol.last.unknowns:
        ax.plot(sol.times, [state[name] for state in sol.states])
    ax.set_axis_off()
    return figure, f"{', '.join(sol.last.unknowns)} against time"


def _toric(state: Any) -> tuple[Figure, str]:
    """The scalar curvature over the moment polygon."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(_SIDE, _SIDE))
    ax = figure.subplots()
    draw_over_polygon(ax, state, "scalar")
    ax.set_axis_off()
    return figure, "scalar curvature over the moment polygon"


def _solution(sol: Any) -> tuple[Figure, str] | None:
    if is_reduced(sol):
        return _reduced_run(sol)
    try:
        return _tiles([sol.states[0], sol.last], "{}, first and last")
    except InputError:  # states that are no fields
        return _monitor(sol)


def _monitor(sol: Any) -> tuple[Figure, str] | None:
    """The energy, or the first monitor, against time."""
    if not sol.monitors:
        return None
    name = "energy" if "energy" in sol.monitors else next(iter(sol.monitors))
    return _curve(np.asarray(sol.monitor_times, float), np.asarray(sol[name], float), f"{name} against time")


def _report(report: Any) -> tuple[Figure, str] | None:
    x, y = report.curve
    across, up = report.columns[:2]
    return _curve(x, y, f"{up} against {across}") if len(x) > 1 else None


def _metric(metric: Any) -> tuple[Figure, str] | None:
    report = getattr(metric, "report", None)
    return None if report is None else _report(report)


def _curve(x: np.ndarray, y: np.ndarray, caption: str) -> tuple[Figure, str]:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(1.6 * _SIDE, _SIDE))
    ax = figure.subplots()
    ax.plot(x, np.where(np.abs(y) < LARGEST, y, np.nan), color=LINE)
    finite = y[np.isfinite(y)]
    if finite.size and finite.min() > 0 and finite.max() > 50 * finite.min():
        ax.set_yscale("log")
        caption += ", logarithmic"
    ax.set_axis_off()
    return figure, caption


def _points(points: Any) -> tuple[Figure, str] | None:
    """The first local coordinate of points in the complex plane."""
    from matplotlib.figure import Figure

    if not len(points):
        return None
    some = points[:MOST_POINTS]
    z = some.coordinates[np.arange(len(some)), some.good[:, 0]]
    figure = Figure(figsize=(_SIDE, _SIDE))
    ax = figure.subplots()
    ax.scatter(z.real, z.imag, s=1, color=LINE, edgecolors="none")
    ax.set_aspect("equal")
    ax.set_axis_off()
    return figure, "first local coordinate, complex plane"


_DRAWN: dict[str, Callable[[Any], tuple[Figure, str] | None]] = {
    "Solution": _solution,
    "Field": _state,
    "ModelState": _state,
    "ReducedState": _reduced,
    "ToricState": _toric,
    "ToricMetric": lambda metric: _toric(metric.state()),
    "Points": _points,
    "HermitianMetric": _metric,
    "FitReport": _report,
}
