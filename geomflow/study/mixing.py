"""Component mixing: how much a change that is asked for in one component of the metric moves the others."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, final

import numpy as np

from geomflow import networks
from geomflow.field import Torus
from geomflow.flow import solve
from geomflow.plot.style import CYCLE, INK, MUTED, plain_ticks, sequential
from geomflow.study.seeds import exponent_and_error, mean_and_error, with_errors
from geomflow.study.story import Words
from geomflow.study.study import Cell, Findings, Row, Study, averages, having
from geomflow.symbolic import functionals
from geomflow.tangent import Continuum, GradientFlow

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

TORUS = Torus(2)
POINTS, TIME, DEVIATION = 8, 0.02, 0.5
PAIRS = ((0, 0), (0, 1), (1, 1))
NAMES = ("$g_{xx}$", "$g_{xy}$", "$g_{yy}$")


def _network(width: int, outputs: int = 1) -> networks.Perceptron:
    embedding = networks.FourierEmbedding(TORUS)
    return networks.Perceptron(2, (width,), outputs, "tanh", weight_std=DEVIATION, embedding=embedding)


MODELS: MappingProxyType[str, Callable[[int], networks.Model]] = MappingProxyType({
    "independent": lambda width: networks.Correction(None, networks.IndependentComponents(TORUS, _network(width))),
    "shared": lambda width: networks.Correction(None, networks.SharedComponents(TORUS, _network(width, outputs=3))),
    "cholesky": lambda width: networks.CholeskyModel(TORUS, _network(width)),
})
TITLES = {"independent": "independent", "shared": "shared network", "cholesky": "Cholesky factor"}


@final
@dataclass(frozen=True)
class Mixing(Study):
    """Metrics on T² of perceptrons with one hidden layer, before and after they descend ∫R² dV.

    blocks  ‖Θ_ij,kl‖ over the grid for i ≤ j, k ≤ l, relative to the mean of the diagonal ones (nine numbers)
    mass    the share of Σ‖Θ_ij,kl‖² with (ij) ≠ (kl)
    """

    name: ClassVar[str] = "mixing"
    title: ClassVar[str] = "Component mixing"
    question: ClassVar[str] = "How much does a change asked for in one component of the metric move the others?"
    source: ClassVar[str] = "Halverson and Ruehle, sections 2.1 and 2.3.1, eqs. (2.7) and (2.19)-(2.23)"
    words: ClassVar[Words] = Words(
        {
            "mass_{model}_{when}": "share of the squared kernel between components, {model}, {when} training",
            "shared_exponent": "exponent of that share with the width, one network for all components",
            "independent_xy_to_xx": "block of g_xy over that of g_xx, a network for each component",
            "energy_left": "share of the energy that is left",
        },
        {"independent": "a network for each component", "shared": "one network for all",
         "cholesky": "a Cholesky factor"},
        ("mass_independent_after", "shared_exponent", "mass_cholesky_after"),
    )

    def cells(self, quick: bool) -> list[dict[str, Any]]:
        """Models, widths and seeds."""
        widths, seeds = ((16, 64, 256), range(3)) if quick else ((16, 32, 64, 128, 256, 512, 1024), range(8))
        return [{"model": model, "width": width, "seed": seed}
                for model in MODELS for width in widths for seed in seeds]

    def measure(self, cell: Cell) -> dict[str, Any]:
        """The blocks of the kernel at the start and at the end of a run."""
        model = MODELS[cell["model"]](cell["width"])
        start = model.on(TORUS.grid(POINTS, scheme="spectral"), seed=cell["seed"])
        energy = functionals.ScalarSquared(TORUS)
        run = solve(GradientFlow(Continuum(energy), model), start, TIME, rtol=1e-6, progress=False)
        before, after = _blocks(start), _blocks(run.last)
        return {"before": _relative(before), "after": _relative(after), "mass_before": _mass(before),
                "mass_after": _mass(after), "energy_left": run["energy"][-1] / run["energy"][0]}

    def conclude(self, rows: list[Row]) -> dict[str, float]:
        """Masses at the largest width, before and after, and the exponent in the width for the shared network."""
        found: dict[str, float] = {}
        sizes, masses = _masses(rows, "shared", "before")
        for name in MODELS:
            own = having(rows, model=name, width=sizes[-1])
            found |= with_errors({f"mass_{name}_{when}": mean_and_error([row[f"mass_{when}"] for row in own])
                                  for when in ("before", "after")})
        widest = [row["before"] for row in having(rows, model="independent", width=sizes[-1])]
        ratio = float(np.mean([block[4] / (block[0] + block[8]) * 2 for block in widest]))
        return {**found, **with_errors({"shared_exponent": exponent_and_error(sizes, masses)}),
                "independent_xy_to_xx": ratio, "energy_left": float(np.mean([row["energy_left"] for row in rows]))}

    def answer(self, findings: Findings) -> str:
        """The masses in words."""
        numbers, widest = findings.numbers, max(findings["width"])
        apart = "exactly zero" if numbers["mass_independent_after"] == 0 else "not zero"
        return (f"With a network for each component, not at all: the blocks of the kernel between components are "
                f"{apart} before and after training, at any width, and the block of g_xy is "
                f"{numbers['independent_xy_to_xx']:.2f} of that of g_xx, the ½ of ½(δ_ik δ_jl + δ_il δ_jk). With one "
                "network for all, mixing is an effect of finite width: its share of the squared kernel falls as N to "
                f"the power {numbers['shared_exponent']:.2f}, to {numbers['mass_shared_before']:.1e} at N = {widest} "
                f"({numbers['mass_shared_after']:.1e} after the energy fell to {100 * numbers['energy_left']:.0f} %). "
                f"With a Cholesky factor the share does not fall with width: it is "
                f"{numbers['mass_cholesky_before']:.1e} at N = {widest} ({numbers['mass_cholesky_after']:.1e} after), "
                "because the map from factor to metric mixes components wherever the metric is not diagonal.")

    def draw(self, figure: Figure, findings: Findings) -> None:
        """The blocks of each model at the smallest width, and the masses against width."""
        figure.set_size_inches(7.2, 5.8)
        panels = figure.subplot_mosaic([list(MODELS), ["mass"] * 3], height_ratios=[1.1, 1])
        smallest = min(findings["width"])
        for name in MODELS:
            own = findings.where(model=name, width=smallest)
            _draw_blocks(panels[name], own["before"].mean(axis=0).reshape(3, 3), TITLES[name])
        _draw_masses(panels["mass"], findings)
        panels["independent"].set_ylabel("moves")
        panels["shared"].set_xlabel(f"asked for in (N = {smallest}, mean over seeds)")


def _blocks(state: networks.ModelState) -> np.ndarray:
    """‖Θ_ij,kl‖ over pairs of points, (3, 3)."""
    theta = state.model.tangent_kernel(state.parameters, state.points)
    return np.array([[np.linalg.norm(theta[:, :, i, j, k, m]) for k, m in PAIRS] for i, j in PAIRS])


def _relative(blocks: np.ndarray) -> np.ndarray:
    return np.asarray(blocks / np.mean([blocks[0, 0], blocks[2, 2]])).ravel()


def _mass(blocks: np.ndarray) -> float:
    square = blocks**2
    return float((square.sum() - np.trace(square)) / square.sum())


def _masses(rows: Any, model: str, when: str) -> tuple[np.ndarray, np.ndarray]:
    """Widths, and mean masses over seeds."""
    return averages(having(rows, model=model), "width", f"mass_{when}")


def _draw_blocks(axes: Axes, blocks: np.ndarray, title: str) -> None:
    axes.imshow(blocks, cmap=sequential(), vmin=0, vmax=1.4)
    for (row, column), value in np.ndenumerate(blocks):
        axes.text(column, row, f"{value:.2f}" if value else "0", ha="center", va="center", fontsize=9,
                  color="white" if value > 0.9 else INK)
    axes.set(title=title, xticks=range(3), yticks=range(3), xticklabels=NAMES, yticklabels=NAMES)
    axes.grid(False)


def _draw_masses(axes: Axes, findings: Findings) -> None:
    for name, colour in zip(("shared", "cholesky"), CYCLE[1:], strict=False):
        widths, before = _masses(findings.rows, name, "before")
        axes.loglog(widths, before, "o-", color=colour, label=TITLES[name])
        axes.loglog(widths, _masses(findings.rows, name, "after")[1], "s--", color=colour, mfc="none",
                    label="after training")
    widths, masses = _masses(findings.rows, "shared", "before")
    axes.loglog(widths, masses[0] * widths[0] / widths / 2, ":", color=MUTED, label="slope −1")
    axes.set(xlabel="width N", ylabel="share of the kernel", title="share of mixing; zero for independent networks")
    plain_ticks(axes, widths)
    axes.set_ylim(bottom=masses.min() / 20)
    axes.legend(loc="lower left", ncols=3, fontsize=8)
