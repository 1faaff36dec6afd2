"""The pictures of runs and of metrics on varieties: which there are, and where they go."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

from geomflow.core.errors import InputError, UnknownNameError
from geomflow.core.files import replacing

if TYPE_CHECKING:
    from geomflow.cli.measures import Measured
    from geomflow.cli.task import Task
    from geomflow.fits.folder import MetricFolder
    from geomflow.fits.ladder import DegreeFit
    from geomflow.flow import Solution

DEFAULT = ("monitors", "snapshots")


def _monitors(sol: Solution[Any], out: Path) -> Path:
    from geomflow import plot

    return _saved(plot.monitors(sol)[0].figure, out / "monitors.png")


def _snapshots(sol: Solution[Any], out: Path) -> Path:
    from geomflow import plot

    return _saved(plot.snapshots(sol)[0, 0].figure, out / "snapshots.png")


def _heatmap(sol: Solution[Any], out: Path) -> Path:
    from geomflow import plot

    return _saved(plot.heatmap(sol.last).figure, out / "heatmap.png")


def _film(sol: Solution[Any], out: Path) -> Path:
    from geomflow import plot

    plot.film(sol, out / "film.gif")
    return out / "film.gif"


PICTURES: dict[str, Callable[[Solution[Any], Path], Path]] = {
    "monitors": _monitors,
    "snapshots": _snapshots,
    "heatmap": _heatmap,
    "film": _film,
}


def check_pictures(asked: Sequence[str] | None) -> list[str]:
    """The pictures of output.pictures. Raises `UnknownNameError`, before anything is computed, for an unknown one."""
    names = list(DEFAULT if asked is None else asked)
    for name in names:
        if name not in PICTURES:
            raise UnknownNameError.among("picture", name, PICTURES)
    return names


def draw_pictures(sol: Solution[Any], names: list[str], out: Path) -> Iterator[Path]:
    """Draw pictures of a solution to files in `out`, without a display, and give their paths."""
    import matplotlib as mpl

    mpl.use("Agg")
    out.mkdir(parents=True, exist_ok=True)
    for name in names:
        yield PICTURES[name](sol, out)


LAWS = {"algebraic": "exponential", "balanced": "inverse squares"}
HISTORIES = {"algebraic": r"$\sigma$ on fitted points", "balanced": r"change of $\log P$"}


@final
@dataclass(frozen=True, eq=False)
class Shown:
    """What there is to draw."""

    kind: str
    metric: Any
    fits: Sequence[DegreeFit]
    measured: Measured


def _sigma(shown: Shown) -> Any:
    from geomflow import plot

    degrees = [max(fit.degree) for fit in shown.fits]
    parameters = [fit.parameters for fit in shown.fits]
    return plot.sigma(degrees, [fit.sigma for fit in shown.fits], parameters, law=LAWS[shown.kind])[0].figure


def _fit(shown: Shown) -> Any:
    from geomflow import plot

    if shown.kind == "network":
        return plot.training(shown.metric.report).figure
    return plot.fit(list(shown.fits), ylabel=HISTORIES[shown.kind]).figure


def _histograms(shown: Shown) -> Any:
    from geomflow.plot.histograms import Compared, draw, quantity
    from geomflow.plot.style import styled
    from geomflow.variety import FubiniStudy

    measured = shown.measured
    reference = FubiniStudy(shown.metric.variety, shown.metric.kahler_class)
    points = measured.points
    items = [Compared("v", measured.v, quantity(reference, points, "v"), points.weights)]
    if measured.curvature is not None:
        curved = measured.curved
        items += [Compared("R", measured.curvature, quantity(reference, curved, "R"), curved.weights)]
    return styled(draw)(items)[0, 0].figure


def _slices(shown: Shown) -> Any:
    from geomflow import plot

    quantities = ("v", "R") if shown.measured.curvature is not None else ("v",)
    return plot.slices(shown.metric, shown.measured.points, quantities)[0].figure


VARIETY_PICTURES: dict[str, Callable[[Shown], Any]] = {
    "sigma": _sigma,
    "fit": _fit,
    "histograms": _histograms,
    "slices": _slices,
}


def check_variety_pictures(task: Task, fits: int) -> list[str]:
    """The pictures to draw, known before anything is computed; those that so many `fits` can give unless named.

    Raises `UnknownNameError` for an unknown one, `InputError` for one of fits where there are none.
    """
    fitted = {"fubini-study": [], "network": ["fit"]}.get(task.kind, ["sigma", "fit"])
    names = task.file.output.pictures
    if names is None:
        return [name for name in (*fitted, "histograms", "slices") if name != "sigma" or fits > 1]
    with task.at("output", "pictures"):
        for name in names:
            if name not in VARIETY_PICTURES:
                raise UnknownNameError.among("picture", name, VARIETY_PICTURES)
            if name in ("sigma", "fit") and name not in fitted:
                raise InputError(f"there is no picture '{name}' of a metric of the kind '{task.kind}'")
    return list(names)


def draw_variety_pictures(shown: Shown, names: Sequence[str], folder: MetricFolder) -> Iterator[Path]:
    """Draw pictures to files of the folder, without a display, and give their paths."""
    import matplotlib as mpl

    mpl.use("Agg")
    for name in names:
        if name == "fit" and shown.fits and all(len(fit.history) < 2 for fit in shown.fits):
            continue
        yield folder.write(f"{name}.png", partial(_saved, VARIETY_PICTURES[name](shown)))


def _saved(figure: Any, path: Path) -> Path:
    """Write a figure and close it."""
    import matplotlib.pyplot as plt

    with replacing(path) as target:
        figure.savefig(target)
    plt.close(figure)
    return path
