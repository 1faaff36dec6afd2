"""The pictures of a run: which there are, and where they go."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from geomflow.core.errors import UnknownNameError
from geomflow.core.files import replacing

if TYPE_CHECKING:
    from geomflow.flow import Solution

DEFAULT = ("monitors", "snapshots")


def _monitors(sol: Solution, out: Path) -> Path:
    from geomflow import plot

    return _saved(plot.monitors(sol)[0].figure, out / "monitors.png")


def _snapshots(sol: Solution, out: Path) -> Path:
    from geomflow import plot

    return _saved(plot.snapshots(sol)[0, 0].figure, out / "snapshots.png")


def _heatmap(sol: Solution, out: Path) -> Path:
    from geomflow import plot

    return _saved(plot.heatmap(sol.last).figure, out / "heatmap.png")


def _film(sol: Solution, out: Path) -> Path:
    from geomflow import plot

    plot.film(sol, out / "film.gif")
    return out / "film.gif"


PICTURES: dict[str, Callable[[Solution, Path], Path]] = {
    "monitors": _monitors,
    "snapshots": _snapshots,
    "heatmap": _heatmap,
    "film": _film,
}


def check_pictures(table: Mapping[str, Any]) -> list[str]:
    """The pictures of output.pictures. Raises `UnknownNameError`, before anything is computed, for an unknown one."""
    names = list(table.get("pictures", DEFAULT))
    for name in names:
        if name not in PICTURES:
            raise UnknownNameError.among("picture", name, PICTURES)
    return names


def draw_pictures(sol: Solution, names: list[str], out: Path) -> Iterator[Path]:
    """Draw pictures of a solution to files in `out`, without a display, and give their paths."""
    import matplotlib as mpl

    mpl.use("Agg")
    out.mkdir(parents=True, exist_ok=True)
    for name in names:
        yield PICTURES[name](sol, out)


def _saved(figure: Any, path: Path) -> Path:
    """Write a figure and close it."""
    import matplotlib.pyplot as plt

    with replacing(path) as partial:
        figure.savefig(partial)
    plt.close(figure)
    return path
