"""The four corrections that the local flow of a network needs to be Perelman's, each by runs with and without it."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, final

import numpy as np

from geomflow.field import MetricField, Torus
from geomflow.flow import solve
from geomflow.flow.equations import RicciFlow
from geomflow.flow.equations.derived import Descent
from geomflow.flow.equations.perelman_rates import IndexStructures, index_structures
from geomflow.kernels import DeltaKernel, EmpiricalKernel, GaussianKernel, Kronecker, RescaledKernel
from geomflow.networks import CosineNetwork, IndependentComponents, UncorrectedComponents
from geomflow.plot.style import CYCLE, INK, MUTED
from geomflow.study.story import Words
from geomflow.study.study import Cell, Findings, Row, Study, having
from geomflow.symbolic import functionals
from geomflow.tangent import CappedGrowthWarning, KernelFlow

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

TORUS = Torus(2)
METRIC = [["1 + 0.2*cos(2*pi*x)*sin(2*pi*y)", "0.1*sin(2*pi*x)"], ["0.1*sin(2*pi*x)", "1 + 0.1*cos(2*pi*(x + y))"]]
MEASURE = "exp(cos(2*pi*x)/2 + sin(2*pi*y)/4)"
SHEAR = [[1, 1], [0, 1]]
SPAN, SCALE, SMALL = 7.5e-4, 0.09, 1e-5
NEURONS, WAVES = 1000, (1, 2, 3, 4, 5)
CAP = 2 / (math.e * SCALE**2)


@final
@dataclass(frozen=True)
class Corrections(Study):
    """Runs on T². Each has `times`, `values` there, and one `number`.

    a, b  Perelman's F forward at a fixed measure dm for a short time, with the kernel ½(g_ik g_jl + g_il g_jk)δ/(dm/dx)
          ("with"); (a) with the volume of the metric at the start in the place of dm; (b) with the kernel δ_ik δ_jl δ;
          and Ricci flow. The values are ∫R² dV. The number is for (a) its last value, and for (b) how far the rate is
          from that in sheared coordinates, relative to its norm.
    c     decay of a small wave of g_xx or g_xy under Ricci–DeTurck flow with the kernel of independent cosine networks,
          with and without the factor 1/√2: amplitudes, and the rate.
    d     the rate of growth of the longitudinal wave cos 2πmx: of F at a fixed measure without a kernel and with a
          Gaussian one, and of Ricci–DeTurck flow with that.
    """

    name: ClassVar[str] = "corrections"
    title: ClassVar[str] = "Four corrections"
    question: ClassVar[str] = ("What goes wrong in the local flow of a network without a fixed measure, a covariant "
                               "kernel, scaled off-diagonal components and a kernel of finite width?")
    source: ClassVar[str] = "Halverson and Ruehle, sections 2.3 and 2.4, eqs. (2.19)-(2.31) and (2.40)-(2.42)"
    words: ClassVar[Words] = Words(
        {
            "a_{case}": "(a) distance from Ricci flow at the end, {case} the fixed measure",
            "b_{case}": "(b) distance from Ricci flow at the end, {case} the covariant kernel",
            "b_shear_{case}": "(b) change of the rate by a shear, {case} the covariant kernel",
            "c_ratio_{case}": "(c) rate of off-diagonal over diagonal components, {case} the factor 1/√2",
            "d_worst_error": "(d) largest relative error of a predicted growth",
            "d_largest_growth": "(d) largest growth under a Gaussian kernel",
            "d_cap": "(d) its bound 2/(e s²)",
        },
        first=("a_without", "b_shear_without", "c_ratio_without"),
    )

    def cells(self, quick: bool) -> list[dict[str, Any]]:
        """All runs; full: on a finer grid, and more waves."""
        points, waves = (16, WAVES[:4]) if quick else (20, WAVES)
        runs = [("a", "ricci"), ("a", "with"), ("a", "without"), ("b", "with"), ("b", "without")]
        runs += [("c", f"{case} {component}") for case in ("with", "without") for component in ("xx", "xy")]
        single = [{"correction": letter, "case": case, "wave": 1, "points": points} for letter, case in runs]
        return single + [{"correction": "d", "case": case, "wave": wave, "points": points}
                         for case in GROWING for wave in waves]

    def measure(self, cell: Cell) -> dict[str, Any]:
        """One run."""
        return MEASURED[cell["correction"]](cell)

    def conclude(self, rows: list[Row]) -> dict[str, float]:
        """Deviations from Ricci flow, mismatches under the shear, ratios of rates, errors of the growth: relative."""
        by = {(row["correction"], row["case"]): row for row in rows if row["correction"] != "d"}
        found = {}
        for letter in "ab":
            for case in ("with", "without"):
                ratio = by[letter, case]["values"][-1] / by["a", "ricci"]["values"][-1]
                found[f"{letter}_{case}"] = float(abs(ratio - 1))
        found |= {f"b_shear_{case}": by["b", case]["number"] for case in ("with", "without")}
        found |= {f"c_ratio_{case}": by["c", f"{case} xy"]["number"] / by["c", f"{case} xx"]["number"]
                  for case in ("with", "without")}
        growing = having(rows, correction="d")
        found["d_worst_error"] = max(abs(row["number"] / _predicted(row["case"], row["wave"]) - 1) for row in growing)
        capped = [row["number"] for row in growing if row["case"] == "gaussian"]
        return {**found, "d_largest_growth": max(capped), "d_cap": CAP}

    def answer(self, findings: Findings) -> str:
        """The four in sentences."""
        n = findings.numbers
        largest = max(findings.where(case="none")["number"])
        return (f"(a) At a fixed measure dm, with dm as the reference measure of the kernel, ∫R² dV agrees with Ricci "
                f"flow to {n['a_with']:.1e}; with the volume of the initial metric in its place the flow is another, "
                f"{100 * n['a_without']:.1f} % off at t = {SPAN:g}. (b) With the kernel δ_ik δ_jl it is "
                f"{100 * n['b_without']:.1f} % off, and its rate depends on coordinates: a shear changes it by "
                f"{100 * n['b_shear_without']:.0f} %, that of the covariant kernel by {n['b_shear_with']:.1e}. (c) "
                f"Off-diagonal components of independent networks run {n['c_ratio_without']:.3f} times as fast as "
                f"diagonal ones, and {n['c_ratio_with']:.3f} times with the factor 1/√2. (d) Longitudinal waves grow "
                f"at |k|² (up to {largest:.0f} here, without bound on finer grids); a Gaussian kernel of width "
                f"s = {SCALE:g} leaves |k|²e^(−s²k²/2), at most {n['d_largest_growth']:.1f} ≤ 2/(e s²) = "
                f"{n['d_cap']:.1f}; Ricci–DeTurck flow under the same kernel decays. All rates are as predicted to "
                f"{n['d_worst_error']:.1e}.")

    def draw(self, figure: Figure, findings: Findings) -> None:
        """A panel for each correction."""
        figure.set_size_inches(7.6, 6.4)
        panels = figure.subplots(2, 2)
        for letter, axes in zip("ab", panels[0], strict=True):
            _draw_invariant(axes, findings, letter)
        _draw_components(panels[1, 0], findings)
        _draw_growth(panels[1, 1], findings)


def _run_on(points: int) -> tuple[MetricField, Descent]:
    """The metric, and F at the fixed measure."""
    grid = TORUS.grid(points, scheme="spectral")
    gradient = functionals.PerelmanF(TORUS).gradient_flow()
    return grid.metric(METRIC), Descent(gradient, measure=grid.scalar(MEASURE), forced=True)


def _invariant(cell: Cell) -> dict[str, Any]:
    """∫R² dV along a run of (a) or (b)."""
    start, forced = _run_on(cell["points"])
    flow: Any = KernelFlow(forced, DeltaKernel())
    if cell["case"] == "ricci":
        flow = RicciFlow()
    elif cell["case"] == "without" and cell["correction"] == "a":
        # δ/(dm/dx) times (dm/dx)/(dV/dx) is the kernel local with respect to dV
        ratio = forced.measure.values / start.volume_density().values
        flow = KernelFlow(forced, RescaledKernel(DeltaKernel(), np.sqrt(ratio)))
    elif cell["case"] == "without":
        flow = KernelFlow(forced, Kronecker(DeltaKernel()))
    run = solve(flow, start, SPAN, stepper="rk45", rtol=1e-9, save_at=6, progress=False)
    values = np.array([(state.scalar() ** 2).integral(state) for state in run.states])
    number = values[-1] if cell["correction"] == "a" else _sheared(cell)
    return {"times": run.times, "values": values, "number": float(number)}


def _sheared(cell: Cell) -> float:
    """How far the rate in sheared coordinates is from the sheared rate, relative to its own norm."""
    start, forced = _run_on(32)
    here = _rate(index_structures(start, forced.measure), cell["case"])
    there = _rate(index_structures(start.pull_back(SHEAR), forced.measure.pull_back(SHEAR)), cell["case"])
    moved = MetricField(start.grid, here).pull_back(SHEAR).values
    return float(np.linalg.norm(moved - there) / np.linalg.norm(there))


def _rate(rates: IndexStructures, case: str) -> np.ndarray:
    return (rates.covariant if case == "with" else rates.kronecker).values


def _decay(cell: Cell) -> dict[str, Any]:
    """The amplitude of a small wave of one component under the kernel of independent networks."""
    case, component = cell["case"].split()
    kind = IndependentComponents if case == "with" else UncorrectedComponents
    model = kind(TORUS, CosineNetwork(2, NEURONS, 0.05, torus=TORUS, seed=cell["wave"]))
    i, j = ("xy".index(letter) for letter in component)
    shape = np.zeros((2, 2))
    shape[i, j] = shape[j, i] = 1
    flow = KernelFlow(RicciFlow(gauge="deturck"), EmpiricalKernel(model, model.initial(0)))
    return _amplitudes(flow, shape, cell["wave"], 0.02, 8)


def _growth(cell: Cell) -> dict[str, Any]:
    """The amplitude of a longitudinal wave."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", CappedGrowthWarning)
        flow = GROWING[cell["case"]]()
        time = 0.2 / abs(_predicted(cell["case"], cell["wave"]))
        return _amplitudes(flow, np.diag([1.0, 0.0]), cell["wave"], time, 16)


