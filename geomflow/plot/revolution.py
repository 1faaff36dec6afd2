"""Metrics with symmetry as surfaces of revolution in space: radius against height, shaded, at several times."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from geomflow.plot.fibres import on_span
from geomflow.plot.outlines import Outline, is_state
from geomflow.plot.scenes import scenes
from geomflow.plot.style import ACCENT, MUTED, axes_or_new, styled

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from geomflow.flow import Solution
    from geomflow.symbolic.ansatz import Ansatz

FRAMES = 48
_AROUND, _ALONG = 72, 160
_TILT = np.radians(18)
_LIGHT = np.array([-0.45, -0.6, 0.66])
_APART = 0.3
"""The gap between neighbours, in widths of the widest."""


@styled
def embedding(thing: Any, name: str | None = None, *, count: int = 5, ax: Axes | None = None) -> Axes:
    """Draw a metric with rotational symmetry as a surface of revolution in space. Returns the Axes.

    The metric ds² + ψ(s)² dθ² is that of the surface with the radius ψ at the height ∫ √(1 − ψ_s²) ds. Of spheres of
    higher dimension it is a section through the axis, and of a metric on a span the sphere that joins its ends. Where
    |ψ_s| > 1 there is no such surface: that part is left out, and the caption says so. Of a run `count` of its saved
    times stand side by side in one scale, evenly in log(T − t) before a singular time T. Pieces that it has gone on as
    stand one above the other, each about a place of its own, and the times are even.
    Raises `InputError` for metrics of no or two coordinates, and where no unknown is the radius of a sphere.

    Parameters
    ----------
    thing : ReducedState or Solution
        A metric of one coordinate, or a run.
    name : str, optional
        The unknown that is the radius; one that closes orbits unless given.
    count : int
        How many times, at most.
    ax : Axes, optional
        Where to draw; a new figure's unless given.
    """
    shown = scenes(thing, count, name)
    outlines = [each for scene in shown for each in scene.shapes]
    width = 2 * max(float(each.radius.max()) for each in outlines)
    low, high = span(outlines)
    step = (1 + _APART) * width
    size = 9.0 if len(shown) > 1 else 3.0
    across = step * len(shown)
    ax = axes_or_new(ax, (size, min(max(size * (high - low) / across, 1.2), 6.0) + 0.7))
    ax.set(xlim=(-step / 2, step * (len(shown) - 0.5)), ylim=(low, high))
    ax.set_aspect("equal")
    ax.set_axis_off()
    for place, (shapes, title) in enumerate(shown):
        for each in shapes:
            draw_revolution(ax, each, place * step)
        ax.text(place * step, low, title, ha="center", va="top", color=MUTED, fontsize=9)
    if note := steep_note(outlines):
        ax.set_title(note, loc="left", color=MUTED, fontsize=9)
    return ax


def span(outlines: Sequence[Outline]) -> tuple[float, float]:
    """From where to where pictures reach upwards."""
    cosine, sine = np.cos(_TILT), np.sin(_TILT)
    room = 0.03 * max(float(np.ptp(each.height)) for each in outlines)
    low = min(float((cosine * each.height - sine * each.radius).min()) for each in outlines)
    high = max(float((cosine * each.height + sine * each.radius).max()) for each in outlines)
    return low - room, high + room


def steep_note(outlines: Sequence[Outline]) -> str:
    """What the caption says of parts that are left out, nothing where there are none."""
    steep = any(bool(each.steep.any()) for each in outlines)
    return "left out where $|\\psi_s| > 1$:\nno such surface in space" if steep else ""


def draw_revolution(ax: Axes, shape: Outline, x: float, colour: str = ACCENT) -> None:
    """A shaded surface of revolution about the vertical axis through x, seen slightly from above."""
    from matplotlib.collections import PolyCollection

    ring = np.linspace(0, 2 * np.pi, _AROUND + 1)
    radius, z, kept = _thinned(shape)
    places = np.stack([np.outer(radius, np.cos(ring)), np.outer(radius, np.sin(ring)),
                       np.broadcast_to(z[:, None], (len(z), len(ring)))], axis=-1)
    seen = places @ _camera().T
    corners = np.stack([seen[:-1, :-1], seen[1:, :-1], seen[1:, 1:], seen[:-1, 1:]], axis=2)
    shades, inside = _shades(places)
    shown = kept[:, None] & ~(inside & shape.closed)
    faces, shades = corners[shown], shades[shown]
    order = np.argsort(-faces[..., 1].mean(axis=1))
    colours = shaded(shades[order], colour)
    flat = list(faces[order][..., [0, 2]] + [x, 0.0])
    ax.add_collection(PolyCollection(flat, facecolors=colours, edgecolors=colours, linewidths=0.7, rasterized=True),
                      autolim=False)


def _thinned(shape: Outline) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Radius and height at some of the places, evenly along the outline and by angle, and which gaps are filled."""
    turn = np.abs(np.gradient(np.arcsin(np.clip(shape.slope, -1, 1)), shape.s))
    density = 1 / np.ptp(shape.s) + turn / max(float(np.trapezoid(turn, shape.s)), 1e-300)
    way = np.concatenate([[0.0], np.cumsum((density[1:] + density[:-1]) / 2 * np.diff(shape.s))])
    at = np.unique(np.searchsorted(way, np.linspace(0, way[-1], _ALONG)).clip(0, len(way) - 1))
    steep = np.concatenate([[0], np.cumsum(shape.steep)])
    return shape.radius[at], shape.height[at], steep[at[1:] + 1] == steep[at[:-1]]


