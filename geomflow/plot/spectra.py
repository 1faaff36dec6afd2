"""Spectra as levels: a line for each multiplet, by degree and in the limit, with its multiplicity."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from geomflow.plot.style import ACCENT, INK, MUTED, axes_or_new, styled

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from geomflow.variety import Spectrum

_CLOSE = 0.035


@styled
def spectrum(found: Spectrum, *, ax: Axes | None = None) -> Axes:
    """Draw the levels of a spectrum: bounds of rising degrees left, the limit with its error right.

    Multiplicities stand beside the levels. Returns the Axes.

    Parameters
    ----------
    found : Spectrum
        Of `geomflow.spectrum`.
    ax : Axes, optional
        Where to draw; a new figure's unless given.
    """
    ax = axes_or_new(ax, (5.4, 4.4))
    steps = np.arange(len(found[0].by_degree))
    end = len(steps) + 0.25
    for multiplet in found:
        value, error = float(multiplet.eigenvalue), multiplet.eigenvalue.error
        ax.plot(steps, multiplet.by_degree, color=MUTED, lw=1, marker="o", ms=3)
        ax.plot([end - 0.4, end + 0.4], [value, value], color=ACCENT, lw=1.8, solid_capstyle="butt")
        if np.isfinite(error):
            ax.fill_between([end - 0.4, end + 0.4], value - error, value + error, color=ACCENT, alpha=0.25, lw=0)
    values = np.array([float(m.eigenvalue) for m in found])
    for place, multiplet in zip(_apart(values, _CLOSE * np.ptp(values)), found):
        ax.text(end + 0.5, place, str(multiplet.multiplicity), color=INK, va="center")
    top = max(found.degrees)
    ax.set(xlim=(-0.4, end + 1.1), xticks=[*steps, end], ylim=(-0.03 * values[-1], 1.06 * values[-1]),
           xticklabels=[*map(str, range(top - len(steps) + 1, top + 1)), "limit"],
           xlabel="degree of the functions", ylabel=r"$\lambda$ at volume " + f"{found.volume:.4g}")
    return ax


def _apart(values: np.ndarray, least: float) -> np.ndarray:
    """Places for labels of rising values: near them, and `least` apart."""
    places = values.copy()
    for _ in range(200):
        overlap = np.maximum(least - np.diff(places), 0) / 2
        if not np.any(overlap > 1e-3 * least):
            break
        places[:-1] -= overlap
        places[1:] += overlap
    return places
