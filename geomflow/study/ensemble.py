"""Ensemble: mean and covariance of trained finite networks against those of infinitely wide ones, and how they meet."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar, final

import numpy as np

from geomflow.field import Torus
from geomflow.kernels import GaussianProcess, InfiniteEnsemble, NetworkKernel
from geomflow.kernels.motions import Descended
from geomflow.networks import FourierEmbedding, Perceptron
from geomflow.plot.style import CYCLE, INK, MUTED, plain_ticks
from geomflow.study.seeds import exponent_and_error, exponent_of_squares, said, squared_norm, with_errors
from geomflow.study.story import Words
from geomflow.study.study import Cell, Findings, Row, Study, distinct, having
from geomflow.study.together import descended, passed, tangent_kernels
from geomflow.study.width import averaged

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

EMBEDDING = FourierEmbedding(Torus(1))
SEEN = np.array([0.0, 5.0, 7.0, 12.0, 16.0, 21.0])[:, None] / 24
VALUES = np.cos(2 * np.pi * SEEN[:, 0]) + np.sin(4 * np.pi * SEEN[:, 0]) / 2
UNSEEN = np.arange(24)[:, None] / 24
FEATURES = EMBEDDING.values(np.concatenate([SEEN, UNSEEN]))
WEIGHT_STD, BIAS_STD, STEPS, SHARE = 1.5, 0.5, 60, 0.25
BATCHES, ASYMPTOTIC, SHOWN, DRAWN = 8, 64, 64, 16
#: Numbers of a layer that are held at once, few enough to stay in a cache.
BLOCK = 2**17
TITLES = {"erf": "error function", "relu": "ReLU"}
MEASURED = {
    "kernel": ("one kernel from its limit", "s"),
    "training": ("trained from linearised", "^"),
    "mean_shift": ("mean over networks", "o"),
    "covariance_shift": ("covariance over networks", "D"),
}
SHIFTS = ("mean_shift", "covariance_shift")


@final
@dataclass(frozen=True)
class Ensemble(Study):
    """Perceptrons of one hidden layer learn six values on a circle by 60 steps of descent of ½ Σ (f − y)².

    Beside each stand the same network linearised, f_lin, and a companion f_0 + A (y − f_0): what infinitely wide
    networks of its initial function become. The companions have the mean μ and the covariance Σ of the infinite
    ensemble at every width, since f_0 has the covariance K at every width. Networks come in pairs of opposite output
    layers, with opposite f_0 and the same kernel. Norms are over 24 points.

    kernel     ‖Θ_0 − Θ̄‖/‖Θ̄‖       training     ‖f − f_lin‖ over that of f       root mean squares over networks
    mean_shift, covariance_shift     moments about μ of the networks less those of companions, over ‖μ‖ and ‖Σ‖
    mean, spread                     of the networks at the 24 points
    """

    name: ClassVar[str] = "ensemble"
    title: ClassVar[str] = "Finite and infinite ensembles"
    question: ClassVar[str] = ("How fast do mean and covariance of trained finite networks become those of the "
                               "infinite ensemble?")
    source: ClassVar[str] = "Halverson and Ruehle, section 2.2, on losses of mean squares"
    words: ClassVar[Words] = Words(
        {
            "kernel_exponent_{activation}":
                "exponent with the width of a kernel's distance from its limit, {activation}",
            "training_exponent_{activation}":
                "exponent of the distance of trained from linearised, {activation}",
            "mean_shift_exponent_{activation}": "exponent of the shift of the mean, {activation}",
            "covariance_shift_exponent_{activation}": "exponent of the shift of the covariance, {activation}",
            "mean_shift_{activation}": f"shift of the mean at width {SHOWN}, {{activation}}",
            "covariance_shift_{activation}": f"shift of the covariance at width {SHOWN}, {{activation}}",
        },
        TITLES,
        ("kernel_exponent_erf", "mean_shift_exponent_erf", "covariance_shift_exponent_erf"),
    )

    def cells(self, quick: bool) -> list[dict[str, Any]]:
        """Batches of pairs of networks: many narrow ones, for their moments, and a few wide ones."""
        many = {16: 100, 32: 150, 64: 450, 128: 220} if quick else {16: 8000, 32: 6000, 64: 4000, 128: 2000, 256: 800}
        few = {256: 16, 512: 8, 1024: 4} if quick else {512: 32, 1024: 16, 2048: 8}
        return [{"activation": activation, "width": width, "pairs": pairs, "seed": seed}
                for activation in TITLES for width, pairs in {**many, **few}.items() for seed in range(BATCHES)]

    def measure(self, cell: Cell) -> dict[str, Any]:
        """One batch, block by block."""
        width, pairs = cell["width"], cell["pairs"]
        network = Perceptron(1, (width,), 1, cell["activation"], "ntk", WEIGHT_STD, BIAS_STD, EMBEDDING)
        infinite, rng = _infinite(cell["activation"]), np.random.default_rng([cell["seed"], width])
        most = max(1, BLOCK // (2 * width * len(FEATURES)))
        parts = [_sums(network, infinite, _pairs(network, rng, min(most, pairs - start)))
                 for start in range(0, pairs, most)]
        means = {name: np.sum([part[name] for part in parts], axis=0) / (2 * pairs) for name in parts[0]}
        spread = np.sqrt(means["square"] - means["mean"] ** 2)
        own = np.sum(means.pop("square"))
        roots = {"kernel": float(np.sqrt(means["kernel"])), "training": float(np.sqrt(means["training"] / own))}
        return {**means, **roots, "spread": spread}

    def conclude(self, rows: list[Row]) -> dict[str, float]:
        """The four exponents for each activation, and the shifts at one width."""
        found: dict[str, tuple[float, float]] = {}
        for activation in distinct(rows, "activation"):
            own = having(rows, activation=activation)
            wide = [row for row in own if row["width"] >= ASYMPTOTIC]
            for name in MEASURED:
                found[f"{name}_exponent_{activation}"] = exponent(wide, name)
            for name in SHIFTS:
                _, shifts, errors = _measured(having(own, width=SHOWN), name)
                found[f"{name}_{activation}"] = float(shifts[0]), float(errors[0])
        return with_errors(found)

    def answer(self, findings: Findings) -> str:
        """The exponents in words."""
        numbers = findings.numbers

        def power(name: str) -> str:
            return " and ".join(f"{said(numbers, f'{name}_exponent_{key}')} ({title})" for key, title in TITLES.items())

        def share(name: str) -> str:
            return " and ".join(f"{100 * numbers[f'{name}_{key}']:.2g} % ({title})" for key, title in TITLES.items())

        return (f"From N = {ASYMPTOTIC} on the mean over trained networks differs from that of the infinite ensemble "
                f"by N to the power {power('mean_shift')}, their covariance by N to the power "
                f"{power('covariance_shift')}. At N = {SHOWN} these shifts are {share('mean_shift')} of the mean, "
                f"{share('covariance_shift')} of the covariance. Single networks are farther away: the kernel of one "
                f"is off the limit by N to the power {power('kernel')}, and training takes it from its linearisation "
                f"by N to the power {power('training')}. For smooth activations −½ is expected of the draw and −1 of "
                "the rest. With ReLU training carries a share N to the power −½ of the neurons past their kink, where "
                "they are moved no more: −½ is expected of moments, too.")

    def draw(self, figure: Figure, findings: Findings) -> None:
        """The infinite ensemble and finite ones on the circle, and what separates them against width."""
        figure.set_size_inches(10.2, 3.9)
        left, *panels = figure.subplots(1, 3)
        panels[1].sharey(panels[0])
        _draw_circle(left, findings.where(activation="erf", width=DRAWN))
        for axes, (activation, title) in zip(panels, TITLES.items(), strict=True):
            _draw_widths(axes, findings.where(activation=activation).rows, f"{title}: distances")
        panels[0].set_ylabel("relative distance")
        panels[0].legend(fontsize=7, loc="lower left")


@final
@dataclass(frozen=True, eq=False)
class _Infinite:
    """The infinite ensemble after its descent at unseen points: μ, Σ, and A with μ = A y; the rate; Θ̄ with all seen."""

    process: GaussianProcess
    mean: np.ndarray
    covariance: np.ndarray
    action: np.ndarray
    eta: float
    kernel: np.ndarray


@cache
def _infinite(activation: Any) -> _Infinite:
    kernel = NetworkKernel(activation, 1, WEIGHT_STD, BIAS_STD, EMBEDDING)
    ensemble = InfiniteEnsemble(kernel)
    learned = ensemble.regress(SEEN, VALUES)
    eta = float(2 * SHARE / learned.rates(1)[0])
    process = learned.after(STEPS, eta)
    action = ensemble.regress(SEEN, np.eye(len(SEEN))).after(STEPS, eta).mean(UNSEEN)
    matrix = kernel.matrix(np.concatenate([SEEN, UNSEEN]), SEEN)
    return _Infinite(process, process.mean(UNSEEN), process.covariance(UNSEEN), action, eta, matrix)


def _pairs(network: Perceptron, rng: np.random.Generator, pairs: int) -> np.ndarray:
    """Parameters of pairs of networks of opposite output layers, (2 pairs, size)."""
    theta = np.repeat(rng.standard_normal((pairs, network.size)), 2, axis=0)
    views = network.layout.views(theta[1::2])
    views["W1"] *= -1
    views["b1"] *= -1
    return theta


def _sums(network: Perceptron, infinite: _Infinite, theta: np.ndarray) -> dict[str, Any]:
    """What is measured, summed over networks."""
    count, seen = len(SEEN), passed(network, theta, FEATURES)
    kernels = tangent_kernels(network, seen, FEATURES, count)
    missing = VALUES - seen.values[:, :count]
    rates, vectors = np.linalg.eigh(kernels[:, :count])
    along = np.einsum("npi,np->ni", vectors, missing) * Descended(0.0, STEPS, infinite.eta).of(rates)
    linear = seen.values[:, count:] + np.einsum("nqp,npi,ni->nq", kernels[:, count:], vectors, along, optimize=True)
    companions = seen.values[:, count:] + missing @ infinite.action.T
    end = descended(network, theta, FEATURES[:count], VALUES, STEPS, infinite.eta)
    trained = passed(network, end, FEATURES[count:]).values
    off, other = trained - infinite.mean, companions - infinite.mean
    mean, covariance = np.linalg.norm(infinite.mean), np.linalg.norm(infinite.covariance)
    return {"kernel": np.sum((kernels - infinite.kernel) ** 2) / np.sum(infinite.kernel**2),
            "training": np.sum((trained - linear) ** 2), "square": np.sum(trained**2, axis=0),
            "mean": trained.sum(axis=0), "mean_shift": (trained - companions).sum(axis=0) / mean,
            "covariance_shift": (off.T @ off - other.T @ other).ravel() / covariance}


def _squares(rows: Any, name: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Widths, the squared norms of a shift over the batches, and their errors."""
    widths = distinct(rows, "width")
    squares, errors = np.array([squared_norm([row[name] for row in having(rows, width=width)]) for width in widths]).T
    return np.array(widths), squares, errors


