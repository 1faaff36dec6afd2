"""Figure 2 of the paper: how well mini-batched clustering sorts points by distance."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, final

import numpy as np

from geomflow.kernels import batched_labels, cohesion, geodesic_distance
from geomflow.plot.style import CYCLE, MUTED, plain_ticks, sequential
from geomflow.study.gains import chart_points
from geomflow.study.seeds import mean_and_error, said, with_errors
from geomflow.study.story import Words
from geomflow.study.study import Cell, Findings, Row, Study, averages, distinct, having

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

POINTS = 1000
SHOWN, SHOWN_BATCHES = 10, 5
TITLES = {"unordered": "unordered", "batched": "in 5 batches, (3.3)", "whole": "at once"}


@final
@dataclass(frozen=True)
class Figure2(Study):
    """1,000 points of one coordinate patch of the Fermat quintic, clustered in the Fubini–Study distance d.

    batches  into so many mini-batches the points were divided, each clustered by average linkage and merged by
             eq. (3.3); 1 is clustering at once, 0 no clustering: consecutive points instead
    ratio    mean d of different points in one cluster, over the mean d of all pairs: 1 if clusters know nothing of d
    largest  the share of the points in the largest cluster
    labels   the cluster of each point
    """

    name: ClassVar[str] = "figure2"
    title: ClassVar[str] = "Figure 2: clustering in mini-batches"
    question: ClassVar[str] = "How much of the order by distance is lost when points are clustered in mini-batches?"
    source: ClassVar[str] = "Halverson and Ruehle, section 3.1, eqs. (3.2) and (3.3), figure 2"
    words: ClassVar[Words] = Words(
        {
            "ratio_0_batches_{clusters}_clusters": "within over all, unordered, {clusters} clusters",
            "ratio_1_batches_{clusters}_clusters": "within over all, clustered at once, {clusters} clusters",
            "ratio_{batches}_batches_{clusters}_clusters": "within over all, {batches} batches, {clusters} clusters",
            "kept_{batches}_batches_{clusters}_clusters": "share that {batches} batches keep, {clusters} clusters",
        },
        first=("ratio_0_batches_10_clusters", "ratio_5_batches_10_clusters", "ratio_1_batches_10_clusters"),
    )

    def compared(self, numbers: Mapping[str, float]) -> str:
        """The paper has maps without numbers."""
        return ("The paper shows the three maps and no number; the order of the maps is the same here, from no blocks "
                "over faint ones to sharp ones.")

    def cells(self, quick: bool) -> list[dict[str, Any]]:
        """Numbers of clusters and of batches, and seeds."""
        clusters, batches, seeds = ((5, 10, 20, 50), (0, 1, 5), 4) if quick else (
            (5, 10, 20, 50, 100), (0, 1, 2, 5, 10), 20)
        return [{"points": POINTS, "clusters": count, "batches": number, "seed": seed}
                for seed in range(seeds) for number in batches for count in clusters if number * count <= POINTS // 2]

    def measure(self, cell: Cell) -> dict[str, Any]:
        """The labels, and what they are worth."""
        points = chart_points(cell["points"], cell["seed"])
        if cell["batches"]:
            labels = batched_labels(points, cell["batches"], cell["clusters"], cell["seed"])
        else:
            labels = np.arange(len(points)) * cell["clusters"] // len(points)
        return {"ratio": cohesion(points, labels), "largest": float(np.bincount(labels).max() / len(points)),
                "labels": labels}

    def conclude(self, rows: list[Row]) -> dict[str, float]:
        """The ratios with their standard errors over seeds, by number of clusters and batches, and what is lost."""
        pairs = sorted({(row["batches"], row["clusters"]) for row in rows})
        found = with_errors({f"ratio_{batches}_batches_{clusters}_clusters":
                             mean_and_error(_ratios(rows, batches, clusters)) for batches, clusters in pairs})
        for clusters in distinct(rows, "clusters"):
            parts = (_ratios(rows, SHOWN_BATCHES, clusters), _ratios(rows, 1, clusters))
            if all(len(part) for part in parts):
                kept = (1 - np.mean(parts[0])) / (1 - np.mean(parts[1]))
                found[f"kept_{SHOWN_BATCHES}_batches_{clusters}_clusters"] = float(kept)
        return found

    def answer(self, findings: Findings) -> str:
        """The three ratios of the maps, and the range of what is kept."""
        numbers = findings.numbers
        told = [said(numbers, f"ratio_{key}_batches_{SHOWN}_clusters") for key in (0, SHOWN_BATCHES, 1)]
        kept = {name.rsplit("_", 2)[1]: value for name, value in numbers.items() if name.startswith("kept")}
        shares = ", ".join(f"{100 * value:.0f} % of it with {count}" for count, value in kept.items())
        return (f"Mean distance within a cluster over mean distance of all pairs, with {SHOWN} clusters: {told[0]} "
                f"unordered, {told[1]} if {SHOWN_BATCHES} batches are clustered and merged by (3.3), {told[2]} if all "
                f"{POINTS} points are clustered at once (means over point sets with their standard errors). Merging "
                f"keeps a part of what clustering gains: {shares} clusters.")

    def draw(self, figure: Figure, findings: Findings) -> None:
        """The three heat maps of the first point set, and the ratios against the number of clusters."""
        figure.set_size_inches(7.2, 5.6)
        panels = figure.subplot_mosaic([list(TITLES), ["ratio"] * 3], height_ratios=[1.15, 1])
        for name, batches in zip(TITLES, (0, SHOWN_BATCHES, 1), strict=True):
            row = findings.where(clusters=SHOWN, batches=batches, seed=0).rows[0]
            image = _draw_map(panels[name], row, TITLES[name])
        figure.colorbar(image, ax=panels["whole"], shrink=0.85, pad=0.03, label="distance").outline.set_visible(False)
        _draw_ratios(panels["ratio"], findings)


def _ratios(rows: Any, batches: int, clusters: int) -> np.ndarray:
    return np.array([row["ratio"] for row in having(rows, batches=batches, clusters=clusters)])


def _draw_map(axes: Axes, row: Row, title: str) -> Any:
    points = chart_points(row["points"], row["seed"])
    order = np.argsort(row["labels"], kind="stable") if row["batches"] else np.arange(len(points))
    image = axes.imshow(geodesic_distance(points[order], points[order]), cmap=sequential(), vmin=0, vmax=np.pi / 2,
                        interpolation="antialiased")
    axes.set(title=f"{title}: {row['ratio']:.3f}", xticks=[0, 500], yticks=[0, 500],
             xlabel="point, in the order of clusters")
    axes.grid(False)
    return image


def _draw_ratios(axes: Axes, findings: Findings) -> None:
    batches = distinct(findings.rows, "batches")
    words = {0: "unordered", 1: "at once"}
    for number, colour in zip(batches, [MUTED, *CYCLE], strict=False):
        counts, pairs = averages(having(findings.rows, batches=number), "clusters", "ratio", mean_and_error)
        means, errors = pairs.T
        axes.errorbar(counts, means, errors, fmt="o-", color=colour, capsize=2,
                      label=words.get(number, f"{number} batches"))
    axes.set(xlabel="clusters", ylabel="within / overall", xscale="log", title="mean distance within clusters",
             ylim=(0, None))
    plain_ticks(axes, findings["clusters"])
    axes.legend(ncols=2, loc="lower left")
