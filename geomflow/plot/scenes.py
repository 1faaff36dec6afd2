"""What stands in a picture at one time: a metric, or the pieces that a run has gone on as, one above the other."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import numpy as np

from geomflow.plot.outlines import Outline, is_state, moments, outline
from geomflow.plot.quantities import scientific

if TYPE_CHECKING:
    from geomflow.flow import Solution

_GAP = 0.05
"""Between pieces, in heights of what was cut."""


class Scene(NamedTuple):
    """Surfaces in one place, and what is said of them."""

    shapes: list[Outline]
    title: str


def scenes(thing: Any, count: int, name: str | None) -> list[Scene]:
    """A state, or several times of a run: even in time where it has pieces, just before and after its first cut too."""
    if is_state(thing) or not getattr(thing, "pieces", ()):
        states, titles = moments(thing, count)
        return [Scene([outline(state, name)], title) for state, title in zip(states, titles, strict=True)]
    sol = cast("Solution[Any]", thing)
    centres = dict(_centres(sol, name))
    found = []
    for t, after in _times(sol, count):
        shapes = [outline(state, name, centres[path]) for path, state in _alive(sol, t, after)]
        found.append(Scene(shapes, f"$t = {scientific(t)}${', cut' if after else ''}"))
    return found


Path = tuple[int, ...]


def _times(sol: Solution[Any], count: int) -> list[tuple[float, bool]]:
    """Kept times at which something is there, each with whether a cut at that time is done."""
    runs = sol.runs.values()
    known = sorted({(float(t), False) for run in runs for t in run.times} |
                   {(float(run.times[-1]), True) for run in runs if run.pieces})
    first = (float(sol.times[-1]), False)
    times = np.array([t for t, _ in known])
    wanted = np.linspace(times[0], times[-1], max(count - 1, 2))[:-1]
    picked = {known[int(np.argmin(np.abs(times - t)))] for t in wanted} | {first, (first[0], True)}
    return sorted(picked)


def _alive(sol: Solution[Any], t: float, after: bool, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """The pieces at a time with their states, each the last that was kept till then."""
    end = float(sol.times[-1])
    if sol.pieces and (t > end or (t == end and after)):
        for number, piece in enumerate(sol.pieces):
            yield from _alive(piece, t, after, (*path, number))
    elif t <= end:
        yield path, sol.states[int(np.searchsorted(sol.times, t, side="right")) - 1]


def _centres(sol: Solution[Any], name: str | None, path: Path = (),
             centre: float = 0.0) -> Iterator[tuple[Path, float]]:
    """Where the middle of each piece stays: one above the other about that of the run before."""
    yield path, centre
    spans = [float(np.ptp(outline(piece.states[0], name).height)) for piece in sol.pieces]
    gap = _GAP * sum(spans)
    low = centre - (sum(spans) + gap * (len(spans) - 1)) / 2
    for number, (piece, width) in enumerate(zip(sol.pieces, spans, strict=True)):
        yield from _centres(piece, name, (*path, number), low + width / 2)
        low += width + gap
