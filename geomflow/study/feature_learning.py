"""Feature learning: what training makes of a tangent kernel, and what the kernel is worth once it is frozen again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, final

import numpy as np

from geomflow import fits
from geomflow.fits.learned import TOP
from geomflow.flow import solve
from geomflow.plot.style import CYCLE, INK, MUTED, plain_ticks
from geomflow.study.gains import uninterrupted
from geomflow.study.seeds import geometric
from geomflow.study.story import Words
from geomflow.study.study import Cell, Findings, Row, Study, averages, distinct, having
from geomflow.variety import Dwork, Fermat, Points, quality

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

UNSEEN, WATCHED, SHOWN = 5000, 40, 100
TARGET_DEGREE, TARGET_POINTS = 6, 3000
ELSEWHERE, MIDDLE = 0.5, 32
GAINS = {"network_gain": "the network itself", "final_gain": "its kernel after training, frozen",
         "initial_gain": "its kernel before training, frozen"}


@final
@dataclass(frozen=True)
class FeatureLearning(Study):
    """φ-networks of two hidden layers on the quintic, NTK parametrisation, trained by Gauss–Newton steps on E_F.

    The metric-NTK Θ_t is watched on 40 points, the target g* being an algebraic metric of degree 6; the parameters of
    least σ on held-out points are the trained ones. Tangent features at both ends are then frozen, and fitted from g_FS
    on `fresh` points that the training has not seen. All gains are on further 5,000 points.

    learned_on   ψ of the Dwork quintic on which the network is trained; its kernel is always used on Fermat's, ψ = 0
    drift, turned, loss_alignment, target_alignment, target_share, rank, spectrum   as in `KernelNumbers`, after
                 training; with _before before it, some with _at through it, at the Gauss–Newton steps `at_steps`
    network_gain, final_gain, initial_gain   of the network, and of the two frozen kernels from `fresh` points
    final_gains, initial_gains   from the numbers of fresh points in `counts`
    lost   the number of unseen points, over all of these metrics, where one is not positive
    """

    name: ClassVar[str] = "feature-learning"
    title: ClassVar[str] = "Feature learning"
    question: ClassVar[str] = ("Does training change the tangent kernel, and does the frozen final kernel generalise "
                               "where the frozen initial one does not?")
    source: ClassVar[str] = "Halverson and Ruehle, section 3.2, discussion of the importance of feature learning"
    words: ClassVar[Words] = Words(
        {
            "target_share_before_{width}": "share of the way to the target in the lead, before, width {width}",
            "target_share_{width}": "share of the way to the target in the lead, after, width {width}",
            "target_alignment_before_{width}": "alignment of kernel and target, before, width {width}",
            "target_alignment_{width}": "alignment of kernel and target, after, width {width}",
            "rank_before_{width}": "directions that carry the kernel, before, width {width}",
            "rank_{width}": "directions that carry the kernel, after, width {width}",
            "drift_{width}": "change of the kernel over its size, width {width}",
            "turned_{width}": "turn of the kernel, width {width}",
            "network_gain_{width}": "gain of the network, width {width}",
            "{end}_gain_{width}": "gain of the frozen {end} kernel, width {width}",
            "{end}_gain_from_{points}_points": "gain of the frozen {end} kernel from {points} fresh points",
            "elsewhere_network_gain": "gain of a network trained on another quintic",
            "elsewhere_{end}_gain_from_{points}_points":
                "gain of the frozen {end} kernel of another quintic from {points} fresh points",
            "unseen_points_lost": "unseen points where a metric is not positive",
        },
        first=("drift_*", "final_gain_[0-9]*", "initial_gain_[0-9]*"),
    )

    def cells(self, quick: bool) -> list[dict[str, Any]]:
        """Widths and seeds; at one width more numbers of fresh points, and a kernel learned on another quintic."""
        widths: tuple[int, ...]
        also: tuple[int, ...]
        if quick:
            plain, widths, seeds, also = {"points": 8000, "steps": 200, "fresh": 500}, (8, 16, 32, 64), 2, (50, 150)
        else:
            plain = {"points": 25_000, "steps": 300, "fresh": 1000}
            widths, seeds, also = (8, 16, 32, 64, 128), 3, (30, 100, 300, 3000)
        kinds = [(0.0, width, also if width == MIDDLE else ()) for width in widths] + [(ELSEWHERE, MIDDLE, also)]
        return [{**plain, "learned_on": learned_on, "width": width, "also": list(more), "seed": seed}
                for seed in range(seeds) for learned_on, width, more in kinds]

    def measure(self, cell: Cell) -> dict[str, Any]:
        """One training, watched, and the two fits with frozen kernels."""
        fermat, seed = Fermat(5), 10 * cell["seed"]
        learned_on = Dwork(cell["learned_on"]) if cell["learned_on"] else fermat
        network = fits.feature_network(learned_on.ambient, cell["width"])
        training = fits.feature_training(learned_on.sample(cell["points"], seed), network, seed, steps=cell["steps"])
        every = training.recipe.watch[1]
        solution = solve(training, training.start(), training.length, max_steps=training.length, progress=False,
                         save_at=[*range(every, cell["steps"], every), cell["steps"]])
        uninterrupted(training.metric(solution))
        seen = [(int(state["steps"][1]), state["parameters"]) for state in solution.states]
        initial, final = (fits.PhiNetwork(fermat, network, theta) for theta in (training.first, solution.last["best"]))
        target = fits.algebraic_metric(fermat, TARGET_DEGREE, fermat.sample(TARGET_POINTS, seed + 1))
        watch = fits.KernelWatch(initial, fermat.sample(WATCHED, seed + 2), target)
        counts = sorted({cell["fresh"], *cell["also"]})
        gains = _gains(initial, final, [fermat.sample(count, seed + 3) for count in counts],
                       fermat.sample(UNSEEN, seed + 4), seed)
        place = counts.index(cell["fresh"])
        at_fresh = {name: float(gains[f"{name}s"][place]) for name in ("final_gain", "initial_gain")}
        return {**_history(watch, fermat, network, seen), **_ends(watch(initial), watch(final)), **gains, **at_fresh,
                "counts": np.array(counts)}

    def conclude(self, rows: list[Row]) -> dict[str, float]:
        """By width: drift, alignment, rank and gains (geometric means over seeds); by number of fresh points: gains."""
        found, main = {}, _main(rows)
        for width in distinct(main, "width"):
            own = having(main, width=width)
            for name in ("drift", "turned", "target_share", "target_share_before", "target_alignment",
                         "target_alignment_before", "rank", "rank_before"):
                found[f"{name}_{width}"] = float(np.mean([row[name] for row in own]))
            for name in GAINS:
                found[f"{name}_{width}"] = geometric([row[name] for row in own])[0]
        for learned_on, where in ((0.0, ""), (ELSEWHERE, "elsewhere_")):
            own = _varied(rows, learned_on)
            for number, count in enumerate(own[0]["counts"]):
                for name in ("final_gain", "initial_gain"):
                    values = [row[f"{name}s"][number] for row in own]
                    found[f"{where}{name}_from_{count}_points"] = geometric(values)[0]
        found["elsewhere_network_gain"] = geometric([row["network_gain"] for row in _varied(rows, ELSEWHERE)])[0]
        return {**found, "unseen_points_lost": float(sum(row["lost"] for row in rows))}

    def answer(self, findings: Findings) -> str:
        """Gains, drift and alignment in words."""
        numbers, rows = findings.numbers, findings.rows
        main = _main(rows)
        widths, fresh = distinct(main, "width"), main[0]["fresh"]
        learned = [row for row in main if row["target_share"] > 0.5]
        others = [row for row in main if row["target_share"] <= 0.5]
        always = len(learned) > len(others) and all(_overturned(row) for row in learned)
        failed = (f" In the other {len(others)} training found nothing of the kind, and the final kernels gain "
                  f"{_span(others, 'final_gain')}, the networks {_span(others, 'network_gain')}." if others else "")
        drifts = ", ".join(f"{numbers[f'drift_{width}']:.2g} (width {width})" for width in widths)
        ranks = ", ".join(f"{numbers[f'rank_before_{width}']:.0f} to {numbers[f'rank_{width}']:.0f} (width {width})"
                          for width in widths)
        there = numbers["elsewhere_network_gain"]
        elsewhere = numbers[f"elsewhere_final_gain_from_{fresh}_points"]
        yes = "Yes to both." if always else "Not always."
        return (f"{yes} Before training {_span(main, 'target_share_before', 100)} % of the way to an accurate metric "
                f"lies in the {TOP} leading eigenvectors of the metric-NTK. In {len(learned)} of {len(main)} trainings "
                f"it is more than half afterwards, {_span(learned, 'target_share', 100)} %. From {fresh:,} fresh "
                f"points the frozen final kernels then gain {_span(learned, 'final_gain')} on unseen points; the "
                f"frozen initial ones {_span(learned, 'initial_gain')}, the networks themselves "
                f"{_span(learned, 'network_gain')}.{failed} Training moves the kernel by so many times its own size: "
                f"{drifts}; the number of directions that carry it goes from {ranks}. The final span holds its own "
                f"network's φ. That of a kernel learned on the Dwork quintic ψ = {ELSEWHERE:g} (width {MIDDLE}) does "
                f"not hold the answer on Fermat's: its φ gains {there:.3g} there as it is, and the kernel "
                f"{elsewhere:.3g} from {fresh:,} fresh points, its initial one "
                f"{numbers[f'initial_gain_from_{fresh}_points']:.3g}.")

    def draw(self, figure: Figure, findings: Findings) -> None:
        """Drift and share of the target through training; gains against width; gains against fresh points."""
        figure.set_size_inches(10.2, 3.9)
        left, middle, right = figure.subplots(1, 3)
        _draw_training(left, findings)
        _draw_widths(middle, findings)
        _draw_fresh(right, findings)


def _history(
    watch: fits.KernelWatch, variety: Any, network: Any, seen: list[tuple[int, np.ndarray]]
) -> dict[str, np.ndarray]:
    """Numbers of the kernel at the rows of steps."""
    numbers = [watch(fits.PhiNetwork(variety, network, theta)) for _, theta in seen]
    return {"at_steps": np.array([step for step, _ in seen]),
            "drift_at": np.array([each.drift for each in numbers]),
            "target_share_at": np.array([each.target_share for each in numbers]),
            "loss_alignment_at": np.array([each.loss_alignment for each in numbers]),
            "rank_at": np.array([each.rank for each in numbers])}


def _ends(before: Any, after: Any) -> dict[str, Any]:
    """Numbers of the kernel before and after training, and the heads of the spectra."""
    found = {"drift": after.drift, "turned": after.turned, "spectrum": after.spectrum[:SHOWN],
             "spectrum_before": before.spectrum[:SHOWN]}
    for name in ("loss_alignment", "target_alignment", "target_share", "gradient_share", "rank"):
        found[name], found[f"{name}_before"] = getattr(after, name), getattr(before, name)
    return found


def _gains(initial: Any, final: Any, fresh: list[Points], unseen: Points, seed: int) -> dict[str, Any]:
    """Gains of the network, and of both kernels from every set of fresh points."""
    trained = quality(final, unseen)
    found: dict[str, Any] = {"network_gain": trained.gain}
    lost = trained.not_positive
    for name, network in (("final_gains", final), ("initial_gains", initial)):
        span = fits.tangent_span(network)
        seen = [quality(fits.frozen_fit(span, points, seed=seed, progress=False), unseen) for points in fresh]
        found[name], lost = np.array([each.gain for each in seen]), lost + sum(each.not_positive for each in seen)
    return {**found, "lost": lost}


def _main(rows: Any) -> list[Row]:
    """Kernels learned on Fermat's quintic."""
    return having(rows, learned_on=0.0)


