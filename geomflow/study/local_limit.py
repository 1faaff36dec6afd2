"""The local limit: kernel flows of a Gaussian kernel tend to the classical flow as its width goes to zero."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, final

import numpy as np

from geomflow.field import ComplexTorus, Torus
from geomflow.flow import solve
from geomflow.flow.equations import RicciFlow
from geomflow.kernels import GaussianKernel, UnderResolvedWarning
from geomflow.plot.style import CYCLE, MUTED, plain_ticks
from geomflow.study.seeds import exponent_and_error, with_errors
from geomflow.study.story import Words
from geomflow.study.study import Cell, Findings, Row, Study, having
from geomflow.symbolic import functionals
from geomflow.tangent import KernelFlow

if TYPE_CHECKING:
    from matplotlib.figure import Figure

POTENTIAL = "cos(2*pi*x)/200 + cos(2*pi*y + 1)/300"
POTENTIAL_2 = "cos(2*pi*x1)/200 + cos(2*pi*(y1 + x2) + 1)/500"
METRIC = [["1 + cos(2*pi*y)/10", "sin(2*pi*(x + y))/20"], ["sin(2*pi*(x + y))/20", "1 + sin(2*pi*x)/10"]]
POINTS, POINTS_4 = 16, 8
"""Points along an axis: the data are single waves, and a kernel's symbol is exact on every wave of a spectral grid."""


@dataclass(frozen=True)
class Setting:
    """A flow on a torus, a state, the time to run it for, and the state's single small mode e^{2πix}."""

    title: str
    source: Callable[[], Any]
    state: Callable[[], Any]
    mode: Callable[[], Any]
    time: float
    wave: float = 2 * np.pi


def _potential(dim: int, n: int, text: str) -> Callable[[], Any]:
    return lambda: ComplexTorus(dim).grid(n, scheme="spectral").potential(text)


def _metric(n: int, components: Any) -> Callable[[], Any]:
    return lambda: Torus(2).grid(n, scheme="spectral").metric(components)


SMALL = [["1", "0"], ["0", "1 + cos(2*pi*x)/100000"]]
SMALL_POTENTIAL = "cos(2*pi*x)/1000000"


def _square(torus: Any) -> Any:
    return functionals.EF(torus, "(v-1)^2").gradient_flow("mabuchi")


SETTINGS = {
    "kenergy": Setting("K-energy, T²", lambda: functionals.KEnergy(ComplexTorus(1)).gradient_flow(),
                       _potential(1, POINTS, POTENTIAL), _potential(1, POINTS, SMALL_POTENTIAL), 3e-4),
    "ef": Setting("(v−1)², T²", lambda: _square(ComplexTorus(1)),
                  _potential(1, POINTS, POTENTIAL), _potential(1, POINTS, SMALL_POTENTIAL), 3e-4),
    "deturck": Setting("Ricci–DeTurck, T²", lambda: RicciFlow(gauge="deturck"),
                       _metric(POINTS, METRIC), _metric(POINTS, SMALL), 2e-2),
    "lambda": Setting("Perelman's λ, T²", lambda: functionals.PerelmanLambda(Torus(2)).gradient_flow(),
                      _metric(POINTS, METRIC), _metric(POINTS, SMALL), 5e-3),
    "kenergy-4": Setting("K-energy, T⁴", lambda: functionals.KEnergy(ComplexTorus(2)).gradient_flow(),
                         _potential(2, POINTS_4, POTENTIAL_2), _potential(2, POINTS_4, "cos(2*pi*x1)/1000000"), 3e-4),
}
WIDTHS = tuple(np.geomspace(0.0125, 0.125, 5).tolist())


