"""Width: how fast the flow of a finite network becomes that of a frozen, deterministic kernel as its layers widen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, final

import numpy as np

from geomflow.field import ComplexTorus
from geomflow.flow import solve
from geomflow.kernels.network import NetworkKernel
from geomflow.networks import FourierEmbedding, ModelState, Perceptron, PotentialModel, Rescaled
from geomflow.plot.style import CYCLE, INK, MUTED, plain_ticks
from geomflow.study.seeds import exponent_and_error, with_errors
from geomflow.study.story import Words
from geomflow.study.study import Cell, Findings, Row, Study, distinct, having
from geomflow.symbolic import functionals
from geomflow.tangent import Continuum, GradientFlow, LinearisedFlow, tangent_monitors

if TYPE_CHECKING:
    from matplotlib.figure import Figure

TORUS = ComplexTorus(1)
POINTS, TIME, SIZE = 8, 10.0, 0.01
MEASURED = {
    "noise": "initial kernel to its limit",
    "drift": "drift of the kernel",
    "distance": "flow to its frozen one",
}


@final
@dataclass(frozen=True)
class Width(Study):
    """Descent of the K-energy by perceptrons φ = f/100 on T², against the flow of the kernel frozen at the start.

    noise     ‖Θ_0 − Θ̄‖/‖Θ̄‖ on the grid, Θ̄ in closed form      drift     ‖Θ_t − Θ_0‖/‖Θ_0‖ at the end
    distance  of the network's potential from that of its linearisation at the end, over the way gone
    """

    name: ClassVar[str] = "width"
    title: ClassVar[str] = "Width"
    question: ClassVar[str] = ("Does the flow of a network become that of a deterministic kernel that stays as it was, "
                               "and how wide must the network be?")
    source: ClassVar[str] = "Halverson and Ruehle, section 2.2, eqs. (2.9)-(2.12)"
    words: ClassVar[Words] = Words(
        {
            "noise_exponent_{activation}_{depth}":
                "exponent with the width of the draw's distance from the limit, {activation}, hidden layers: {depth}",
            "drift_exponent_{activation}_{depth}":
                "exponent with the width of the kernel's drift, {activation}, hidden layers: {depth}",
            "distance_exponent_{activation}_{depth}":
                "exponent with the width of the distance from the frozen flow, {activation}, hidden layers: {depth}",
            "energy_left": "share of the energy that is left",
        },
        first=("noise_exponent_erf_1", "drift_exponent_erf_1", "distance_exponent_erf_1"),
    )

    def cells(self, quick: bool) -> list[dict[str, Any]]:
        """Activations, depths, widths and seeds; quick: one hidden layer of error functions."""
        kinds: list[tuple[str, int]]
        widths: tuple[int, ...]
        if quick:
            kinds, widths, seeds = [("erf", 1)], (16, 32, 64, 128, 256), range(4)
        else:
            kinds, widths, seeds = [("erf", 1), ("gelu", 1), ("erf", 2)], (16, 32, 64, 128, 256, 512), range(8)
        return [{"activation": activation, "depth": depth, "width": width, "seed": seed}
                for activation, depth in kinds for width in widths for seed in seeds]

    def measure(self, cell: Cell) -> dict[str, Any]:
        """One network: its kernel and its flow."""
        embedding = FourierEmbedding(TORUS)
        network = Perceptron(2, (cell["width"],) * cell["depth"], activation=cell["activation"], embedding=embedding)
        model, energy = Rescaled(PotentialModel(TORUS, network), SIZE), functionals.KEnergy(TORUS)
        start = model.on(TORUS.grid(POINTS, scheme="spectral"), seed=cell["seed"])
        flow = GradientFlow(Continuum(energy), model)
        free = solve(flow, start, TIME, rtol=1e-8, monitors=tangent_monitors(flow, start), progress=False)
        frozen = solve(LinearisedFlow(Continuum(energy), model), start, TIME, rtol=1e-8, progress=False).last
        infinite = NetworkKernel(cell["activation"], cell["depth"], embedding=embedding)
        return {"noise": _noise(start, SIZE**2 * infinite.matrix(start.points)), "drift": free["kernel_drift"][-1],
                "distance": free.last.distance(frozen) / frozen.distance(start),
                "energy_left": free["energy"][-1] / free["energy"][0]}

    def conclude(self, rows: list[Row]) -> dict[str, float]:
        """The fitted exponents of the root mean squares over seeds, of each kind of network."""
        found: dict[str, float] = {}
        for kind in dict.fromkeys((row["activation"], row["depth"]) for row in rows):
            own = having(rows, activation=kind[0], depth=kind[1])
            for name in MEASURED:
                widths, means, _ = averaged(own, name)
                fit = exponent_and_error(widths, means)
                found |= with_errors({f"{name}_exponent_{kind[0]}_{kind[1]}": fit})
        return {**found, "energy_left": float(np.mean([row["energy_left"] for row in rows]))}

    def answer(self, findings: Findings) -> str:
        """The exponents in words."""
        numbers = findings.numbers
        said = {name: ", ".join(f"{value:.2f} ({_words(*key.rsplit('_', 2)[1:])})" for key, value in numbers.items()
                                if key.startswith(f"{name}_exponent") and not key.endswith("_error"))
                for name in MEASURED}
        widest = max(findings["width"])
        gap = averaged(findings.where(width=widest).rows, "distance")[1][0]
        return (f"Yes. The initial kernel approaches its infinitely wide limit as N to the power {said['noise']}; "
                f"while the energy falls to {100 * numbers['energy_left']:.0f} %, the kernel drifts as N to the power "
                f"{said['drift']}, and the flow leaves its frozen one as N to the power {said['distance']}. At "
                f"N = {widest} it is {100 * gap:.2g} % of the way apart. The general theory of tangent "
                "kernels expects −1/2 for the draw, and −1 for what training changes.")

    def draw(self, figure: Figure, findings: Findings) -> None:
        """The three measures against width, with the spread over seeds and the slopes −1/2 and −1."""
        kinds = list(dict.fromkeys(zip(findings["activation"].tolist(), findings["depth"].tolist(), strict=True)))
        panels = figure.subplots(1, 3, sharey=True)
        for axes, (name, title), slope in zip(panels, MEASURED.items(), (-0.5, -1, -1), strict=True):
            for kind, colour, nudge in zip(kinds, CYCLE, (1, 1.06, 0.94), strict=False):
                own = findings.where(activation=kind[0], depth=kind[1])
                widths, means, spread = averaged(own.rows, name)
                axes.errorbar(widths * nudge, means, spread, fmt="o", color=colour, capsize=2, label=_words(*kind))
            widths, means, _ = averaged(findings.rows, name)
            line = means[0] * (widths / widths[0]) ** slope
            axes.loglog(widths, line, "--", color=MUTED, zorder=0)
            axes.annotate(f"$N^{{{'-1/2' if slope == -0.5 else '-1'}}}$", (widths[0], line[0]), xytext=(14, 2),
                          textcoords="offset points", color=INK)
            axes.set(xlabel="width N", title=title)
            plain_ticks(axes, widths[::2])
        panels[0].set_ylabel("relative change")
        panels[0].legend(loc="lower left")


def averaged(rows: Any, name: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Widths, root mean squares over seeds of what was measured there, and the standard errors of these."""
    widths = distinct(rows, "width")
    squares = [np.array([row[name] for row in having(rows, width=width)]) ** 2 for width in widths]
    means = np.array([np.sqrt(square.mean()) for square in squares])
    errors = np.array([square.std() / np.sqrt(len(square)) for square in squares]) / (2 * means)
    return np.array(widths), means, errors


def _noise(start: ModelState, infinite: np.ndarray) -> float:
    kernel = start.model.tangent_kernel(start.parameters, start.points)
    return float(np.linalg.norm(kernel - infinite) / np.linalg.norm(infinite))


def _words(activation: str, depth: Any) -> str:
    return f"{activation}, {depth} hidden layer{'s' if int(depth) > 1 else ''}"
