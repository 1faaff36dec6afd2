"""How a descent in a kernel went."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np

from geomflow.core.archive import kept
from geomflow.core.outcome import Outcome


@final
@kept
@dataclass(frozen=True)
class KernelReport:
    """A descent in numbers.

    `history` rows are (time of the flow, E, σ on the train points, σ on the watched ones, least pivot of g relative to
    Fubini–Study on both); `trials` are all settings among which these were chosen, each with its σ on the points held
    out of it. `outcome` is finished or steady: a step that would leave the Kähler cone on the points is shortened.
    """

    outcome: Outcome
    method: str
    loss: str
    functions: int
    points: int
    history: np.ndarray
    trials: tuple[tuple[str, float], ...] = ()

    @property
    def sigma(self) -> float:
        """σ on the train points at the end."""
        return float(self.history[-1, 2])

    @property
    def curve(self) -> tuple[np.ndarray, np.ndarray]:
        """(time, σ on the train points), to be drawn."""
        return self.history[:, 0], self.history[:, 2]

    def __str__(self) -> str:
        return (
            f"{self.functions} functions, {self.points} points, {self.method}: σ = {self.sigma:.3g} on the train "
            f"points; {self.outcome}"
        )
