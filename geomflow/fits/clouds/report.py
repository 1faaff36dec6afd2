"""What a flow on points reports: how it ended and went."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np

from geomflow.core.archive import kept
from geomflow.core.outcome import Outcome
from geomflow.variety.measures import gain_of

#: Columns of `CloudReport.history`.
COLUMNS = ("step", "loss", "sigma", "pivot", "size")


@final
@kept
@dataclass(frozen=True, eq=False)
class CloudReport:
    """How a flow on points went; `outcome` says how it ended and what to change.

    outcome   finished (all steps), steady (σ is at rounding), singular (the metric stopped being positive), diverged
              (steps too long) or interrupted; after singular and diverged ends the metric is the last good one
    steps     how many steps the metric has taken
    gain      σ of Fubini–Study over σ of the metric, on the train points
    history   a row for each step from 0 on: its number, loss, σ, least pivot of g over that of Fubini–Study (positive
              where g is), and the size of the step that led there (the largest relative change of a train metric)
    """

    outcome: Outcome
    points: int
    loss: str
    history: np.ndarray

    @property
    def steps(self) -> int:
        """How many steps the metric has taken."""
        return int(self.history[-1, 0])

    @property
    def gain(self) -> float:
        """σ before over σ after on the train points."""
        return gain_of(self.history[0, 2], self.history[-1, 2])

    def column(self, name: str) -> np.ndarray:
        """The history of one of step, loss, sigma, pivot, size."""
        return self.history[:, COLUMNS.index(name)]

    def __str__(self) -> str:
        sigma = self.history[[0, -1], 2]
        return (f"{self.points} train points, loss {self.loss}, {self.steps} steps: σ from {sigma[0]:.4g} to "
                f"{sigma[1]:.4g}, gain {self.gain:.4g}. {self.outcome}")
