"""Eq. (3.6) of the paper: how near points are to each other, and how many a local kernel needs for a gain."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, final

import numpy as np

from geomflow.plot.style import CYCLE, INK, MUTED
from geomflow.study.gains import PAPER, TITLES, Setting, moved_gains, region_points, train_seed, trained, unseen_points
from geomflow.study.seeds import PowerLaw, geometric_mean, mean_and_error, power_law, said, with_errors
from geomflow.study.story import Words
from geomflow.study.study import Cell, Findings, Row, Study, distinct, having
from geomflow.variety import nearest, quality

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

REGIONS = {"patch": "one chart", "all": "everywhere"}
LOCAL = ("delta", "gaussian")
WANTED = (10, 100)
NOISES = (1e-4, 0.3)
Y, DIMENSION = ("least", "mean", "largest"), 6


@final
@dataclass(frozen=True)
class Scaling(Study):
    """Points of the Fermat quintic: inside one chart, as in the paper ("patch"), or wherever they fall ("all").

    distance  least, mean and largest Fubini–Study distance from a point to its nearest other one
    law       the gains of Delta and Gaussian with Table 1's settings at train points moved by noise on the variety, and
              the mean `distances` of these from the train points: the law gain(d)
    unseen    the gain of Delta with so many train points on 2,500 unseen points, and their mean distance

    The number of points for a gain is that at which the fitted mean distance is the distance of that gain by the law.
    """

    name: ClassVar[str] = "scaling"
    title: ClassVar[str] = "Scaling: distances and numbers of points"
    question: ClassVar[str] = ("How does the distance between points fall with their number, and how many points does "
                               "a local kernel need for a gain of 10 and of 100?")
    source: ClassVar[str] = "Halverson and Ruehle, section 3.2, eq. (3.6), figure 3 (right)"
    words: ClassVar[Words] = Words(
        {
            "factor_{region}_{which}": "c of {which} distance = c N^γ, {region}",
            "exponent_{region}_{which}": "γ of {which} distance = c N^γ, {region}",
            "distance_{kernel}_{gain}": "distance of a gain of {gain}, {kernel}",
            "points_{kernel}_{gain}": "points for a gain of {gain}, {kernel}",
            "points_{kernel}_{gain}_sixth":
                "points for a gain of {gain}, {kernel}, with γ = −1/6 from the largest sample on",
            "unseen_over_law": "gain of Delta on unseen points, over what the law says",
        },
        {"patch": "one chart", "all": "the whole variety", "mean": "mean", "delta": "Delta", "gaussian": "Gaussian"},
        ("exponent_patch_mean", "factor_patch_mean", "points_delta_10"),
    )

    def compared(self, numbers: Mapping[str, float]) -> str:
        """The exponents beside the −1/6 that the paper argues for."""
        places = {"patch": "in one chart", "all": "everywhere"}
        ratios = {place: -6 * numbers[f"exponent_{key}_mean"] for key, place in places.items()}
        said = " and ".join(f"{ratio:.3f} times that {place}" for place, ratio in ratios.items())
        return ("The paper's fit (3.6) has an exponent close to −1/6, that of six dimensions; the one measured is "
                f"{said}. A chart has a boundary, to which more points come nearer as their number grows.")

    def cells(self, quick: bool) -> list[dict[str, Any]]:
        """Regions, numbers and seeds; quick: to 3,162 points."""
        numbers = (100, 316, 1000, 3162) if quick else (100, 316, 1000, 3162, 10000, 31623, 100000)
        cells: list[dict[str, Any]] = []
        for seed in range(4):
            cells += [{"kind": "distance", "region": region, "points": n, "seed": seed} for n in numbers
                      for region in REGIONS]
            cells += [{"kind": "unseen", "region": "patch", "unseen": 2500, "seed": seed,
                       **replace(PAPER["delta"], points=n).plain()} for n in numbers]
            for name in LOCAL:
                setting = replace(PAPER[name], points=PAPER[name].points // 4) if quick else PAPER[name]
                cells.append({"kind": "law", "region": "patch", "seed": seed, **setting.plain()})
        return cells

    def measure(self, cell: Cell) -> dict[str, Any]:
        """Distances, or gains."""
        if cell["kind"] == "distance":
            near = nearest(region_points(cell["region"], cell["points"], cell["seed"]))[1]
            return dict(zip(Y, (float(near.min()), float(near.mean()), float(near.max())), strict=True))
        metric = trained(Setting.read(cell), cell["seed"])
        if cell["kind"] == "law":
            distances, gains = moved_gains(metric, np.geomspace(*NOISES, 15), train_seed(cell["seed"]), on_variety=True)
            return {"distances": distances, "gains": gains}
        unseen = unseen_points(cell["unseen"], cell["seed"])
        return {"mean": float(nearest(metric.points, unseen)[1].mean()), "gain": quality(metric, unseen).gain}

    def conclude(self, rows: list[Row]) -> dict[str, float]:
        """Fitted factors and exponents, distances of the wanted gains, and numbers of points with 68 % ranges."""
        found: dict[str, tuple[float, float]] = {}
        for region in REGIONS:
            for name in Y:
                law = fitted(rows, region, name)
                found[f"factor_{region}_{name}"] = law.factor, law.factor_error
                found[f"exponent_{region}_{name}"] = law.exponent, law.exponent_error
        ranges: dict[str, float] = {}
        for kernel in LOCAL:
            for gain in WANTED:
                known = Extrapolation.of(rows, kernel, gain)
                found[f"distance_{kernel}_{gain}"] = mean_and_error(known.distances)
                low, high = np.percentile(known.points, [16, 84])
                name = f"points_{kernel}_{gain}"
                ranges |= {name: known.best, f"{name}_low": float(low), f"{name}_high": float(high),
                           f"{name}_sixth": known.sixth}
        return {**with_errors(found), **ranges, **_agreement(rows)}

    def answer(self, findings: Findings) -> str:
        """The law (3.6) as measured, and the extrapolation."""
        numbers = findings.numbers
        most = max(row["points"] for row in findings.rows if row["kind"] == "distance")

        def law(region: str) -> str:
            factor, exponent = (said(numbers, f"{part}_{region}_mean") for part in ("factor", "exponent"))
            return f"({factor}) N^({exponent})"

        def need(kernel: str, gain: int) -> str:
            name = f"points_{kernel}_{gain}"
            return (f"{numbers[name]:.1e} points ({numbers[f'{name}_low']:.1e} to {numbers[f'{name}_high']:.1e}) for a "
                    f"gain of {gain}")

        needs = "; ".join(f"{TITLES[kernel]} needs " + " and ".join(need(kernel, gain) for gain in WANTED)
                          for kernel in LOCAL)
        return (f"From 100 to {most:,} points the mean distance to the nearest other point is {law('patch')} in one "
                f"chart and {law('all')} everywhere; six dimensions without a boundary have −1/6. With the gains "
                f"measured near train points, on the variety, {needs}: 68 % ranges of the bootstrap. With an exponent "
                f"of −1/6 from the largest sample on it is {numbers['points_delta_10_sixth']:.1e} and "
                f"{numbers['points_delta_100_sixth']:.1e} for Delta, so the exponent is the larger uncertainty. On "
                f"unseen points Delta gains {said(numbers, 'unseen_over_law')} times what the law says at their "
                "distance.")

    def draw(self, figure: Figure, findings: Findings) -> None:
        """Distances with their fits; gains against the number of points, measured and extrapolated."""
        figure.set_size_inches(8.0, 4.0)
        left, right = figure.subplots(1, 2)
        _draw_distances(left, list(findings.rows))
        _draw_needs(right, list(findings.rows))


@final
@dataclass(frozen=True, eq=False)
class Extrapolation:
    """The number of points for a gain: `best`, over bootstrap draws `points` (draws,), and `sixth`, which goes on with
    the exponent −1/6 from the largest number measured. `distances` (seeds,) are those of the gain by the law."""

    best: float
    points: np.ndarray
    sixth: float
    distances: np.ndarray

    @classmethod
    def of(cls, rows: list[Row], kernel: str, gain: float) -> Extrapolation:
        """From the rows of a study."""
        distances = np.array([distance_at(row["distances"], row["gains"], gain)
                              for row in having(rows, kind="law", kernel=kernel)])
        law = fitted(rows, "patch", "mean")
        rng = np.random.default_rng(0)
        chosen = [geometric_mean(distances[rng.integers(len(distances), size=len(distances))])
                  for _ in law.samples]
        drawn = np.array([float(each.inverse(d)) for each, d in zip(law.drawn(), chosen, strict=True)])
        typical = float(geometric_mean(distances))
        numbers, values = _distances(rows, "patch", "mean")
        last = float(geometric_mean(values[:, -1]))
        return cls(float(law.inverse(typical)), drawn, float(numbers[-1] * (last / typical) ** DIMENSION), distances)


def distance_at(distances: np.ndarray, gains: np.ndarray, gain: float) -> float:
    """The largest distance at which a curve still has the gain, between its points along straight lines in logarithms.

    NaN where the curve does not cross the gain.
    """
    above = np.nonzero(gains >= gain)[0]
    if not len(above) or above[-1] + 1 == len(gains):
        return float("nan")
    pair = slice(above[-1], above[-1] + 2)
    x, y = np.log(distances[pair]), np.log(gains[pair])
    return float(np.exp(x[0] + (np.log(gain) - y[0]) * (x[1] - x[0]) / (y[1] - y[0])))


def fitted(rows: list[Row], region: str, name: str) -> PowerLaw:
    """The power law of least, mean or largest distances in the number of points."""
    return power_law(*_distances(rows, region, name))


def _distances(rows: list[Row], region: str, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Numbers of points, and distances (seeds, numbers)."""
    own = having(rows, kind="distance", region=region)
    numbers, seeds = (distinct(own, key) for key in ("points", "seed"))
    values = {(row["seed"], row["points"]): row[name] for row in own}
    return np.array(numbers, dtype=float), np.array([[values[seed, n] for n in numbers] for seed in seeds])


