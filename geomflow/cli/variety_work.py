"""What `geomflow variety` computes: a ladder of fits, and measures on unseen points."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import takewhile
from time import monotonic
from typing import TYPE_CHECKING, Any

import numpy as np

import geomflow as gf
from geomflow.core.errors import StoreError

if TYPE_CHECKING:
    from geomflow.cli.variety_file import Task
    from geomflow.distribute import Workers
    from geomflow.variety import Estimate, Points, Symmetry, VarietyMetric


@dataclass(frozen=True)
class Rung:
    """One fit of a ladder: its degree, its size, what it cost, σ on the unseen points, and its history."""

    degree: tuple[int, ...]
    parameters: int
    points: int
    seconds: float
    sigma: float
    error: float
    history: tuple[float, ...]

    @classmethod
    def of(cls, metric: VarietyMetric, seconds: float, sigma: Estimate) -> Rung:
        """From a fitted metric."""
        report = metric.report
        history = tuple(map(float, report.history))
        return cls(report.degree, report.parameters, report.points, seconds, float(sigma), sigma.error, history)

    @classmethod
    def read(cls, data: dict[str, Any]) -> Rung:
        """From what `asdict` made, through JSON. Raises `StoreError`."""
        try:
            found = cls(**{key: tuple(value) if isinstance(value, list) else value for key, value in data.items()})
            str(found)
        except (AttributeError, IndexError, TypeError, ValueError) as error:
            raise StoreError(f"the numbers of a fit are damaged ({error}); choose another --out") from error
        return found

    def __str__(self) -> str:
        shown = self.degree[0] if len(set(self.degree)) == 1 else self.degree
        plural = "" if self.parameters == 1 else "s"
        return (
            f"degree {shown}: {self.parameters} parameter{plural}, {max(len(self.history) - 1, 0)} steps, "
            f"{self.seconds:.1f} s, σ = {self.sigma:.3g} on unseen points"
        )


def climb(
    task: Task, ladder: Sequence[tuple[int, ...]], points: Points, start: VarietyMetric | None, workers: Workers
) -> Iterator[tuple[VarietyMetric, float]]:
    """The metric of each degree with its cost in seconds, each fit started from the last.

    Ends early where the next fit is not expected to end in the time that the task allows.
    """
    limit = task.get("metric", "seconds", math.inf)
    begun = monotonic()
    cost = 0.0
    for before, degrees in zip((None, *ladder), ladder):
        left = limit - (monotonic() - begun)
        if before is not None and limit < math.inf and expected(task, cost, before, degrees, points) > left:
            return
        at = monotonic()
        with task.at("metric", "degree"):
            start = _fitted(task, degrees, points, start, left, workers)
        cost = monotonic() - at
        yield start, cost


def expected(task: Task, cost: float, before: tuple[int, ...], degrees: tuple[int, ...], points: Points) -> float:
    """What a fit will cost after one of a lower degree did `cost` seconds; at least twice as much.

    Fits in all Hermitian forms end in time by themselves: they are only not begun where no time is left.
    """
    from geomflow.fits.algebraic import roughly_forms
    from geomflow.variety import Sections

    counts = [roughly_forms(points.variety, k, symmetry(task, points)) for k in (before, degrees)]
    general = 4 * counts[1] >= Sections(points.variety, degrees).count ** 2
    return 0.0 if general else cost * growth(*counts)


def growth(before: float, after: float) -> float:
    """By how much a fit with a dense Jacobian costs more: p parameters take max(4000, 20p) points, each p² operations.

    >>> growth(10, 20), growth(400, 800), growth(10, 11)
    (4.0, 8.0, 2.0)
    """
    work = [max(4000, 20 * p) * p**2 for p in (before, after)]
    return max(2.0, work[1] / work[0])


def reachable(task: Task, ladder: Sequence[tuple[int, ...]], points: Points) -> list[tuple[int, ...]]:
    """The degrees that so many points determine: all of them, with a limit on time those below the first that is not.

    Raises `UnderdeterminedError`, before anything is fitted, where the last or the only one left is not determined.
    """
    from geomflow.variety.errors import UnderdeterminedError

    if task.get("metric", "seconds") is not None:
        found = list(takewhile(lambda degrees: least_points(task, degrees, points) <= len(points), ladder))
        ladder = found or ladder[:1]
    least = least_points(task, ladder[-1], points) if ladder else 0
    if least > len(points):
        with task.at("points", "count" if task.kept is None else "file"):
            raise UnderdeterminedError(
                f"degree {max(ladder[-1])} needs {least:,} points at the very least, and there are {len(points):,} to "
                f"fit on: the fit is under-determined; take at least {20 * least:,} points or a lower degree"
            )
    return list(ladder)


def least_points(task: Task, degrees: tuple[int, ...], points: Points) -> int:
    """With how many points a fit is just determined."""
    from geomflow.variety import Sections

    if task.kind == "balanced":
        return 2 * Sections(points.variety, degrees).count
    return parameters(task, degrees, points)


def parameters(task: Task, degrees: tuple[int, ...], points: Points) -> int:
    """About how many invariant forms there are; they are listed only where the points might be too few."""
    from geomflow.fits.algebraic import roughly_forms
    from geomflow.variety.orbits import invariant_forms

    count = round(roughly_forms(points.variety, degrees, symmetry(task, points)))
    if not count <= len(points) < 4 * count:
        return count
    return invariant_forms(points.variety, degrees, symmetry(task, points)).count


def symmetry(task: Task, points: Points) -> Symmetry:
    """The symmetry of the polynomial, or none at all."""
    from geomflow.variety import trivial_symmetry

    found = task.get("metric", "symmetry", True)
    return points.variety.symmetry if found else trivial_symmetry(points.variety.ambient.size)


def _fitted(
    task: Task, degrees: tuple[int, ...], points: Points, start: VarietyMetric | None, left: float, workers: Workers
) -> VarietyMetric:
    """One metric of the kind that the task asks for."""

    options: dict[str, Any]
    if task.kind == "balanced":
        symmetric = task.get("metric", "symmetry", True)
        options = {"symmetric": symmetric, "workers": workers, "kahler_class": task.kahler_class}
        return gf.fits.balanced_metric(points.variety, degrees, points, **options)
    options = {"symmetry": symmetry(task, points), "start": start, "kahler_class": task.kahler_class}
    options |= {} if math.isinf(left) else {"seconds": left}
    functional = task.get("metric", "functional", "(v - 1)^2")
    return gf.fits.algebraic_metric(points.variety, degrees, points, functional=functional, **options)


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
        return tuple(weighted_mean(values, weights, line) for values in (self.curvature, np.abs(self.curvature)))

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


def measured(task: Task, metric: VarietyMetric, points: Points) -> Measured:
    """Everything that the task asks for. Raises `KahlerConeError` where the metric is not positive at a point."""
    from geomflow.variety import class_volume
    from geomflow.variety.density import log_ratio, sigma_of
    from geomflow.variety.estimate import mean, weighted_mean

    ratio = np.exp(log_ratio(metric, points))
    kappa = weighted_mean(ratio, points.weights, points.line)
    v = ratio / float(kappa)
    sigma = sigma_of(ratio, points)
    volume = mean(points.weights * ratio, points.line)
    curved, counted = task.share("curvature"), task.share("euler")
    curvature = scalar(metric, points[:curved]) if curved else None
    euler = points[:counted].euler_number(metric) if counted else None
    return Measured(points, v, sigma, kappa, volume, class_volume(metric), curvature, euler, counted)


def scalar(metric: VarietyMetric, points: Points) -> np.ndarray:
    """R at the points, (P,), with a progress bar on a terminal."""
    from tqdm import tqdm

    from geomflow.variety import scalar_curvature

    chunks = list(points.in_chunks(2048))
    bar = tqdm(chunks, desc="curvature", leave=False, disable=not sys.stderr.isatty())
    return np.concatenate([scalar_curvature(metric, chunk) for chunk in bar])


def _pair(estimate: Estimate) -> dict[str, float]:
    return {"value": float(estimate), "error": estimate.error}


def as_json(rungs: Sequence[Rung]) -> list[dict[str, Any]]:
    """Rungs for JSON."""
    return [asdict(rung) for rung in rungs]
