"""What a stepper is: one attempted step, and what its method can promise."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from typing import ClassVar

from geomflow.core.outcome import Outcome
from geomflow.flow.control import ErrorControl, StepController
from geomflow.flow.cursor import Cursor


class Stepper(ABC):
    """A one-step method for dy/dt = f(t, y). Subclasses are frozen dataclasses and remember nothing.

    order            order of the method
    estimate_order   order of the embedded method behind the error estimate; None without an estimate
    rate_known       a step leaves the rate at its end in "new_rate"
    remedy           what to change when a step of fixed length fails, if not its length
    """

    name: ClassVar[str]
    order: ClassVar[int]
    estimate_order: ClassVar[int | None] = None
    rate_known: ClassVar[bool] = False
    needs_radius: ClassVar[bool] = False
    remedy: ClassVar[str] = ""

    @property
    def real_stability(self) -> float:
        """Largest dt·λ for which y' = −λ y does not grow; infinite for implicit methods."""
        return math.inf

    @property
    def imaginary_stability(self) -> float:
        """Largest dt·ω for which y' = iω y does not grow; infinite for implicit methods."""
        return math.inf

    def stable_step(self, radius: float, oscillation: float) -> float:
        """The longest stable step where |λ| ≤ radius and |Im λ| ≤ oscillation."""
        real = self.real_stability / radius if radius > 0 else math.inf
        return min(real, self.imaginary_stability / oscillation) if oscillation > 0 else real

    @property
    def rows(self) -> tuple[str, ...]:
        """Names of the work arrays it needs."""
        return ()

    @abstractmethod
    def attempt(self, cursor: Cursor, t_new: float) -> Outcome | None:
        """Step from (cursor.t, cursor.y) to t_new: write the row "new", and "error" if there is an estimate.

        Where the problem is an iteration that has come to its end, gives its outcome.
        """

    def check(self, cursor: Cursor) -> None:  # noqa: B027
        """Raise `InputError` if the method cannot work on this problem, before anything is computed."""

    def control(self, rtol: float, atol: float) -> StepController:
        """The step control that fits the method when the user names none."""
        return ErrorControl(rtol, atol)