def _curve(rows: list[Row], kernel: str) -> tuple[np.ndarray, np.ndarray]:
    """Geometric means over seeds of the distances and gains of a law."""
    own = having(rows, kind="law", kernel=kernel)
    distances, gains = (geometric_mean([row[key] for row in own]) for key in ("distances", "gains"))
    return distances, gains


def _law_at(rows: list[Row], kernel: str, distances: Any) -> np.ndarray:
    x, y = _curve(rows, kernel)
    return np.asarray(np.exp(np.interp(np.log(distances), np.log(x), np.log(y))))


def _agreement(rows: list[Row]) -> dict[str, float]:
    """Gains on unseen points over those of the law at the same distance, where the law reaches."""
    reach = _curve(rows, "delta")[0][-1]
    own = [row for row in having(rows, kind="unseen") if row["mean"] <= reach]
    ratios = [row["gain"] / float(_law_at(rows, "delta", row["mean"])) for row in own]
    return with_errors({"unseen_over_law": mean_and_error(ratios)}) if ratios else {}


def _draw_distances(axes: Axes, rows: list[Row]) -> None:
    for region, marker, line in (("patch", "o", "-"), ("all", "s", "--")):
        for name, colour in zip(Y, CYCLE[:3], strict=True):
            numbers, values = _distances(rows, region, name)
            label = f"{name}, {REGIONS[region]}"
            axes.errorbar(numbers, values.mean(axis=0), values.std(axis=0), fmt=marker, color=colour, ms=4,
                          mfc=colour if region == "patch" else "none", capsize=2, label=label)
            axes.plot(numbers, fitted(rows, region, name)(numbers), line, color=colour, lw=1)
    law = fitted(rows, "patch", "mean")
    axes.set(xscale="log", yscale="log", xlabel="points N", ylabel="distance to the nearest other point",
             title=f"in one chart: mean ∝ N$^{{{law.exponent:.3f} ± {law.exponent_error:.3f}}}$")
    least = _distances(rows, "patch", "least")[1].min()
    axes.set_ylim(bottom=least / 4)
    ticks = [tick for tick in (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5) if tick > least / 4]
    axes.set_yticks(ticks, [f"{tick:g}" for tick in ticks])
    axes.tick_params(which="minor", labelleft=False)
    axes.legend(fontsize=7, ncols=2, loc="lower left")


