"""How a metric with symmetry became singular: when, where, in which way, and how fast."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, final

import numpy as np
from scipy.interpolate import CubicSpline

from geomflow.core.notebook import Facts, InNotebook
from geomflow.core.outcome import OutcomeKind
from geomflow.field.reduced.necks import poles, spheres
from geomflow.field.reduced.state import ReducedState
from geomflow.flow.reduced.fits import Approach, approach
from geomflow.flow.reduced.kahler_class import class_end
from geomflow.symbolic.ansatz.closing import radial

if TYPE_CHECKING:
    from geomflow.flow.solution import Solution

EXTINCTION, COLLAPSE, LOCAL = "extinction", "collapse", "local"
NECKPINCH, DEGENERATE = "neckpinch", "degenerate neckpinch"

TYPE_TWO = 0.1
"""Λ(T − t) that grows as a power of 1/(T − t) above this is of type II; a neck's logarithms stay below."""

STEPS = 10.0
"""Times the tolerance of a step, and the time since the start: what all steps together may move T by."""

ROUNDING = 4 * np.finfo(float).eps


class NeckProfile(NamedTuple):
    """A neck in its own scale: ψ/√(2(n − 1)(T − t)) at σ = s/√(T − t), s the arclength from it.

    Parameters
    ----------
    sigma, radius : (M,) array
        σ, increasing, and the radius there. Of a cylinder that shrinks the radius is 1.
    """

    sigma: np.ndarray
    radius: np.ndarray


@final
@dataclass(frozen=True, repr=False)
class Singularity(InNotebook):
    """What a run tells of the singularity that ended it; Λ is the largest |Rm| over the manifold.

    Parameters
    ----------
    time, error : float
        T, extrapolated from Λ, and how far it may be off: by what its fits differ, steps allow, rounding takes, and
        by what modes left out may be of T − t: the monitor "tail" as many times as there are points.
    kind : str
        "extinction", all directions shrink, vol ∼ Λ^{−d/2}; "collapse", some do; "neckpinch", the volume stays and
        Λ is largest at a neck; "degenerate neckpinch", at a pole; "local", elsewhere. Of metrics on a span the Kähler
        class tells: "contraction" of the divisor at the first end, "collapse" of the fibre, "extinction" of both; of
        toric surfaces likewise, by the polygon that is left, and T is exact.
    location : mapping
        Where Λ is largest, by coordinate; empty at an extinction, which is everywhere, and for homogeneous metrics.
    rate : str
        "type I" where Λ(T − t) is bounded, "type II" where it grows as a power.
    scale : float
        Λ(T − t) at the last point.
    roundness : float
        The largest |Rm|² d(d − 1)/(2R²) of the last state, 1 for constant curvature.
    profile : NeckProfile or None
        Of the last state, at a neckpinch.
    curves : tuple of str
        Of toric surfaces, the sides of the polygon that vanish: the curves over them have no area any more.
    """

    time: float
    error: float
    kind: str
    location: Mapping[str, float]
    rate: str
    scale: float
    roundness: float
    profile: NeckProfile | None = None
    curves: tuple[str, ...] = ()

    def __facts__(self) -> Facts:
        yield "kind", self.kind
        yield "time", f"{self.time:.12g} ± {self.error:.1g}"
        yield "location", ", ".join(f"{name} = {x:.6g}" for name, x in self.location.items()) or "everywhere"
        if self.curves:
            yield "curves", ", ".join(self.curves)
        yield "rate", f"{self.rate}, max |Rm| (T − t) = {self.scale:.6g}"
        yield "roundness", self.roundness

    def __str__(self) -> str:
        places = "".join(f" at {name} = {x:.6g}" for name, x in self.location.items())
        curves = f" of {', '.join(self.curves)}" if self.curves else ""
        return f"{self.kind}{curves}{places}, T = {self.time:.12g} ± {self.error:.1g}, {self.rate}"

    __repr__ = __str__


def singularity_of(solution: Solution[Any]) -> Singularity | None:
    """The singularity that ended a run.

    None unless the outcome is singular, the states are metrics with symmetry, their curvature and volume were noted,
    and curvature has doubled three times.
    """
    if solution.outcome.kind is not OutcomeKind.singular or not isinstance(solution.last, ReducedState):
        return None
    if not {"riemann_max", "volume"} <= solution.monitors.keys():
        return None
    seen = np.isfinite(solution["riemann_max"]) & (solution["riemann_max"] > 0)
    seen &= np.arange(len(seen)) >= _least(solution["riemann_max"], seen)
    times, sizes = solution.monitor_times[seen], solution["riemann_max"][seen]
    found = approach(times, sizes) if len(times) else None
    if found is None:
        return None
    state: ReducedState = solution.last
    shrinking = shrinking_directions(solution["volume"][seen], sizes)
    location = peak(state)
    kind, time, error = class_end(solution) or (kind_of(state, shrinking, found.exponent, location), found.time,
                                                found.error + error_of_run(solution, found.time))
    return Singularity(
        time=time,
        error=error + ROUNDING * abs(time),
        kind=kind,
        location={} if kind == EXTINCTION else location,
        rate="type I" if found.exponent < TYPE_TWO else "type II",
        scale=float(found.scales[0]),
        roundness=roundness(state),
        profile=neck_profile(state, location, found) if kind == NECKPINCH else None,
    )


