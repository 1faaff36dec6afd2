"""Where along a family of metrics their fate changes, by bisection."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, final

from geomflow.core.errors import ConvergenceError, InputError
from geomflow.core.notebook import Facts, InNotebook
from geomflow.core.numbers import real_number, whole
from geomflow.core.outcome import Outcome, OutcomeKind
from geomflow.flow.cursor import Cursor
from geomflow.flow.events import TerminalEvent
from geomflow.flow.flow import Flow
from geomflow.flow.reduced.fate import fate as fate_of_spheres
from geomflow.flow.solver import solve
from geomflow.flow.thresholds import CurvatureGrowth

RTOL, GROWTH, TAIL = 1e-8, 1e13, 1e-5
"""What steps may err, by which factor curvature may grow until a run is given up whose fate is not known by then, and
what may be in the shortest waves of one that is believed."""

Fate = Callable[[Any], str | None]


@final
@dataclass(frozen=True)
class FateKnown(TerminalEvent):
    """Ends a run as finished after the step in which a function of the state gives something else than None.

    Parameters
    ----------
    function : function of the state
        Gives a text or None.
    """

    function: Fate

    def measure(self, cursor: Cursor) -> float:
        """1 while it is open."""
        return 1.0 if self.function(cursor.state()) is None else -1.0

    def outcome(self, t: float, value: float) -> Outcome:
        """Finished."""
        return Outcome(OutcomeKind.finished, f"the fate is certain at t = {t:.9g}.", t)


@final
@dataclass(frozen=True, repr=False)
class Threshold(InNotebook):
    """Where the fate of a family changes. Made by `gf.threshold(...)`.

    Parameters
    ----------
    low, high : float
        Numbers of the family between which it does.
    fates : tuple of str
        The fate at each.
    runs : int
        How many were made.
    """

    low: float
    high: float
    fates: tuple[str, str]
    runs: int

    @property
    def value(self) -> float:
        """The middle."""
        return (self.low + self.high) / 2

    @property
    def error(self) -> float:
        """Half of what is between."""
        return (self.high - self.low) / 2

    def __repr__(self) -> str:
        return f"{self.value:.9g} ± {self.error:.2g}, {self.fates[0]} below and {self.fates[1]} above, {self.runs} runs"

    def __facts__(self) -> Facts:
        return [("threshold", f"{self.value:.9g} ± {self.error:.2g}"), ("below", self.fates[0]),
                ("above", self.fates[1]), ("runs", self.runs)]


def threshold(flow: Flow, family: Callable[[float], Any], low: float, high: float, t1: float, *, digits: int = 4,
              fate: Fate | None = None, **options: Any) -> Threshold:
    """The number between two at which the fate of a family of states changes, by bisection.

    Each run ends as soon as its fate is certain. Raises InputError where the two have the same fate, and
    ConvergenceError for a run whose fate is not certain by t1, or by the time that curvature has grown by 1e13, and for
    one that the grid does not resolve (a tail of 1e-5): it takes more points, or fewer digits.

    Parameters
    ----------
    flow : Flow
        Such as `gf.RicciFlow()`.
    family : function of a number
        Gives a state.
    low, high : float
        Numbers with different fates.
    t1 : float
        When all fates are certain.
    digits : int
        Behind the point: the two are brought within 10^−digits of each other, and the middle is off by half of that.
    fate : function of a state, optional
        Gives the fate by name, or None while it is open: `gf.fate` unless given. What it says must stay true.
    **options
        For `gf.solve`: rtol is 1e-8 unless given.
    """
    ends = [real_number(low, "low"), real_number(high, "high")]
    decided = fate_of_spheres if fate is None else fate
    width = 10.0 ** -whole(digits, "digits", 0)

    def end(number: float) -> str:
        events = [FateKnown(decided), CurvatureGrowth(GROWTH)]
        sol = solve(flow, family(number), t1, events=events, **{"rtol": RTOL, **options})
        found, tail = decided(sol.last), max(sol.monitors.get("tail", [0.0]))
        if found is not None and tail <= TAIL:
            return found
        told = sol.outcome.message if found is None else f"{tail:.2g} of the metric was in the shortest waves."
        raise ConvergenceError(f"the fate at {number:.9g}, between {ends[0]:.9g} and {ends[1]:.9g}, is undecided: "
                               f"{told} Take more points, or fewer digits.")

    fates, runs = [end(number) for number in ends], 2
    if fates[0] == fates[1]:
        raise InputError(f"{ends[0]:.9g} and {ends[1]:.9g} have the same fate, {fates[0]}: take numbers farther apart.")
    while ends[1] - ends[0] > width:
        middle = (ends[0] + ends[1]) / 2
        place = 0 if end(middle) == fates[0] else 1
        ends[place], runs = middle, runs + 1
    return Threshold(ends[0], ends[1], (fates[0], fates[1]), runs)
