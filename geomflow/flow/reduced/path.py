"""A run of metrics with symmetry between its kept states."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, final

import numpy as np
from scipy.interpolate import BPoly, KroghInterpolator

from geomflow.core.errors import InputError
from geomflow.field.reduced.grid import ReducedGrid
from geomflow.field.reduced.state import ReducedState
from geomflow.flow.reduced.binding import rates_in
from geomflow.flow.reduced.rates import Rates
from geomflow.symbolic.ansatz.closing import radial

if TYPE_CHECKING:
    from geomflow.flow.flow import Flow
    from geomflow.flow.solution import Solution

MOVED = 1e-6
"""What the logarithms of points' shares of the length may change by rounding."""

SLACK = 1e-9
"""Times may lie outside of the run by this share of its length."""


@final
@dataclass(frozen=True, eq=False)
class ReducedPath:
    """g(t) between the kept states of a run, by quintic Hermite interpolation of the regular fields in time.

    ∂_t y at the kept states is that of the reduced equations, ∂_t² y is found from three of them: the error is of sixth
    order in the distance of the kept times. `path(t)` are the packed fields.

    Parameters
    ----------
    solution : Solution
        Of metrics with symmetry on one grid, whose equations do not hold the time.
    flow : Flow
        What was run.
    """

    solution: Solution[ReducedState]
    flow: Flow

    def __post_init__(self) -> None:
        if len(self.solution.times) < 2:
            raise InputError("the solution keeps one state only; keep more with solve(..., save_at=32).")
        if any(state.grid != self.grid for state in self.solution.states):
            raise InputError("the run went from one grid to another, and backward it is to be on one: end it before "
                             "that.")
        if self.gauge == "arclength" and self._placed_anew:
            raise InputError("the points of the run were placed anew on its way, and between kept states they are to "
                             'stay: take more points, or RicciFlow(gauge="comoving").')

    @property
    def _placed_anew(self) -> bool:
        """Whether points have got other shares of the whole length, which √g_xx tells."""
        names = [field.name for field in self.grid.ansatz.regular.fields]
        along = radial(self.grid.ansatz, self.grid.coordinates[0])
        assert along is not None
        place = names.index(f"log_{along[0].name}")
        rows = np.array([self.solution.states.packed(n)[place] for n in range(len(self.solution.times))])
        shares = rows - rows[:, :1]
        return bool(np.abs(shares - shares[0]).max() > MOVED)

    @property
    def grid(self) -> ReducedGrid:
        """The grid of the run."""
        return self.solution.last.grid

    @property
    def gauge(self) -> str | None:
        """The gauge in which points moved; None where they did not."""
        found = str(self.solution.description["gauge"])
        return None if found == "comoving" else found

    @property
    def end(self) -> float:
        """The last time."""
        return float(self.solution.times[-1])

    @cached_property
    def rates(self) -> Rates:
        """The equations that were run."""
        return rates_in(self.gauge or "comoving", self.grid, self.grid.ansatz.reduce(self.flow))

    def field(self, t: float) -> ReducedState:
        """g(t) as a state.

        Parameters
        ----------
        t : float
            The time.
        """
        return ReducedState(self.grid, self(t))

    def __call__(self, t: float) -> np.ndarray:
        """g(t), packed. Raises InputError for a time outside of the run."""
        return self.near(t, SLACK)

    def near(self, t: float, share: float) -> np.ndarray:
        """g(t), packed, continued beyond the ends of the run by a share of its length at most.

        Parameters
        ----------
        t : float
            The time.
        share : float
            How far beyond.
        """
        times = self.solution.times
        slack = share * (times[-1] - times[0])
        if not times[0] - slack <= t <= times[-1] + slack:
            raise InputError(f"the solution runs from t = {times[0]:.6g} to {times[-1]:.6g}, and the metric at "
                             f"{t:.6g} was asked for: run backward no longer than {times[-1] - times[0]:.6g}.")
        return np.asarray(self._between(t))

    @cached_property
    def _between(self) -> Any:
        """Each piece has y, ∂_t y and, of three kept states or more, ∂_t² y at its ends."""
        times = self.solution.times
        values = np.array([self.solution.states.packed(place) for place in range(len(times))])
        slopes = np.array([self._rate(float(t), y) for t, y in zip(times, values, strict=True)])
        bends = [_second(place, times, values, slopes) for place in range(len(times))] if len(times) > 2 else []
        return BPoly.from_derivatives(times, [[*row] for row in zip(values, slopes, *([bends] if bends else []),
                                                                    strict=True)])

    def _rate(self, t: float, y: np.ndarray) -> np.ndarray:
        rate = np.empty_like(y)
        self.rates.rate(t, y, rate)
        return rate


def _second(place: int, times: np.ndarray, values: np.ndarray, slopes: np.ndarray) -> np.ndarray:
    """∂_t² y of the polynomial of fifth degree with y and ∂_t y at three kept times.

    The equation gives it too, but there modes that grids resolve badly come with their rate squared.
    """
    first = min(max(place - 1, 0), len(times) - 3)
    near = slice(first, first + 3)
    rows = np.stack([values[near], slopes[near]], axis=1).reshape(6, *values.shape[1:])
    return np.asarray(KroghInterpolator(np.repeat(times[near], 2), rows).derivative(times[place], 2))
