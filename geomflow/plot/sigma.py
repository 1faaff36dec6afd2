"""σ against degree and against the number of parameters, with the laws that it follows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from geomflow.core.errors import InputError, ShapeError, UnknownNameError
from geomflow.plot.style import MUTED, styled

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_FEWEST = 3  # a law with two coefficients fits any two numbers
_MARKERS = "os^Dv"


@dataclass(frozen=True)
class Law:
    """A law with two coefficients: how it is fitted, how it is evaluated, and how it is written."""

    fit: Callable[[np.ndarray, np.ndarray], tuple[float, float]]
    evaluate: Callable[[np.ndarray, float, float], np.ndarray]
    text: Callable[[float, float], str]


def fit_exponential(k: Sequence[float], sigma: Sequence[float]) -> tuple[float, float]:
    """(C, a) of σ ≈ C e^{−ak}: least squares in log σ.

    >>> C, a = fit_exponential([2, 4, 6], [np.exp(-2), np.exp(-4), np.exp(-6)])
    >>> round(C, 12), round(a, 12)
    (1.0, 1.0)
    """
    slope, start = np.polyfit(np.asarray(k, dtype=float), np.log(sigma), 1)
    return float(np.exp(start)), float(-slope)


def fit_power(k: Sequence[float], sigma: Sequence[float]) -> tuple[float, float]:
    """(C, p) of σ ≈ C k^{−p}: least squares in log σ."""
    return fit_exponential(np.log(k), sigma)


def fit_inverse_squares(k: Sequence[float], sigma: Sequence[float]) -> tuple[float, float]:
    """(a, b) of σ ≈ a/k² + b/k³, which balanced metrics obey: least squares in k²σ.

    >>> a, b = fit_inverse_squares([2, 3, 4], [3.5 / 4 - 5.4 / 8, 3.5 / 9 - 5.4 / 27, 3.5 / 16 - 5.4 / 64])
    >>> round(a, 12), round(b, 12)
    (3.5, -5.4)
    """
    k = np.asarray(k, dtype=float)
    slope, start = np.polyfit(1 / k, k**2 * np.asarray(sigma), 1)
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
        axes[0, 1].margins(0.12)
    return axes[0]


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
    if law not in LAWS:
        raise UnknownNameError.among("law", law, LAWS)
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
