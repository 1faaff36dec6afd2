"""One look for every picture, applied while drawing and never to the user's own settings.

`plt.style.use("geomflow.plot.house")` gives it to pictures of one's own.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.cm import ScalarMappable
    from matplotlib.collections import QuadMesh
    from matplotlib.colorbar import Colorbar
    from matplotlib.colors import Colormap
    from matplotlib.figure import Figure, SubFigure

P = ParamSpec("P")
T = TypeVar("T")

#: The file with the look, under the name by which `plt.style.use` knows it.
HOUSE = "geomflow.plot.house"

# the colours of house.mplstyle, for what is coloured by hand
INK = "#22303c"
MUTED = "#6b7884"
ACCENT = "#1f6f8b"
SECOND = "#c2562d"
CYCLE = [ACCENT, SECOND, "#5b8c3e", "#7a5ea8", "#b8892b", "#8a3b5c"]
#: The ground where there is no number.
MISSING = "#c4c9cd"

# CIELAB of the three colours between which the maps are straight lines, in which equal steps look equal
_BLUE, _NEUTRAL, _RED = (33.0, 10.0, -46.0), (96.5, 0.0, 0.0), (33.0, 42.0, 22.0)


@functools.cache
def diverging() -> Colormap:
    """Blue, white, red, of a quantity that is positive on one side of zero and negative on the other.

    Its steps are equal in CIELAB and as light on one side as on the other.
    """
    from matplotlib.colors import LinearSegmentedColormap

    ramp = np.linspace(0, 1, 128)
    arms = [_srgb(_line(_NEUTRAL, end, ramp)) for end in (_BLUE, _RED)]
    return LinearSegmentedColormap.from_list("geomflow diverging", np.concatenate([arms[0][::-1], arms[1][1:]]), 255)


@functools.cache
def sequential() -> Colormap:
    """White to blue, in equal steps of CIELAB, of what is never negative."""
    from matplotlib.colors import LinearSegmentedColormap

    colours = _srgb(_line(_NEUTRAL, _BLUE, np.linspace(0, 1, 256)))
    return LinearSegmentedColormap.from_list("geomflow sequential", colours)


def _line(start: Sequence[float], end: Sequence[float], ramp: np.ndarray) -> np.ndarray:
    points: np.ndarray = np.asarray(start) + ramp[:, None] * (np.asarray(end) - np.asarray(start))
    return points


def _srgb(lab: np.ndarray) -> np.ndarray:
    """Colours of CIELAB (D65) as sRGB in [0, 1], (n, 3)."""
    y = (lab[:, 0] + 16) / 116
    f = np.stack([y + lab[:, 1] / 500, y, y - lab[:, 2] / 200], axis=1)
    xyz = np.where(f > 6 / 29, f**3, 3 * (6 / 29) ** 2 * (f - 4 / 29)) * [0.95047, 1.0, 1.08883]
    matrix = [[3.2404542, -1.5371385, -0.4985314], [-0.9692660, 1.8760108, 0.0415560],
              [0.0556434, -0.2040259, 1.0572252]]
    linear = np.clip(xyz @ np.transpose(matrix), 0, 1)
    colours: np.ndarray = np.where(linear > 0.0031308, 1.055 * linear ** (1 / 2.4) - 0.055, 12.92 * linear)
    return colours


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
    return ax.pcolormesh(x, y, values, shading="gouraud", cmap=diverging(), vmin=low, vmax=high, rasterized=True)


def colour_bar(figure: Figure | SubFigure, mesh: ScalarMappable, ax: Axes | list[Axes], **options: Any) -> Colorbar:
    """A colour bar without an outline."""
    bar = figure.colorbar(mesh, ax=ax, **options)
    bar.outline.set_visible(False)
    return bar


def styled(draw: Callable[P, T]) -> Callable[P, T]:
    """`draw`, run under the style of this package and nothing but that.

    The first figure of a notebook loads its backend, which makes pyplot interactive. That stays when the style goes:
    without it no later figure would be shown.
    """

    @functools.wraps(draw)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> T:
        import matplotlib.style

        interactive = matplotlib.is_interactive()
        try:
            with matplotlib.style.context(HOUSE):
                drawn = draw(*args, **kwargs)
                interactive = matplotlib.is_interactive()
        finally:
            matplotlib.interactive(interactive)
        return drawn

    return wrapper
