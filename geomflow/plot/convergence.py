"""Errors against resolution, with the slope that theory predicts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from geomflow.core.errors import ShapeError
from geomflow.plot.style import MUTED, styled

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def fitted_order(ns: Sequence[float], errors: Sequence[float]) -> float:
    """The order p of errors ≈ C n^{−p}: minus the least-squares slope in logarithms.

    >>> round(fitted_order([10, 20, 40], [1e-2, 2.5e-3, 6.25e-4]), 12)
    2.0
    """
    return -float(np.polyfit(np.log(ns), np.log(errors), 1)[0])


@styled
def convergence(
    ns: Sequence[float],
    errors: Sequence[float] | Mapping[str, Sequence[float]],
    order: float | Mapping[str, float] | None = None,
    *,
    xlabel: str = "points along an axis",
    ylabel: str = "largest error",
    ax: Axes | None = None,
) -> Axes:
    """Draw errors against resolution, doubly logarithmic, and the expected slopes as dashed lines.

    `errors` is one sequence as long as `ns`, or several by name; `order` the expected order of each.
    The legend states the order fitted to each. Returns the Axes.
    Raises `ShapeError` where a sequence is not as long as `ns`.
    """
    import matplotlib.pyplot as plt

    series = errors if isinstance(errors, Mapping) else {"error": errors}
    expected = order if isinstance(order, Mapping) else dict.fromkeys(series, order)
    if ax is None:
        ax = plt.subplots(figsize=(6.4, 3.7))[1]
    for name, values in series.items():
        if len(values) != len(ns):
            raise ShapeError(f"{len(values)} errors of '{name}' were given for {len(ns)} resolutions; give as many.")
        (line,) = ax.loglog(ns, values, "o", label=f"{name}: measured {fitted_order(ns, values):.2f}")
        _draw_slope(ax, ns, values, expected.get(name), line.get_color())
    ax.set(xlabel=xlabel, ylabel=ylabel)
    ax.set_xticks(list(ns), [f"{n:g}" for n in ns])
    ax.minorticks_off()
    ax.legend(loc="center left", bbox_to_anchor=(1.0, 0.5))
    return ax


def _draw_slope(ax: Axes, ns: Sequence[float], values: Sequence[float], order: float | None, color: str) -> None:
    """A dashed line of the expected order through the last error."""
    if order is None:
        return
    points = np.asarray(ns, dtype=float)
    line = values[-1] * (points / points[-1]) ** -order
    ax.loglog(points, line, "--", color=color, linewidth=1.0, alpha=0.7)
    ax.annotate(
        f"$n^{{-{order:g}}}$", (points[0], line[0]), xytext=(4, 4), textcoords="offset points", color=MUTED, fontsize=9
    )
