"""Feature learning: what training makes of a tangent kernel, and what the kernel is worth once it is frozen again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, final

import numpy as np

from geomflow.learn import KernelWatch, PhiNetwork, feature_network, feature_training, frozen_fit, tangent_span
from geomflow.learn.features.evolution import TOP
from geomflow.plot.style import CYCLE, INK, MUTED
from geomflow.study.study import Cell, Row, Study
from geomflow.study.unseen import geometric, unseen_gain
from geomflow.variety import Dwork, Fermat, Points, algebraic_metric

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from geomflow.study.findings import Findings

UNSEEN, WATCHED, SHOWN = 5000, 40, 100
TARGET_DEGREE, TARGET_POINTS = 6, 3000
ELSEWHERE = 0.5
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
    drift, turned, loss_alignment, target_alignment, target_share, rank   as in `KernelNumbers`, at the rows of steps
    network_gain, final_gain, initial_gain   of the network, and of the two frozen kernels
    lost   the number of unseen points at which any of the three is not positive
    """

    name: ClassVar[str] = "feature-learning"
    title: ClassVar[str] = "Feature learning"
    question: ClassVar[str] = ("Does training change the tangent kernel, and does the frozen final kernel generalise "
                               "where the frozen initial one does not?")
    source: ClassVar[str] = "Halverson and Ruehle, section 3.2, discussion of the importance of feature learning"

    def cells(self, quick: bool) -> list[dict[str, Any]]:
        """Widths and seeds; numbers of fresh points; kernels learned on another quintic."""
        if quick:
            plain = {"learned_on": 0.0, "points": 8000, "steps": 200}
            widths, seeds, middle, fresh, few = (8, 16, 32, 64), (0, 1), 32, 500, (50, 150)
        else:
            plain = {"learned_on": 0.0, "points": 82_000, "steps": 400}
            widths, seeds, middle, fresh, few = (8, 16, 32, 64, 128, 256), (0, 1, 2), 32, 1000, (30, 100, 300, 3000)
        cells = [{**plain, "width": width, "fresh": fresh, "seed": seed} for width in widths for seed in seeds]
        cells += [{**plain, "width": middle, "fresh": number, "seed": seed} for number in few for seed in seeds]
        return cells + [{**plain, "learned_on": ELSEWHERE, "width": middle, "fresh": number, "seed": seed}
                        for number in (*few, fresh) for seed in seeds]

    def measure(self, cell: Cell) -> dict[str, Any]:
        """One training, watched, and the two fits with frozen kernels."""
        fermat, seed = Fermat(5), 10 * cell["seed"]
        learned_on = Dwork(cell["learned_on"]) if cell["learned_on"] else fermat
        network = feature_network(learned_on.ambient, cell["width"])
        training = feature_training(learned_on.sample(cell["points"], seed), network, seed)
        start, seen = training.state.parameters.copy(), []
        training.run(steps=(0, cell["steps"]), progress=False,
                     watch=lambda steps, theta: seen.append((steps[1], theta)))
        initial, final = (PhiNetwork(fermat, network, theta) for theta in (start, training.best[1]))
        target = algebraic_metric(fermat, TARGET_DEGREE, fermat.sample(TARGET_POINTS, seed + 1))
        watch = KernelWatch(initial, fermat.sample(WATCHED, seed + 2), target)
        fresh, unseen = fermat.sample(cell["fresh"], seed + 3), fermat.sample(UNSEEN, seed + 4)
        return {**_history(watch, fermat, network, seen), **_ends(watch(initial), watch(final)),
                **_gains(initial, final, fresh, unseen, seed)}

    def conclude(self, rows: list[Row]) -> dict[str, float]:
        """By width: drift, alignment, rank and gains (geometric means over seeds); by number of fresh points: gains."""
        found, widest = {}, _main(rows)
        for width in sorted({row["width"] for row in widest}):
            own = [row for row in widest if row["width"] == width]
            for name in ("drift", "turned", "target_share", "target_share_before", "target_alignment",
                         "target_alignment_before", "rank", "rank_before"):
                found[f"{name}_{width}"] = float(np.mean([row[name] for row in own]))
            for name in GAINS:
                found[f"{name}_{width}"] = geometric([row[name] for row in own])[0]
        for learned_on, fresh in sorted({(row["learned_on"], row["fresh"]) for row in rows}):
            own = _at(rows, learned_on, fresh)
            where = "elsewhere_" if learned_on else ""
            for name in ("final_gain", "initial_gain", *(("network_gain",) if learned_on else ())):
                found[f"{where}{name}_from_{fresh}_points"] = geometric([row[name] for row in own])[0]
        return {**found, "unseen_points_lost": float(sum(row["lost"] for row in rows))}

    def answer(self, findings: Findings) -> str:
        """Gains, drift and alignment in words."""
        numbers, rows = findings.numbers, findings.rows
        main, middle = _main(rows), _middle(rows)
        widths, fresh = sorted({row["width"] for row in main}), main[0]["fresh"]
        learned = [row for row in main if row["target_share"] > 0.5]
        others = [row for row in main if row["target_share"] <= 0.5]
        always = len(learned) > len(others) and all(_overturned(row) for row in learned)
        failed = (f" In the other {len(others)} training found nothing of the kind, and the final kernels gain "
                  f"{_span(others, 'final_gain')}, the networks {_span(others, 'network_gain')}." if others else "")
        drifts = ", ".join(f"{numbers[f'drift_{width}']:.2g} (width {width})" for width in widths)
        ranks = ", ".join(f"{numbers[f'rank_before_{width}']:.0f} to {numbers[f'rank_{width}']:.0f} (width {width})"
                          for width in widths)
        there = numbers[f"elsewhere_network_gain_from_{fresh}_points"]
        elsewhere = numbers[f"elsewhere_final_gain_from_{fresh}_points"]
        yes = "Yes to both." if always else "Not always."
        return (f"{yes} Before training {_span(main, 'target_share_before', 100)} % of the way to an accurate metric "
                f"lies in the {TOP} leading eigenvectors of the metric-NTK. In {len(learned)} of {len(main)} trainings "
                f"it is more than half afterwards, {_span(learned, 'target_share', 100)} %. From {fresh:,} fresh "
                f"points the frozen final kernels then gain {_span(learned, 'final_gain')} on unseen points; the "
                f"frozen initial ones {_span(learned, 'initial_gain')}, the networks themselves "
                f"{_span(learned, 'network_gain')}.{failed} Training moves the kernel by so many times its own size: "
                f"{drifts}; the number of directions that carry it goes from {ranks}. The final span holds its own "
                f"network's φ. That of a kernel learned on the Dwork quintic ψ = {ELSEWHERE:g} (width {middle}) does "
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


def _history(watch: KernelWatch, variety: Any, network: Any, seen: list) -> dict[str, np.ndarray]:
    """Numbers of the kernel at the rows of steps."""
    numbers = [watch(PhiNetwork(variety, network, theta)) for _, theta in seen]
    return {"at_steps": np.array([step for step, _ in seen]),
            "drift_at": np.array([each.drift for each in numbers]),
            "target_share_at": np.array([each.target_share for each in numbers]),
            "loss_alignment_at": np.array([each.loss_alignment for each in numbers])}


def _ends(before: Any, after: Any) -> dict[str, Any]:
    """Numbers of the kernel before and after training, and the heads of the spectra."""
    found = {"drift": after.drift, "turned": after.turned, "spectrum": after.spectrum[:SHOWN],
             "spectrum_before": before.spectrum[:SHOWN]}
    for name in ("loss_alignment", "target_alignment", "target_share", "gradient_share", "rank"):
        found[name], found[f"{name}_before"] = getattr(after, name), getattr(before, name)
    return found


def _gains(initial: PhiNetwork, final: PhiNetwork, fresh: Points, unseen: Points, seed: int) -> dict[str, Any]:
    metrics = {"network_gain": final}
    for name, network in (("final_gain", final), ("initial_gain", initial)):
        metrics[name] = frozen_fit(tangent_span(network), fresh, seed=seed, progress=False)
    found = {name: unseen_gain(metric, unseen) for name, metric in metrics.items()}
    return {**{name: gain for name, (gain, _) in found.items()}, "lost": sum(lost for _, lost in found.values())}


def _main(rows: Any) -> list[Row]:
    """The rows of the widths: those with the number of fresh points that most widths have."""
    home = [row for row in rows if not row["learned_on"]]
    fresh = next(row["fresh"] for row in home if row["width"] == min(each["width"] for each in home))
    return [row for row in home if row["fresh"] == fresh]


def _middle(rows: Any) -> int:
    """The width at which the number of fresh points varies."""
    return next(row["width"] for row in rows if row["learned_on"])


def _overturned(row: Row) -> bool:
    """Whether the final kernel gains twice what the initial one does."""
    return row["final_gain"] > 2 * row["initial_gain"]


def _span(rows: list[Row], name: str, factor: float = 1.0) -> str:
    """The range of a column in words."""
    values = [factor * row[name] for row in rows]
    return f"{min(values):.3g} to {max(values):.3g}" if values else "nothing"


def _at(rows: Any, learned_on: float, fresh: int) -> list[Row]:
    width = _middle(rows)
    return [row for row in rows if (row["learned_on"], row["fresh"], row["width"]) == (learned_on, fresh, width)]


def _draw_training(axes: Axes, findings: Findings) -> None:
    main = _main(findings.rows)
    widths = sorted({row["width"] for row in main})
    for number, width in enumerate(widths):
        row = next(row for row in main if row["width"] == width)
        shade = 0.35 + 0.65 * number / max(len(widths) - 1, 1)
        axes.plot(row["at_steps"], row["target_share_at"], color=CYCLE[0], alpha=shade, label=f"width {width}")
    axes.set(xlabel="Gauss–Newton steps", ylabel=f"target in the top {TOP} eigenvectors", ylim=(0, 1.02),
             title="alignment through training")
    axes.legend(fontsize=8, loc="lower right")


def _draw_widths(axes: Axes, findings: Findings) -> None:
    main = _main(findings.rows)
    widths = sorted({row["width"] for row in main})
    for (name, label), colour, mark in zip(GAINS.items(), CYCLE, "sov", strict=False):
        pairs = [geometric([row[name] for row in main if row["width"] == width]) for width in widths]
        means, factors = np.array(pairs).T
        axes.errorbar(widths, means, [means - means / factors, means * factors - means], fmt=f"{mark}-", color=colour,
                      capsize=2, label=label)
    drifts = [np.mean([row["drift"] for row in main if row["width"] == width]) for width in widths]
    axes.plot(widths, drifts, "--", color=MUTED, label="drift ‖Θ − Θ₀‖/‖Θ₀‖")
    axes.set_xscale("log", base=2)
    axes.set_yscale("log")
    axes.set_xticks(widths, [str(width) for width in widths])
    axes.set(xlabel="width", ylabel="gain on unseen points; drift", title=f"from {main[0]['fresh']:,} fresh points")
    axes.legend(fontsize=7, loc="best")


def _draw_fresh(axes: Axes, findings: Findings) -> None:
    rows, width = findings.rows, _middle(findings.rows)
    curves = (("final_gain", 0.0, CYCLE[1], "o-", "kernel after training"),
              ("final_gain", ELSEWHERE, CYCLE[3], "D-", f"learned on Dwork's, ψ = {ELSEWHERE:g}"),
              ("initial_gain", 0.0, CYCLE[2], "v-", "kernel before training"))
    for name, learned_on, colour, mark, label in curves:
        counts = sorted({row["fresh"] for row in rows if row["learned_on"] == learned_on and row["width"] == width})
        means = [geometric([row[name] for row in _at(rows, learned_on, count)])[0] for count in counts]
        axes.loglog(counts, means, mark, color=colour, label=label)
    own = [row["network_gain"] for row in rows if row["learned_on"]]
    axes.axhline(geometric(own)[0], color=MUTED, linestyle=":", zorder=0)
    axes.annotate("φ of Dwork's as it is", (counts[-1], geometric(own)[0]), xytext=(0, -10), ha="right",
                  textcoords="offset points", color=INK, fontsize=8)
    axes.set_xticks(counts, [f"{count:,}" for count in counts])
    axes.minorticks_off()
    axes.set(xlabel="fresh points", ylabel="gain on unseen points", title=f"frozen kernels, width {width}")
    axes.legend(fontsize=7)
