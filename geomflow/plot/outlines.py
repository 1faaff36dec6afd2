"""Radii of round spheres among the orbits of a metric against height, and which states of a run are drawn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast, final

import numpy as np

from geomflow.core.errors import InputError, require_known
from geomflow.plot.fibres import fibre, on_span
from geomflow.plot.moments import picked_times, times_left
from geomflow.plot.quantities import scientific

if TYPE_CHECKING:
    from geomflow.field.reduced.state import ReducedState
    from geomflow.flow import Solution

STEEPEST = 1 + 1e-3
"""|ψ_s| up to which a radius is drawn: at poles it is 1, to what splines say of it."""


@final
@dataclass(frozen=True)
class Outline:
    """A radius against the height on the axis, at many places in order.

    Parameters
    ----------
    s, radius, slope : (M,) array
        Arclength, ψ and ψ_s.
    centre : float
        Where the middle of what it spans is.
    """

    s: np.ndarray
    radius: np.ndarray
    slope: np.ndarray
    centre: float = 0.0

    @property
    def steep(self) -> np.ndarray:
        """Where |ψ_s| > 1: no surface of revolution in space has this radius there, (M,)."""
        return np.asarray(np.abs(self.slope) > STEEPEST)

    @property
    def closed(self) -> bool:
        """Whether the surface hides its inside."""
        ends = self.radius[[0, -1]].max() < 1e-6 * self.radius.max()
        return bool(ends and not self.steep.any())

    @property
    def height(self) -> np.ndarray:
        """z = ∫ √(1 − ψ_s²) ds, about the centre, (M,)."""
        rate = np.sqrt(np.maximum(1 - self.slope**2, 0))
        z = np.concatenate([[0.0], np.cumsum((rate[1:] + rate[:-1]) / 2 * np.diff(self.s))])
        return np.asarray(z - z[-1] / 2 + self.centre)


def is_state(thing: Any) -> bool:
    """Whether this is a metric with symmetry, told by its name so that no other floor is loaded for it."""
    return type(thing).__name__ == "ReducedState"


def arclength(state: ReducedState) -> np.ndarray:
    """s = ∫ √g_xx dx at `state.grid.places`; the coordinate there where g_xx has no unknown of its own, (M,)."""
    from scipy.interpolate import CubicSpline

    grid = state.grid
    along = grid.ansatz.radial(grid.coordinates[0])
    if along is None:
        return state.places_of(grid.places)
    unknown, exponent = along
    speed = state.at(unknown.name, grid.places) ** (1 / exponent)
    return np.asarray(CubicSpline(grid.places, speed).antiderivative()(grid.places))


def outline(state: ReducedState, name: str | None = None, centre: float = 0.0) -> Outline:
    """The radius of a round sphere among the orbits, against arclength; on a span, of the sphere that joins its ends.

    Raises InputError for metrics of no or two coordinates, and where no unknown is such a radius.

    Parameters
    ----------
    state : ReducedState
        A metric of one coordinate.
    name : str, optional
        Of the unknown; unless given, one that closes orbits, or the first that is a radius.
    centre : float
        Where the middle of it is put.
    """
    ansatz = state.grid.ansatz
    if on_span(ansatz):
        return _outline(*fibre(state, name), centre)
    if len(ansatz.coordinates) != 1 or ansatz.radial(ansatz.coordinates[0]) is None:
        raise InputError(f"a surface of revolution is drawn of a metric u(x)^2 dx^2 + ... with unknowns of one "
                         f"coordinate, and {ansatz} is none.")
    chosen, cone, exponent = _fibre(state, name)
    return _outline(arclength(state), cone * state.at(chosen, state.grid.places) ** (1 / exponent), centre)


def _outline(s: np.ndarray, radius: np.ndarray, centre: float) -> Outline:
    """The smooth curve through values."""
    from scipy.interpolate import CubicSpline

    spline = CubicSpline(s, radius)
    fine = np.unique(np.concatenate([s, np.linspace(s[0], s[-1], 4 * len(s))]))
    return Outline(fine, np.maximum(spline(fine), 0), spline(fine, 1), centre)


def _fibre(state: ReducedState, name: str | None) -> tuple[str, float, int]:
    """The unknown, what it is multiplied with, and the power of the radius that it is."""
    known = state.grid.ansatz.fibres
    if not known:
        raise InputError(f"no unknown of {state.grid.ansatz} is the radius of a round sphere among the orbits.")
    if name is None:
        closing = closing_names(state)
        name = next((each for each in known if each in closing), next(iter(known)))
    require_known("radius", name, known)
    return name, float(known[name].cone), known[name].exponent


def closing_names(state: ReducedState) -> list[str]:
    """The unknowns that vanish at poles."""
    return [field.unknown.name for field in state.fields if field.factor is not None]


def moments(thing: Any, count: int) -> tuple[list[ReducedState], list[str]]:
    """A state, or several of a solution, and what is said of the time of each."""
    if is_state(thing):
        return [thing], [""]
    if not is_state(getattr(thing, "last", None)):
        raise InputError(f"a metric of an ansatz, ansatz.grid(64).state(...), or a run of one is drawn, and {thing!r} "
                         "was given.")
    sol = cast("Solution[Any]", thing)
    picked = picked_times(sol, count)
    return [sol.states[i] for i in picked], [told_time(sol, i) for i in picked]


def told_time(sol: Solution[Any], place: int) -> str:
    """The time of a state; past the first what is left, before a singular time."""
    left = times_left(sol)
    if left is None or place == 0:
        return f"$t = {scientific(sol.times[place])}$"
    return f"$T - t = {scientific(left[place])}$"
