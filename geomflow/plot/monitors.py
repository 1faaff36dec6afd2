"""The monitors of a run against time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from geomflow.plot.style import ACCENT, CYCLE, MUTED, styled

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from geomflow.flow import Solution


@styled
def monitors(sol: Solution, names: Sequence[str] | None = None) -> np.ndarray:
    """Draw every monitor of a run against time, one panel each; the outcome is written above them.

    `names` chooses monitors and their order. A monitor that stays positive and spans more than a factor of
    fifty is drawn on a logarithmic axis; one that never moves is drawn with room around it, not as noise.
    Returns the array of Axes, one for each monitor. Raises `UnknownNameError` for a name that was not watched.
    """
    import matplotlib.pyplot as plt

    chosen = list(sol.monitors) if names is None else list(names)
    columns = min(3, len(chosen))
    rows = -(-len(chosen) // columns)
    figure, grid = plt.subplots(rows, columns, figsize=(3.5 * columns, 2.5 * rows), squeeze=False, sharex=True)
    axes = grid.reshape(-1)
    for position, (ax, name) in enumerate(zip(axes, chosen)):
        _draw_monitor(ax, sol.monitor_times, np.asarray(sol[name]), name, CYCLE[position % len(CYCLE)])
    for position, ax in enumerate(axes):
        ax.set_visible(position < len(chosen))
        if position + columns >= len(chosen):
            ax.set_xlabel("time $t$")
            ax.tick_params(labelbottom=True)
    figure.suptitle(str(sol.outcome), color=MUTED, fontsize=9.5)
    return axes[: len(chosen)]


def _draw_monitor(ax: Axes, times: np.ndarray, values: np.ndarray, name: str, color: str = ACCENT) -> None:
    """One monitor in one panel."""
    ax.plot(times, values, color=color)
    ax.set_title(name, loc="left")
    ax.margins(x=0.02)
    finite = values[np.isfinite(values)]
    if not finite.size:
        return
    low, high = float(finite.min()), float(finite.max())
    if low > 0 and high > 50 * low:
        ax.set_yscale("log")
    elif high - low <= 1e-9 * max(abs(low), abs(high), 1e-3):
        _widen(ax, low, high)


def _widen(ax: Any, low: float, high: float) -> None:
    """Room around a value that is conserved to rounding, so that rounding is not drawn as structure."""
    size = max(abs(low), abs(high))
    middle, room = (low + high) / 2, size if size > 1e-6 else 1.0
    ax.set_ylim(middle - 0.1 * room, middle + 0.1 * room)
    ax.ticklabel_format(axis="y", useOffset=False)
    note = f"constant to {high - low:.0e}"
    ax.text(0.98, 0.9, note, transform=ax.transAxes, ha="right", va="top", color=MUTED, fontsize=9)
