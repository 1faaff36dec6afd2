"""A run as a moving picture."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from geomflow.core.errors import InputError
from geomflow.plot.heatmap import draw_plane, largest_place, plane_through, symmetric_limit
from geomflow.plot.quantities import quantity
from geomflow.plot.style import styled

if TYPE_CHECKING:
    from matplotlib.animation import AbstractMovieWriter
    from matplotlib.axes import Axes

    from geomflow.flow import Solution


@styled
def film(sol: Solution, path: str | Path, name: str | None = None, *, frames_per_second: int = 12) -> Axes:
    """Write one frame a saved time to `path`, a .gif, or an .mp4 where ffmpeg is installed.

    `name` is a quantity as in `heatmap`; colours and, above dimension two, the plane are those of the first state
    throughout. Returns the Axes of the last frame.
    Raises `InputError` for another suffix and where .mp4 is asked for without ffmpeg.
    """
    import matplotlib.pyplot as plt

    path = Path(path)
    writer = _writer(path, frames_per_second)
    figure, ax = plt.subplots(figsize=(4.6, 4.1))
    first = quantity(sol.states[0], name)
    place, limit = largest_place(first), symmetric_limit(first)
    bar = None
    with writer.saving(figure, str(path), dpi=110):
        for t, state in zip(sol.times, sol.states):
            ax.clear()
            item = quantity(state, name)
            plane, where = plane_through(item.values, state.grid, place)
            mesh = draw_plane(ax, state.grid, plane, item, limit)
            ax.set_title(f"{item.label}{where},  $t$ = {t:.3e}", loc="left")
            bar = bar or figure.colorbar(mesh, ax=ax, shrink=0.85, pad=0.03)
            writer.grab_frame()
    return ax


def _writer(path: Path, frames_per_second: int) -> AbstractMovieWriter:
    """The writer for a film's suffix."""
    from matplotlib import animation

    if path.suffix == ".gif":
        return animation.PillowWriter(fps=frames_per_second)
    if path.suffix != ".mp4":
        raise InputError(f"a film is written as .gif or .mp4, and '{path.name}' is neither")
    if not animation.FFMpegWriter.isAvailable():
        raise InputError(f"'{path.name}' needs ffmpeg, which is not installed; write a .gif instead")
    return animation.FFMpegWriter(fps=frames_per_second)
