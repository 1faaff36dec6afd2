"""A run of Ricci flow as a metric that depends on time."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, final

import numpy as np

from geomflow.core.errors import InputError
from geomflow.field import MetricField
from geomflow.field.operators import Operator, discretise
from geomflow.flow.equations.ricci import GAUGES, RicciFlow, ricci_program

if TYPE_CHECKING:
    from geomflow.field.grid import Grid
    from geomflow.flow.solution import Solution

SLACK = 1e-9
"""Times may lie outside of the run by this share of its length."""


@final
@dataclass(frozen=True, eq=False)
class MetricPath:
    """g(t) between the kept states of a solution, by cubic Hermite interpolation in time.

    The rates ∂_t g at the kept states are those of the flow itself, so that the error is of fourth order in the
    distance of the kept times. `path(t)` is the packed metric, (ncomp, *grid).
    """

    solution: Solution
    gauge: str | None
    rate: Operator
    known: dict[int, np.ndarray] = dataclasses.field(default_factory=dict)

    @staticmethod
    def of(solution: Any) -> MetricPath:
        """The path of a solution of RicciFlow, bare or in DeTurck's gauge.

        Raises InputError for anything else, and for a solution that keeps one state only.
        """
        equation = getattr(solution, "description", {}).get("equation")
        gauges = [gauge for gauge in (None, *GAUGES) if equation == str(RicciFlow(gauge=gauge))]
        if not gauges:
            given = equation or type(solution).__name__
            raise InputError("the conjugate heat equation runs along a solution of RicciFlow() or "
                             f"RicciFlow(gauge='deturck'); {given} was given.")
        if len(solution.times) < 2:
            raise InputError("the solution keeps one state only; keep more with solve(..., save_at=32).")
        grid = solution.last.grid
        program = ricci_program(grid.torus.coordinates, gauges[0], False)
        return MetricPath(solution, gauges[0], discretise(program, grid))

    @property
    def grid(self) -> Grid:
        """The grid of the run."""
        grid: Grid = self.solution.last.grid
        return grid

    @property
    def end(self) -> float:
        """The last time."""
        return float(self.solution.times[-1])

    def field(self, t: float) -> MetricField:
        """g(t) as a state."""
        metric: MetricField = self.solution.last.unpack(self(t))
        return metric

    def __call__(self, t: float) -> np.ndarray:
        """g(t), packed. Raises InputError for a time outside of the run."""
        times = self.solution.times
        slack = SLACK * (times[-1] - times[0])
        if not times[0] - slack <= t <= times[-1] + slack:
            raise InputError(f"the solution runs from t = {times[0]:.6g} to {times[-1]:.6g}, and the metric at "
                             f"{t:.6g} was asked for: run backward no longer than {times[-1] - times[0]:.6g}.")
        left = int(np.clip(np.searchsorted(times, t, side="right") - 1, 0, len(times) - 2))
        width = times[left + 1] - times[left]
        s = (t - times[left]) / width
        ends = [self.solution.states.packed(left), self.solution.states.packed(left + 1)]
        slopes = [width * self._rate(left), width * self._rate(left + 1)]
        rise = s * s * (3 - 2 * s)
        return (1 - rise) * ends[0] + rise * ends[1] + s * (1 - s) * ((1 - s) * slopes[0] - s * slopes[1])

    def _rate(self, index: int) -> np.ndarray:
        """∂_t g at a kept time."""
        if index not in self.known:
            self.known[index] = self.rate(np.ascontiguousarray(self.solution.states.packed(index)))
        return self.known[index]