@final
@dataclass(frozen=True)
class LocalLimit(Study):
    """How far the kernel flow is from the classical one against the width s of the kernel, and how modes decay."""

    name: ClassVar[str] = "local-limit"
    title: ClassVar[str] = "The local limit"
    question: ClassVar[str] = ("Does the flow of a Gaussian tangent kernel of width s become the classical flow as "
                               "s → 0, and what does it do to each Fourier mode before?")
    source: ClassVar[str] = "Halverson and Ruehle, sections 2.3 and 2.4, eqs. (2.24)-(2.31)"
    words: ClassVar[Words] = Words(
        {
            "slope_{flow}": "exponent of the distance to the classical flow with the width, {flow}",
            "worst_decay_error": "largest relative error of the predicted decay of a mode",
        },
        {name: setting.title for name, setting in SETTINGS.items()},
        ("slope_kenergy", "slope_deturck", "worst_decay_error"),
    )

    def compared(self, numbers: Mapping[str, float]) -> str:
        """The exponent beside that of the expansion in the width."""
        gaps = [abs(value - 2) for name, value in numbers.items() if name.startswith("slope") and "error" not in name]
        return (f"The paper argues for the limit and gives no rate. A kernel of width s differs from the identity by "
                f"s²Δ/2 + O(s⁴), so that 2 is expected; the exponents found are within {max(gaps):.2g} of it.")

    def cells(self, quick: bool) -> list[dict[str, Any]]:
        """Flows times widths; quick: two flows on T²."""
        names = ("kenergy", "deturck") if quick else tuple(SETTINGS)
        return [{"flow": name, "width": width} for name in names for width in WIDTHS]

    def measure(self, cell: Cell) -> dict[str, Any]:
        """The distance to the classical solution at the end, relative to the way gone, and the decay of one mode."""
        setting, kernel = SETTINGS[cell["flow"]], GaussianKernel(cell["width"])
        start, source = setting.state(), setting.source()
        with warnings.catch_warnings():
            # the symbol of the kernel is exact on the modes of the grid, whatever its width
            warnings.simplefilter("ignore", UnderResolvedWarning)
            flow = KernelFlow(source, kernel)
            classical = _run(source, start, setting.time)
            smooth = _run(flow, start, setting.time)
            slowed = _rate(flow, setting) / _rate(source, setting)
        error = smooth.max_distance(classical) / classical.max_distance(start)
        return {"error": error, "slowed": slowed, "predicted": float(np.exp(-(cell["width"] * setting.wave) ** 2 / 2))}

    def conclude(self, rows: list[Row]) -> dict[str, float]:
        """The fitted exponent of each flow, and the worst relative error of the predicted decay."""
        found: dict[str, float] = {}
        for name in dict.fromkeys(row["flow"] for row in rows):
            own = having(rows, flow=name)
            fit = exponent_and_error([row["width"] for row in own], [row["error"] for row in own])
            found |= with_errors({f"slope_{name}": fit})
        gaps = [abs(row["slowed"] / row["predicted"] - 1) for row in rows]
        return {**found, "worst_decay_error": max(gaps)}

    def answer(self, findings: Findings) -> str:
        """The slopes and the decay in words."""
        numbers = dict(findings.numbers)
        worst = numbers.pop("worst_decay_error")
        slopes = ", ".join(f"{value:.3f} ({SETTINGS[name.removeprefix('slope_')].title})"
                           for name, value in numbers.items() if not name.endswith("_error"))
        return (f"Yes: over a decade of widths the distance falls as s to the power {slopes}. Near the flat metric the "
                "mode of wave number k decays at the classical rate times exp(−s²k²/2), to "
                f"{worst:.1e} relative at worst.")

    def draw(self, figure: Figure, findings: Findings) -> None:
        """Distances with slope two, and decay rates on the predicted curve."""
        left, right = figure.subplots(1, 2)
        names = dict.fromkeys(row["flow"] for row in findings.rows)
        for number, (name, colour) in enumerate(zip(names, CYCLE, strict=False)):
            own = findings.where(flow=name)
            left.loglog(own["width"], own["error"], "o-", color=colour, label=SETTINGS[name].title)
            right.semilogx(own["width"], own["slowed"], "o", color=colour, mfc="none", markersize=5 + 4 * number,
                           label=SETTINGS[name].title)
        widths = np.geomspace(min(WIDTHS), max(WIDTHS), 60)
        left.loglog(widths, 20 * widths**2, "--", color=MUTED, label="slope 2")
        right.semilogx(widths, np.exp(-(widths * 2 * np.pi) ** 2 / 2), "--", color=MUTED, label="exp(−s²k²/2)")
        left.set(xlabel="width s", ylabel="distance / way gone", title="distance to the classical solution")
        right.set(xlabel="width s", ylabel="rate / classical rate", title="decay of the mode k = 2π")
        for axes in (left, right):
            plain_ticks(axes, WIDTHS, "{:.3f}")
            axes.legend()


def _run(flow: Any, start: Any, time: float) -> Any:
    return solve(flow, start, time, rtol=1e-6, progress=False).last


def _rate(flow: Any, setting: Setting) -> float:
    """The decay rate of the small mode of a setting, over a time in which it changes by a few percent."""
    start = setting.mode()
    time = setting.time / 20
    after = solve(flow, start, time, rtol=1e-8, progress=False).last
    place = (1,) + (0,) * (start.grid.dim - 1)
    amplitudes = [np.abs(np.fft.rfftn(state.pack()[-1]))[place] for state in (start, after)]
    return float(np.log(amplitudes[0] / amplitudes[1]) / time)
