"""How v and the scalar curvature are distributed, beside those of the Fubini–Study metric."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from geomflow.core.errors import require_known
from geomflow.plot.style import ACCENT, INK, MUTED, SECOND, styled

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from geomflow.variety import Points, PolarisedMetric

_BINS = 60
_TAIL = 0.002
SYMBOLS = {"v": "$v$", "R": "$R$"}


@dataclass(frozen=True, eq=False)
class Compared:
    """One quantity at points: of a metric, of Fubini–Study, and the dμ_Ω weights; all (P,)."""

    symbol: str
    values: np.ndarray
    reference: np.ndarray
    weights: np.ndarray


@styled
def histograms(metric: PolarisedMetric, points: Points, quantities: Sequence[str] = ("v", "R")) -> np.ndarray:
    """Draw how "v" = det g/(κ|Ω|²) and "R", the scalar curvature, are distributed against dμ_Ω.

    Left on the scale of the Fubini–Study metric, right magnified to that of `metric`; 0.2 % of the points on either
    side may be outside a panel. The curvature takes about a millisecond a point. Returns the array of Axes,
    (quantities, 2). Raises `UnknownNameError` for another quantity.

    Parameters
    ----------
    metric : HermitianMetric
        The metric g, known by its components.
    points : Points
        Where it is measured, with the weights of dμ_Ω.
    quantities : sequence of str
        What is counted, a panel each.
    """
    return draw([compared(metric, points, name) for name in quantities])


def compared(metric: PolarisedMetric, points: Points, name: str) -> Compared:
    """A quantity of a metric and of Fubini–Study in the same class."""
    from geomflow.variety import FubiniStudy

    reference = FubiniStudy(points.variety, metric.kahler_class)
    return Compared(name, quantity(metric, points, name), quantity(reference, points, name), points.weights)


def quantity(metric: PolarisedMetric, points: Points, name: str) -> np.ndarray:
    """ "v" or "R" at the points, (P,)."""
    from geomflow.variety import density_ratio, scalar_curvature

    kinds = {"v": density_ratio, "R": scalar_curvature}
    require_known("quantity", name, kinds)
    return kinds[name](metric, points)


def draw(items: Sequence[Compared]) -> np.ndarray:
    """One row of two panels for each quantity."""
    import matplotlib.pyplot as plt

    _, axes = plt.subplots(len(items), 2, figsize=(8.4, 2.7 * len(items) + 0.2), squeeze=False)
    for row, item in zip(axes, items):
        row[0].set_ylabel(r"share of $d\mu_\Omega$")
        _draw_both(row[0], item)
        _draw_own(row[1], item)
        for ax in row:
            ax.xaxis.get_major_locator().set_params(nbins=6)
    return axes


def _draw_both(ax: Axes, item: Compared) -> None:
    """Both distributions on the scale of Fubini–Study; a narrow one stands as a line, cut off at the top."""
    low, high = span(item.reference)
    own = span(item.values)
    edges = np.linspace(min(low, own[0]), max(high, own[1]), _BINS + 1)
    heights = _histogram(ax, item.reference, item.weights, edges, SECOND, "Fubini–Study")
    narrow = own[1] - own[0] < edges[1] - edges[0]
    if narrow:
        ax.axvline(float(np.average(item.values, weights=item.weights)), color=ACCENT, label="this metric")
    else:
        _histogram(ax, item.values, item.weights, edges, ACCENT, "this metric")
        ax.set_ylim(0, max(1.1 * heights.max(), min(ax.get_ylim()[1], 3 * heights.max())))
    ax.set(xlabel=SYMBOLS[item.symbol], yticks=[], xlim=(edges[0], edges[-1]))
    ax.legend(loc="lower left", bbox_to_anchor=(0.0, 1.0), ncols=2, borderaxespad=0.2, handlelength=1.2)


def _draw_own(ax: Axes, item: Compared) -> None:
    """The distribution of the metric on its own scale."""
    centre = 1.0 if item.symbol == "v" else 0.0
    low, high = span(item.values - centre)
    edges = np.linspace(low, high, _BINS + 1)
    _histogram(ax, item.values - centre, item.weights, edges, ACCENT, None)
    ax.axvline(0, color=INK, lw=0.8)
    label = f"{SYMBOLS[item.symbol]} − 1" if centre else SYMBOLS[item.symbol]
    ax.set(xlabel=label, yticks=[], xlim=(low, high))
    wide = span(item.reference)
    times = (wide[1] - wide[0]) / (high - low)
    ax.set_title(f"magnified {times:,.0f} times" if times >= 2 else "this metric", loc="right", color=MUTED)


def span(values: np.ndarray) -> tuple[float, float]:
    """The range of all but 0.2 % of the values on either side, never empty.

    >>> span(np.linspace(0, 1, 1001))
    (0.002, 0.998)
    """
    low, high = (float(x) for x in np.quantile(values, [_TAIL, 1 - _TAIL]))
    room = 1e-12 * max(1.0, abs(low))
    return (low, high) if high - low > room else (low - room, high + room)


def _histogram(
    ax: Axes, values: np.ndarray, weights: np.ndarray, edges: np.ndarray, color: str, label: str | None
) -> np.ndarray:
    """A weighted density; returns its heights."""
    heights, _ = np.histogram(values, bins=edges, weights=weights / weights.sum())
    heights = heights / np.diff(edges)
    ax.stairs(heights, edges, fill=True, color=color, alpha=0.35)
    ax.stairs(heights, edges, color=color, lw=1.3, label=label)
    return heights
