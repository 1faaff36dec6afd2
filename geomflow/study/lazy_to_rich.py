"""Lazy to rich: from networks whose kernel stays as it was to those that learn features, by the scale of the output."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar, final

import numpy as np
from scipy.integrate import solve_ivp

from geomflow.field import Torus
from geomflow.kernels import InfiniteEnsemble, NetworkKernel
from geomflow.kernels.motions import Learned
from geomflow.networks import FourierEmbedding, Perceptron
from geomflow.plot.style import CYCLE, plain_ticks
from geomflow.study.seeds import exponent, exponent_and_error, mean_and_error, said, with_errors
from geomflow.study.story import Words
from geomflow.study.study import Cell, Findings, Row, Study, averages, distinct, having
from geomflow.study.together import passed, pulled, tangent_kernels

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

EMBEDDING = FourierEmbedding(Torus(4))
SEEN, UNSEEN = np.split(np.random.default_rng(0).random((140, 4)), [40])
WEIGHT_STD, BIAS_STD, TIME, RTOL, ATOL = 1.5, 0.5, 10.0, 1e-3, 1e-6
#: Output scales from which on networks are called lazy.
LAZY = 4.0
TITLES = {"erf": "error function", "relu": "ReLU"}


def scales(width: int, least: float) -> list[float]:
    """Powers of two for α, from `least` for α √N to 16 for α."""
    return [2.0**power for power in range(round(np.log2(least / np.sqrt(width))), 5)]


def target(x: np.ndarray) -> np.ndarray:
    """cos 4πx, which varies along one of the four directions of the torus."""
    return np.asarray(np.cos(4 * np.pi * x[:, 0]))


@final
@dataclass(frozen=True)
class LazyToRich(Study):
    """Perceptrons h of one hidden layer learn cos 4πx at 40 points of T⁴, f = α (h − h_0), by a loss ½ Σ (f − y)²/α².

    At every output scale α values flow by the kernel Θ of h, for a time of 10. All are root mean squares over networks,
    norms are over 100 unseen points.

    drift       ‖Θ_t − Θ_0‖/‖Θ_0‖
    frozen      ‖f − f_lin‖/‖μ‖, f_lin the same network linearised
    infinite    ‖f − μ‖/‖μ‖, μ the prediction of the infinitely wide network's kernel
    error       ‖f − cos 4πx‖/‖cos 4πx‖ at unseen points; left: at those that are learned
    """

    name: ClassVar[str] = "lazy-to-rich"
    title: ClassVar[str] = "From lazy to rich"
    question: ClassVar[str] = ("How far does training move the tangent kernel, and what is learned from what "
                               "infinitely wide networks predict, as the scale of the output goes?")
    source: ClassVar[str] = ("Chizat, Oyallon and Bach (2019), On lazy training in differentiable programming; Geiger, "
                             "Spigler, Jacot and Wyart (2020); Halverson and Ruehle, section 3.2, on feature learning")
    words: ClassVar[Words] = Words(
        {
            "drift_exponent_{activation}": f"exponent of the kernel's drift with α from {LAZY:g}, {{activation}}",
            "frozen_exponent_{activation}":
                f"exponent of the distance from the linearised network with α from {LAZY:g}, {{activation}}",
            "onset_{activation}_{width}": "α √N at which the kernel moves by its own size, {activation}, width {width}",
            "infinite_exponent_{activation}": "exponent of the distance from infinite width with N, {activation}",
            "infinite_{activation}_{width}": "distance from infinite width, lazy, {activation}, width {width}",
            "error_lazy_{activation}": "error at unseen points, lazy, {activation}",
            "error_rich_{activation}": "error at unseen points, rich, {activation}",
            "error_kernel_{activation}": "error at unseen points, infinite width, {activation}",
        },
        TITLES,
        ("drift_exponent_erf", "error_lazy_relu", "error_rich_relu"),
    )

    def cells(self, quick: bool) -> list[dict[str, Any]]:
        """Output scales, widths and batches of networks."""
        widths, networks, seeds, least = ((64, 256), 2, 2, 1.0) if quick else ((64, 256, 1024), 4, 3, 0.5)
        return [{"activation": activation, "width": width, "alpha": alpha, "networks": networks, "seed": seed}
                for activation in TITLES for width in widths for alpha in scales(width, least)
                for seed in range(seeds)]

    def measure(self, cell: Cell) -> dict[str, Any]:
        """One batch of networks, the same at every output scale."""
        network = Perceptron(4, (cell["width"],), 1, cell["activation"], "ntk", WEIGHT_STD, BIAS_STD, EMBEDDING)
        theta = np.random.default_rng([cell["seed"], cell["width"]]).standard_normal((cell["networks"], network.size))
        seen, unseen = EMBEDDING.values(SEEN), EMBEDDING.values(UNSEEN)
        end = flowed(network, theta, seen, target(SEEN), cell["alpha"])
        first, last = (passed(network, each, unseen) for each in (theta, end))
        before, after = (tangent_kernels(network, each, unseen, len(unseen)) for each in (first, last))
        values = cell["alpha"] * (last.values - first.values)
        learned = cell["alpha"] * (passed(network, end, seen).values - passed(network, theta, seen).values)
        mu, truth = predicted(cell["activation"]), target(UNSEEN)
        return {"drift": _relative(after - before, before), "frozen": _relative(values - linear(network, theta), mu),
                "infinite": _relative(values - mu, mu), "error": _relative(values - truth, truth),
                "left": _relative(learned - target(SEEN), target(SEEN))}

    def conclude(self, rows: list[Row]) -> dict[str, float]:
        """Exponents of lazy networks, the onset of richness, and errors at both ends, of the widest networks."""
        found: dict[str, tuple[float, float]] = {}
        kernel: dict[str, float] = {}
        for activation in distinct(rows, "activation"):
            own = having(rows, activation=activation)
            widths = distinct(own, "width")
            for name in ("drift", "frozen"):
                lazy = [row for row in having(own, width=widths[-1]) if row["alpha"] >= LAZY]
                fits = [exponent(*averages(having(lazy, seed=seed), "alpha", name)) for seed in distinct(lazy, "seed")]
                found[f"{name}_exponent_{activation}"] = mean_and_error(fits)
            for width in widths:
                kernel[f"onset_{activation}_{width}"] = _onset(having(own, width=width)) * np.sqrt(width)
                ends = _at(own, width, max)
                found[f"infinite_{activation}_{width}"] = mean_and_error([row["infinite"] for row in ends])
            apart = [found[f"infinite_{activation}_{width}"] for width in widths]
            found[f"infinite_exponent_{activation}"] = exponent_and_error(widths, *zip(*apart, strict=True))
            for name, end in (("lazy", max), ("rich", min)):
                ends = _at(own, widths[-1], end)
                found[f"error_{name}_{activation}"] = mean_and_error([row["error"] for row in ends])
            kernel[f"error_kernel_{activation}"] = _relative(predicted(activation) - target(UNSEEN), target(UNSEEN))
        return {**with_errors(found), **kernel}

    def answer(self, findings: Findings) -> str:
        """Drift, distances and errors in words."""
        numbers, widths = findings.numbers, distinct(findings.rows, "width")

        def each(name: str, form: Callable[[str], str]) -> str:
            return " and ".join(f"{form(f'{name}_{key}')} ({title})" for key, title in TITLES.items())

        def power(name: str) -> str:
            return said(numbers, name)

        def plain(name: str) -> str:
            return f"{numbers[name]:.2f}"

        onsets = [numbers[f"onset_{key}_{width}"] for key in TITLES for width in widths]
        apart = ", ".join(f"{numbers[f'infinite_erf_{width}']:.2f} at N = {width}" for width in widths)
        return (f"From α = {LAZY:g} on the kernel moves as α to the power {each('drift_exponent', power)}, and what is "
                f"learned leaves the linearised network as α to the power {each('frozen_exponent', power)}: smooth "
                "networks become lazy as 1/α, ReLU more slowly, for neurons cross their kink. Lazy networks are not "
                "the infinitely wide one: one network's kernel differs from its limit, and what it learns from the "
                f"prediction by {apart} (error function), as N to the power {each('infinite_exponent', power)}. "
                "The kernel moves by its own size where α √N is "
                f"{min(onsets):.1f} to {max(onsets):.1f}, whatever the width: at the α = 1 of NTK parametrisation wide "
                "networks are lazy. Rich networks find that the function varies in one direction: their error at "
                f"unseen points is {each('error_rich', plain)}, that of lazy ones {each('error_lazy', plain)}, of "
                f"infinite width {each('error_kernel', plain)}.")

    def draw(self, figure: Figure, findings: Findings) -> None:
        """Against α √N: drift of the kernel, distances of what is learned, and errors at unseen points."""
        figure.set_size_inches(10.2, 3.9)
        left, middle, right = figure.subplots(1, 3)
        for (activation, title), colour in zip(TITLES.items(), CYCLE, strict=False):
            own = findings.where(activation=activation)
            _draw_scales(left, own.rows, "drift", colour, title)
            _draw_scales(right, own.rows, "error", colour, title)
            right.axhline(findings.numbers[f"error_kernel_{activation}"], ls="--", color=colour, lw=1)
        erf = findings.where(activation="erf").rows
        _draw_scales(middle, erf, "infinite", CYCLE[0], "infinite width")
        _draw_scales(middle, erf, "frozen", CYCLE[2], "its linearisation")
        _label(left, "drift of the kernel", "‖Θ − Θ₀‖/‖Θ₀‖")
        _label(middle, "error function: distance from", "relative distance")
        _label(right, "error at unseen points (dashed: N = ∞)", "relative error")
        left.set_yscale("log")
        middle.set_yscale("log")
        right.set_ylim(bottom=0)


def flowed(network: Perceptron, theta: np.ndarray, features: np.ndarray, y: np.ndarray, alpha: float) -> np.ndarray:
    """θ of every network after the flow θ' = −∂L/∂θ for a time of 10, L = ½ Σ (α (h − h_0) − y)²/α².

    It is integrated for α (θ − θ_0), which stays of order one.
    """
    start = passed(network, theta, features).values

    def rate(_: float, moved: np.ndarray) -> np.ndarray:
        seen = passed(network, theta + moved.reshape(theta.shape) / alpha, features)
        return pulled(network, seen, features, y - alpha * (seen.values - start)).ravel()

    found = solve_ivp(rate, (0.0, TIME), np.zeros(theta.size), t_eval=[TIME], rtol=RTOL, atol=ATOL)
    return np.asarray(theta + found.y[:, -1].reshape(theta.shape) / alpha)


def linear(network: Perceptron, theta: np.ndarray) -> np.ndarray:
    """What the networks, linearised at θ and without their initial function, have learned at unseen points."""
    features, count = EMBEDDING.values(np.concatenate([SEEN, UNSEEN])), len(SEEN)
    kernels = tangent_kernels(network, passed(network, theta, features), features, count)
    rates, vectors = np.linalg.eigh(kernels[:, :count])
    along = Learned(0.0, TIME).of(rates) * (target(SEEN) @ vectors)
    return np.asarray(np.einsum("nqp,npi,ni->nq", kernels[:, count:], vectors, along, optimize=True))


@cache
def predicted(activation: Any) -> np.ndarray:
    """The prediction μ of infinite width at unseen points."""
    kernel = NetworkKernel(activation, 1, WEIGHT_STD, BIAS_STD, EMBEDDING)
    return InfiniteEnsemble(kernel).regress(SEEN, target(SEEN)).at(TIME).mean(UNSEEN)


def _relative(difference: np.ndarray, reference: np.ndarray) -> float:
    """‖difference‖/‖reference‖, roots of mean squares over networks where there are several."""
    return float(np.sqrt(np.mean(difference**2) / np.mean(reference**2)))


def _root(values: Any) -> float:
    """The root mean square."""
    return float(np.sqrt(np.mean(np.square(values))))


def _at(rows: list[Row], width: int, end: Callable[..., float]) -> list[Row]:
    """The rows of a width at its largest or smallest output scale."""
    own = having(rows, width=width)
    return having(own, alpha=end(row["alpha"] for row in own))


def _onset(rows: list[Row]) -> float:
    """The α at which the drift is one, between two scales on a line of logarithms."""
    alphas, drifts = averages(rows, "alpha", "drift", _root)
    return float(np.exp(np.interp(0.0, -np.log(drifts), np.log(alphas))))


def _draw_scales(axes: Axes, rows: Any, name: str, colour: str, label: str) -> None:
    """One curve a width, wide ones darker."""
    widths = distinct(rows, "width")
    for number, (width, mark) in enumerate(zip(widths, "ovs", strict=False)):
        alphas, values = averages(having(rows, width=width), "alpha", name, _root)
        shade = 1 - 0.6 * (len(widths) - 1 - number) / max(len(widths) - 1, 1)
        axes.plot(alphas * np.sqrt(width), values, f"{mark}-", ms=4, lw=1, color=colour, alpha=shade,
                  label=f"{label}, N = {width}")


def _label(axes: Axes, title: str, quantity: str) -> None:
    axes.set_xscale("log", base=2)
    axes.set(xlabel="rich  ←      α √N      →  lazy", title=title, ylabel=quantity)
    plain_ticks(axes, 2.0 ** np.arange(0, 10, 2))
    axes.legend(fontsize=7)
