"""How Kähler–Ricci flow goes on where a divisor has contracted: on the space in which it is a point."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, final

import numpy as np

from geomflow.core.errors import InputError
from geomflow.core.numbers import real_number, whole
from geomflow.core.outcome import Outcome, OutcomeKind
from geomflow.field.reduced.grid import ReducedGrid
from geomflow.field.reduced.state import ReducedState
from geomflow.flow.continuation import Continuation, Cut, Parts
from geomflow.flow.events import TerminalEvent
from geomflow.flow.reduced.kahler_class import class_end
from geomflow.flow.solution import Solution
from geomflow.flow.thresholds import ClassBoundary
from geomflow.symbolic import catalogue
from geomflow.symbolic.ansatz import Ansatz

WIDTH = 2.0
"""How far from the divisor metrics are changed, in momenta a of it."""

NARROW = 12.0
"""b/a at least: what is changed at b then is less than e^{−36} of a."""

FEWEST = 20
"""Points for each (b/a)^¼: what is at the scales a and b of y is held to 1e-8."""


@final
@dataclass(frozen=True)
class Contraction(Continuation):
    """Kähler–Ricci flow of CP^n blown up at a point goes on on CP^n where the exceptional divisor contracts.

    Where a has fallen by `factor`, F(y) on [a, b] becomes F(y + a e^{−y²/4a²}) on [0, b]: y = 0 is a smooth point with
    F' = 1, the class b stays, and so does the metric but at y < 12a. The volume grows by that of a ball, ∝ aⁿ. How the
    flow goes on is unique (J. Song, B. Weinkove, Duke Math. J. 162, 2013): next to the point by the expanding soliton
    out of the cone that the shrinking one on O(−1) leaves (M. Feldman, T. Ilmanen, D. Knopf, J. Diff. Geom. 65, 2003).
    What was changed decays there as t^{−μ}, so that later metrics are off by O(a^{1+μ}), −μ the largest eigenvalue of
    the drift Laplacian of that soliton: μ = 2.394696 for n = 2, 3.800532 for n = 3. Points are drawn to y = 0 by
    κ = ¼ log(b/a), so that the scale of a is resolved there as that of b is elsewhere.

    Other singularities end runs. Raises InputError for a factor that is not above 1 and numbers of points below 2;
    `solve` does for states of other ansätze.

    Parameters
    ----------
    factor : float
        By how much a has fallen since the start where the divisor is contracted; takes the place of `ClassBoundary`.
    points : int, optional
        Of the grid of CP^n; as many as before, and at least 20 (b/a)^¼, unless given.
    """

    factor: float = 300.0
    points: int | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "factor", real_number(self.factor, "the factor of Contraction"))
        if not self.factor > 1:
            raise InputError("a divisor contracts where the momentum a of it has fallen by a factor above 1, and "
                             f"Contraction(factor={self.factor:g}) was given.")
        if self.points is not None:
            whole(self.points, "the points of Contraction", 2)

    @property
    def events(self) -> tuple[TerminalEvent, ...]:
        """The class has come near to the boundary of its cone."""
        return (ClassBoundary(self.factor),)

    def check(self, state: Any) -> None:
        """Raise `InputError` for states that are not of the ansatz "momentum" with k = 1.

        Parameters
        ----------
        state : state
            Where the whole run starts.
        """
        if not isinstance(state, ReducedState) or not _is_blow_up(state.grid.ansatz):
            raise InputError("a divisor contracts to a smooth point on CP^n blown up at one, a state of "
                             f"gf.catalogue.ansatz('momentum', n=n, k=1), and {state!r} is none: leave out "
                             "after=Contraction(...).")

    def parts(self, solution: Solution[Any]) -> Parts | Outcome:
        """The metric on CP^n after a contraction; the outcome after anything else, and why where it cannot go on.

        Parameters
        ----------
        solution : Solution
            A run that has ended.
        """
        state, outcome = solution.last, solution.outcome
        found = class_end(solution) if outcome.kind is OutcomeKind.singular else None
        if found is None or found[0] != "contraction":
            return outcome
        try:
            after = self._contracted(state)
        except InputError as error:
            return replace(outcome, message=f"{outcome.message} The divisor is not contracted: {error}")
        a = state["a"]
        (coordinate,) = state.grid.coordinates
        gained = after.volume() * (a / after["b"]) ** (state.grid.ansatz.metric.dim // 2)
        radius, scalar = float(np.sqrt(2 * a)), float(state.scalar_at([a])[0])
        return Parts((after,), (Cut("contraction", outcome.time, {coordinate: a}, radius, scalar, -gained),))

    def _contracted(self, state: ReducedState) -> ReducedState:
        """The metric on CP^n. Raises InputError where a is not small, and points do not resolve its scale."""
        a, b = state["a"], state["b"]
        if b < NARROW * a:
            raise InputError(f"its momentum a = {a:.6g} is not small beside b = {b:.6g}: take a factor of more than "
                             f"{self.factor:g}.")
        grid = self._grid(state, b / a)
        y = b * np.asarray(grid.basis.x[0])
        before = np.clip(y + a * np.exp(-((y / (WIDTH * a)) ** 2)), a, b)
        made: ReducedState = grid.state(F=state.at("F", before), b=b)
        return made

    def _grid(self, state: ReducedState, ratio: float) -> ReducedGrid:
        ball = catalogue.ansatz("momentum-ball", n=state.grid.ansatz.metric.dim // 2)
        points = self.points or max(state.grid.basis.size, int(np.ceil(FEWEST * ratio**0.25)))
        grid: ReducedGrid = ball.grid(points, places=[(0.0, float(np.log(ratio)) / 4)])
        return grid


def _is_blow_up(ansatz: Ansatz) -> bool:
    dim = ansatz.metric.dim
    return dim % 2 == 0 and dim >= 4 and ansatz == catalogue.ansatz("momentum", n=dim // 2, k=1)
