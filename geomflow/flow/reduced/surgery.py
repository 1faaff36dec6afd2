"""Surgery at necks of metrics with rotational symmetry, and the event that waits for it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar, final

import numpy as np

from geomflow.core.errors import InputError
from geomflow.core.numbers import real_number, whole
from geomflow.core.outcome import Outcome, OutcomeKind
from geomflow.field.reduced.pieces import Neck, Warped, pieces, require_warped
from geomflow.field.reduced.state import ReducedState
from geomflow.flow.continuation import Continuation, Cut, Parts
from geomflow.flow.cursor import Cursor
from geomflow.flow.events import TerminalEvent
from geomflow.flow.problem import Problem
from geomflow.flow.solution import Solution
from geomflow.flow.thresholds import Threshold

NECKS = "neck_radius"
"""The monitor that is watched."""

ALIKE = 1e-3
"""Necks whose radii differ by less than this share of them are cut at once."""

FEWEST = 12
"""Points of a piece: fewer resolve no cap."""


@final
@dataclass(frozen=True)
class NeckRadius(Threshold):
    """Ends the run as singular when the radius of the smallest neck falls to a radius.

    Parameters
    ----------
    radius : float
        Positive, a length.
    """

    radius: float

    located: ClassVar[bool] = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "radius", real_number(self.radius, "the radius of a neck"))
        if not self.radius > 0:
            raise InputError(f"the radius {self.radius} of a neck must be positive.")

    def check(self, problem: Problem) -> None:
        """The problem must know its necks."""
        if problem.observe is None or NECKS not in problem.observe(problem.start, problem.y0):
            raise InputError("this flow has no necks to watch: they are those of metrics of one coordinate whose "
                             "orbits are round spheres.")

    def number(self, cursor: Cursor) -> float:
        """The radius of the smallest neck, infinite where there is none."""
        assert cursor.problem.observe is not None
        return float(cursor.problem.observe(cursor.t, cursor.y)[NECKS])

    def told(self, t: float, number: float) -> tuple[OutcomeKind, str]:
        """Singular."""
        return OutcomeKind.singular, (
            f"the radius of a neck fell to {number:.6g} at t = {t:.9g}, where after=Surgery(radius={self.radius:.6g}) "
            "cuts it and goes on."
        )


@final
@dataclass(frozen=True)
class Surgery(Continuation):
    """Hamilton's surgery on dt² + ψ² g_{S^n}, n ≥ 2: necks are cut at a radius, and closed by round caps.

    Where ψ has fallen to `radius` at a neck, both sides are as they were up to `length` times the radius from it. From
    there to the neck q = K₀/K₁, of the curvatures of planes along t and across it, is blended from what it is to 1 by
    σ = 1/(1 + e^{1/u − 1/(1−u)}), u the share of ∫ dt/ψ; the rest is a round cap, q = 1. So ψ is smooth, K₁ > 0 rises
    toward the tip, and q does not fall: the scalar curvature K₁ n(2q + n − 1) has no new minimum on the cap where
    |q| is small. R. Hamilton, Comm. Anal. Geom. 5 (1997), §D, by conformal factors instead of q.

    Necks that are not cylindrical enough end the run, and the outcome says so.
    Raises `InputError` for numbers that are not positive, a ratio above 1 or fewer than 12 points; `solve` does for
    states of another form, without a neck, or with one that is as small already.

    Parameters
    ----------
    radius : float
        Of the neck where it is cut, a length.
    length : float
        How far from the neck metrics are changed, in radii of it.
    ratio : float
        The largest |K₀/K₁| that is allowed up to there, at most 1; 0 is a cylinder.
    points : int, optional
        Of the grids of the pieces; as many as before unless given.
    """

    radius: float
    length: float = 4.0
    ratio: float = 0.25
    points: int | None = None

    def __post_init__(self) -> None:
        for name, told in (("radius", "the radius"), ("length", "the length, in radii,"), ("ratio", "the ratio")):
            value = real_number(getattr(self, name), f"{told} of Surgery")
            object.__setattr__(self, name, value)
            if not 0 < value < np.inf:
                raise InputError(f"{told} of Surgery must be positive and finite, and {value} was given.")
        if self.ratio > 1:
            raise InputError(f"the ratio of Surgery is at most 1, that of a round sphere, and {self.ratio:g} was "
                             "given; 0 is that of a cylinder.")
        if self.points is not None:
            whole(self.points, "the points of Surgery", FEWEST)

    @property
    def events(self) -> tuple[TerminalEvent, ...]:
        """The neck has fallen to the radius."""
        return (NeckRadius(self.radius),)

    def check(self, state: Any) -> None:
        """Raise `InputError` for states that have no neck to be cut.

        Parameters
        ----------
        state : state
            Where the whole run starts.
        """
        if not isinstance(state, ReducedState):
            raise InputError(f"surgery is on metrics of an ansatz, such as gf.catalogue.ansatz('sphere', n=2)"
                             f".grid(96).state(...), and {state!r} is none.")
        require_warped(state.grid.ansatz)
        warped = Warped.of(state)
        if not len(warped.necks):
            raise InputError(f"'{warped.field.unknown.name}' has no minimum inside, so that there is no neck, and none "
                             "comes along Ricci flow: leave out after=Surgery(...), or start from a dumbbell.")
        least = float(warped.radius(warped.necks).min())
        if not least > self.radius:
            raise InputError(f"the neck has radius {least:.6g} at the start, and Surgery cuts at {self.radius:.6g}: "
                             "take a smaller radius.")

    def parts(self, solution: Solution[Any]) -> Parts | Outcome:
        """The pieces between the necks that have fallen to the radius; the outcome where there are none.

        Parameters
        ----------
        solution : Solution
            A run that has ended.
        """
        state, outcome = solution.last, solution.outcome
        if outcome.kind is not OutcomeKind.singular or not isinstance(state, ReducedState):
            return outcome
        warped = Warped.of(state)
        radii = warped.radius(warped.necks) if len(warped.necks) else warped.necks
        places = warped.necks[radii < self.radius * (1 + ALIKE)]
        if not len(places):
            return outcome
        try:
            return self._cut(warped, places, outcome)
        except InputError as error:
            return replace(outcome, message=f"{outcome.message} It is not cut: {error}")

    def _cut(self, warped: Warped, places: np.ndarray, outcome: Outcome) -> Parts:
        """Raises InputError for necks that are not cylindrical, and caps that points do not resolve."""
        necks = [Neck.of(warped, float(place), self.length) for place in places]
        worst = max(neck.ratio for neck in necks)
        if worst > self.ratio:
            raise InputError(f"within {self.length:g} radii of the neck |K0/K1| is up to {worst:.3g}, which is more "
                             f"than {self.ratio:g}: cut at a smaller radius, where it is more like a cylinder.")
        count = self.points or warped.state.grid.basis.size
        states = tuple(piece.state(count) for piece in pieces(warped, necks))
        return Parts(states, tuple(_told(warped, neck, outcome.time) for neck in necks))


def _told(warped: Warped, neck: Neck, time: float) -> Cut:
    """The record of a neck."""
    (coordinate,) = warped.state.grid.coordinates
    x = warped.x(np.array([neck.place]))
    curvature = float(warped.state.scalar_at(x)[0])
    return Cut("surgery", time, {coordinate: float(x[0])}, neck.radius, curvature, neck.volume)
