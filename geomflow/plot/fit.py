"""Convergence of fits, step by step and degree by degree."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from geomflow.core.errors import InputError
from geomflow.plot.style import CYCLE, MUTED, styled

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from geomflow.fits import ComponentReport, FitReport, KernelReport, PhiReport
    from geomflow.flow import Solution

#: What the curves of reports are, by kind.
CURVES = {
    "PhiReport": ("seconds", r"$\sigma$ on held-out points"),
    "ComponentReport": ("epochs", r"$\sigma$ on held-out points"),
    "KernelReport": ("time", r"$\sigma$ on train points"),
}


@styled
def fit(
    reports: FitReport | Sequence[FitReport], *, ylabel: str = r"$\sigma$ on fitted points", ax: Axes | None = None
) -> Axes:
    """Draw the history of a fit against its steps; several fits, each started from the one before, follow each other
    (those that took no step are left out).

    `ylabel` says what the history holds: σ for optimal algebraic metrics, the change of log P for balanced ones.
    Returns the Axes. Raises `InputError` where there is nothing to draw.
    """
    import matplotlib.pyplot as plt

    chain = [report for report in _listed(reports) if len(report.history) > 1]
    if not chain:
        raise InputError("there is no fit to draw: none took a step")
    if ax is None:
        ax = plt.subplots(figsize=(6.0, 3.5))[1]
    start = 0
    for number, report in enumerate(chain):
        steps = start + np.arange(len(report.history))
        ax.semilogy(steps, report.history, "o-", color=CYCLE[number % len(CYCLE)], lw=1.3)
        ax.annotate(
            f"$k={_shown(report.degree)}$",
            (steps[0], report.history[0]),
            xytext=(4, 5),
            textcoords="offset points",
            color=MUTED,
            fontsize=8.5,
        )
        start = steps[-1] + 1
    ax.set(xlabel="steps", ylabel=ylabel)
    ax.xaxis.get_major_locator().set_params(integer=True)
    ax.margins(0.08, 0.1)
    return ax


@styled
def training(run: PhiReport | ComponentReport | KernelReport | Solution, *, ax: Axes | None = None) -> Axes:
    """Draw how a fit went: σ of its report (`metric.report`), or the loss of a solution of `Training`.

    Reports of networks are drawn against seconds or epochs, those of kernels against time, solutions against steps.
    Returns the Axes. Raises `InputError` for anything else, and for a solution without the monitor "energy".
    """
    import matplotlib.pyplot as plt

    x, y, xlabel, ylabel = _training_curve(run)
    if ax is None:
        ax = plt.subplots(figsize=(6.0, 3.5))[1]
    ax.plot(x, y, lw=1.3)
    ax.set(xlabel=xlabel, ylabel=ylabel, yscale="log" if np.nanmin(y) > 0 else "linear")
    return ax


def _training_curve(run: object) -> tuple[np.ndarray, np.ndarray, str, str]:
    """(x, y) and what they are."""
    if type(run).__name__ in CURVES:
        return *run.curve, *CURVES[type(run).__name__]  # type: ignore[attr-defined]
    if "energy" in getattr(run, "monitors", ()):
        return run.monitor_times, run["energy"], "steps", "loss on all points"  # type: ignore[attr-defined,index]
    raise InputError(
        "plot.training draws the report of a fit (metric.report) or a solution of Training with its monitor 'energy', "
        f"and {run!r} is neither"
    )


def _listed(reports: FitReport | Sequence[FitReport]) -> list[FitReport]:
    return [reports] if hasattr(reports, "history") else list(reports)


def _shown(degree: Sequence[int]) -> str:
    """A multi-degree in short.

    >>> _shown((4,)), _shown((2, 2)), _shown((2, 3))
    ('4', '2', '(2, 3)')
    """
    return str(degree[0]) if len(set(degree)) == 1 else str(tuple(degree))
