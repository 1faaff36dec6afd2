"""Generalisation: what fixed kernels of metrics and potentials, without and with symmetries, gain on unseen points."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, final

import numpy as np

from geomflow import fits
from geomflow.plot.style import CYCLE, INK, MUTED, plain_ticks
from geomflow.study.gains import OURS, Setting, few_points, uninterrupted
from geomflow.study.seeds import exponent_and_error, with_errors
from geomflow.study.story import Words
from geomflow.study.study import Cell, Findings, Row, Study, averages, distinct, having
from geomflow.variety import Fermat, Points, Quality, gain, quality, sample_patch

if TYPE_CHECKING:
    from matplotlib.figure import Figure

UNSEEN, UNSEEN_SEED = 10_000, 10**6
FEW, MOST = 5000, 10_000
RIDGES = (1e-3, 1e-4, 1e-5, 1e-6)
FINE = (1e-6, 1e-8, 1e-10, 1e-12)
#: The exact flows that do best in the study of table 1, at more widths.
COMPONENTS = (*(replace(OURS["gaussian"], scale=scale) for scale in (0.3, 0.4, 0.55, 0.75)), OURS["relu"])
PLAIN = tuple(map(fits.OverlapKernel, (fits.Power(2), fits.Power(3), fits.Exponential(0.12), fits.Exponential(0.5))))
INVARIANT = tuple(fits.InvariantKernel(degree, fits.Exponential(beta)) for degree in (4, 6) for beta in (0.5, 2.0))


def _components(points: Points) -> Any:
    """A flow of metric components; its kernel is the best on a fifth of at most 5,000 points."""
    rest, held = points[:FEW].split(0.8, 0)
    gains = [gain(_flowed(rest, setting), held) for setting in COMPONENTS]
    return _flowed(points, COMPONENTS[int(np.argmax(gains))])


def _flowed(points: Points, setting: Setting) -> Any:
    return uninterrupted(setting.flow(points).run(progress=False))


def _potential(points: Points) -> Any:
    return fits.tuned_metric(points, PLAIN, RIDGES, most=MOST, progress=False)


def _relu(points: Points) -> Any:
    kernels = [fits.OverlapKernel(fits.ArcCosine(b)) for b in (0.5, 2.0)]
    return fits.tuned_metric(points, kernels, RIDGES, most=MOST, progress=False)


def _orbit(points: Points) -> Any:
    kernel = fits.OrbitKernel(fits.Power(4), fits.Isometries.permuting(points.variety))
    return fits.tuned_metric(points, [kernel], RIDGES[1:], most=FEW, progress=False)


def _invariant(points: Points) -> Any:
    return fits.tuned_metric(points, INVARIANT, FINE, most=MOST, progress=False)


def _learned(points: Points) -> Any:
    """The kernel is learned on at most 10,000 points, and fitted on all."""
    return uninterrupted(fits.frozen_fit(fits.learned_kernel(points[:MOST], progress=False), points, progress=False))


@final
@dataclass(frozen=True)
class Family:
    """Kernels of one kind: a heading, whether points are in one patch, how they are fitted, and the most points."""

    title: str
    patch: bool
    fit: Callable[[Points], Any]
    largest: int = 50_000


FAMILIES = MappingProxyType({
    "components": Family("metric components, one patch", True, _components),
    "potential-patch": Family("potential, one patch", True, _potential, 10_000),
    "potential": Family("potential", False, _potential),
    "relu": Family("potential, ReLU type", False, _relu, 10_000),
    "orbit": Family("potential, mean over permutations", False, _orbit, 10_000),
    "invariant": Family("potential, all symmetries", False, _invariant),
    "learned": Family("potential, learned", False, _learned),
})


@final
@dataclass(frozen=True)
class Generalisation(Study):
    """Metrics on the Fermat quintic from fixed kernels; settings are chosen on a fifth of at most 10,000 train points.

    gain   σ of Fubini–Study over that of the metric on 10,000 points that no fit and no choice has seen
    error  of the gain, by the number of unseen points      train  the same ratio on the train points
    lost   at how many unseen points g is not positive
    Kernels of components need all points in one of the twenty coordinate systems; there they are twenty times denser.
    """

    name: ClassVar[str] = "generalisation"
    title: ClassVar[str] = "Kernels that generalise"
    question: ClassVar[str] = "What must a fixed kernel know for its metric to be nearly Ricci-flat at unseen points?"
    source: ClassVar[str] = "Halverson and Ruehle, section 3.2 and its discussion of feature learning"
    words: ClassVar[Words] = Words(
        {
            "gain_{kernel}_{points}": "gain on unseen points, {kernel}, {points} points",
            "exponent_{kernel}": "exponent of the gain with the number of points, {kernel}",
        },
        {"components": "kernel on components", "potential-patch": "kernel on the potential, one patch",
         "potential": "kernel on the potential", "relu": "ReLU kernel on the potential",
         "orbit": "averaged over permutations", "invariant": "with all symmetries", "learned": "learned, then frozen"},
        ("gain_components_*", "gain_potential_*", "gain_invariant_*"),
    )

    def cells(self, quick: bool) -> list[dict[str, Any]]:
        """Kinds of kernels and numbers of points."""
        sizes, also = ((1000,), (300,)) if quick else ((1000, 2500, 10_000, 50_000), ())
        few = dict.fromkeys(("components", "potential", "invariant"), also)
        return [{"kernel": kernel, "points": size, "seed": 1}
                for kernel in FAMILIES for size in (*few.get(kernel, ()), *sizes) if size <= FAMILIES[kernel].largest]

    def measure(self, cell: Cell) -> dict[str, Any]:
        """Fit and measure one kernel on one number of points."""
        family = FAMILIES[cell["kernel"]]
        train, unseen = (_points(family.patch, count, seed)
                         for count, seed in ((cell["points"], cell["seed"]), (UNSEEN, UNSEEN_SEED + cell["seed"])))
        with few_points():
            metric = family.fit(train)
        found = quality(metric, unseen)
        error = 0.0 if found.not_positive else found.gain * _relative_error(found)
        return {"gain": found.gain, "error": error, "train": gain(metric, train), "lost": found.not_positive}

    def conclude(self, rows: list[Row]) -> dict[str, float]:
        """The gains, and the exponents in the number of points."""
        found = with_errors({f"gain_{row['kernel']}_{row['points']}": (float(row["gain"]), float(row["error"]))
                             for row in rows})
        for kernel in FAMILIES:
            sizes, gains = averages(having(rows, kernel=kernel), "points", "gain")
            if len(sizes) > 1:
                found |= with_errors({f"exponent_{kernel}": exponent_and_error(sizes, gains)})
        return found

    def answer(self, findings: Findings) -> str:
        """The gains in words."""
        sizes = distinct(findings.rows, "points")
        size = 2500 if 2500 in sizes else sizes[-1]
        gain = {row["kernel"]: row["gain"] for row in findings.where(points=size).rows}
        said = {kernel: f"{value:.3g}" for kernel, value in gain.items()}
        return (f"With {size} points a kernel on metric components reaches a gain of {said['components']} on unseen "
                "points of its patch. A kernel on the potential, whose updates are closed and global, reaches "
                f"{said['potential-patch']} on the same points, and {said['potential']} where points and test are on "
                f"the whole variety ({said['relu']} of ReLU type). Averaged over the permutations of the coordinates "
                f"it reaches {said['orbit']}, with all symmetries of the quintic {said['invariant']}. A kernel learned "
                f"by a network on the same points, then frozen, knows none of them and reaches {said['learned']}. "
                "Fixed kernels generalise when they carry the geometry.")

    def draw(self, figure: Figure, findings: Findings) -> None:
        """Test gain against the number of points, a line for each kind of kernel."""
        figure.set_size_inches(7.2, 4.6)
        axes = figure.subplots()
        for (kernel, family), colour in zip(FAMILIES.items(), (MUTED, *CYCLE), strict=True):
            own = findings.where(kernel=kernel)
            axes.errorbar(own["points"], own["gain"], own["error"], fmt="s--" if family.patch else "o-", color=colour,
                          capsize=2, label=family.title)
            size, gain = own["points"][-1], own["gain"][-1]
            below = -3 if gain > 10 else 3 if family.patch else -10
            axes.annotate(f"{gain:.3g}", (size, gain), xytext=(7, below), textcoords="offset points", color=colour,
                          fontsize=9)
        axes.axhline(1, color=INK, lw=0.8, ls=":")
        axes.set(xscale="log", yscale="log", xlabel="train points", ylabel="gain on unseen points")
        plain_ticks(axes, findings["points"], "{:,}")
        axes.set_xlim(right=1.35 * max(findings["points"]))
        figure.legend(loc="outside upper center", ncols=3, fontsize=8)


def _points(patch: bool, count: int, seed: int) -> Points:
    variety = Fermat(5)
    return sample_patch(variety, count, seed, 0, 1) if patch else variety.sample(count, seed)


def _relative_error(found: Quality) -> float:
    """Of the gain, from the Monte-Carlo errors of both σ."""
    return float(np.hypot(found.after.error / float(found.after), found.before.error / float(found.before)))
