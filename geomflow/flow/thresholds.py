"""Events at which a number of the problem, its curvature, positivity or residual, reaches a level."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, ClassVar

from geomflow.core.content import KIND
from geomflow.core.errors import InputError
from geomflow.core.numbers import finite_number, real_number
from geomflow.core.outcome import Outcome, OutcomeKind
from geomflow.flow.events import TerminalEvent
from geomflow.flow.problem import Problem

if TYPE_CHECKING:
    from geomflow.flow.cursor import Cursor


class Threshold(TerminalEvent):
    """Ends the run when a number of the problem reaches a level, which is the one field of a subclass.

    rising  the number is below the level at first and not above it
    """

    rising: ClassVar[bool] = False

    @property
    def level(self) -> float:
        """The value of the field."""
        return float(getattr(self, self._key))

    @property
    def _key(self) -> str:
        return fields(self)[0].name  # type: ignore[arg-type]

    @abstractmethod
    def number(self, cursor: Cursor) -> float:
        """What is compared with the level.

        Parameters
        ----------
        cursor : Cursor
            Where the run is.
        """

    def measure(self, cursor: Cursor) -> float:
        """The distance that is left."""
        above = self.number(cursor) - self.level
        return -above if self.rising else above

    def follows(self, other: Mapping[str, Any]) -> bool:
        """Whether `other` is such an event too, at a level that is reached no later."""
        there = other.get(self._key) if other.get(KIND) == type(self).__name__ else None
        return there is not None and (self.level >= there if self.rising else self.level <= there)

    def outcome(self, t: float, value: float) -> Outcome:
        """How the run ended, in the words of the subclass."""
        kind, message = self.told(t, self.level - value if self.rising else self.level + value)
        return Outcome(kind, message, t)

    @abstractmethod
    def told(self, t: float, number: float) -> tuple[OutcomeKind, str]:
        """The kind of the outcome, and what to say of it, and what to change.

        Parameters
        ----------
        t : float
            When it was reached.
        number : float
            What was reached.
        """


@dataclass(frozen=True)
class CurvatureBlowUp(Threshold):
    """Ends the run as singular when the problem's curvature reaches a threshold.

    Parameters
    ----------
    threshold : float
        Positive, in units 1/length².
    """

    threshold: float

    rising: ClassVar[bool] = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "threshold", real_number(self.threshold, "the curvature threshold"))
        if not self.threshold > 0:
            raise InputError(f"the curvature threshold {self.threshold} must be positive.")

    def check(self, problem: Problem) -> None:
        """The problem must have a curvature."""
        if problem.curvature is None:
            raise InputError("this flow has no curvature to watch: use Event(name, function) on what it has.")

    def number(self, cursor: Cursor) -> float:
        """The curvature; one that is not a number counts as infinite."""
        assert cursor.problem.curvature is not None
        value = cursor.problem.curvature(cursor.t, cursor.y)
        return value if value == value else math.inf

    def told(self, t: float, number: float) -> tuple[OutcomeKind, str]:
        """Singular."""
        return OutcomeKind.singular, (
            f"curvature reached {number:.6g} at t = {t:.9g}, above the threshold {self.threshold:.6g}. "
            "To follow the singularity further, refine the grid and raise the threshold of CurvatureBlowUp."
        )


@dataclass(frozen=True)
class CurvatureGrowth(Threshold):
    """Ends the run as singular when the problem's curvature has grown by a factor since the start.

    Runs of metrics with symmetry are watched so, up to 1e10 where the metric is homogeneous and 1e6 where it varies;
    an event of this kind that is given to `solve` takes its place. A flat start, of which nothing is a multiple, is
    not watched.

    Parameters
    ----------
    factor : float
        Above 1: of curvature, so that lengths have shrunk by its root.
    """

    factor: float

    rising: ClassVar[bool] = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "factor", real_number(self.factor, "the factor of CurvatureGrowth"))
        if not self.factor > 1:
            raise InputError(f"curvature grows by a factor above 1, not by {self.factor}.")

    def check(self, problem: Problem) -> None:
        """The problem must have a curvature."""
        if problem.curvature is None:
            raise InputError("this flow has no curvature to watch: use Event(name, function) on what it has.")

    def number(self, cursor: Cursor) -> float:
        """Curvature over that at the start; one that is not a number counts as infinite."""
        problem = cursor.problem
        assert problem.curvature is not None
        first, now = problem.curvature(problem.start, problem.y0), problem.curvature(cursor.t, cursor.y)
        if first == 0:
            return 0.0
        return now / first if now == now else math.inf

    def told(self, t: float, number: float) -> tuple[OutcomeKind, str]:
        """Singular."""
        return OutcomeKind.singular, (
            f"curvature has grown by {number:.6g} at t = {t:.9g}, more than the factor {self.factor:.6g}. "
            "To follow the singularity further, refine the grid and give an event CurvatureGrowth of a larger factor."
        )


@dataclass(frozen=True)
class ClassBoundary(Threshold):
    """Ends the run as singular when the Kähler class has come so much nearer to the boundary of its cone.

    Runs of metrics on a span are watched so: the length of an end, or of the whole, has fallen by the factor since the
    start. An event of this kind that is given to `solve` takes its place.

    Parameters
    ----------
    factor : float
        Above 1.
    """

    factor: float = 300.0

    rising: ClassVar[bool] = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "factor", real_number(self.factor, "the factor of ClassBoundary"))
        if not self.factor > 1:
            raise InputError(f"a Kähler class comes nearer to its boundary by a factor above 1, not by {self.factor}.")

    def check(self, problem: Problem) -> None:
        """The problem must have a Kähler class."""
        if problem.cone is None:
            raise InputError("this flow has no Kähler class that moves: leave ClassBoundary out.")

    def number(self, cursor: Cursor) -> float:
        """The largest factor by which a length has fallen."""
        problem = cursor.problem
        assert problem.cone is not None
        first, now = problem.cone(problem.y0), problem.cone(cursor.y)
        return max(a / b if b > 0 else math.inf for a, b in zip(first, now, strict=True))

    def told(self, t: float, number: float) -> tuple[OutcomeKind, str]:
        """Singular."""
        return OutcomeKind.singular, (
            f"a length of the Kähler class has fallen by {number:.6g} at t = {t:.9g}, more than the factor "
            f"{self.factor:.6g}. To go nearer to the singularity, take more points, and give an event ClassBoundary of "
            "a larger factor."
        )


@dataclass(frozen=True)
class ResolutionLoss(Threshold):
    """Ends the run as diverged when the shortest waves of a spectral grid hold too much of the state.

    Runs of metrics with symmetry that vary along one coordinate are watched so; an event of this kind that is given to
    `solve` takes its place.

    Parameters
    ----------
    tail : float
        The largest coefficient among the shortest tenth of the waves, over the largest of all or 1: between 0 and 1.
    """

    tail: float = 1e-3

    rising: ClassVar[bool] = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "tail", real_number(self.tail, "the tail of ResolutionLoss"))
        if not 0 < self.tail <= 1:
            raise InputError(f"the tail of ResolutionLoss is a share between 0 and 1, and {self.tail} was given.")

    def check(self, problem: Problem) -> None:
        """The problem must know how much is in its shortest waves."""
        if problem.tail is None:
            raise InputError("this flow does not say what is in its shortest waves: leave ResolutionLoss out.")

    def number(self, cursor: Cursor) -> float:
        """The share of the shortest waves."""
        assert cursor.problem.tail is not None
        return cursor.problem.tail(cursor.t, cursor.y)

    def told(self, t: float, number: float) -> tuple[OutcomeKind, str]:
        """Diverged."""
        return OutcomeKind.diverged, (
            f"at t = {t:.9g} the grid does not resolve the metric any more: {number:.3g} of it is in the shortest "
            "waves. Take more points, or draw them to where it varies, ansatz.grid(n, places=[(X, 6)])."
        )


@dataclass(frozen=True)
class PositivityLoss(Threshold):
    """Ends the run as singular when the problem's positivity, say its least eigenvalue, falls to a floor.

    Parameters
    ----------
    floor : float
        In the units of what must stay positive.
    """

    floor: float = 1e-6

    def __post_init__(self) -> None:
        object.__setattr__(self, "floor", finite_number(self.floor, "the floor of PositivityLoss"))

    def check(self, problem: Problem) -> None:
        """The problem must have something that is positive."""
        if problem.positivity is None:
            raise InputError("nothing in this flow has to stay positive: use Event(name, function) on what it has.")

    def number(self, cursor: Cursor) -> float:
        """The positivity."""
        assert cursor.problem.positivity is not None
        return cursor.problem.positivity(cursor.t, cursor.y)

    def told(self, t: float, number: float) -> tuple[OutcomeKind, str]:
        """Singular."""
        return OutcomeKind.singular, (
            f"what must stay positive fell to {number:.6g} at t = {t:.9g}, below the floor {self.floor:.6g}"
            " of PositivityLoss. To go nearer to the degenerate metric, lower the floor; to avoid it, change the state."
        )


@dataclass(frozen=True)
class SteadyState(Threshold):
    """Ends the run as steady when the residual max |dy/dt| over components and points falls to a tolerance.

    Parameters
    ----------
    tolerance : float
        Positive, in the units of the rate.
    """

    tolerance: float = 1e-8

    def __post_init__(self) -> None:
        object.__setattr__(self, "tolerance", real_number(self.tolerance, "the tolerance of SteadyState"))
        if not self.tolerance > 0:
            raise InputError(f"the tolerance {self.tolerance} of SteadyState must be positive.")

    def number(self, cursor: Cursor) -> float:
        """The residual."""
        return cursor.residual()

    def told(self, t: float, number: float) -> tuple[OutcomeKind, str]:
        """Steady."""
        return OutcomeKind.steady, (
            f"the residual max |dy/dt| fell to {number:.3g} at t = {t:.9g}. "
            f"For a smaller residual lower the tolerance {self.tolerance:.3g} of SteadyState."
        )
