"""The pictures of `geomflow variety`: which there are, and where they go."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from geomflow.core.errors import InputError, UnknownNameError
from geomflow.core.files import replacing

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from geomflow.cli.variety_file import Task
    from geomflow.cli.variety_folder import Folder
    from geomflow.cli.variety_work import Measured, Rung
    from geomflow.variety import VarietyMetric

LAWS = {"algebraic": "exponential", "balanced": "inverse squares"}
HISTORIES = {"algebraic": r"$\sigma$ on fitted points", "balanced": r"change of $\log P$"}


@dataclass(frozen=True, eq=False)
class Shown:
    """What there is to draw."""

    kind: str
    metric: VarietyMetric
    rungs: Sequence[Rung]
    measured: Measured


def _sigma(shown: Shown) -> Figure:
    from geomflow import plot

    degrees = [max(rung.degree) for rung in shown.rungs]
    parameters = [rung.parameters for rung in shown.rungs]
    return plot.sigma(degrees, [rung.sigma for rung in shown.rungs], parameters, law=LAWS[shown.kind])[0].figure


def _fit(shown: Shown) -> Figure:
    from geomflow import plot

    if shown.kind == "network":
        return plot.training(shown.metric.report).figure
    return plot.fit(list(shown.rungs), ylabel=HISTORIES[shown.kind]).figure


def _histograms(shown: Shown) -> Figure:
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


def _slices(shown: Shown) -> Figure:
    from geomflow import plot

    quantities = ("v", "R") if shown.measured.curvature is not None else ("v",)
    return plot.slices(shown.metric, shown.measured.points, quantities)[0].figure


PICTURES: dict[str, Callable[[Shown], Figure]] = {
    "sigma": _sigma,
    "fit": _fit,
    "histograms": _histograms,
    "slices": _slices,
}


def check_pictures(task: Task, rungs: int) -> list[str]:
    """The pictures to draw, known before anything is computed; those that `rungs` fits can give unless named.

    Raises `UnknownNameError` for an unknown one, `InputError` for one of fits where there are none.
    """
    fitted = {"fubini-study": [], "network": ["fit"]}.get(task.kind, ["sigma", "fit"])
    names = task.get("output", "pictures")
    if names is None:
        return [name for name in (*fitted, "histograms", "slices") if name != "sigma" or rungs > 1]
    with task.at("output", "pictures"):
        for name in names:
            if name not in PICTURES:
                raise UnknownNameError.among("picture", name, PICTURES)
            if name in ("sigma", "fit") and name not in fitted:
                raise InputError(f"there is no picture '{name}' of a metric of the kind '{task.kind}'")
    return list(names)


def draw_pictures(shown: Shown, names: Sequence[str], folder: Folder) -> Iterator[Path]:
    """Draw pictures to files of the folder, without a display, and give their paths."""
    import matplotlib as mpl

    mpl.use("Agg")
    for name in names:
        if name == "fit" and shown.rungs and all(len(rung.history) < 2 for rung in shown.rungs):
            continue
        yield folder.write(f"{name}.png", lambda path, name=name: _saved(PICTURES[name](shown), path))


def _saved(figure: Any, path: Path) -> None:
    import matplotlib.pyplot as plt

    with replacing(path) as partial:
        figure.savefig(partial)
    plt.close(figure)