def _measured(rows: Any, name: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Widths, what was measured there and its errors; of shifts only what is clear of its noise."""
    if name not in SHIFTS:
        return averaged(rows, name)
    widths, squares, errors = _squares(rows, name)
    clear = squares > 3 * errors
    norms = np.sqrt(squares[clear])
    return widths[clear], norms, errors[clear] / (2 * norms)


def exponent(rows: Any, name: str) -> tuple[float, float]:
    """The exponent in the width of what was measured, with its error."""
    if name in SHIFTS:
        return exponent_of_squares(*_squares(rows, name))
    return exponent_and_error(*averaged(rows, name))


def _draw_circle(axes: Axes, findings: Findings) -> None:
    process, x = _infinite("erf").process, np.linspace(0, 1, 121)[:, None]
    mean, spread = process.mean(x), 2 * np.sqrt(process.variance(x))
    axes.fill_between(x[:, 0], mean - spread, mean + spread, color=CYCLE[0], alpha=0.2, lw=0, label="infinite, μ ± 2σ")
    axes.plot(x[:, 0], mean, color=CYCLE[0])
    means = findings["mean"].mean(axis=0)
    spreads = np.sqrt(np.mean(findings["spread"] ** 2 + (findings["mean"] - means) ** 2, axis=0))
    axes.errorbar(UNSEEN[:, 0], means, 2 * spreads, fmt="o", ms=3, color=CYCLE[1], capsize=2,
                  label=f"networks of width {DRAWN}")
    axes.plot(SEEN[:, 0], VALUES, "D", ms=5, color=INK, label="learned")
    axes.set(xlabel="x", title="error function, after training")
    axes.set_ylim(top=2.2)  # room for the legend above the band
    axes.legend(fontsize=7, loc="upper right")


def _draw_widths(axes: Axes, rows: Any, title: str) -> None:
    for (name, (label, mark)), colour in zip(MEASURED.items(), CYCLE, strict=False):
        widths, means, errors = _measured(rows, name)
        axes.errorbar(widths, means, errors, fmt=mark, ms=4, color=colour, capsize=2, label=label)
    widths, means, _ = averaged(rows, "kernel")
    for start, slope, text in ((1.7 * means[0], -0.5, "−½"), (means[0] / 20, -1, "−1")):
        line = start * (widths / widths[0]) ** slope
        axes.loglog(widths, line, "--", color=MUTED, zorder=0)
        axes.annotate(text, (widths[-1], line[-1]), ha="right", xytext=(0, 10), textcoords="offset points", color=INK)
    axes.set(xlabel="width N", title=title)
    plain_ticks(axes, widths[::2])
