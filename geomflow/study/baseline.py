"""The finite network of the paper against kernels: gains on unseen points, trained on the same points."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, final

import numpy as np

from geomflow import fits
from geomflow.plot.style import CYCLE, INK, MUTED, plain_ticks
from geomflow.study.gains import PAPER, Setting, chart_points, few_points, train_seed, uninterrupted, unseen_points
from geomflow.study.seeds import exponent_and_error, geometric, with_errors
from geomflow.study.story import Words
from geomflow.study.study import Cell, Findings, Row, Study, averages, having
from geomflow.variety import Points, quality

if TYPE_CHECKING:
    from matplotlib.figure import Figure

UNSEEN = 10_000
RIDGES = (1e-3, 1e-5, 1e-7, 1e-9)
WIDE = 0.5


def _network(epochs: int) -> Callable[[Points, int], Any]:
    return lambda points, seed: fits.component_network(points, epochs=epochs, seed=seed, progress=False)


def _components(setting: Setting) -> Callable[[Points, int], Any]:
    return lambda points, seed: setting.flow(points).run(progress=False)


def _potential(kernel: Any) -> Callable[[Points, int], Any]:
    return lambda points, seed: fits.tuned_metric(points, [kernel], RIDGES, seed=seed, progress=False)


def _learned(points: Points, seed: int) -> Any:
    kernel = fits.learned_kernel(points, seed, tries=2, progress=False)
    return fits.frozen_fit(kernel, points, seed=seed, progress=False)


#: What is trained on the points: metrics of (points, seed).
KINDS: Mapping[str, Callable[[Points, int], Any]] = MappingProxyType({
    "network": _network(50),
    "network-longer": _network(500),
    "relu": _components(PAPER["relu"]),
    "gaussian": _components(PAPER["gaussian"]),
    "wide-gaussian": _components(Setting("chordal", 0, 0.1, scale=WIDE)),
    "potential": _potential(fits.OverlapKernel(fits.Exponential(1.0))),
    "invariant": _potential(fits.InvariantKernel(4, fits.Power(1))),
    "learned": _learned,
})
TITLES = MappingProxyType({
    "network": "finite network, 50 epochs",
    "network-longer": "finite network, 500 epochs",
    "relu": "components: ReLU, table 1",
    "gaussian": "components: Gaussian, table 1",
    "wide-gaussian": f"components: Gaussian, s = {WIDE:g}",
    "potential": "potential: Gaussian",
    "invariant": "potential: invariant, O(4)",
    "learned": "potential: learned",
})
NETWORKS = ("network", "network-longer")


@final
@dataclass(frozen=True)
class Baseline(Study):
    """The finite network of the paper and kernels, on the same points of one coordinate patch of the Fermat quintic.

    kind    network: three layers of 64 nodes, ReLU, components added to g_FS, σ-loss, Adam, 50 epochs (or 500);
            relu, gaussian: kernels on components with the paper's settings, table 1; wide-gaussian: that of the chordal
            distance with s = 0.5; potential: exp(|p·q̄|² − 1) on the potential; invariant: the Bergman kernel of O(4)
            averaged over the symmetries; learned: the tangent kernel of a φ-network trained on these points, frozen
    gain    σ of Fubini–Study over σ, on 10,000 other points of the patch; settings that a kernel needs are chosen on a
            part of the train points
    lost    the number of unseen points where the metric is not positive
    """

    name: ClassVar[str] = "baseline"
    title: ClassVar[str] = "Baseline: a finite network against kernels"
    question: ClassVar[str] = "Does a finite network generalise where kernels do not, from the same points?"
    source: ClassVar[str] = "Halverson and Ruehle, section 3 and section 3.2"
    words: ClassVar[Words] = Words(
        {
            "gain_{kind}_{points}": "gain on unseen points, {kind}, {points} points",
            "exponent_{kind}": "exponent of the gain with the number of points, {kind}",
            "unseen_points_lost": "unseen points where a metric is not positive",
        },
        TITLES,
        ("gain_network_*", "exponent_network", "gain_potential_*"),
    )

    def compared(self, numbers: Mapping[str, float]) -> str:
        """The gain of the largest sample within the range that the paper quotes."""
        most = max(int(name.rsplit("_", 1)[1]) for name in numbers if re.fullmatch(r"gain_network_\d+", name))
        gain = numbers[f"gain_network_{most}"]
        place = "inside" if 10 <= gain <= 100 else f"{10 / gain:.2g} times below" if gain < 10 else "above"
        return (f"The paper quotes gains of 10 to 100 for finite networks; the {gain:.3g} from {most:,} points is "
                f"{place} them.")

    def cells(self, quick: bool) -> list[dict[str, Any]]:
        """Kinds, numbers of points and seeds; the network also on as many points as in the paper."""
        sizes, more, seeds = ((500, 1000), (8000,), 1) if quick else ((1000, 2500, 10_000), (30_000, 100_000), 2)
        kinds = [kind for kind in KINDS if not (quick and kind in ("network-longer", "gaussian"))]
        cells = [{"kind": kind, "points": size, "seed": seed}
                 for size in sizes for kind in kinds for seed in range(seeds)]
        return cells + [{"kind": "network", "points": size, "seed": 0} for size in more]

    def measure(self, cell: Cell) -> dict[str, Any]:
        """The gain on unseen points."""
        points = chart_points(cell["points"], train_seed(cell["seed"]))
        with few_points():
            metric = uninterrupted(KINDS[cell["kind"]](points, cell["seed"]))
        found = quality(metric, unseen_points(UNSEEN, cell["seed"]))
        return {"gain": found.gain, "lost": found.not_positive, "outcome": str(metric.report.outcome.kind)}

    def conclude(self, rows: list[Row]) -> dict[str, float]:
        """Gains by kind and points (geometric means over seeds), and the slope of the network's gain with points."""
        found: dict[str, float] = {}
        for kind, size in dict.fromkeys((row["kind"], row["points"]) for row in rows):
            mean, factor = _mean(rows, kind, size)
            found |= with_errors({f"gain_{kind}_{size}": (mean, mean * (factor - 1) if mean else 0.0)})
        found |= with_errors({"exponent_network": exponent_and_error(*_curve(rows, "network")[:2])})
        return {**found, "unseen_points_lost": float(sum(row["lost"] for row in rows))}

    def answer(self, findings: Findings) -> str:
        """The gains in words."""
        numbers, rows = findings.numbers, findings.rows
        largest = max(row["points"] for row in rows)
        same = max(row["points"] for row in having(rows, kind="potential"))
        gains = {kind: numbers[f"gain_{kind}_{same}"] for kind in KINDS if f"gain_{kind}_{same}" in numbers}
        fixed = ", ".join(f"{gain:.3g} ({TITLES[kind]})" for kind, gain in gains.items() if kind not in NETWORKS)
        best = max(gains[kind] for kind in NETWORKS if kind in gains)
        better = [TITLES[kind] for kind, gain in gains.items() if kind not in NETWORKS and gain > best]
        verdict = f"No: {len(better)} of these kernels do better" if better else "Yes: no kernel does better"
        most = numbers[f"gain_network_{largest}"]
        return (f"From {largest:,} points the finite network gains {most:.3g} on unseen points, growing as points to "
                f"the power {numbers['exponent_network']:.2f}; the paper quotes 10 to 100. From the same {same:,} "
                f"points it gains {best:.3g}, and the kernels {fixed}. {verdict} than the network there.")

    def draw(self, figure: Figure, findings: Findings) -> None:
        """Gains against the number of points."""
        axes = figure.subplots()
        for number, (kind, title) in enumerate(TITLES.items()):
            sizes, means, factors = _curve(findings.rows, kind)
            if not len(sizes):
                continue
            colour = MUTED if kind in NETWORKS else CYCLE[(number - 2) % len(CYCLE)]
            spread = [means - means / factors, means * factors - means]
            axes.errorbar(sizes, means, spread, fmt="o--" if kind in NETWORKS else "o-", color=colour, capsize=2,
                          label=title, markersize=4, alpha=0.6 if kind == "network-longer" else 1)
        axes.axhspan(10, 100, color=MUTED, alpha=0.12, zorder=0)
        axes.annotate("quoted for finite networks", (0.99, 82), xycoords=("axes fraction", "data"), ha="right",
                      color=INK, fontsize=8)
        axes.set(xscale="log", yscale="log", xlabel="train points", ylabel="gain on unseen points")
        plain_ticks(axes, findings["points"], "{:,}")
        axes.legend(fontsize=8, loc="center left", bbox_to_anchor=(1.0, 0.5))


def _mean(rows: Any, kind: str, size: int) -> tuple[float, float]:
    return geometric([row["gain"] for row in having(rows, kind=kind, points=size)])


def _curve(rows: Any, kind: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Numbers of points, geometric mean gains, and the factors of their errors."""
    sizes, pairs = averages(having(rows, kind=kind), "points", "gain", geometric)
    means, factors = pairs.reshape(-1, 2).T
    return sizes, means, factors
