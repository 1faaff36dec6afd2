"""The run ends when the state does not change any more."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from geomflow.core.errors import InputError
from geomflow.core.numbers import real_number
from geomflow.core.outcome import Outcome, OutcomeKind
from geomflow.flow.events.watch import Watch

if TYPE_CHECKING:
    from geomflow.flow.cursor import Cursor


@dataclass(frozen=True)
class SteadyState(Watch):
    """Ends the run as steady when the residual max |dy/dt| over components and points falls to `tolerance`."""

    tolerance: float = 1e-8

    def __post_init__(self) -> None:
        object.__setattr__(self, "tolerance", real_number(self.tolerance, "the tolerance of SteadyState"))
        if not self.tolerance > 0:
            raise InputError(f"the tolerance {self.tolerance} of SteadyState must be positive.")

    def measure(self, cursor: Cursor) -> float:
        """residual − tolerance."""
        return cursor.residual() - self.tolerance

    def outcome(self, t: float, value: float) -> Outcome:
        """Steady."""
        message = (
            f"the residual max |dy/dt| fell to {self.tolerance + value:.3g} at t = {t:.9g}. "
            f"For a smaller residual lower the tolerance {self.tolerance:.3g} of SteadyState."
        )
        return Outcome(OutcomeKind.steady, message, t)
