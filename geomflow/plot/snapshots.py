"""A run as a row of pictures, one a saved time."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from geomflow.plot.heatmap import draw_quantity, largest_place
from geomflow.plot.quantities import drawable, quantity, quantity_names
from geomflow.plot.scale import scale_of
from geomflow.plot.style import styled

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from geomflow.flow import Solution


@styled
def snapshots(sol: Solution, names: Sequence[str] | None = None, *, count: int = 4) -> np.ndarray:
    """Draw quantities of a run at `count` of its saved times: one row a quantity, one colour scale a row.

    The first and the last are among them, and between any two the state moves about equally far. `names` are
    quantities as in `heatmap`; unless given, curvature and potential where the states have them. A state that is
    singular is marked in its own panels; the scale is that of the finite values of all.
    Returns the array of Axes, shape (quantities, times).
    """
    import matplotlib.pyplot as plt

    picked = telling_times(sol, count)
    states = [sol.states[i] for i in picked]
    chosen = quantity_names(states[0])[:2] if names is None else list(names)
    wanted = (2.5 * len(picked) + 0.9, 2.35 * len(chosen) + 0.4)
    _, axes = plt.subplots(len(chosen), len(picked), figsize=wanted, squeeze=False, sharex=True, sharey="row")
    for row, name in zip(axes, chosen):
        _draw_row(row, states, name)
    for ax, i in zip(axes[0], picked):
        ax.set_title(f"$t = {_scientific(sol.times[i])}$")
    for ax in axes[:-1].flat:
        ax.set_xlabel("")
    for ax in axes[:, 1:].flat:
        ax.set_ylabel("")
    for ax in axes.flat:
        ax.locator_params(nbins=3)
    return axes


def telling_times(sol: Solution, count: int) -> list[int]:
    """Up to `count` indices of saved times between which the state moves about equally far, first and last included."""
    packed = [sol.states.packed(i) for i in range(len(sol.times))]
    with np.errstate(all="ignore"):
        steps = [float(np.sqrt(np.mean((after - before) ** 2))) for before, after in pairwise(packed)]
    way = np.concatenate([[0.0], np.cumsum(np.nan_to_num(steps, nan=0.0, posinf=0.0))])
    if len(way) <= count or not way[-1] > 0:
        return sorted({int(i) for i in np.linspace(0, len(way) - 1, count).round()})
    return sorted({int(np.argmin(np.abs(way - target))) for target in np.linspace(0, way[-1], count)} | {len(way) - 1})


def _draw_row(row: Sequence[Axes], states: Sequence, name: str) -> None:
    """One quantity at several times, in one colour scale and, above dimension two, in one plane."""
    quantities = [quantity(state, name) for state in states]
    scale = scale_of(quantities)
    place = largest_place(quantities[0], scale)
    for ax, state, item in zip(row, states, quantities):
        mesh, where = draw_quantity(ax, drawable(state).grid, item, scale, place)
    if mesh is None:
        row[0].set_ylabel(quantities[0].label)
        return
    bar = row[0].figure.colorbar(mesh, ax=list(row), shrink=0.9, pad=0.015, aspect=14)
    bar.outline.set_visible(False)
    bar.set_label(quantities[0].label + where)


def _scientific(t: float) -> str:
    """A time in TeX: 0, 0.25, 2.5 × 10⁻⁴."""
    mantissa, _, exponent = f"{t:.2e}".partition("e")
    if t == 0 or -3 < int(exponent) < 4:
        return f"{t:.3g}"
    return rf"{float(mantissa):g} \times 10^{{{int(exponent)}}}"
