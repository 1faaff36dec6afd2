"""How the fit of a φ-network went."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np

from geomflow.core.archive import kept
from geomflow.core.outcome import Outcome


@final
@kept
@dataclass(frozen=True)
class PhiReport:
    """A fit in numbers.

    `history` rows are (core-seconds of work, Adam steps, Gauss–Newton steps, loss on the last batch, σ on held-out
    points, least pivot of g relative to Fubini–Study there). `steps` are the totals of both phases: the same seed,
    points and `steps` give the same metric. `outcome` is finished, interrupted, singular (g is not positive somewhere)
    or diverged.
    """

    outcome: Outcome
    parameters: int
    points: int
    held_out: int
    steps: tuple[int, int]
    seed: int
    loss: str
    history: np.ndarray

    @property
    def sigma(self) -> float:
        """σ on the held-out points at the end."""
        return float(self.history[-1, 4])

    @property
    def curve(self) -> tuple[np.ndarray, np.ndarray]:
        """(core-seconds of work, σ on held-out points), to be drawn."""
        return self.history[:, 0], self.history[:, 4]

    def __str__(self) -> str:
        return (
            f"{self.parameters} parameters, {self.points} points, {self.steps[0]} steps of Adam and {self.steps[1]} of "
            f"Gauss–Newton: σ = {self.sigma:.3g} on {self.held_out} held-out points; "
            f"{self.outcome}"
        )
