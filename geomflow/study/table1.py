"""Table 1 of the paper beside settings found by a search with fresh data in every trial."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, final

import numpy as np

from geomflow.fits import LogRange, Score, Space, tune
from geomflow.plot.style import CYCLE, INK, MUTED
from geomflow.study.gains import NARROW, PAPER, TITLES, Setting, trained, unseen_points
from geomflow.study.seeds import mean_and_error, plus_minus, with_errors
from geomflow.study.story import Words
from geomflow.study.study import Cell, Findings, Row, Study
from geomflow.variety import gain

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: What is searched for each kernel of the table; Gaussians are the chordal ones, which are positive for every width.
SPACES: Mapping[str, Space] = MappingProxyType({
    "relu": Space({"rate": LogRange(0.03, 3.0), "weight_std": LogRange(0.3, 300.0), "bias_std": LogRange(0.01, 100.0)}),
    "gaussian": Space({"rate": LogRange(0.03, 3.0), "scale": LogRange(NARROW, 5.0)}),
    "delta": Space({"rate": LogRange(1e-3, 3.0)}),
})
SEARCHED = {"relu": "relu", "gaussian": "chordal", "delta": "delta"}
FINALISTS, SEED = 3, 1
_NO_SEARCH: Mapping[str, Any] = MappingProxyType({"failures": 0, "scores": np.zeros(0)})


@final
@dataclass(frozen=True)
class Table1(Study):
    """Flows of the σ-loss from Fubini–Study on points of one chart of the Fermat quintic, and their gains.

    Of each kernel there are the settings of Table 1 ("paper") and those of a search ("ours") over rate and width, or
    rate, σ_w and σ_b, for the gain on unseen points: every trial has train points and unseen points of its own. The
    three best trials are measured again on three point sets that no trial had, and the best mean is kept. Gains are
    then measured on point sets that neither trials nor finalists had, the same for both settings:

    train_gain  σ of Fubini–Study over σ of the metric on the train points, mean over point sets; train_error its error
    test_gain   the same on unseen points, as many as `unseen`              test_error  its error
    failures    trials that blew up or lost positivity: a score of zero in the search
    scores      of all trials, in order
    """

    name: ClassVar[str] = "table1"
    title: ClassVar[str] = "Table 1: hyperparameters"
    question: ClassVar[str] = ("How well do kernels on metric components do on unseen points, if they are tuned for "
                               "that?")
    source: ClassVar[str] = "Halverson and Ruehle, section 3.2, table 1"
    words: ClassVar[Words] = Words(
        {
            "train_gain_{kernel}_{settings}": "gain on the train points, {kernel}, {settings}",
            "test_gain_{kernel}_{settings}": "gain on unseen points, {kernel}, {settings}",
            "failures_{kernel}_{settings}": "trials that failed, {kernel}",
            "rate_{kernel}_{settings}": "rate found, {kernel}",
            "scale_{kernel}_{settings}": "width found, {kernel}",
            "weight_std_{kernel}_{settings}": "σ_w found, {kernel}",
            "bias_std_{kernel}_{settings}": "σ_b found, {kernel}",
        },
        {**TITLES, "paper": "Table 1's settings", "ours": "our settings"},
        ("test_gain_relu_paper", "test_gain_relu_ours", "test_gain_gaussian_ours"),
    )

    def cells(self, quick: bool) -> list[dict[str, Any]]:
        """Kernels with the settings of the paper and of a search; quick: few points, steps and trials."""
        small: dict[str, Any] = {"points": 300, "steps": 60} if quick else {}
        trials, sets, unseen = (20, 3, 1000) if quick else (32, 5, 2500)
        cells = []
        for name, setting in PAPER.items():
            mine = replace(setting, **small)
            cells.append({"row": name, "settings": "paper", "trials": 0, "sets": sets, "unseen": unseen,
                          **mine.plain()})
            searched = Setting(SEARCHED[name], mine.points, 0.0, mine.steps)
            cells.append({"row": name, "settings": "ours", "trials": trials, "sets": sets, "unseen": unseen,
                          **searched.plain()})
        return cells

    def measure(self, cell: Cell) -> dict[str, Any]:
        """The gains of a setting, after a search for it where it is ours."""
        setting, found = Setting.read(cell), _NO_SEARCH
        if cell["trials"]:
            setting, found = searched(setting, SPACES[cell["row"]], cell["trials"], cell["unseen"])
        sets = [gains_of(setting, seed, cell["unseen"]) for seed in range(cell["sets"])]
        train, test = (mean_and_error([each[part] for each in sets]) for part in (0, 1))
        return {**{f"found_{name}": getattr(setting, name) for name in ("rate", "scale", "weight_std", "bias_std")},
                "train_gain": train[0], "train_error": train[1], "test_gain": test[0], "test_error": test[1], **found}

    def conclude(self, rows: list[Row]) -> dict[str, float]:
        """Settings and gains by kernel, the paper's and ours."""
        found: dict[str, float] = {}
        for row in rows:
            name = f"{row['row']}_{row['settings']}"
            found |= with_errors({f"{part}_gain_{name}": (float(row[f"{part}_gain"]), float(row[f"{part}_error"]))
                                  for part in ("train", "test")})
            if row["settings"] == "ours":
                found |= {f"{key}_{name}": float(row[f"found_{key}"]) for key in SPACES[row["row"]].ranges}
                found[f"failures_{name}"] = float(row["failures"])
        return found

    def answer(self, findings: Findings) -> str:
        """Test gains side by side, and the settings found."""
        said = []
        for name, title in TITLES.items():
            paper, ours = (findings.where(row=name, settings=which).rows[0] for which in ("paper", "ours"))
            keys = ", ".join(f"{key} {ours[f'found_{key}']:.3g}" for key in SPACES[name].ranges)
            said.append(f"{title}, {paper['points']} points: {_pm(paper, 'test')} with Table 1's settings, "
                        f"{_pm(ours, 'test')} with ours ({keys}; on train points {paper['train_gain']:.3g} and "
                        f"{ours['train_gain']:.3g})")
        trials, failures = max(findings["trials"]), int(findings["failures"].sum())
        return ("Gains on unseen points. " + ". ".join(said) + f". Each search took {trials} trials, each on data of "
                f"its own; {failures} of all failed and counted as zero. How rates were scaled in the paper and how "
                "they fell is lost: Table 1's are read as shares of Newton's step for the narrow kernels, and as the "
                "relative size of the first step for ReLU. σ sees det g alone: kernels on components do not keep "
                "dω = 0.")

    def draw(self, figure: Figure, findings: Findings) -> None:
        """Test gains of the paper's settings and of ours, and the scores of the searches."""
        left, right = figure.subplots(1, 2)
        _draw_gains(left, findings)
        for (name, title), colour in zip(TITLES.items(), CYCLE, strict=False):
            scores = findings.where(row=name, settings="ours").rows[0]["scores"]
            trials = np.arange(1, len(scores) + 1)
            right.plot(trials, scores, ".", color=colour)
            right.plot(trials, np.maximum.accumulate(scores), color=colour, label=title)
        right.set(xlabel="trial, each on data of its own", ylabel="gain on unseen points (0: failed)",
                  title="the searches: each trial, and the best so far")
        right.set_ylim(-0.03 * right.get_ylim()[1], 1.15 * right.get_ylim()[1])
        right.legend(loc="upper left", ncols=3)


