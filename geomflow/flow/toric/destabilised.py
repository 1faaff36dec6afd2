"""The event that ends Calabi flow on a surface that is not K-stable: it diverges along the cut that destabilises it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, final

import numpy as np

from geomflow.core.outcome import Outcome, OutcomeKind
from geomflow.flow.events import TerminalEvent

if TYPE_CHECKING:
    from geomflow.field.toric.grid import ToricGrid
    from geomflow.flow.cursor import Cursor


@final
@dataclass(frozen=True)
class Destabilised(TerminalEvent):
    """Ends a run as diverged when h has grown to a multiple of Σ l log l, modulo affine functions in L².

    Calabi flow on a surface that is not K-stable is watched so; an event of this kind that is given to `solve` takes
    its place. The K-energy has no lower bound there, and falls along h ~ t f with f convex (Donaldson 2002).

    Parameters
    ----------
    cut : str
        What destabilises, for the message.
    size : float
        The norm of Σ l log l.
    factor : float
        The multiple.
    """

    cut: str
    size: float
    factor: float = 20.0

    def measure(self, cursor: Cursor) -> float:
        """How much is left until h is that large."""
        return self.factor - float(np.linalg.norm(cursor.y)) / self.size

    def outcome(self, t: float, value: float) -> Outcome:
        """Diverged, with the cut."""
        message = (f"at t = {t:.9g} the flow has diverged: h is {self.factor - value:.4g} times the potential "
                   f"Σ l log l, and the K-energy falls without a bound, for the surface is destabilised by {self.cut}. "
                   "There is no extremal metric to tend to: take another class or another polygon.")
        return Outcome(OutcomeKind.diverged, message, t)


def potential_size(grid: ToricGrid) -> float:
    """√∫|Σ l log l|² modulo affine functions."""
    rule = grid.polynomials.polygon_rule
    constants = np.array(grid.toric.constants, dtype=float)
    sides = np.array(grid.toric.normals) @ rule.points.T + constants[:, None]
    values = (sides * np.log(sides)).sum(axis=0)
    affine = grid.polynomials.jets(rule.points)[0][:, :3]
    left = values - affine @ (affine.T @ (rule.weights * values))
    return float(np.sqrt(rule.weights @ left**2))