def _draw_needs(axes: Axes, rows: list[Row]) -> None:
    law = fitted(rows, "patch", "mean")
    for kernel, colour in zip(LOCAL, (CYCLE[2], CYCLE[1]), strict=True):
        distances, gains = _curve(rows, kernel)
        axes.plot(law.inverse(distances), gains, "-", color=colour, label=f"{TITLES[kernel]}, by the law")
        for gain in WANTED:
            known = Extrapolation.of(rows, kernel, gain)
            low, high = np.percentile(known.points, [16, 84])
            axes.errorbar([known.best], [gain], xerr=[[max(known.best - low, 0)], [max(high - known.best, 0)]], fmt="D",
                          color=colour, capsize=3, mec=INK, mew=0.5)
    own = having(rows, kind="unseen")
    axes.plot([row["points"] for row in own], [row["gain"] for row in own], "*", color=CYCLE[2], mec=INK, mew=0.4, ms=7,
              label="Delta, unseen points")
    axes.axhline(1, color=MUTED, lw=0.7, ls=":")
    axes.set(xscale="log", yscale="log", xlabel="points N", ylabel="gain", title="points that a gain needs",
             ylim=(0.5, 4 * max(WANTED)), xlim=(50, 100 * Extrapolation.of(rows, LOCAL[0], max(WANTED)).best))
    axes.legend(fontsize=8, loc="upper left")