def _amplitudes(flow: Any, shape: np.ndarray, wave: int, time: float, points: int) -> dict[str, Any]:
    """Amplitudes of shape·cos(2π wave x) along a run from the flat metric with a little of it, and their rate."""
    grid = TORUS.grid(points, scheme="spectral")
    profile = np.cos(2 * np.pi * wave * grid.points()[..., 0])[..., None, None] * shape
    start = grid.metric(np.eye(2) + SMALL * profile)
    run = solve(flow, start, time, stepper="rk45", rtol=1e-7, atol=1e-11, save_at=8, progress=False)
    values = np.array([np.vdot(profile, state.values - np.eye(2)) for state in run.states])
    values /= values[0]
    return {"times": run.times, "values": values, "number": float(np.log(values[1]) / run.times[1])}


def _predicted(case: str, wave: int) -> float:
    """The rate of growth of a longitudinal wave near the flat metric."""
    square = (2 * np.pi * wave) ** 2
    return {"none": 1.0, "gaussian": 1.0, "deturck": -1.0}[case] * square * (
        1.0 if case == "none" else float(np.exp(-square * SCALE**2 / 2)))


MEASURED: MappingProxyType[str, Callable[[Cell], dict[str, Any]]] = MappingProxyType({
    "a": _invariant, "b": _invariant, "c": _decay, "d": _growth})
