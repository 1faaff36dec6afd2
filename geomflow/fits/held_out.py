"""Trainings of networks on some points that are watched on others, which are held out of them."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from typing import Any, ClassVar, Generic, TypeVar

import numpy as np

from geomflow.core.outcome import Outcome, OutcomeKind
from geomflow.core.report import FitReport
from geomflow.fits.fit import Fit, FitState
from geomflow.fits.points import WeightedPoints
from geomflow.flow.solution import Solution
from geomflow.networks.perceptron import Perceptron
from geomflow.variety import HermitianMetric, Hypersurface, Points

Metric = TypeVar("Metric", bound="HermitianMetric")
_SHARE, _MOST = 0.1, 10_000
#: The share of their deviation at which the weights of the last layer start: near Fubini–Study.
SMALL_OUTPUT = 0.01


class HeldOutTraining(Fit, Generic[Metric]):
    """A fit of a network's parameters: ``solve(fit, fit.start(), fit.length)``, then ``fit.metric(solution)``.

    A tenth of the points, at most 10,000, is held out by the seed and only watched. States hold the `parameters` and
    the `best` ones, which had the least σ on these points when they were watched.
    """

    #: Columns of the report's history, and what to change where numbers blow up or the metric is not positive.
    columns: ClassVar[tuple[str, ...]]
    blown: ClassVar[str]
    lost: ClassVar[str]

    variety: Hypersurface
    seed: int
    network: Perceptron
    train: WeightedPoints
    held_out: WeightedPoints

    @property
    @abstractmethod
    def length(self) -> int:
        """The time by which the fit has ended by itself: its steps and one."""

    @abstractmethod
    def change(self, parameters: np.ndarray, points: WeightedPoints) -> np.ndarray:
        """The packed M = g − g_FS of a network, (P, n²).

        Parameters
        ----------
        parameters : (size,) array
            Those of the network.
        points : WeightedPoints
            P of them.
        """

    @abstractmethod
    def taken(self, state: FitState) -> tuple[int, str]:
        """How many steps were taken, in numbers and in words.

        Parameters
        ----------
        state : FitState
            Of this fit.
        """

    @abstractmethod
    def described(self, state: FitState) -> dict[str, Any]:
        """Method, loss and settings, for a report.

        Parameters
        ----------
        state : FitState
            Of this fit.
        """

    @abstractmethod
    def made(self, parameters: np.ndarray, report: FitReport) -> Metric:
        """The metric of a network.

        Parameters
        ----------
        parameters : (size,) array
            Those of the network.
        report : FitReport
            How the fit went.
        """

    def hold_out(self, points: Points, weighted: Callable[[Points], WeightedPoints]) -> None:
        """Split the points by the seed.

        Parameters
        ----------
        points : Points
            All of them.
        weighted : function
            Makes points weighted points.
        """
        train, self.unseen = points.split(1 - held_out_count(len(points)) / len(points), self.seed)
        self.places = train.coordinates
        self.train, self.held_out = weighted(train), weighted(self.unseen)

    def watched(self, state: FitState) -> FitState:
        """The state with σ and the least pivot on the held-out points, and the best parameters so far.

        Parameters
        ----------
        state : FitState
            Of this fit.
        """
        with np.errstate(over="ignore", invalid="ignore"):
            _, sigma, least = self.held_out.quality(self.change(state["parameters"], self.held_out))
        state = state.moved(sigma=sigma, pivot=least, watched=1)
        if least > 0 and sigma < state.number("best_sigma"):
            return state.moved(best=state["parameters"], best_sigma=sigma)
        return state

    def metric(self, solution: Solution[FitState]) -> Metric:
        """The metric that a solution has reached (after a divergence: the best that was watched), with its report.

        Parameters
        ----------
        solution : Solution
            Of this fit.
        """
        state = solution.last
        outcome = self.outcome(state, solution.outcome.kind)
        parameters = state["best" if outcome.kind is OutcomeKind.diverged else "parameters"]
        report = FitReport.of(
            solution, self.columns, solution["watched"] == 1, outcome=outcome, parameters=self.network.size,
            points=len(self.train), held_out=len(self.held_out), **self.described(state),
        )
        return self.made(parameters.copy(), report)

    def outcome(self, state: FitState, kind: OutcomeKind = OutcomeKind.finished) -> Outcome:
        """How a fit has ended that solve says has ended so.

        Parameters
        ----------
        state : FitState
            Where it ended.
        kind : OutcomeKind
            What `solve` says.
        """
        steps, taken = self.taken(state)
        if kind is OutcomeKind.diverged:
            message = f"numbers stopped being finite after {taken}; {self.blown}. The metric is the best one watched."
            return Outcome(kind, message, float(steps))
        least = self.train.volume(self.change(state["parameters"], self.train))[2]
        if not least.min() > 0:
            place = np.round(self.places[np.argmin(least)], 4).tolist()
            message = (
                f"the metric is not positive at {np.count_nonzero(~(least > 0))} of {len(least)} train points, worst "
                f"at {place}, after {taken}: {self.lost}."
            )
            return Outcome(OutcomeKind.singular, message, float(steps))
        kind = OutcomeKind.interrupted if kind is OutcomeKind.interrupted else OutcomeKind.finished
        return Outcome(kind, f"took {taken}.", float(steps))


def held_out_count(count: int) -> int:
    """How many of so many points are held out."""
    return min(max(round(_SHARE * count), 1), _MOST)


def small_start(network: Perceptron, seed: int, factor: float = SMALL_OUTPUT) -> np.ndarray:
    """Parameters drawn by the seed, the weights of the last layer times `factor`: a metric near Fubini–Study."""
    start = network.initial(seed)
    start[network.layout.slices[f"W{network.depth}"]] *= factor
    return start
