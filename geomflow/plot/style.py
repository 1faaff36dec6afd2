"""One look for every picture, applied while drawing and never to the user's own settings."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.cm import ScalarMappable
    from matplotlib.collections import QuadMesh
    from matplotlib.colorbar import Colorbar
    from matplotlib.figure import Figure, SubFigure

P = ParamSpec("P")
T = TypeVar("T")

INK = "#22303c"
MUTED = "#6b7884"
ACCENT = "#1f6f8b"
SECOND = "#c2562d"
CYCLE = [ACCENT, SECOND, "#5b8c3e", "#7a5ea8", "#b8892b", "#8a3b5c"]

#: Colours of a quantity that is positive on one side of zero and negative on the other.
DIVERGING = "RdBu_r"
#: The ground where there is no number.
MISSING = "#c4c9cd"

STYLE: dict[str, Any] = {
    "figure.dpi": 110,
    "figure.constrained_layout.use": True,
    "savefig.dpi": 160,
    "font.size": 10,
    "axes.titlesize": 10.5,
    "axes.titlecolor": INK,
    "axes.labelsize": 10,
    "axes.labelcolor": INK,
    "axes.edgecolor": MUTED,
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.formatter.limits": (-3, 4),
    "axes.formatter.use_mathtext": True,
    "grid.color": "#dfe5ea",
    "grid.linewidth": 0.7,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "xtick.labelsize": 9,
    "ytick.labelsize": 9,
    "lines.linewidth": 1.7,
    "lines.markersize": 4.5,
    "legend.frameon": False,
    "legend.fontsize": 9,
    "figure.titlesize": 11,
}


def axes_or_new(ax: Axes | None, figsize: tuple[float, float]) -> Axes:
    """`ax`, or the axes of a new figure of that size in inches."""
    import matplotlib.pyplot as plt

    return plt.subplots(figsize=figsize)[1] if ax is None else ax


def plain_ticks(ax: Axes, places: Iterable[float], spelled: str = "{:g}") -> None:
    """The places themselves as the only ticks of a horizontal axis, usually a logarithmic one."""
    ticks = sorted(set(np.asarray(places).tolist()))
    ax.set_xticks(ticks, [spelled.format(tick) for tick in ticks])
    ax.set_xticks([], minor=True)


def colour_map(ax: Axes, x: np.ndarray, y: np.ndarray, values: np.ndarray, ends: tuple[float, float]) -> QuadMesh:
    """Diverging colours over a plane, smooth between the places, the ends of the colours at these values."""
    low, high = ends
    ax.set_aspect("equal")
    ax.grid(False)
    return ax.pcolormesh(x, y, values, shading="gouraud", cmap=DIVERGING, vmin=low, vmax=high, rasterized=True)


def colour_bar(figure: Figure | SubFigure, mesh: ScalarMappable, ax: Axes | list[Axes], **options: Any) -> Colorbar:
    """A colour bar without an outline."""
    bar = figure.colorbar(mesh, ax=ax, **options)
    bar.outline.set_visible(False)
    return bar


def styled(draw: Callable[P, T]) -> Callable[P, T]:
    """`draw`, run under the style of this package and nothing but that."""

    @functools.wraps(draw)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> T:
        import matplotlib as mpl
        from cycler import cycler

        style: dict[Any, Any] = {**STYLE, "axes.prop_cycle": cycler(color=CYCLE)}
        with mpl.rc_context(style):
            return draw(*args, **kwargs)

    return wrapper