def _camera() -> np.ndarray:
    """Rows: to the right, away from the eye, and up."""
    c, s = np.cos(_TILT), np.sin(_TILT)
    return np.array([[1.0, 0.0, 0.0], [0.0, c, -s], [0.0, s, c]])


def _shades(places: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """How much light each face sends, from 0 to 1, and whether its inside is seen, (along, around)."""
    across = places[1:, 1:] - places[:-1, :-1], places[1:, :-1] - places[:-1, 1:]
    normal = np.cross(*across)
    normal /= np.maximum(np.linalg.norm(normal, axis=-1, keepdims=True), 1e-300)
    outside = np.sign(np.sum(normal[..., :2] * (places[1:, 1:] + places[:-1, :-1])[..., :2], axis=-1, keepdims=True))
    normal = normal * np.where(outside == 0, 1, outside)
    inside = normal @ _camera()[1] > 0
    light = _LIGHT / np.linalg.norm(_LIGHT)
    lit = 0.25 + 0.75 * np.clip(0.5 + 0.5 * (normal @ light), 0, 1) ** 1.3
    return np.where(inside, 0.35 * lit, lit), inside


def shaded(shades: np.ndarray, colour: str = ACCENT) -> np.ndarray:
    """A colour from dark, at 0, through itself to light, at 1, (n, 3)."""
    from matplotlib.colors import to_rgb

    base = np.array(to_rgb(colour))
    levels = np.array([0.0, 0.6, 1.0])
    ends = np.stack([0.25 * base, base, 0.25 * base + 0.75])
    return np.stack([np.interp(shades, levels, ends[:, k]) for k in range(3)], axis=1)


def embedding_frames(ax: Axes, sol: Solution[Any], name: str | None) -> Iterator[None]:
    """Draw one surface after another in one scale, for a film."""
    shown = scenes(sol, FRAMES, name)
    outlines = [each for scene in shown for each in scene.shapes]
    low, high = span(outlines)
    half = 1.1 * max(float(each.radius.max()) for each in outlines)
    note = steep_note(outlines)
    cast("Figure", ax.figure).set_layout_engine("none")
    ax.set_position((0.02, 0.07, 0.96, 0.84))
    for shapes, title in shown:
        ax.clear()
        ax.set(xlim=(-half, half), ylim=(low, high))
        ax.set_aspect("equal")
        ax.set_axis_off()
        for each in shapes:
            draw_revolution(ax, each, 0.0)
        ax.set_title(title, loc="center", fontsize=11)
        ax.text(0.5, -0.02, note, transform=ax.transAxes, ha="center", va="top", color=MUTED, fontsize=8)
        ax.figure.canvas.draw()
        yield


def is_reduced(sol: Any) -> bool:
    """Whether a run is one of metrics with symmetry."""
    return is_state(getattr(sol, "last", None))


def has_outline(ansatz: Ansatz) -> bool:
    """Whether metrics of an ansatz are surfaces of revolution."""
    if len(ansatz.coordinates) != 1:
        return False
    return on_span(ansatz) or (ansatz.radial(ansatz.coordinates[0]) is not None and bool(ansatz.fibres))
