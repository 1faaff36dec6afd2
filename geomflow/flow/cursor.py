"""Where a run is: time, state, and the few numbers a stepper may remember."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from geomflow.flow.problem import Problem
from geomflow.flow.spectrum import estimate_radius
from geomflow.flow.workspace import Workspace

_OWN_ROWS = ("y", "new", "rate", "new_rate", "error")
_RADIUS_AGE = 10


class Cursor:
    """The present (t, y) of a run, the candidate of the next step, and the rate at the present state.

    Rows of `work`: "y" the state, "new" the candidate, "error" its error estimate, "rate" = rate(t, y) once `rate()`
    was called, "new_rate" the rate at the candidate for steppers that know it, and the stepper's own rows.
    What must survive a restart is in `memory()`: the rest follows from t and y.
    """

    def __init__(self, problem: Problem, t: float, y: np.ndarray, rows: tuple[str, ...]) -> None:
        self.problem = problem
        self.t = t
        self.work = Workspace(y.shape, (*_OWN_ROWS, *rows))
        self.work["y"][...] = y
        self.evaluations = 0
        self._rate_ready = False
        self._rate_counted = False
        self._radius = -1.0
        self._radius_age = 0
        self._moved = False

    @property
    def y(self) -> np.ndarray:
        """The present state, (ncomp, *grid); a view that the next step reuses."""
        return self.work["y"]

    def state(self) -> Any:
        """The present state as the user's object, on a copy of the numbers."""
        return self.problem.unpack(self.y.copy())

    def evaluate(self, t: float, source: str, target: str) -> None:
        """target = rate(t, source), counted."""
        self.problem.rate(t, self.work[source], self.work[target])
        self.evaluations += 1

    def rate(self) -> np.ndarray:
        """The rate at the present state; evaluated once, and counted once however often a run is taken up here."""
        if not self._rate_ready:
            self.evaluate(self.t, "y", "rate")
            self.evaluations -= self._rate_counted
            self._rate_ready = True
        return self.work["rate"]

    def residual(self) -> float:
        """Size of the rate: the problem's own measure, or max |rate|; of an iteration the last change, or NaN."""
        if self.problem.advance is not None:
            return float(np.abs(self.y - self.work["new"]).max()) if self._moved else math.nan
        rate = self.rate()
        measure = self.problem.residual
        return float(measure(rate)) if measure else float(self.work.peaks("rate").max())

    def spectral_radius(self) -> float:
        """Bound of |eigenvalues| of the linearised rate here: the problem's own, or an estimate kept for ten steps."""
        if self._radius < 0 or self._radius_age >= self._lifetime():
            bound = self.problem.spectral_radius
            self._radius = float(bound(self.t, self.y)) if bound else estimate_radius(self)
            self._radius_age = 0
        return self._radius

    def oscillation(self) -> float:
        """Bound of |Im λ| here; 0 where the problem does not say."""
        bound = self.problem.oscillation
        return float(bound(self.t, self.y)) if bound else 0.0

    def _lifetime(self) -> int:
        return 1 if self.problem.spectral_radius else _RADIUS_AGE

    def advance(self, t: float, rate_known: bool) -> None:
        """Make the candidate the present state at time t; `rate_known`: "new_rate" is its rate."""
        self._move(t, rate_known)
        self._moved = True
        self._radius_age += 1

    def retreat(self, t: float, rate_known: bool) -> None:
        """Undo the last `advance`, to try the step from time t with another length."""
        self._move(t, rate_known)
        self._radius_age -= 1

    def _move(self, t: float, rate_known: bool) -> None:
        self.work.swap("y", "new")
        if rate_known:
            self.work.swap("rate", "new_rate")
        self._rate_ready, self._rate_counted = rate_known, False
        self.t = t

    def memory(self) -> dict[str, Any]:
        """The plain numbers that continue this cursor together with t and y."""
        return {
            "evaluations": self.evaluations,
            "rate_ready": self._rate_ready or self._rate_counted,
            "radius": self._radius,
            "radius_age": self._radius_age,
        }

    def recall(self, memory: dict[str, Any]) -> None:
        """Continue from `memory()`; a rate that was known is evaluated again, to the same bits, and not counted."""
        self._rate_ready, self._rate_counted, self._moved = False, memory["rate_ready"], False
        self.evaluations = memory["evaluations"]
        self._radius = memory["radius"]
        self._radius_age = memory["radius_age"]
