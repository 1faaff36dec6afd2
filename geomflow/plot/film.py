"""A run as a moving picture."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from geomflow.core.errors import InputError
from geomflow.core.files import replacing
from geomflow.plot.heatmap import draw_quantity, largest_place
from geomflow.plot.quantities import drawable, quantity
from geomflow.plot.scale import scale_of
from geomflow.plot.style import DIVERGING, INK, styled

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from geomflow.flow import Solution


@styled
def film(sol: Solution, path: str | Path, name: str | None = None, *, frames_per_second: int = 12) -> Axes:
    """Write one frame a saved time to `path`, a .gif, or an .mp4 where ffmpeg is installed.

    `name` is a quantity as in `heatmap`. One colour scale, that of the finite values of all states, holds for every
    frame; above dimension two the plane is that of the first. A state that is singular is marked in its own frame.
    Returns the Axes of the last frame.
    Raises `InputError` for another suffix and where .mp4 is asked for without ffmpeg.
    """
    import matplotlib.pyplot as plt

    path = Path(path)
    write = _writer(path)
    figure, ax = plt.subplots(figsize=(4.6, 4.1), dpi=110)
    with replacing(path) as partial:
        write(figure, _frames(ax, sol, name), partial, frames_per_second)
    return ax


def _frames(ax: Axes, sol: Solution, name: str | None) -> Iterator[None]:
    """Draw one state after another; the layout is that of the first."""
    scale = scale_of(quantity(state, name) for state in sol.states)
    place = largest_place(quantity(sol.states[0], name), scale)
    laid_out = False
    for t, state in zip(sol.times, sol.states):
        ax.clear()
        item = quantity(state, name)
        mesh, where = draw_quantity(ax, drawable(state).grid, item, scale, place)
        ax.set_title(f"{item.label}{where},  $t$ = {t:.3e}", loc="left")
        if not laid_out:
            if mesh is not None:
                ax.figure.colorbar(mesh, ax=ax, shrink=0.85, pad=0.03)
            laid_out = True
            ax.figure.canvas.draw()
            ax.figure.set_layout_engine("none")
        ax.figure.canvas.draw()
        yield


def _writer(path: Path) -> Callable[[Figure, Iterator[None], Path, int], None]:
    """What writes a film with this suffix."""
    from matplotlib.animation import FFMpegWriter

    if path.suffix == ".gif":
        return _write_gif
    if path.suffix != ".mp4":
        raise InputError(f"a film is written as .gif or .mp4, and '{path.name}' is neither")
    if not FFMpegWriter.isAvailable():
        raise InputError(f"'{path.name}' needs ffmpeg, which is not installed; write a .gif instead")
    return _write_mp4


def _write_gif(figure: Figure, frames: Iterator[None], path: Path, frames_per_second: int) -> None:
    """All frames in one palette of 256 colours, so that colours do not flicker."""
    from PIL import Image

    images = [Image.fromarray(np.asarray(figure.canvas.buffer_rgba())).convert("RGB") for _ in frames]
    palette = Image.new("P", (1, 1))
    palette.putpalette(_palette())
    first, *rest = [image.quantize(palette=palette, dither=Image.Dither.NONE) for image in images]
    first.save(path, save_all=True, append_images=rest, duration=1000 // frames_per_second, loop=0)


def _palette() -> bytes:
    """200 colours of the diverging map and 56 shades from the ink of text to white, as bytes."""
    import matplotlib as mpl
    from matplotlib.colors import to_rgb

    colours = mpl.colormaps[DIVERGING](np.linspace(0, 1, 200))[:, :3]
    ink = np.array(to_rgb(INK))
    shades = ink + np.linspace(0, 1, 56)[:, None] * (1 - ink)
    return (255 * np.concatenate([colours, shades])).round().astype(np.uint8).tobytes()


def _write_mp4(figure: Figure, frames: Iterator[None], path: Path, frames_per_second: int) -> None:
    """Hand the frames to ffmpeg."""
    from matplotlib.animation import FFMpegWriter

    writer = FFMpegWriter(fps=frames_per_second)
    with writer.saving(figure, str(path), dpi=figure.dpi):
        for _ in frames:
            writer.grab_frame()