def _least(sizes: np.ndarray, seen: np.ndarray) -> int:
    """Where Λ is least: a cap is curved more at first than its piece is later."""
    return int(np.argmin(np.where(seen, sizes, np.inf))) if len(sizes) else 0


def error_of_run(solution: Solution[Any], end: float) -> float:
    """By how much steps and points may have moved T.

    At a neck coefficients fall as a power at worst: all that are left out add up to the last one times their number.
    """
    tolerance = max(filter(None, solution.recipe.get("tolerances", ())), default=0.0)
    left = end - solution.monitor_times
    steps = STEPS * tolerance * float(left[0])
    tails = solution.monitors.get("tail")
    return steps if tails is None else steps + solution.last.grid.basis.size * float(np.nanmax(tails * np.abs(left)))


def shrinking_directions(volumes: np.ndarray, sizes: np.ndarray) -> float:
    """k with vol ∼ Λ^{−k/2}, over the last doubling: how many directions shrink as 1/√Λ does."""
    before = int(np.flatnonzero(sizes <= sizes[-1] / 2)[-1])
    return float(-2 * np.log(volumes[-1] / volumes[before]) / np.log(sizes[-1] / sizes[before]))


def kind_of(state: ReducedState, shrinking: float, exponent: float, location: Mapping[str, float]) -> str:
    """All directions but for less than half of one are all; fewer than half of one are none.

    At a degenerate neckpinch between two poles all is gone at once, its length more slowly than its width.
    """
    beside, fast = nearest(state, location), exponent >= TYPE_TWO
    if shrinking >= state.grid.ansatz.metric.dim - 0.5:
        return DEGENERATE if fast else EXTINCTION
    if shrinking >= 0.5 or not location:
        return DEGENERATE if fast and beside == DEGENERATE else COLLAPSE
    return beside


def nearest(state: ReducedState, location: Mapping[str, float]) -> str:
    """The kind of a singularity whose place is next to a neck, to a pole, or to neither."""
    if len(location) != 1:
        return LOCAL
    (x,) = location.values()
    ends, necks = poles(state.grid), [place for _, place in necks_of(state)]
    to_pole, to_neck = (min((abs(x - place) for place in places), default=np.inf) for places in (ends, necks))
    if np.isinf(to_pole) and np.isinf(to_neck):
        return LOCAL
    return NECKPINCH if to_neck < to_pole else DEGENERATE


def necks_of(state: ReducedState) -> list[tuple[str, float]]:
    """Unknowns and places of all necks of spheres of two or more dimensions."""
    known = state.grid.ansatz.fibres
    names = [f.unknown.name for f in spheres(state.grid) if known[f.unknown.name].dim > 1]
    return [(name, float(place)) for name in names for place in state.necks(name).places]


def peak(state: ReducedState) -> dict[str, float]:
    """Where |Rm| is largest, by a parabola between close places; of two coordinates the point."""
    grid, square = state.grid, state.scalar("Rm2").ravel()
    if not grid.shape:
        return {}
    if len(grid.bases) != 1:
        top = int(np.argmax(square))
        return {name: float(np.ravel(x)[top]) for name, x in grid.points.items()}
    fine = grid.fine @ square
    top = int(np.argmax(fine))
    place = float(grid.places[top])
    if 0 < top < len(fine) - 1:
        before, here, after = fine[top - 1 : top + 2]
        shift = (after - before) / (2 * (2 * here - before - after))
        place = float(np.interp(top + shift, np.arange(len(fine)), grid.places))
    return {grid.coordinates[0]: float(state.places_of([place])[0])}


def roundness(state: ReducedState) -> float:
    """The largest |Rm|² d(d − 1)/(2R²), at the points."""
    dim = state.grid.ansatz.metric.dim
    with np.errstate(divide="ignore", invalid="ignore"):
        ratios = np.ravel(state.scalar("Rm2")) * dim * (dim - 1) / (2 * np.ravel(state.scalar("R")) ** 2)
    return float(np.nan_to_num(ratios, nan=np.inf).max())


def neck_profile(state: ReducedState, location: Mapping[str, float], found: Approach) -> NeckProfile | None:
    """The neck next to where |Rm| is largest; None where no unknown measures length along the coordinate."""
    ((coordinate, x),) = location.items()
    along = radial(state.grid.ansatz, coordinate)
    if along is None:
        return None
    name, neck = min(necks_of(state), key=lambda pair: abs(pair[1] - x))
    places = state.grid.places
    length = CubicSpline(places, state.at(along[0].name, places) ** (1 / along[1])).antiderivative()
    fibre = state.grid.ansatz.fibres[name]
    radius = state.at(name, places) ** (1 / fibre.exponent)
    speed = 2 * (fibre.dim - 1)
    return NeckProfile((length(places) - length(neck)) / np.sqrt(found.left), radius / np.sqrt(speed * found.left))
