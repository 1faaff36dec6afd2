"""Architectures: which kernel of a wide network generalises, on a torus and on the quintic."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import inf
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, final

import numpy as np

from geomflow import fits
from geomflow.field import Torus
from geomflow.kernels import (
    CosineNetKernel,
    InfiniteEnsemble,
    LeakyRelu,
    NetworkKernel,
    NormalisedKernel,
    ResidualKernel,
)
from geomflow.plot.style import CYCLE, INK, MUTED
from geomflow.study.gains import few_points, quintic, train_seed, uninterrupted
from geomflow.study.seeds import geometric, with_errors
from geomflow.study.story import Words
from geomflow.study.study import Cell, Findings, Row, Study, having
from geomflow.variety import gain

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

TORUS = Torus(2)
UNSEEN, BIAS, DEPTH = 2000, 0.5, 3
#: Beside values, relative to the mean of the diagonal, so that kernels that are singular to rounding can be solved.
RIDGE = 1e-10
RIDGES = MappingProxyType({"symmetric": (1e-4, 1e-7, 1e-10), "plain": (1e-2, 1e-3, 1e-4)})
TASKS = MappingProxyType({"smooth": "torus,\nsmooth function", "rough": "torus,\nrough function",
                          "symmetric": "quintic,\nwith symmetries", "plain": "quintic,\nwithout"})
TRAINED = MappingProxyType({"all": "all layers trained", "last": "the last one trained"})


@final
@dataclass(frozen=True)
class Architecture:
    """A kind of network: its title, its kernel by σ_w, and whether ∂∂̄ of its functions is bounded at points."""

    title: str
    kernel: Callable[[float], Any]
    smooth: bool = True


def _perceptron(title: str, activation: Any, depth: int = 1, smooth: bool = True) -> Architecture:
    return Architecture(title, lambda scale: NetworkKernel(activation, depth, scale, BIAS), smooth)


NETWORKS = MappingProxyType({
    "relu": _perceptron("ReLU", "relu", smooth=False),
    "relu3": _perceptron("ReLU, 3 layers", "relu", DEPTH, smooth=False),
    "leaky": _perceptron("leaky ReLU", LeakyRelu(0.2), smooth=False),
    "softplus": _perceptron("softplus", "softplus"),
    "gelu": _perceptron("GELU", "gelu"),
    "swish": _perceptron("swish", "swish"),
    "tanh": _perceptron("tanh", "tanh"),
    "erf": _perceptron("erf", "erf"),
    "erf3": _perceptron("erf, 3 layers", "erf", DEPTH),
    "residual": Architecture("erf, 3 residual blocks",
                             lambda scale: ResidualKernel("erf", DEPTH, scale, BIAS, branch=DEPTH**-0.5)),
    "normalised": Architecture("erf, 3 normalised layers", lambda scale: NormalisedKernel("erf", DEPTH, scale, BIAS)),
    "sin": _perceptron("sin", "sin"),
    "cos": _perceptron("cos", "cos"),
    "exp": _perceptron("exp", "exp"),
    "gauss": _perceptron("sin + cos, Gauss-net", "sin+cos"),
    "cosine": Architecture("cosine network", lambda scale: CosineNetKernel(scale, 1.0)),
})
#: Those that are measured on the quintic at the quick size.
FEW = ("gelu", "erf", "residual", "normalised", "gauss", "cosine")


@final
@dataclass(frozen=True)
class Architectures(Study):
    """What infinitely wide networks learn from a few points, and how far off they are at others, by their architecture.

    smooth, rough      a random function on flat T² of amplitudes e^{−|k|²/8} or (1 + |k|²)^{−3/2}, without noise, in
                       the limit of all times; the error is ‖f − y‖/‖y − ȳ‖ on 2,000 points. Kernels are periodic
    symmetric, plain   the Ricci-flat metric of the quintic by a correction of the potential: networks of its invariants
                       of degree six, or of z z†/|z|²; the error is σ over that of Fubini–Study on 2,000 points
    Each kernel is that of all layers or of the last one; σ_w on the torus, and the ridge on the quintic, where σ_w = 1,
    are chosen on a fifth of the train points. Networks with kinks have no bounded ∂∂̄ and are not on the quintic.
    """

    name: ClassVar[str] = "architectures"
    title: ClassVar[str] = "Architectures"
    question: ClassVar[str] = "Which wide network generalises, and does its architecture matter?"
    source: ClassVar[str] = "Halverson and Ruehle, sections 2.2, 2.3 and 3.2"
    words: ClassVar[Words] = Words(
        {
            "error_{task}_{network}_{trained}": "error on unseen points, {task}: {network}, {trained}",
            "spread_{task}": "largest error over the smallest, {task}",
            "kinks": "smallest error with a kink over the smallest without, torus, smooth function",
            "symmetry": "smallest error without symmetries over the smallest with them, quintic",
        },
        {**{task: title.replace("\n", " ") for task, title in TASKS.items()}, **TRAINED,
         **{name: network.title for name, network in NETWORKS.items()}},
        ("kinks", "spread_symmetric", "symmetry"),
    )

    def cells(self, quick: bool) -> list[dict[str, Any]]:
        """Tasks, networks and seeds; quick: one seed, few points, and on the quintic six networks."""
        return list(_quick_cells() if quick else _full_cells())

    def measure(self, cell: Cell) -> dict[str, Any]:
        """The error of one kernel, and the σ_w that was chosen on a torus."""
        if cell["task"] in RIDGES:
            return {"error": _quintic_error(cell)}
        error, scale = _torus_error(cell)
        return {"error": error, "scale": scale}

    def conclude(self, rows: list[Row]) -> dict[str, float]:
        """Geometric means over seeds, and the ratios of the extremes."""
        found: dict[str, float] = {}
        best: dict[str, list[float]] = {}
        for task in TASKS:
            means = averaged(having(rows, task=task))
            found |= with_errors({f"error_{task}_{name}_{trained}": (mean, mean * (factor - 1))
                                  for (name, trained), (mean, factor) in means.items()})
            errors = {key: mean for key, (mean, _) in means.items()}
            found[f"spread_{task}"] = max(errors.values()) / min(errors.values())
            best[task] = [min((error for (name, _), error in errors.items() if NETWORKS[name].smooth is smooth),
                              default=inf) for smooth in (True, False)]
        return {**found, "kinks": best["smooth"][1] / best["smooth"][0],
                "symmetry": best["plain"][0] / best["symmetric"][0]}

    def answer(self, findings: Findings) -> str:
        """The best of each task, and the ratios, in words."""
        numbers = findings.numbers
        said = {task: _extremes(findings.where(task=task).rows) for task in TASKS}
        return (f"On a torus it matters. A smooth function is learned best by {said['smooth'][0]} and worst by "
                f"{said['smooth'][1]}: kinks cost a factor of {numbers['kinks']:.2g}. A rough one is learned best by "
                f"{said['rough'][0]} and worst by {said['rough'][1]}. On the quintic smooth networks of its invariants "
                f"differ by a factor of {numbers['spread_symmetric']:.2g}, from {said['symmetric'][0]} to "
                f"{said['symmetric'][1]}; those that do not know its symmetries by {numbers['spread_plain']:.2g}, from "
                f"{said['plain'][0]} to {said['plain'][1]}. What the inputs know counts for a factor of "
                f"{numbers['symmetry']:.0f}.")

    def draw(self, figure: Figure, findings: Findings) -> None:
        """Errors of all networks side by side, a panel for each task."""
        figure.set_size_inches(8.4, 4.8)
        panels = figure.subplots(1, len(TASKS), sharey=True)
        for axes, neighbour in (panels[:2], panels[2:]):
            axes.sharex(neighbour)
        for axes, (task, title) in zip(panels, TASKS.items(), strict=True):
            _draw_task(axes, averaged(findings.where(task=task).rows))
            axes.set(xscale="log", title=title)
            axes.title.set_fontsize(10)
            if task in RIDGES:
                axes.text(0.5, 1, "kinks: ∂∂̄ unbounded", transform=axes.get_yaxis_transform(), fontsize=8, color=MUTED,
                          ha="center", va="center")
        panels[0].set_yticks(range(len(NETWORKS)), [network.title for network in NETWORKS.values()], fontsize=8)
        panels[0].invert_yaxis()
        figure.supxlabel("relative error on unseen points", fontsize=10)
        figure.legend(*panels[0].get_legend_handles_labels(), loc="outside upper center", ncols=2, fontsize=9)


def averaged(rows: list[Row] | tuple[Row, ...]) -> dict[tuple[str, str], tuple[float, float]]:
    """Geometric means over seeds of what is measured for a network and what is trained, with the factors of errors."""
    kinds = dict.fromkeys((row["network"], row["trained"]) for row in rows)
    return {(name, trained): geometric([row["error"] for row in having(rows, network=name, trained=trained)])
            for name, trained in kinds}


def _quick_cells() -> Iterator[dict[str, Any]]:
    for task in TASKS:
        on_torus = task not in RIDGES
        for network in NETWORKS if on_torus else FEW:
            for trained in TRAINED if on_torus else ("all",):
                yield {"task": task, "network": network, "trained": trained, "points": 150 if on_torus else 250,
                       "scales": [1.0, 2.0] if on_torus else [1.0], "seed": 1}


def _full_cells() -> Iterator[dict[str, Any]]:
    for task in TASKS:
        on_torus = task not in RIDGES
        for network in NETWORKS:
            for trained in TRAINED if on_torus or NETWORKS[network].smooth else ():
                for seed in range(1, 5 if on_torus else 3):
                    yield {"task": task, "network": network, "trained": trained, "points": 250 if on_torus else 1000,
                           "scales": [0.5, 1.0, 2.0, 4.0] if on_torus else [1.0], "seed": seed}


def _torus_error(cell: Cell) -> tuple[float, float]:
    """The error on unseen points, and the σ_w that is best on a fifth of the others."""
    rng = np.random.default_rng([train_seed(cell["seed"]), list(TASKS).index(cell["task"])])
    function = random_function(cell["task"], rng)
    x, unseen = (rng.uniform(size=(count, 2)) for count in (cell["points"], UNSEEN))
    y, known, rest = function(x), function(unseen), cell["points"] * 4 // 5
    guesses = [_distance(_learned(cell, scale, x[:rest], y[:rest])(x[rest:]), y[rest:]) for scale in cell["scales"]]
    scale = cell["scales"][int(np.argmin(guesses))]
    return _distance(_learned(cell, scale, x, y)(unseen), known), scale


def _learned(cell: Cell, scale: float, x: np.ndarray, y: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    ensemble = InfiniteEnsemble(NETWORKS[cell["network"]].kernel(scale).periodic(TORUS), cell["trained"])
    ridge = RIDGE * float(ensemble.tangent.diagonal(x).mean())
    return ensemble.regress(x, y, ridge=ridge).at(inf).mean


def _distance(found: np.ndarray, known: np.ndarray) -> float:
    return float(np.linalg.norm(found - known) / np.linalg.norm(known - known.mean()))


def random_function(task: str, rng: np.random.Generator) -> Callable[[np.ndarray], np.ndarray]:
    """Waves with |k_a| ≤ 12 of random amplitudes that fall as e^{−|k|²/8}, or as (1 + |k|²)^{−3/2}."""
    waves = np.stack(np.meshgrid(*[np.arange(-12, 13)] * 2), axis=-1).reshape(-1, 2)
    square = np.sum(waves**2, axis=1)
    heights = np.where(square > 0, np.exp(-square / 8) if task == "smooth" else (1.0 + square) ** -1.5, 0.0)
    amplitudes = heights / np.linalg.norm(heights) * rng.standard_normal((2, len(waves)))

    def function(x: np.ndarray) -> np.ndarray:
        phases = 2 * np.pi * x @ waves.T
        values: np.ndarray = np.cos(phases) @ amplitudes[0] + np.sin(phases) @ amplitudes[1]
        return values

    return function


def _quintic_error(cell: Cell) -> float:
    """σ over that of Fubini–Study, for the best of the ridges and σ_w."""
    points, unseen = quintic().sample(cell["points"], train_seed(cell["seed"])), quintic().sample(UNSEEN, 10**6)
    kernels = [_on_quintic(cell, scale) for scale in cell["scales"]]
    with few_points():
        metric = fits.tuned_metric(points, kernels, RIDGES[cell["task"]], most=len(points), progress=False)
    return 1 / gain(uninterrupted(metric), unseen)


def _on_quintic(cell: Cell, scale: float) -> Any:
    tangent = NETWORKS[cell["network"]].kernel(scale)
    series = fits.PowerSeries.of_network(tangent if cell["trained"] == "all" else tangent.covariance, 1e-9)
    return fits.InvariantKernel(6, series) if cell["task"] == "symmetric" else fits.OverlapKernel(series)


def _extremes(rows: tuple[Row, ...]) -> tuple[str, str]:
    """The best and the worst in words."""
    means = sorted((mean, key) for key, (mean, _) in averaged(rows).items())
    return tuple(f"{NETWORKS[name].title} ({TRAINED[trained]}, {mean:.2g})"  # type: ignore[return-value]  # two of them
                 for mean, (name, trained) in (means[0], means[-1]))


def _draw_task(axes: Axes, means: dict[tuple[str, str], tuple[float, float]]) -> None:
    places = {name: place for place, name in enumerate(NETWORKS)}
    for trained, colour, shift in zip(TRAINED, CYCLE, (-0.15, 0.15), strict=False):
        own = {name: value for (name, kind), value in means.items() if kind == trained}
        y, x = [places[name] + shift for name in own], np.array([mean for mean, _ in own.values()])
        spread = x * (np.array([factor for _, factor in own.values()]) - 1)
        face = colour if trained == "all" else "none"
        axes.errorbar(x, y, xerr=spread, fmt="o", color=colour, markerfacecolor=face, markersize=5, lw=1,
                      label=TRAINED[trained])
    axes.axvline(1, color=INK, lw=0.8, ls=":")
    axes.set_axisbelow(True)
    axes.grid(axis="y", color=MUTED, alpha=0.3, lw=0.5)
