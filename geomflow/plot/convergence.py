"""Convergence: errors against resolution, σ against degree, fits and trainings step by step."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, cast

import numpy as np

from geomflow.core.errors import InputError, ShapeError, require_known
from geomflow.core.report import FitReport, degree_text
from geomflow.plot.style import CYCLE, MUTED, axes_or_new, plain_ticks, styled

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.ticker import MaxNLocator

    from geomflow.flow import Solution


def fitted_order(ns: Sequence[float], errors: Sequence[float]) -> float:
    """The order p of errors ≈ C n^{−p}: minus the least-squares slope in logarithms.

    Parameters
    ----------
    ns : sequence of float
        Resolutions n.
    errors : sequence of float
        As many, positive.

    Examples
    --------
    >>> round(fitted_order([10, 20, 40], [1e-2, 2.5e-3, 6.25e-4]), 12)
    2.0
    """
    return -float(np.polyfit(np.log(ns), np.log(errors), 1)[0])


@styled
def convergence(
    ns: Sequence[float],
    errors: Sequence[float] | Mapping[str, Sequence[float]],
    order: float | Mapping[str, float] | None = None,
    *,
    xlabel: str = "points along an axis",
    ylabel: str = "largest error",
    ax: Axes | None = None,
) -> Axes:
    """Draw errors against resolution, doubly logarithmic, and the expected slopes as dashed lines.

    The legend states the order fitted to each, and the slopes. Returns the Axes.
    Raises `ShapeError` where a sequence is not as long as `ns`.

    Parameters
    ----------
    ns : sequence of float
        Resolutions.
    errors : sequence of float, or mapping of these
        As long as `ns`; several by name.
    order : float or mapping, optional
        The expected order of each.
    xlabel, ylabel : str
        What is on the axes.
    ax : Axes, optional
        Where to draw; a new figure's unless given.
    """
    series = errors if isinstance(errors, Mapping) else {"error": errors}
    expected = order if isinstance(order, Mapping) else dict.fromkeys(series, order)
    ax = axes_or_new(ax, (7.4 if len(series) > 1 else 5.4, 3.7))
    for name, values in series.items():
        if len(values) != len(ns):
            raise ShapeError(f"{len(values)} errors of '{name}' were given for {len(ns)} resolutions; give as many.")
        slope = expected.get(name)
        dashed = "" if slope is None else f", dashed $n^{{{-slope:g}}}$"
        (line,) = ax.loglog(ns, values, "o", label=f"{name}: measured {fitted_order(ns, values):.2f}{dashed}")
        if slope is not None:
            points = np.asarray(ns, dtype=float)
            through = values[-1] * (points / points[-1]) ** -slope
            ax.loglog(points, through, "--", color=line.get_color(), linewidth=1.0, alpha=0.7)
    ax.set(xlabel=xlabel, ylabel=ylabel)
    plain_ticks(ax, ns)
    if len(series) > 1:
        ax.legend(loc="center left", bbox_to_anchor=(1.0, 0.5))
    else:
        ax.legend(loc="upper right")
    return ax


Numbers = Sequence[float] | np.ndarray
_FEWEST = 3  # a law with two coefficients fits any two numbers
_MARKERS = "os^Dv"


@dataclass(frozen=True)
class Law:
    """A law with two coefficients: how it is fitted, how it is evaluated, and how it is written."""

    fit: Callable[[Numbers, Numbers], tuple[float, float]]
    evaluate: Callable[[np.ndarray, float, float], np.ndarray]
    text: Callable[[float, float], str]


def fit_exponential(k: Numbers, sigma: Numbers) -> tuple[float, float]:
    """(C, a) of σ ≈ C e^{−ak}: least squares in log σ.

    >>> C, a = fit_exponential([2, 4, 6], [np.exp(-2), np.exp(-4), np.exp(-6)])
    >>> round(C, 12), round(a, 12)
    (1.0, 1.0)
    """
    slope, start = np.polyfit(np.asarray(k, dtype=float), np.log(sigma), 1)
    return float(np.exp(start)), float(-slope)


def fit_power(k: Numbers, sigma: Numbers) -> tuple[float, float]:
    """(C, p) of σ ≈ C k^{−p}: least squares in log σ."""
    return fit_exponential(np.log(k), sigma)


def fit_inverse_squares(k: Numbers, sigma: Numbers) -> tuple[float, float]:
    """(a, b) of σ ≈ a/k² + b/k³, which balanced metrics obey: least squares in k²σ.

    >>> a, b = fit_inverse_squares([2, 3, 4], [3.5 / 4 - 5.4 / 8, 3.5 / 9 - 5.4 / 27, 3.5 / 16 - 5.4 / 64])
    >>> round(a, 12), round(b, 12)
    (3.5, -5.4)
    """
    degrees = np.asarray(k, dtype=float)
    slope, start = np.polyfit(1 / degrees, degrees**2 * np.asarray(sigma), 1)
    return float(start), float(slope)


LAWS = {
    "exponential": Law(
        fit_exponential, lambda k, c, a: c * np.exp(-a * k), lambda c, a: rf"${c:.2g}\,e^{{{-a:.2f}k}}$"
    ),
    "power": Law(fit_power, lambda k, c, p: c * k**-p, lambda c, p: rf"${c:.2g}\,k^{{{-p:.2f}}}$"),
    "inverse squares": Law(
        fit_inverse_squares, lambda k, a, b: a / k**2 + b / k**3, lambda a, b: rf"${a:.2f}/k^2 {b:+.2f}/k^3$"
    ),
}


@styled
def sigma(
    degrees: Sequence[float],
    sigmas: Sequence[float] | Mapping[str, Sequence[float]],
    parameters: Sequence[float] | Mapping[str, Sequence[float]] | None = None,
    *,
    law: str | Mapping[str, str] = "exponential",
) -> np.ndarray:
    """Draw σ against degree and, where `parameters` are given, against their number; logarithmic axes.

    `sigmas` is one sequence as long as `degrees`, or several by name (NaN where one has no value). `law` is
    "exponential" (C e^{−ak}: optimal algebraic metrics), "power" (C k^{−p}) or "inverse squares" (a/k² + b/k³:
    balanced metrics), one for each name. It is fitted to the degrees from two on (the first is nearly Fubini–Study)
    where there are three of them, drawn dashed and written in the legend.
    Returns the array of one or two Axes.
    Raises `ShapeError` for sequences of different lengths, `UnknownNameError` for a law, `InputError` for σ ≤ 0.

    Parameters
    ----------
    degrees : sequence of float
        k.
    sigmas : sequence of float, or mapping of these
        As long as `degrees`; NaN where there is no value.
    parameters : sequence of float, or mapping of these, optional
        How many parameters there are at each degree.
    law : str or mapping
        The name of a law, for each series.
    """
    import matplotlib.pyplot as plt

    series = _named(sigmas)
    counts = {} if parameters is None else _named(parameters)
    _check(degrees, series, counts)
    width = 1 + bool(counts)
    _, axes = plt.subplots(1, width, figsize=(4.4 * width, 3.5), squeeze=False)
    for name, values in series.items():
        _draw_degrees(axes[0, 0], degrees, values, name, law if isinstance(law, str) else law.get(name, "exponential"))
        if name in counts:
            _draw_parameters(axes[0, 1], counts[name], values, degrees)
    axes[0, 0].set(xlabel="degree $k$", ylabel=r"$\sigma$ on unseen points", yscale="log")
    axes[0, 0].set_xticks(list(degrees), [f"{k:g}" for k in degrees])
    if axes[0, 0].get_legend_handles_labels()[0]:
        axes[0, 0].legend(loc="lower left")
    if counts:
        axes[0, 1].set(xlabel="parameters", ylabel=r"$\sigma$ on unseen points", xscale="log", yscale="log")
        axes[0, 1].margins(0.15)
        plain_ticks(axes[0, 1], _spread([n for name in series for n in counts.get(name, ())]))
    return np.asarray(axes[0])


def _spread(counts: Sequence[float]) -> list[float]:
    """Of numbers for a logarithmic axis those that are a factor apart: labels of others would lie on each other."""
    kept: list[float] = []
    for count in sorted(set(counts)):
        if not kept or count > 1.35 * kept[-1]:
            kept.append(count)
    return kept


def _named(values: Sequence[float] | Mapping[str, Sequence[float]]) -> Mapping[str, Sequence[float]]:
    return values if isinstance(values, Mapping) else {"": values}


def _check(degrees: Sequence[float], *groups: Mapping[str, Sequence[float]]) -> None:
    """Sequences as long as `degrees`, of positive numbers."""
    for group in groups:
        for name, values in group.items():
            if len(values) != len(degrees):
                what = f"'{name}' has {len(values)} numbers" if name else f"{len(values)} numbers were given"
                raise ShapeError(f"{what} for {len(degrees)} degrees; give as many")
            if np.nanmin(np.asarray(values, dtype=float)) <= 0:
                raise InputError(f"a logarithmic axis needs positive numbers, and one of {list(values)} is not")


def _draw_degrees(ax: Axes, degrees: Sequence[float], values: Sequence[float], name: str, law: str) -> None:
    """The numbers of one series, and its law through them."""
    require_known("law", law, LAWS)
    k, y = np.asarray(degrees, dtype=float), np.asarray(values, dtype=float)
    k, y = k[np.isfinite(y)], y[np.isfinite(y)]
    earlier = sum(line.get_linestyle() == "None" for line in ax.lines)
    marker = _MARKERS[earlier % len(_MARKERS)]
    (dots,) = ax.plot(k, y, marker, label=name or None)
    k, y = k[k > 1], y[k > 1]
    if len(k) < _FEWEST:
        return
    chosen = LAWS[law]
    found = chosen.fit(k, y)
    fine = np.linspace(k.min(), k.max(), 200)
    ax.plot(fine, chosen.evaluate(fine, *found), "--", color=dots.get_color(), lw=1.0, label=chosen.text(*found))


def _draw_parameters(ax: Axes, counts: Sequence[float], values: Sequence[float], degrees: Sequence[float]) -> None:
    """σ against the number of parameters, the degree beside each dot."""
    ax.plot(counts, values, _MARKERS[len(ax.lines) % len(_MARKERS)] + "-", lw=1.0)
    for n, y, k in zip(counts, values, degrees):
        if np.isfinite(y):
            ax.annotate(f"$k={k:g}$", (n, y), xytext=(5, 3), textcoords="offset points", color=MUTED, fontsize=8.5)


class Fitted(Protocol):
    """What `fit` draws: the report of a fit of one degree, or a fit of a ladder."""

    @property
    def degree(self) -> Sequence[int]:
        """The degree."""

    @property
    def curve(self) -> tuple[Numbers, Numbers]:
        """The steps and a number after each."""

#: What stands at the axes of the curves of reports, by the names of their columns.
_AXES = {
    "work": "core-seconds of work", "epoch": "epochs", "step": "steps", "sigma": r"$\sigma$ on fitted points",
    "sigma held out": r"$\sigma$ on held-out points", "change": r"change of $\log P$",
}


@styled
def fit(
    reports: Fitted | Sequence[Fitted], *, ylabel: str = r"$\sigma$ on fitted points", ax: Axes | None = None
) -> Axes:
    """Draw the history of a fit against its steps; several fits, each started from the one before, follow each other
    (those that took no step are left out).

    `ylabel` says what the history holds: σ for optimal algebraic metrics, the change of log P for balanced ones.
    Returns the Axes. Raises `InputError` where there is nothing to draw.

    Parameters
    ----------
    reports : report or sequence of these
        In the order of the fits.
    ylabel : str
        What the history holds.
    ax : Axes, optional
        Where to draw; a new figure's unless given.
    """
    given = reports if isinstance(reports, Sequence) else [reports]
    chain = [report for report in given if len(report.curve[1]) > 1]
    if not chain:
        raise InputError("there is no fit to draw: none took a step")
    ax = axes_or_new(ax, (6.0, 3.5))
    start = 0
    for number, report in enumerate(chain):
        heights = report.curve[1]
        steps = start + np.arange(len(heights))
        ax.semilogy(steps, heights, "o-", color=CYCLE[number % len(CYCLE)], lw=1.3)
        ax.annotate(
            f"$k={degree_text(report.degree)}$",
            (steps[0], heights[0]),
            xytext=(4, 5),
            textcoords="offset points",
            color=MUTED,
            fontsize=8.5,
        )
        start = steps[-1] + 1
    ax.set(xlabel="steps", ylabel=ylabel)
    cast("MaxNLocator", ax.xaxis.get_major_locator()).set_params(integer=True)
    ax.margins(0.08, 0.1)
    return ax


@styled
def training(run: FitReport | Solution[Any], *, ax: Axes | None = None) -> Axes:
    """Draw how a fit went: σ of its report (`metric.report`), or the loss of a solution of `Training`.

    Reports of networks are drawn against core-seconds of work or epochs, those of kernels against time, solutions
    against steps.
    Returns the Axes. Raises `InputError` for anything else, and for a solution without the monitor "energy".

    Parameters
    ----------
    run : report or Solution
        `metric.report`, or a solution of `Training`.
    ax : Axes, optional
        Where to draw; a new figure's unless given.
    """
    x, y, xlabel, ylabel = _training_curve(run)
    ax = axes_or_new(ax, (6.0, 3.5))
    ax.plot(x, y, lw=1.3)
    ax.set(xlabel=xlabel, ylabel=ylabel, yscale="log" if np.nanmin(y) > 0 else "linear")
    return ax


def _training_curve(run: Any) -> tuple[np.ndarray, np.ndarray, str, str]:
    """(x, y) and what they are."""
    if isinstance(run, FitReport):
        (x, y), (across, up) = run.curve, run.columns[:2]
        return x, y, _AXES.get(across, across), _AXES.get(up, up)
    if "energy" in getattr(run, "monitors", ()):
        return run.monitor_times, run["energy"], "steps", "loss on all points"
    raise InputError(
        "plot.training draws the report of a fit (metric.report) or a solution of Training with its monitor 'energy', "
        f"and {run!r} is neither"
    )
