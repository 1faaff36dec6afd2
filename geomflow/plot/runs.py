"""Pictures of runs: their monitors against time, their states side by side, and as a film."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from geomflow.core.errors import InputError, require_known
from geomflow.core.files import replacing
from geomflow.plot.fibres import on_span
from geomflow.plot.files import FILMS, require_ending
from geomflow.plot.heatmap import constancy, draw_quantity, drawn_axes, largest_place, scale_bar
from geomflow.plot.moments import telling_times
from geomflow.plot.polygons import is_toric, polygon_frames
from geomflow.plot.profiles import profile_frames
from geomflow.plot.quantities import Quantity, Scale, drawable, quantity, quantity_names, scales_of, scientific
from geomflow.plot.revolution import embedding_frames, is_reduced, shaded
from geomflow.plot.style import CYCLE, INK, MUTED, diverging, styled

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from geomflow.flow import Solution

END = {"_min": "least", "_max": "largest"}
"""What the names of monitors end in, in words."""
LARGEST = 1e150
"""Values beyond this are not drawn: the limits of an axis around them would overflow."""


@styled
def monitors(sol: Solution[Any], names: Sequence[str] | None = None) -> np.ndarray:
    """Draw the monitors of a run against time; the outcome is written above them.

    `names` chooses monitors and their order. Each has a panel; the least and the largest value of one quantity,
    "…_min" and "…_max", share theirs. A panel whose values are positive and span more than a factor of fifty has
    a logarithmic axis; one that never moves is drawn with room around it, so that rounding does not look like
    structure. Pieces that the run has gone on as are drawn too. Returns the array of Axes, one for each panel.
    Raises `UnknownNameError` for a name that was not watched, and `InputError` for what is no solution.

    Parameters
    ----------
    sol : Solution
        A run.
    names : sequence of str, optional
        Monitors in their order; all unless given.
    """
    import matplotlib.pyplot as plt

    if not hasattr(sol, "monitors"):
        raise InputError(f"monitors are those of a run, solve(...), and {sol!r} was given.")
    watched = list(sol.monitors)
    for name in names or ():
        require_known("monitor", name, watched)
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
        title = name.removesuffix("_min").removesuffix("_max").replace("_", " ").replace("ricci", "Ricci")
        panels.setdefault(title, []).append(name)
    return panels


def _draw_panel(ax: Axes, sol: Solution[Any], title: str, names: Sequence[str], color: str) -> None:
    """One panel: one curve, or the two that bound a quantity with the room between them shaded; of pieces too."""
    drawn: list[np.ndarray] = []
    for run in getattr(sol, "runs", {(): sol}).values():
        curves = [_drawable(np.asarray(run[name], dtype=float)) for name in names if name in run.monitors]
        for curve in curves:
            ax.plot(run.monitor_times, curve, color=color)
        if len(curves) == 2:
            ax.fill_between(run.monitor_times, curves[0], curves[1], color=color, alpha=0.15, linewidth=0)
        drawn += curves
    ends = [END[name[-4:]] for name in names if name[-4:] in END]
    title += ", " + " and ".join(ends) if ends else ""
    ax.set_title(title, loc="left")
    ax.margins(x=0.02)
    _scale(ax, np.concatenate(drawn))


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
    ax.yaxis.set_offset_position("right")  # the power of ten, which would push the title up
    if high - low <= 1e-6 * max(abs(low), abs(high), 1e-6):
        _widen(ax, low, high)


def _widen(ax: Axes, low: float, high: float) -> None:
    """Room around a value that is conserved to rounding."""
    size = max(abs(low), abs(high))
    middle, room = (low + high) / 2, size if size > 1e-6 else 1.0
    ax.set_ylim(middle - 0.1 * room, middle + 0.1 * room)
    ax.text(0.98, 0.92, constancy(high - low), transform=ax.transAxes, ha="right", va="top", color=MUTED, fontsize=9)


@styled
def snapshots(sol: Solution[Any], names: Sequence[str] | None = None, *, count: int = 4) -> np.ndarray:
    """Draw quantities of a run at `count` of its saved times: one row a quantity, in one colour scale where that shows
    something in each panel.

    The first and the last are among them, and between any two the state moves about equally far. `names` are
    quantities as in `heatmap`; unless given, curvature and potential where the states have them. A state that is
    singular is marked in its own panels; the scale is that of the finite values of all. Where they blow up, by a factor
    of 30 and more, it leaves out what few values reach, and the label says how far they go. Where one scale would leave
    a panel blank, as at the end of a run whose curvature decays, each panel of the row has its own, which is written
    above it.
    Returns the array of Axes, shape (quantities, times).

    Parameters
    ----------
    sol : Solution
        A run whose states are fields on a grid.
    names : sequence of str, optional
        Quantities, as in `heatmap`.
    count : int
        How many times, at most.
    """
    picked = telling_times(sol, count)
    titles = [f"$t = {scientific(sol.times[i])}$" for i in picked]
    return _draw_states(titles, [sol.states[i] for i in picked], names)


@styled
def side_by_side(states: Mapping[str, Any], names: Sequence[str] | None = None) -> np.ndarray:
    """Draw quantities of several states, each under its title: one row a quantity, in one colour scale where that shows
    something in each panel, as in `snapshots`.

    Returns the array of Axes, shape (quantities, states). Raises `InputError` where there is no state.

    Parameters
    ----------
    states : mapping
        Fields on grids of one dimension, by their titles.
    names : sequence of str, optional
        Quantities, as in `heatmap`; unless given, curvature and potential where the states have them.
    """
    if not isinstance(states, Mapping) or not states:
        raise InputError(f"states are given with their titles, {{'start': g, ...}}, and {states!r} was given.")
    return _draw_states(list(states), list(states.values()), names)


def _draw_states(titles: Sequence[str], states: Sequence[Any], names: Sequence[str] | None) -> np.ndarray:
    """One column a state, one row a quantity."""
    import matplotlib.pyplot as plt

    chosen = quantity_names(states[0])[:2] if names is None else list(names)
    rows = [[quantity(state, name) for state in states] for name in chosen]
    scales = [scales_of(row) for row in rows]
    curves = len(drawn_axes(drawable(states[0]).grid)) == 1
    apart = curves and any(row[0].own for row in scales)
    wanted = (2.5 * len(states) + 0.9, 2.15 * len(chosen) + 0.8 + 0.2 * sum(row[0].own for row in scales))
    _, axes = plt.subplots(len(chosen), len(states), figsize=wanted, squeeze=False, sharex=True,
                           sharey=False if apart else "row")
    for row, items, own in zip(axes, rows, scales):
        _draw_row(row, states, items, own)
    for ax, title in zip(axes[0], titles):
        below = ax.get_title()
        ax.set_title(title + (f"\n{below}" if below else ""), loc="center")
    for ax in axes[:-1].flat:
        ax.set_xlabel("")
    for ax in axes[:, 1:].flat:
        ax.set_ylabel("")
    for ax in axes.flat:
        ax.locator_params(nbins=3)
    return axes


def _draw_row(row: Sequence[Axes], states: Sequence[Any], items: Sequence[Quantity], scales: Sequence[Scale]) -> None:
    """One quantity at several times, in its scales and, above dimension two, in one plane."""
    place = largest_place(items[0], scales[0])
    for ax, state, item, scale in zip(row, states, items, scales):
        mesh, where = draw_quantity(ax, drawable(state).grid, item, scale, place)
        if scale.own and item.finite.size and not item.constant:
            ax.set_title(scale.range, loc="center")
    if mesh is None:
        row[0].set_ylabel(items[0].label)
        return
    bar = scale_bar(row[0].figure, mesh, list(row), scale, aspect=14, shrink=0.9, pad=0.015)
    bar.set_label(items[0].label + where + (",\nscale of each panel above it" if scale.own else scale.note))


@styled
def film(sol: Solution[Any], path: str | Path, name: str | None = None, *, frames_per_second: int = 12) -> Axes:
    """Write one frame a saved time to `path`: a .gif, or, where ffmpeg is installed, an .mp4 or .webm.

    `name` is a quantity as in `heatmap`. One colour scale holds for every frame, unless, as in `snapshots`, a frame
    would be blank: then each has its own, which its title says. Above dimension two the plane is that of the first.
    A state that is singular is marked in its own frame.
    Of a metric with symmetry the frames are surfaces of revolution, as `embedding` draws them, evenly in log(T − t)
    before a singular time T; `name` is the unknown that is the radius. On a span they are profiles above it.
    Of toric metrics they are pictures over the polygon, as `polygon` draws them; before T curvature times T − t.
    Returns the Axes of the last frame.
    Raises `InputError` for another ending, and where .mp4 or .webm is asked for without ffmpeg.

    Parameters
    ----------
    sol : Solution
        A run whose states are fields on a grid, metrics with symmetry of one coordinate, or toric metrics.
    path : path
        Ending in .gif, .mp4 or .webm.
    name : str, optional
        A quantity, as in `heatmap`.
    frames_per_second : int
        How fast it runs.
    """
    import matplotlib.pyplot as plt

    path = Path(path)
    write = _writer(path)
    figure, ax = plt.subplots(figsize=(4.6, 4.1), dpi=110)
    frames = _frames_of(sol)
    with replacing(path) as partial:
        write(figure, frames(ax, sol, name), partial, frames_per_second)
    return ax


def _frames_of(sol: Solution[Any]) -> Callable[[Axes, Solution[Any], str | None], Iterator[None]]:
    """Profiles above spans, surfaces of other metrics with symmetry, polygons, and quantities of fields."""
    if is_toric(sol):
        return polygon_frames
    if not is_reduced(sol):
        return _frames
    return profile_frames if on_span(sol.last.grid.ansatz) else embedding_frames


def _frames(ax: Axes, sol: Solution[Any], name: str | None) -> Iterator[None]:
    """Draw one state after another; the layout is that of the first."""
    items = [quantity(state, name) for state in sol.states]
    scales = scales_of(items)
    place = largest_place(items[0], scales[0])
    laid_out = False
    for t, state, item, scale in zip(sol.times, sol.states, items, scales):
        ax.clear()
        mesh, where = draw_quantity(ax, drawable(state).grid, item, scale, place)
        own = f"\nin colours {scale.range}" if scale.own else ""
        ax.set_title(f"{item.label}{where},  $t$ = {t:.3e}{own}", loc="left")
        if not laid_out:
            if mesh is not None:
                scale_bar(ax.figure, mesh, ax, scale, shrink=0.85, pad=0.03)
            laid_out = True
            ax.figure.canvas.draw()
            cast("Figure", ax.figure).set_layout_engine("none")
        ax.figure.canvas.draw()
        yield


def _writer(path: Path) -> Callable[[Figure, Iterator[None], Path, int], None]:
    """What writes a film with this suffix."""
    from matplotlib.animation import FFMpegWriter

    ending = require_ending(path, FILMS, "a film")
    if ending == ".gif":
        return _write_gif
    if not FFMpegWriter.isAvailable():
        raise InputError(f"'{path.name}' needs ffmpeg, which is not installed; write a .gif instead")
    return _write_webm if ending == ".webm" else _write_mp4


def _write_gif(figure: Figure, frames: Iterator[None], path: Path, frames_per_second: int) -> None:
    """All frames in one palette of 256 colours, so that colours do not flicker."""
    from PIL import Image

    canvas: Any = figure.canvas
    images = [Image.fromarray(np.asarray(canvas.buffer_rgba())).convert("RGB") for _ in frames]
    palette = Image.new("P", (1, 1))
    palette.putpalette(_palette())
    first, *rest = [image.quantize(palette=palette, dither=Image.Dither.NONE) for image in images]
    first.save(path, save_all=True, append_images=rest, duration=1000 // frames_per_second, loop=0)


def _palette() -> bytes:
    """150 colours of the diverging map, 50 of shaded surfaces and 56 from the ink of text to white, as bytes."""
    from matplotlib.colors import to_rgb

    colours = diverging()(np.linspace(0, 1, 150))[:, :3]
    ink = np.array(to_rgb(INK))
    shades = ink + np.linspace(0, 1, 56)[:, None] * (1 - ink)
    palette = np.concatenate([colours, shaded(np.linspace(0.15, 1, 50)), shades])
    return (255 * palette).round().astype(np.uint8).tobytes()


def _write_mp4(figure: Figure, frames: Iterator[None], path: Path, frames_per_second: int) -> None:
    """Hand the frames to ffmpeg, in colours that every browser shows and sides that are even."""
    even = ["-pix_fmt", "yuv420p", "-vf", "pad=ceil(iw/2)*2:ceil(ih/2)*2"]
    _encode(figure, frames, path, frames_per_second, "h264", even)


def _write_webm(figure: Figure, frames: Iterator[None], path: Path, frames_per_second: int) -> None:
    """Hand the frames to ffmpeg, at constant quality."""
    _encode(figure, frames, path, frames_per_second, "libvpx-vp9", ["-pix_fmt", "yuv420p", "-crf", "30", "-b:v", "0"])


def _encode(
    figure: Figure, frames: Iterator[None], path: Path, frames_per_second: int, codec: str, options: list[str]
) -> None:
    from matplotlib.animation import FFMpegWriter

    writer = FFMpegWriter(fps=frames_per_second, codec=codec, extra_args=options)
    with writer.saving(figure, str(path), dpi=figure.dpi):
        for _ in frames:
            writer.grab_frame()