def _with(setting: Setting, found: Mapping[str, Any]) -> Setting:
    return replace(setting, **found)


def searched(setting: Setting, space: Space, trials: int, unseen: int) -> tuple[Setting, dict[str, Any]]:
    """The setting of a search for the gain on unseen points: the best of its three best trials on new point sets."""
    search = tune(Objective(setting, unseen), space, trials, SEED, penalty=0.0, progress=False)
    leaders = [_with(setting, trial.settings) for trial in search.leaders(FINALISTS)]
    means = [np.mean([gains_of(each, 1000 + number, unseen)[1] for number in range(3)]) for each in leaders]
    return leaders[int(np.argmax(means))], {"failures": search.failures, "scores": search.scores}


@final
@dataclass(frozen=True)
class Objective:
    """The gain on so many unseen points of a trial, with how its flow ended; points of the trial's own seed."""

    setting: Setting
    unseen: int

    def __call__(self, settings: dict[str, float], seed: int) -> Score:
        metric = trained(_with(self.setting, settings), seed)
        return Score(gain(metric, unseen_points(self.unseen, seed)), metric.report.outcome)


def gains_of(setting: Setting, seed: int, unseen: int) -> tuple[float, float]:
    """Train and test gain on the point sets of a seed."""
    metric = trained(setting, seed)
    return metric.train_gain, gain(metric, unseen_points(unseen, seed))


def _pm(row: Row, part: str) -> str:
    return plus_minus(row[f"{part}_gain"], row[f"{part}_error"])


def _draw_gains(axes: Axes, findings: Findings) -> None:
    places = np.arange(len(TITLES))
    for which, shift, colour, label in (("paper", -0.18, MUTED, "Table 1"), ("ours", 0.18, CYCLE[0], "ours")):
        rows = [findings.where(row=name, settings=which).rows[0] for name in TITLES]
        gains, errors = [row["test_gain"] for row in rows], [row["test_error"] for row in rows]
        bars = axes.bar(places + shift, gains, 0.34, yerr=errors, color=colour, label=label, capsize=2, ecolor=INK)
        axes.bar_label(bars, [f"{gain:.2f}" for gain in gains], padding=2, fontsize=8)
    axes.axhline(1, color=MUTED, lw=0.8, ls=":")
    axes.set_xticks(places, TITLES.values())
    axes.set(ylabel="gain on unseen points", title="settings of the paper, and ours")
    axes.grid(False, axis="x")
    axes.set_ylim(top=1.15 * axes.get_ylim()[1])
    axes.legend(loc="upper left", ncols=2)
