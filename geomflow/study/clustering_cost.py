"""What it costs to flow inside clusters: the exact kernel flow on all points beside the clustered one."""

from __future__ import annotations

import tracemalloc
from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING, Any, ClassVar, final

import numpy as np

from geomflow.core.memory import human
from geomflow.fits import ComponentFlow, FallingRate
from geomflow.kernels import FubiniStudyGaussian, batched_labels, dropped_mass
from geomflow.plot.style import CYCLE, MUTED, plain_ticks
from geomflow.study.story import Words
from geomflow.study.study import Cell, Findings, Row, Study, averages, distinct, having
from geomflow.variety import Fermat, Points, quality, sample_patch

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BATCH = 2500
UNSEEN = 2000
TIMED = 3
#: A width at which the kernel generalises, and one of the narrow ones that do not.
WIDE, NARROW = 0.3, 0.1
LOSS, RATE = "(v - 1)^2", FallingRate(0.1, 0.01)


@final
@dataclass(frozen=True)
class ClusteringCost(Study):
    """The flow of components by the chordal Gaussian exp(-sin²d/2s²) on points of one patch of the Fermat quintic.

    F = (v - 1)², updates divided by their largest, a rate that falls from 0.1 to 0.01; unseen points are drawn with
    another seed and used once, for the gain. Clusters are those of eq. (3.3) from mini-batches of at most 2,500 points;
    one cluster is the exact flow, whose sums run over all pairs of points without a matrix.

    train, unseen     gain: σ of Fubini-Study over σ of the metric
    sigma             σ on the unseen points
    dropped           the share of the kernel between points of different clusters, which the clustered flow leaves out
    seconds           one update of all train metrics, the fastest of three; double: the same in double precision
    cluster_seconds   the clustering
    memory            the most bytes that arrays take during one update
    stored            bytes that the kernel's blocks would take if stored; the tensor on components takes 81 times that
    """

    name: ClassVar[str] = "clustering-cost"
    title: ClassVar[str] = "What clustering costs"
    question: ClassVar[str] = "What is lost when the kernel between clusters of points is left out, and what is gained?"
    source: ClassVar[str] = "Halverson and Ruehle, section 3.1, eqs. (3.2), (3.3) and (3.5)"
    words: ClassVar[Words] = Words(
        {f"{key}_{of}": f"{said}, {where}" for key, said in (
            ("unseen_gain", "gain on unseen points"), ("train_gain", "gain on train points"),
            ("dropped", "share of the kernel left out"), ("seconds", "seconds of an update"),
            ("megabytes", "megabytes of an update"), ("stored_megabytes", "megabytes of a stored matrix"),
        ) for of, where in (
            ("narrow_{points}_exact", "{points} points, all pairs, narrow kernel"),
            ("narrow_{points}_{clusters}_clusters", "{points} points, {clusters} clusters, narrow kernel"),
            ("{points}_exact", "{points} points, all pairs"),
            ("{points}_{clusters}_clusters", "{points} points, {clusters} clusters"),
        )},
        first=("unseen_gain_[0-9]*_exact", "unseen_gain_[0-9]*_clusters", "dropped_[0-9]*_clusters"),
    )

    def cells(self, quick: bool) -> list[dict[str, Any]]:
        """Numbers of points and clusters; sums in single precision for the most points."""
        plans = (((500, (1, 5, 20), 1), (1000, (1, 5, 20), 1), (2500, (1, 5, 20), 1)) if quick else
                 ((2500, (1, 2, 5, 10, 20, 50, 100), 4), (10_000, (1, 2, 5, 10, 20, 50, 100), 2),
                  (100_000, (1, 10, 100), 1)))
        settings = [(WIDE, points, clusters, seed) for points, numbers, seeds in plans for clusters in numbers
                    for seed in range(seeds)]
        settings += [(NARROW, plans[0][0], clusters, 0) for clusters in (1, plans[0][1][-1])]
        return [{"points": points, "clusters": clusters, "width": width, "steps": 60 if quick else 100, "seed": seed,
                 "precision": "single" if points > 50_000 else "double"} for width, points, clusters, seed in settings]

    def measure(self, cell: Cell) -> dict[str, Any]:
        """Cluster, flow, and look at points that were not seen."""
        points, unseen = _drawn(cell["points"], cell["seed"]), _drawn(UNSEEN, 10_000 + cell["seed"])
        kernel, began = FubiniStudyGaussian(cell["width"], cell["precision"]), perf_counter()
        labels = None
        if cell["clusters"] > 1:
            labels = batched_labels(points, -(-len(points) // BATCH), cell["clusters"], cell["seed"])
        cluster_seconds = perf_counter() - began
        flow = _flow(points, kernel, labels, cell["steps"])
        seconds, memory = _update(flow, TIMED)
        metric = flow.run(progress=False)
        found = quality(metric, unseen)
        double = _flow(points, FubiniStudyGaussian(cell["width"]), labels, cell["steps"])
        sizes = np.bincount(np.zeros(len(points), int) if labels is None else labels).astype(float)
        return {"train": metric.train_gain, "unseen": found.gain, "sigma": float(found.after),
                "not_positive": found.not_positive, "outcome": str(metric.report.outcome.kind),
                "dropped": 0.0 if labels is None else dropped_mass(kernel, points, labels), "seconds": seconds,
                "double": _update(double, 1)[0], "cluster_seconds": cluster_seconds, "memory": memory,
                "stored": 8 * float(sizes @ sizes)}

    def conclude(self, rows: list[Row]) -> dict[str, float]:
        """Gains of the exact and of the clustered flows, what clusters drop, and time and memory of exact updates."""
        found: dict[str, float] = {}
        for width, points, clusters in sorted({(row["width"], row["points"], row["clusters"]) for row in rows}):
            alike = having(rows, width=width, points=points, clusters=clusters)
            key = f"{points}_exact" if clusters == 1 else f"{points}_{clusters}_clusters"
            key = key if width == WIDE else f"narrow_{key}"
            found[f"unseen_gain_{key}"] = _mean(alike, "unseen")
            found[f"train_gain_{key}"] = _mean(alike, "train")
            if clusters == 1 and width == WIDE:
                found[f"seconds_{key}"] = min(row["double"] for row in alike)
                found[f"megabytes_{key}"] = max(row["memory"] for row in alike) / 1e6
                found[f"stored_megabytes_{key}"] = alike[0]["stored"] / 1e6
            elif clusters > 1:
                found[f"dropped_{key}"] = _mean(alike, "dropped")
        return found

    def answer(self, findings: Findings) -> str:
        """Gains lost, and time and memory that exact flows need."""
        numbers, sizes = findings.numbers, distinct(findings.rows, "points")
        lost, most = [], 1
        for points in reversed(sizes):
            most = max(findings.where(points=points)["clusters"].tolist())
            key = f"{points}_{most}_clusters"
            lost.append(f"from {numbers[f'unseen_gain_{points}_exact']:.1f} to {numbers[f'unseen_gain_{key}']:.1f} for "
                        f"{points:,} points in {most} clusters, which drop {100 * numbers[f'dropped_{key}']:.0f} % of "
                        "the kernel")
        key, narrow = f"{sizes[-1]}_exact", f"narrow_{sizes[0]}"
        return (f"Much is lost where the kernel is wide enough to generalise. At width {WIDE:g} the gain on unseen "
                f"points falls {', '.join(lost)}. At width {NARROW:g} the same {most} clusters of {sizes[0]:,} points "
                f"drop {100 * numbers[f'dropped_{narrow}_{most}_clusters']:.1f} %, and little is there to lose: "
                f"{numbers[f'unseen_gain_{narrow}_exact']:.2f} becomes "
                f"{numbers[f'unseen_gain_{narrow}_{most}_clusters']:.2f}. The exact flow needs no such "
                f"compromise: an update of all {sizes[-1]:,} points takes {numbers[f'seconds_{key}']:.2g} s in double "
                f"precision and {human(1e6 * numbers[f'megabytes_{key}'])}, where the matrix alone would take "
                f"{human(1e6 * numbers[f'stored_megabytes_{key}'])}, and the tensor on components 81 times that.")

    def draw(self, figure: Figure, findings: Findings) -> None:
        """Gain against clusters; time and memory of an update against points."""
        figure.set_size_inches(9.6, 3.6)
        gain, time, memory = figure.subplots(1, 3)
        findings = findings.where(width=WIDE)
        _draw_gain(gain, findings)
        _draw_cost(time, findings, "double", "seconds of one update")
        _draw_cost(memory, findings, "memory", "bytes in one update")
        points, stored = averages(findings.where(clusters=1).rows, "points", "stored")
        memory.plot(points, stored, "--", color=MUTED, label="the matrix, stored")
        memory.legend(fontsize=8)


def _drawn(count: int, seed: int) -> Points:
    return sample_patch(Fermat(5), count, seed=seed, patch=0, elim=1)


def _flow(points: Points, kernel: FubiniStudyGaussian, labels: np.ndarray | None, steps: int) -> ComponentFlow:
    return ComponentFlow(points, kernel, loss=LOSS, rate=RATE, steps=steps, normalise="largest", clusters=labels)


def _update(flow: ComponentFlow, timed: int) -> tuple[float, int]:
    """The seconds of the fastest of `timed` updates and the most bytes that arrays took in another."""
    state = flow.start()
    tracemalloc.start()
    flow.step(state)
    memory = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    seconds = []
    for _ in range(timed):
        began = perf_counter()
        flow.step(state)
        seconds.append(perf_counter() - began)
    return min(seconds), memory


def _mean(rows: Any, name: str) -> float:
    return float(np.mean([row[name] for row in rows]))


def _draw_gain(axes: Axes, findings: Findings) -> None:
    for points, colour in zip(distinct(findings.rows, "points"), CYCLE, strict=False):
        rows = findings.where(points=points)
        axes.semilogx(rows["clusters"], rows["unseen"], ".", color=colour, alpha=0.5)
        axes.semilogx(*averages(rows.rows, "clusters", "unseen"), color=colour, label=f"{points:,} points")
    axes.set(xlabel="clusters (one: exact)", ylabel="gain on unseen points", ylim=(0, None))
    plain_ticks(axes, findings["clusters"], "{:,}")
    axes.legend(fontsize=8)


def _draw_cost(axes: Axes, findings: Findings, name: str, label: str) -> None:
    most = int(findings["clusters"].max())
    for clusters, colour in ((1, CYCLE[0]), (most, CYCLE[1])):
        points, values = averages(findings.where(clusters=clusters).rows, "points", name)
        axes.loglog(points, values, "o-", color=colour, label="exact" if clusters == 1 else f"{clusters} clusters")
    axes.set(xlabel="train points", ylabel=label)
    axes.yaxis.set_minor_formatter("")
    plain_ticks(axes, findings["points"], "{:,}")
    axes.legend(fontsize=8)
