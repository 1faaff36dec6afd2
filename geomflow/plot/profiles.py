"""Unknowns of metrics with symmetry: against arclength at several times, or against time where they are numbers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from geomflow.core.errors import InputError, require_known
from geomflow.plot.moments import picked_times, times_left
from geomflow.plot.outlines import arclength, closing_names, moments
from geomflow.plot.quantities import scientific
from geomflow.plot.revolution import FRAMES, is_reduced
from geomflow.plot.style import ACCENT, MUTED, colour_bar, sequential, styled

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colors import Colormap
    from matplotlib.figure import Figure

    from geomflow.field.reduced.state import ReducedState
    from geomflow.flow import Solution

GREEK = {"chi", "psi", "phi", "theta", "rho", "sigma", "lambda", "alpha", "beta"}


@styled
def profile(thing: Any, name: str | None = None, *, count: int = 7) -> np.ndarray:
    """Draw the unknowns of a metric with symmetry against arclength s. Returns the array of Axes, one a panel.

    The unknown that closes orbits comes first; the one of g_xx, which is s itself, has no panel unless it is named.
    Where there is none, as on a span, the others are drawn against the coordinate. Of a run `count` of its saved times
    are drawn, evenly in log(T − t) before a singular time T, darker from one to the next. Unknowns that are numbers are
    drawn against time.
    Raises `InputError` for metrics of two coordinates and for a homogeneous metric by itself, and `UnknownNameError`.

    Parameters
    ----------
    thing : ReducedState or Solution
        A metric of an ansatz, or a run.
    name : str, optional
        Of one unknown; all unless given.
    count : int
        How many times, at most.
    """
    import matplotlib.pyplot as plt

    state = moments(thing, 1)[0][0]
    if name is not None:
        require_known("unknown", name, state.unknowns)
    if not state.grid.shape or name in numbers(state):
        return _against_time(thing, state.unknowns if name is None else (name,))
    if len(state.grid.shape) > 1:
        raise InputError(f"profiles are of unknowns of one coordinate, and those of {state.grid.ansatz} have two.")
    names = _shown(state) if name is None else [name]
    _, axes = plt.subplots(1, len(names), figsize=(4.3 * len(names) + 0.6, 3.1), squeeze=False)
    states, _ = moments(thing, count)
    colours = _darker(len(states))
    for ax, each in zip(axes[0], names, strict=True):
        for place, curve in enumerate(states):
            colour = ACCENT if len(states) == 1 else colours(place)
            ax.plot(arclength(curve), curve.at(each, curve.places_of(curve.grid.places)), color=colour)
        ax.set(xlabel=_across(state), ylabel=f"${tex(each)}$")
        ax.margins(x=0.02)
    if len(states) > 1:
        _time_bar(list(axes[0]), thing, count, colours)
    return np.asarray(axes[0])


def tex(name: str) -> str:
    """The name of an unknown in TeX.

    >>> tex("psi1"), tex("A")
    ('\\\\psi_{1}', 'A')
    """
    stem = name.rstrip("0123456789")
    number = name[len(stem) :]
    return ("\\" if stem in GREEK else "") + stem + (f"_{{{number}}}" if number else "")


def numbers(state: ReducedState) -> list[str]:
    """The unknowns that depend on nothing, such as the ends of a span."""
    return [field.unknown.name for field in state.fields if not field.unknown.coordinates]


def _shown(state: ReducedState) -> list[str]:
    """Those that close orbits, then the others without the one of g_xx."""
    along = state.grid.ansatz.radial(state.grid.coordinates[0])
    left = {*numbers(state), *(() if along is None else (along[0].name,))}
    own = [name for name in state.unknowns if name not in left]
    first = closing_names(state)
    return [name for name in own if name in first] + [name for name in own if name not in first]


def _across(state: ReducedState) -> str:
    (coordinate,) = state.grid.coordinates
    along = state.grid.ansatz.radial(coordinate)
    return f"${coordinate}$" if along is None else "arclength $s$"


def _darker(count: int) -> Colormap:
    """Steps from a light blue to a dark one."""
    from matplotlib.colors import ListedColormap

    return ListedColormap(sequential()(np.linspace(0.3, 1.0, count)))


def _time_bar(axes: list[Axes], sol: Solution[Any], count: int, colours: Colormap) -> None:
    """A small bar with the time of each curve, or what is left of it before a singular time."""
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import BoundaryNorm

    picked, left = picked_times(sol, count), times_left(sol)
    norm = BoundaryNorm(np.arange(len(picked) + 1) - 0.5, len(picked))
    bar = colour_bar(axes[0].figure, ScalarMappable(norm, colours), axes, shrink=0.8, aspect=16, pad=0.02,
                     ticks=range(len(picked)))
    values = sol.times if left is None else left
    bar.ax.set_yticklabels([f"${scientific(values[i])}$" for i in picked], fontsize=8)
    bar.ax.tick_params(length=0)
    bar.ax.set_title("$t$" if left is None else "$T - t$", loc="left", fontsize=9)


def _against_time(thing: Any, names: tuple[str, ...]) -> np.ndarray:
    """The unknowns of a homogeneous run at its saved times."""
    import matplotlib.pyplot as plt

    if not is_reduced(thing):
        raise InputError(f"{thing!r} has no coordinate to be drawn against: give a run of it, solve(...).")
    sol = cast("Solution[Any]", thing)
    _, ax = plt.subplots(figsize=(4.8, 3.3))
    for name in names:
        ax.plot(sol.times, [state[name] for state in sol.states], label=f"${tex(name)}$")
    ax.set(xlabel="time $t$", ylim=(0, None))
    ax.legend()
    return np.array([ax])


def profile_frames(ax: Axes, sol: Solution[Any], name: str | None) -> Iterator[None]:
    """Draw one profile after another above its span, with that of the start behind it, for a film."""
    runs = getattr(sol, "runs", {(): sol}).values()
    shown = [pair for run in runs for pair in zip(*moments(run, FRAMES), strict=True)]
    names = [_shown(state)[0] if name is None else name for state, _ in shown]
    curves = [(arclength(state), state.at(each, state.places_of(state.grid.places)))
              for (state, _), each in zip(shown, names, strict=True)]
    low, high = min(float(y[0]) for y, _ in curves), max(float(y[-1]) for y, _ in curves)
    room, top = 0.03 * (high - low), 1.08 * max(float(values.max()) for _, values in curves)
    cast("Figure", ax.figure).set_layout_engine("none")
    ax.set_position((0.15, 0.14, 0.81, 0.75))
    for (y, values), (state, title), each in zip(curves, shown, names, strict=True):
        ax.clear()
        ax.plot(*curves[0], color=MUTED, linewidth=1, alpha=0.6)
        ax.fill_between(y, values, color=ACCENT, alpha=0.15, linewidth=0)
        ax.plot(y, values, color=ACCENT)
        ax.plot(y[[0, -1]], [0, 0], "o", color=ACCENT, clip_on=False)
        ax.set(xlim=(low - room, high + room), ylim=(0, top), xlabel=_across(state), ylabel=f"${tex(each)}$")
        ax.set_title(title, loc="center", fontsize=11)
        ax.figure.canvas.draw()
        yield