def _varied(rows: Any, learned_on: float) -> list[Row]:
    """The rows with several numbers of fresh points."""
    return having(rows, learned_on=learned_on, width=MIDDLE)


def _overturned(row: Row) -> bool:
    """Whether the final kernel gains twice what the initial one does."""
    return bool(row["final_gain"] > 2 * row["initial_gain"])


def _span(rows: list[Row], name: str, factor: float = 1.0) -> str:
    """The range of a column in words."""
    values = [factor * row[name] for row in rows]
    return f"{min(values):.3g} to {max(values):.3g}" if values else "nothing"


def _draw_training(axes: Axes, findings: Findings) -> None:
    main = _main(findings.rows)
    widths = distinct(main, "width")
    for number, width in enumerate(widths):
        row = next(row for row in main if row["width"] == width)
        shade = 0.35 + 0.65 * number / max(len(widths) - 1, 1)
        axes.plot(row["at_steps"], row["target_share_at"], color=CYCLE[0], alpha=shade, label=f"width {width}")
    axes.set(xlabel="Gauss–Newton steps", ylabel=f"target in the top {TOP} eigenvectors", ylim=(0, 1.02),
             title="alignment through training")
    axes.legend(fontsize=8, loc="lower right")


def _draw_widths(axes: Axes, findings: Findings) -> None:
    main = _main(findings.rows)
    for (name, label), colour, mark in zip(GAINS.items(), CYCLE, "sov", strict=False):
        widths, pairs = averages(main, "width", name, geometric)
        means, factors = pairs.T
        axes.errorbar(widths, means, [means - means / factors, means * factors - means], fmt=f"{mark}-", color=colour,
                      capsize=2, label=label)
    axes.plot(*averages(main, "width", "drift"), "--", color=MUTED, label="drift ‖Θ − Θ₀‖/‖Θ₀‖")
    axes.set_xscale("log", base=2)
    axes.set_yscale("log")
    plain_ticks(axes, widths)
    axes.set(xlabel="width", ylabel="gain on unseen points; drift", title=f"from {main[0]['fresh']:,} fresh points")
    axes.set_ylim(bottom=0.04)  # room for the legend below all curves
    axes.legend(fontsize=7, loc="lower right")


def _draw_fresh(axes: Axes, findings: Findings) -> None:
    curves = (("final_gains", 0.0, CYCLE[1], "o-", "kernel after training"),
              ("final_gains", ELSEWHERE, CYCLE[3], "D-", f"learned on Dwork's, ψ = {ELSEWHERE:g}"),
              ("initial_gains", 0.0, CYCLE[2], "v-", "kernel before training"))
    for name, learned_on, colour, mark, label in curves:
        own = _varied(findings.rows, learned_on)
        counts = own[0]["counts"]
        means = np.exp(np.mean([np.log(row[name]) for row in own], axis=0))
        axes.loglog(counts, means, mark, color=colour, label=label)
    level = findings.numbers["elsewhere_network_gain"]
    axes.axhline(level, color=MUTED, linestyle=":", zorder=0)
    axes.annotate("φ of Dwork's as it is", (counts[-1], level), xytext=(0, -10), ha="right",
                  textcoords="offset points", color=INK, fontsize=8)
    plain_ticks(axes, counts, "{:,}")
    axes.set(xlabel="fresh points", ylabel="gain on unseen points", title=f"frozen kernels, width {MIDDLE}")
    axes.legend(fontsize=7)