GROWING: MappingProxyType[str, Callable[[], Any]] = MappingProxyType({
    "none": lambda: Descent(functionals.PerelmanF(TORUS).gradient_flow(), forced=True),
    "gaussian": lambda: KernelFlow(functionals.PerelmanF(TORUS), GaussianKernel(SCALE)),
    "deturck": lambda: KernelFlow(RicciFlow(gauge="deturck"), GaussianKernel(SCALE)),
})
WORDS = {
    "a": ("(a) reference measure", "dm fixed", "dV instead"),
    "b": ("(b) index structure", "½(g g + g g)", "δ δ"),
    "none": "F, no kernel", "gaussian": f"F, Gaussian s = {SCALE:g}", "deturck": "Ricci–DeTurck, same kernel",
}


def _draw_invariant(axes: Axes, findings: Findings, letter: str) -> None:
    title, right, wrong = WORDS[letter]
    (ricci,) = findings.where(case="ricci").rows
    axes.plot(ricci["times"], ricci["values"], color=MUTED, linewidth=4, alpha=0.5, label="Ricci flow")
    for case, label, style, colour in (("with", right, "o", CYCLE[0]), ("without", wrong, "o-", CYCLE[1])):
        (row,) = findings.where(correction=letter, case=case).rows
        axes.plot(row["times"], row["values"], style, color=colour, label=label)
    axes.set(xlabel="time", ylabel="∫R² dV", title=title)
    axes.legend(loc="lower left")


def _draw_components(axes: Axes, findings: Findings) -> None:
    for case, label, colour in (("with xx", "g_xx", CYCLE[0]), ("with xy", "g_xy with 1/√2", CYCLE[2]),
                                ("without xy", "g_xy without", CYCLE[1])):
        (row,) = findings.where(correction="c", case=case).rows
        axes.semilogy(row["times"], row["values"], "o" if case == "with xy" else "-", color=colour, label=label)
    axes.set(xlabel="time", ylabel="amplitude of a wave", title="(c) off-diagonal components")
    axes.set_yticks([1, 0.5, 0.2], ["1", "0.5", "0.2"])
    axes.minorticks_off()
    axes.legend(loc="lower left")


def _draw_growth(axes: Axes, findings: Findings) -> None:
    waves = np.linspace(0, max(findings["wave"]) + 0.2, 100)
    for case, colour in zip(GROWING, (CYCLE[1], CYCLE[0], CYCLE[2]), strict=True):
        own = findings.where(correction="d", case=case)
        axes.plot(waves, [_predicted(case, wave) for wave in waves], "--", color=colour, linewidth=1)
        axes.plot(own["wave"], own["number"], "o", color=colour, label=WORDS[case])
    axes.axhline(CAP, color=MUTED, linewidth=1)
    axes.annotate("2/(e s²)", (waves[-1], CAP), xytext=(0, 3), textcoords="offset points", ha="right", color=INK,
                  fontsize=9)
    axes.set(xlabel="wave number |k|/2π", ylabel="rate of growth", title="(d) longitudinal waves", ylim=(-130, 480))
    axes.legend(loc="upper left", fontsize=8)
