"""Locality: how a bump of the loss at one point moves the metric everywhere."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, final

import numpy as np

from geomflow.field import Torus
from geomflow.kernels import GaussianKernel, NetworkKernel, torus_distance
from geomflow.networks import CosineNetwork, FourierEmbedding, Network, Perceptron
from geomflow.plot.style import CYCLE, INK, MUTED
from geomflow.study.seeds import exponent_and_error, mean_and_error, with_errors
from geomflow.study.story import Words
from geomflow.study.study import Cell, Findings, Row, Study, averages, having

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

TORUS = Torus(2)
POINTS = 48
COSINE_WIDTH, FAR = 0.05, 0.3
SHELLS = np.linspace(0, 0.7, 29)
NARROW = (0.025, 0.05, 0.1)
SPELLED = {"relu": "ReLU", "gelu": "GELU"}


@final
@dataclass(frozen=True)
class Locality(Study):
    """What moves on flat T² where the loss has a derivative ∂l/∂g_xx at one point x' and none elsewhere, eq. (2.8).

    The component g_xx moves by Θ(x, x')/Θ(x', x') relative to the bump, the response: Θ is the
    kernel of the network of g_xx alone, eq. (2.20). For each kernel:

    profile  the response along an axis         shells  its root mean square over the points at each distance
    reach    (∫|response|)²/∫response², the participation area, as a share of the torus: 4πs² for narrow Gaussians
    width    (∫r² response²/∫response²)^½: s for narrow Gaussians
    floor    the root mean square of the response at distances over 0.3
    """

    name: ClassVar[str] = "locality"
    title: ClassVar[str] = "Locality"
    question: ClassVar[str] = "How far away from a point does the loss at that point move the metric?"
    source: ClassVar[str] = "Halverson and Ruehle, sections 2.1 and 2.3, eqs. (2.8), (2.13) and (2.27)-(2.37)"
    words: ClassVar[Words] = Words(
        {
            "reach_gaussian s={width}": "share of the torus that moves, Gaussian of width {width}",
            "reach_cosine N={neurons}": "share of the torus that moves, cosine network of {neurons} neurons",
            "reach_{kernel} {depth} N={neurons}":
                "share of the torus that moves, {kernel} with {neurons} neurons, hidden layers: {depth}",
            "reach_{kernel} {depth}":
                "share of the torus that moves, {kernel} of infinite width, hidden layers: {depth}",
            "worst_gaussian_width_error": "largest relative error of the width of a Gaussian",
            "floor_exponent": "exponent of the floor of a cosine network with its number of neurons",
            "floor_of_the_largest": "floor of the largest cosine network, over the response at the point itself",
        },
        terms=SPELLED,
        first=("reach_gaussian s=0.1", "reach_relu 1 N=512", "floor_exponent"),
    )

    def cells(self, quick: bool) -> list[dict[str, Any]]:
        """Gaussians, infinitely wide perceptrons, perceptrons of finite width, and cosine networks of several sizes."""
        gaussians = [{"kind": "gaussian", "width": s, "neurons": 0, "seed": 0} for s in NARROW]
        infinite = [{"kind": f"{name} {depth}", "width": 0.0, "neurons": 0, "seed": 0}
                    for name in SPELLED for depth in ((1,) if quick else (1, 3))]
        finite = [{"kind": f"{name} 1", "width": 0.0, "neurons": 512, "seed": seed}
                  for name in SPELLED for seed in range(2 if quick else 8)]
        cosine = [{"kind": "cosine", "width": COSINE_WIDTH, "neurons": neurons, "seed": seed}
                  for neurons in ((100, 1000, 10000) if quick else (100, 1000, 10000, 100000))
                  for seed in range(2 if quick else 8)]
        return gaussians + infinite + finite + cosine

    def measure(self, cell: Cell) -> dict[str, Any]:
        """The response to a bump in the middle, and the numbers of it."""
        grid = TORUS.grid(POINTS)
        points, bump = grid.points().reshape(-1, 2), np.full((1, 2), 0.5)
        moved = _kernel(cell, points, bump)[:, 0]
        away = torus_distance(TORUS, points, bump)[:, 0]
        response = moved / moved[away.argmin()]
        square = response**2
        return {"reach": np.abs(response).sum() ** 2 / square.sum() / len(points),
                "rms_width": np.sqrt((away**2 * square).sum() / square.sum()),
                "floor": np.sqrt(square[away > FAR].mean()),
                "profile": response.reshape(grid.shape)[POINTS // 2:, POINTS // 2],
                "shells": _in_shells(away, square)}

    def conclude(self, rows: list[Row]) -> dict[str, float]:
        """Reaches by kernel, means over seeds, and the fitted exponent of the floor of cosine networks."""
        found: dict[str, float] = {}
        for row in rows:
            alike = [r for r in rows if _named(r) == _named(row)]
            found |= with_errors({f"reach_{_named(row)}": mean_and_error([r["reach"] for r in alike])})
        gaussians = having(rows, kind="gaussian")
        found["worst_gaussian_width_error"] = max(abs(row["rms_width"] / row["width"] - 1) for row in gaussians)
        sizes, floors = _floors(rows)
        return {**found, **with_errors({"floor_exponent": exponent_and_error(sizes, floors)}),
                "floor_of_the_largest": float(floors[-1])}

    def answer(self, findings: Findings) -> str:
        """Reaches, and the floor, in words."""
        numbers = findings.numbers
        narrow = ", ".join(f"{100 * numbers[f'reach_gaussian s={s:g}']:.1f} % of the torus for s = {s:g}"
                           for s in NARROW)
        wide = ", ".join(f"{100 * numbers[f'reach_{name} 1']:.0f} % for {SPELLED[name]}" for name in SPELLED)
        largest = max(findings["neurons"])
        return (f"As far as the kernel reaches. A Gaussian of width s moves {narrow}, as 4πs² says, and its root mean "
                f"square width is s to {numbers['worst_gaussian_width_error']:.1e}. Perceptrons with one hidden layer "
                f"behind a Fourier embedding are not local at all: {wide}. A cosine network of N neurons has the "
                f"Gaussian's peak on a floor of noise at every distance, which falls as N to the power "
                f"{numbers['floor_exponent']:.2f}, to {numbers['floor_of_the_largest']:.1e} of the peak at "
                f"N = {largest}; it then reaches over {100 * numbers[f'reach_cosine N={largest}']:.1f} % of the torus, "
                f"not {100 * numbers[f'reach_gaussian s={COSINE_WIDTH:g}']:.1f} %.")

    def draw(self, figure: Figure, findings: Findings) -> None:
        """Responses of kernels along an axis; those of cosine networks in shells, logarithmic."""
        left, right = figure.subplots(1, 2)
        _draw_kernels(left, findings)
        _draw_cosine(right, findings)


def _kernel(cell: Cell, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Θ_xxxx(x, y), (p, q)."""
    kind, neurons = cell["kind"], cell["neurons"]
    if kind == "gaussian":
        return GaussianKernel(cell["width"]).wrapped(TORUS).matrix(x, y)
    if kind == "cosine":
        return _empirical(CosineNetwork(2, neurons, COSINE_WIDTH, torus=TORUS, seed=cell["seed"]), cell["seed"], x, y)
    name, depth = kind.split()
    embedding = FourierEmbedding(TORUS)
    if neurons:
        network = Perceptron(2, (neurons,) * int(depth), activation=name, embedding=embedding)
        return _empirical(network, cell["seed"], x, y)
    return NetworkKernel(name, int(depth), embedding=embedding).matrix(x, y)


def _empirical(network: Network, seed: int, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return network.tangent_kernel(network.initial(seed), x, y)[:, :, 0, 0]


def _in_shells(away: np.ndarray, square: np.ndarray) -> np.ndarray:
    """Root mean squares between neighbouring radii of SHELLS."""
    place = np.digitize(away, SHELLS[1:])
    count = np.bincount(place, minlength=len(SHELLS))[:-1]
    return np.sqrt(np.bincount(place, square, len(SHELLS))[:-1] / count)


def _named(row: Row) -> str:
    if row["kind"] == "gaussian":
        return f"gaussian s={row['width']:g}"
    return f"{row['kind']} N={row['neurons']}" if row["neurons"] else row["kind"]


def _floors(rows: Any) -> tuple[np.ndarray, np.ndarray]:
    """Sizes of the cosine networks, and their floors over all seeds."""
    return averages(having(rows, kind="cosine"), "neurons", "floor", lambda floors: np.sqrt(np.mean(np.square(floors))))


def _draw_kernels(axes: Axes, findings: Findings) -> None:
    along = np.arange(POINTS // 2) / POINTS
    for width, shade in zip(NARROW, (1.0, 0.7, 0.45), strict=True):
        (row,) = findings.where(kind="gaussian", width=width).rows
        axes.plot(along, row["profile"], color=CYCLE[0], alpha=shade, label=f"Gaussian, s = {width:g}")
    for number, kind in enumerate(("relu 1", "gelu 1"), start=1):
        (row,) = findings.where(kind=kind, neurons=0).rows
        axes.plot(along, row["profile"], color=CYCLE[number], label=f"{SPELLED[kind.split()[0]]} perceptron")
        for one in findings.where(kind=kind, neurons=512, seed=0).rows:
            axes.plot(along[::2], one["profile"][::2], "o", color=CYCLE[number], markersize=3)
    axes.set(xlabel="distance from the bump", ylabel="response Θ(x, x')/Θ(x', x')",
             title="kernels (dots: 512 neurons)", ylim=(-0.03, 1.05))
    axes.legend(loc="upper right", fontsize=8)


def _draw_cosine(axes: Axes, findings: Findings) -> None:
    middle = (SHELLS[1:] + SHELLS[:-1]) / 2
    (gaussian,) = findings.where(kind="gaussian", width=COSINE_WIDTH).rows
    sizes, _ = _floors(findings.rows)
    for size, colour in zip(sizes, CYCLE[1:], strict=False):
        own = findings.where(kind="cosine", neurons=size)
        mean = np.sqrt((own["shells"] ** 2).mean(axis=0))
        axes.semilogy(middle, mean, color=colour)
        axes.annotate(f"N = {size:,}", (middle[-6], mean[-9:-3].max()), xytext=(0, 4), textcoords="offset points",
                      ha="center", color=INK, fontsize=9)
    axes.semilogy(middle, gaussian["shells"], "--", color=MUTED, label=f"Gaussian, s = {COSINE_WIDTH:g}")
    axes.set(xlabel="distance from the bump", ylabel="root mean square response", title="cosine networks",
             ylim=(1e-3, 1.5))
    axes.legend(loc="upper right")
