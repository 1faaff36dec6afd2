"""What `geomflow variety` measures of a metric on points that no fit has seen, and the pictures that show it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

import numpy as np

from geomflow import plot
from geomflow.cli.pictures import picture_file
from geomflow.core.errors import InputError
from geomflow.core.progress import counted

if TYPE_CHECKING:
    from geomflow.cli.task import Task
    from geomflow.fits.folder import MetricFolder
    from geomflow.fits.ladder import DegreeFit
    from geomflow.variety import Estimate, Points, PolarisedMetric


@final
@dataclass(frozen=True, eq=False)
class Measured:
    """A metric measured on points: v there, (P,), R at the first of them, and numbers with their errors."""

    points: Points
    v: np.ndarray
    sigma: Estimate
    kappa: Estimate
    volume: Estimate
    class_volume: float
    curvature: np.ndarray | None = None
    euler: Estimate | None = None
    euler_points: int = 0

    @property
    def curved(self) -> Points:
        """The points where R is known."""
        return self.points[: 0 if self.curvature is None else len(self.curvature)]

    def numbers(self) -> dict[str, Any]:
        """All of it, for JSON."""
        found: dict[str, Any] = {
            "sigma": _pair(self.sigma),
            "kappa": _pair(self.kappa),
            "volume": _pair(self.volume) | {"exact": self.class_volume},
            "points": len(self.points),
        }
        if self.curvature is not None:
            mean, size = self.mean_curvature()
            largest = float(np.abs(self.curvature).max())
            found["scalar_curvature"] = {"mean": _pair(mean), "mean_modulus": _pair(size), "largest_modulus": largest}
            found["scalar_curvature"]["points"] = len(self.curvature)
        if self.euler is not None:
            exact = self.points.variety.euler_number
            found["euler_number"] = _pair(self.euler) | {"exact": exact, "points": self.euler_points}
        return found

    def mean_curvature(self) -> tuple[Estimate, Estimate]:
        """The means of R and |R| against dμ_Ω."""
        from geomflow.variety.estimate import weighted_mean

        weights, line = self.curved.weights, self.curved.line
        found = np.zeros(0) if self.curvature is None else self.curvature
        return weighted_mean(found, weights, line), weighted_mean(np.abs(found), weights, line)

    def lines(self) -> list[tuple[str, str]]:
        """All of it, for people."""
        rows = [
            ("σ", f"{self.sigma} on {len(self.points):,} unseen points"),
            ("κ", str(self.kappa)),
            ("volume", f"{self.volume}, exactly {self.class_volume:.6g}"),
        ]
        if self.curvature is not None:
            mean, size = self.mean_curvature()
            largest = np.abs(self.curvature).max()
            rows += [("R", f"mean {mean}, mean |R| {size}, largest {largest:.3g} at {len(self.curvature):,} points")]
        if self.euler is not None:
            exact = self.points.variety.euler_number
            rows += [("Euler", f"{self.euler} from {self.euler_points:,} points, exactly {exact}")]
        return rows


def measured(task: Task, metric: PolarisedMetric, points: Points) -> Measured:
    """Everything that the task asks for. Raises `KahlerConeError` where the metric is not positive at a point."""
    from geomflow.variety import class_volume
    from geomflow.variety.estimate import mean, weighted_mean
    from geomflow.variety.measures import log_ratio, sigma_of

    ratio = np.exp(log_ratio(metric, points))
    kappa = weighted_mean(ratio, points.weights, points.line)
    v = ratio / float(kappa)
    sigma = sigma_of(ratio, points)
    volume = mean(points.weights * ratio, points.line)
    curved, counted = task.share("curvature"), task.share("euler")
    curvature = scalar(metric, points[:curved]) if curved else None
    euler = points[:counted].euler_number(metric) if counted else None
    return Measured(points, v, sigma, kappa, volume, class_volume(metric), curvature, euler, counted)


def scalar(metric: PolarisedMetric, points: Points) -> np.ndarray:
    """R at the points, (P,), with a bar where somebody looks."""
    from geomflow.variety import scalar_curvature

    chunks = list(points.in_chunks(2048))
    bar = counted(chunks, len(chunks), label="curvature")
    return np.concatenate([scalar_curvature(metric, chunk) for chunk in bar])


def _pair(estimate: Estimate) -> dict[str, float]:
    return {"value": float(estimate), "error": estimate.error}


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
    degrees = [max(fit.degree) for fit in shown.fits]
    parameters = [fit.parameters for fit in shown.fits]
    return plot.sigma(degrees, [fit.sigma for fit in shown.fits], parameters, law=LAWS[shown.kind])[0].figure


def _fit(shown: Shown) -> Any:
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
    quantities = ("v", "R") if shown.measured.curvature is not None else ("v",)
    return plot.slices(shown.metric, shown.measured.points, quantities)[0].figure


VARIETY_PICTURES: dict[str, Callable[[Shown], Any]] = {
    "sigma": _sigma,
    "fit": _fit,
    "histograms": _histograms,
    "slices": _slices,
}


def check_variety_pictures(task: Task, fits: int) -> list[str]:
    """The files of pictures, known before anything is computed; those that so many `fits` can give unless named.

    Raises `UnknownNameError` for an unknown one, `InputError` for one of fits where there are none.
    """
    fitted = {"fubini-study": [], "network": ["fit"]}.get(task.kind, ["sigma", "fit"])
    names = task.file.output.pictures
    if names is None:
        return [f"{name}.png" for name in (*fitted, "histograms", "slices") if name != "sigma" or fits > 1]
    with task.at("output", "pictures"):
        files = [picture_file(name, VARIETY_PICTURES) for name in names]
        for name in files:
            if Path(name).stem in {"sigma", "fit"} - set(fitted):
                raise InputError(f"there is no picture '{Path(name).stem}' of a metric of the kind '{task.kind}'")
    return files


def draw_variety_pictures(shown: Shown, names: Sequence[str], folder: MetricFolder) -> Iterator[Path]:
    """Draw pictures to files of the folder, without a display, and give their paths."""
    if not names:
        return
    import matplotlib as mpl

    mpl.use("Agg")
    for name in names:
        kind = Path(name).stem
        if kind == "fit" and shown.fits and all(len(fit.history) < 2 for fit in shown.fits):
            continue
        yield folder.write(name, partial(plot.save, VARIETY_PICTURES[kind](shown)))
