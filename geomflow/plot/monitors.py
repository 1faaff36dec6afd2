"""The monitors of a run against time."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from geomflow.core.errors import InputError, UnknownNameError
from geomflow.plot.style import CYCLE, MUTED, styled

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from geomflow.flow import Solution


LARGEST = 1e150
"""Values beyond this are not drawn: the limits of an axis around them would overflow."""


@styled
def monitors(sol: Solution, names: Sequence[str] | None = None) -> np.ndarray:
    """Draw the monitors of a run against time; the outcome is written above them.

    `names` chooses monitors and their order. Each has a panel; the least and the largest value of one quantity,
    "…_min" and "…_max", share theirs. A panel whose values are positive and span more than a factor of fifty has
    a logarithmic axis; one that never moves is drawn with room around it, so that rounding does not look like
    structure. Returns the array of Axes, one for each panel.
    Raises `UnknownNameError` for a name that was not watched, and `InputError` for what is no solution.
    """
    import matplotlib.pyplot as plt

    if not hasattr(sol, "monitors"):
        raise InputError(f"monitors are those of a run, solve(...), and {sol!r} was given.")
    watched = list(sol.monitors)
    for name in names or ():
        if name not in watched:
            raise UnknownNameError.among("monitor", name, watched)
    panels = group(watched if names is None else names)
    columns = min(len(panels), min((3, 4), key=lambda count: -len(panels) % count))
    rows = -(-len(panels) // columns)
    figure, grid = plt.subplots(rows, columns, figsize=(3.5 * columns, 2.4 * rows + 0.3), squeeze=False, sharex=True)
    axes = grid.reshape(-1)
    for position, (ax, members) in enumerate(zip(axes, panels.items())):
        _draw_panel(ax, sol, *members, CYCLE[position % len(CYCLE)])
        if position + columns >= len(panels):
            ax.set_xlabel("time $t$")
            ax.tick_params(labelbottom=True)
    for ax in axes[len(panels) :]:
        ax.set_visible(False)
    figure.suptitle(str(sol.outcome), color=MUTED, fontsize=9.5, wrap=True)
    return axes[: len(panels)]


def group(names: Iterable[str]) -> dict[str, list[str]]:
    """Titles of panels and the monitors in each.

    >>> group(["energy", "v_min", "v_max", "total_curvature"])
    {'energy': ['energy'], 'v': ['v_min', 'v_max'], 'total curvature': ['total_curvature']}
    """
    panels: dict[str, list[str]] = {}
    for name in names:
        title = name.removesuffix("_min").removesuffix("_max").replace("_", " ")
        panels.setdefault(title, []).append(name)
    return panels


def _draw_panel(ax: Axes, sol: Solution, title: str, names: Sequence[str], color: str) -> None:
    """One panel: one curve, or the two that bound a quantity with the room between them shaded."""
    curves = [_drawable(np.asarray(sol[name], dtype=float)) for name in names]
    for curve in curves:
        ax.plot(sol.monitor_times, curve, color=color)
    if len(curves) == 2:
        ax.fill_between(sol.monitor_times, *curves, color=color, alpha=0.15, linewidth=0)
        title += ", least and largest"
    ax.set_title(title, loc="left")
    ax.margins(x=0.02)
    _scale(ax, np.concatenate(curves))


def _drawable(values: np.ndarray) -> np.ndarray:
    """The values, without those that are too large for an axis: of a run that diverged, its end."""
    return np.where(np.abs(values) < LARGEST, values, np.nan)


def _scale(ax: Axes, values: np.ndarray) -> None:
    """A logarithmic axis for decay, room around what is constant; numbers are written out, without an offset."""
    finite = values[np.isfinite(values)]
    if not finite.size:
        return
    low, high = float(finite.min()), float(finite.max())
    if low > 0 and high > 50 * low:
        ax.set_yscale("log")
        return
    ax.ticklabel_format(axis="y", useOffset=False)
    if high - low <= 1e-6 * max(abs(low), abs(high), 1e-6):
        _widen(ax, low, high)


def _widen(ax: Axes, low: float, high: float) -> None:
    """Room around a value that is conserved to rounding."""
    size = max(abs(low), abs(high))
    middle, room = (low + high) / 2, size if size > 1e-6 else 1.0
    ax.set_ylim(middle - 0.1 * room, middle + 0.1 * room)
    note = f"constant to {high - low:.0e}" if high > low else "constant"
    ax.text(0.98, 0.92, note, transform=ax.transAxes, ha="right", va="top", color=MUTED, fontsize=9)
