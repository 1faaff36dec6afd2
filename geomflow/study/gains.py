"""Gains of metrics on points that no fit has seen, flows of metric components, and points moved by noise."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields
from functools import cache, lru_cache
from types import MappingProxyType
from typing import Any, final

import numpy as np

from geomflow.core.outcome import OutcomeKind
from geomflow.fits import ComponentFlow, ComponentMetric, FallingRate, PointwiseRate
from geomflow.kernels import FubiniStudyGaussian, FubiniStudyGeodesicGaussian, Kernel, NearestKernel, NetworkKernel
from geomflow.variety import Fermat, Hypersurface, Points, VolumeWarning, gain, nearest, noised, sample_patch

PATCH, ELIM = 0, 1
KERNELS: Mapping[str, Callable[[Setting], Kernel]] = MappingProxyType({
    "relu": lambda s: NetworkKernel("relu", weight_std=s.weight_std, bias_std=s.bias_std),
    "gaussian": lambda s: FubiniStudyGeodesicGaussian(s.scale),
    "chordal": lambda s: FubiniStudyGaussian(s.scale),
    "delta": lambda s: NearestKernel(),
})
TITLES = {"relu": "ReLU", "gaussian": "Gaussian", "delta": "Delta"}
#: By what factor falling rates fall over a flow.
FALL = 100.0
#: Gaussians narrower than this see no neighbours among the points used here, and take pointwise steps.
NARROW = 0.05


@final
@dataclass(frozen=True)
class Setting:
    """A kernel with what it needs (zero where it does not), the number of points, steps, and the learning rate.

    kernel  relu, with σ_w and σ_b `weight_std` and `bias_std`; gaussian, (3.5) of width s = `scale`; chordal, its
            positive twin; delta, that of the nearest point
    rate    delta, and a Gaussian narrower than 0.05: the share of Newton's step for log v that each point takes by
            itself. The others: the size of the first step relative to the metric; later ones fall to 1/100 of it.
    """

    kernel: str
    points: int
    rate: float
    steps: int = 300
    scale: float = 0.0
    weight_std: float = 0.0
    bias_std: float = 0.0

    def flow(self, points: Points) -> ComponentFlow:
        """The flow of the σ-loss on these points."""
        kernel = KERNELS[self.kernel](self)
        if self.kernel == "delta" or 0 < self.scale < NARROW:
            return ComponentFlow(points, kernel, rate=PointwiseRate(self.rate), steps=self.steps)
        rate = FallingRate(self.rate, self.rate / FALL)
        return ComponentFlow(points, kernel, rate=rate, steps=self.steps, normalise="largest")

    def plain(self) -> dict[str, Any]:
        """As a mapping, for the cells of a study."""
        return asdict(self)

    @staticmethod
    def read(cell: Mapping[str, Any]) -> Setting:
        """The setting of a cell."""
        return Setting(**{each.name: cell[each.name] for each in fields(Setting)})


#: Table 1: points, rates, an inverse width of 30, σ_w and σ_b. What rates multiply and how they fell is lost.
PAPER: Mapping[str, Setting] = MappingProxyType({
    "relu": Setting("relu", 2500, 0.1, weight_std=80.52, bias_std=5.716),
    "gaussian": Setting("gaussian", 2500, 0.1583, scale=1 / 30),
    "delta": Setting("delta", 1000, 0.3162),
})


#: Found by `geomflow study table1` at its full size, for the gain on unseen points.
OURS: Mapping[str, Setting] = MappingProxyType({
    "relu": Setting("relu", 2500, 0.608, weight_std=35.1, bias_std=0.203),
    "gaussian": Setting("chordal", 2500, 0.416, scale=0.406),
    "delta": Setting("delta", 1000, 0.00272),
})


@cache
def quintic() -> Hypersurface:
    """The Fermat quintic, proven smooth once."""
    return Fermat(5)


@lru_cache(maxsize=2)
def chart_points(count: int, seed: int) -> Points:
    """Points of the Fermat quintic in one coordinate system, by rejection."""
    return sample_patch(quintic(), count, seed, PATCH, ELIM)


def trained(setting: Setting, seed: int) -> ComponentMetric:
    """The metric after the flow on the points of a seed."""
    return setting.flow(chart_points(setting.points, train_seed(seed))).run(progress=False)


def train_seed(seed: int) -> int:
    """The seed of train points; no unseen points have it."""
    return 2 * seed


@contextmanager
def few_points() -> Iterator[None]:
    """Within it a fit may see another volume than its class has: on few points, as here, that is what is studied."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", VolumeWarning)
        yield


def unseen_points(count: int, seed: int) -> Points:
    """Points of a seed that no train points have."""
    return chart_points(count, 2 * seed + 1)


def region_points(region: str, count: int, seed: int) -> Points:
    """Points of one chart for "patch", else of the whole quintic."""
    return chart_points(count, train_seed(seed)) if region == "patch" else quintic().sample(count, seed)


def moved_gains(metric: ComponentMetric, sizes: Any, seed: int, on_variety: bool) -> tuple[np.ndarray, np.ndarray]:
    """For each size of noise, how far train points so moved are from the nearest train point on average, and the gain.

    By default the moved points leave the variety, as in the paper; with `on_variety` they are projected back. Points
    that leave the coordinate system of the train points are rejected, as the train points were when they were drawn.
    """
    found = [_moved(metric, float(size), seed, on_variety) for size in sizes]
    distances, gains = np.array(found).reshape(-1, 2).T
    return distances, gains


def _moved(metric: ComponentMetric, size: float, seed: int, on_variety: bool) -> tuple[float, float]:
    moved = noised(metric.points, size, seed, on_variety=on_variety)
    moved = moved[(moved.patch[:, 0] == PATCH) & (moved.elim == ELIM)]
    return float(nearest(metric.points, moved)[1].mean()), gain(metric, moved)


def middle(gains: np.ndarray, train_gain: float) -> np.ndarray:
    """Where a curve is neither at its plateau on the train points nor near one: 30 ≤ gain ≤ train_gain/30."""
    return (gains >= 30) & (gains <= train_gain / 30)


def uninterrupted(metric: Any) -> Any:
    """The metric, or Ctrl-C passed on where its fit took one as its outcome: half a fit is no row of a study."""
    if metric.report.outcome.kind == OutcomeKind.interrupted:
        raise KeyboardInterrupt
    return metric
