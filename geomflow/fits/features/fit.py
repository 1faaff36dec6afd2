"""Regularised Gauss–Newton fits in the span of frozen tangent features: kernel ridge regression for v = 1.

With A = √μ ∂v/∂δ and r = √μ (v − 1) at δ, v of mean one on the points and μ their weights, a step goes to

    δ' = argmin |A (δ' − δ) + r|² + λ |δ'|²  =  Aᵀ (A Aᵀ + λ)⁻¹ (A δ − r)  =  (AᵀA + λ)⁻¹ Aᵀ (A δ − r).

|δ|² is the norm of the tangent kernel Θ = J Jᵀ, A Aᵀ the kernel of the residuals: only Θ enters, not the features.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, final

import numpy as np

from geomflow.core.archive import kept
from geomflow.core.errors import InputError
from geomflow.core.memory import require
from geomflow.core.outcome import Outcome, OutcomeKind
from geomflow.core.threads import one_thread_products, slices
from geomflow.fits.features.span import TangentSpan
from geomflow.fits.fit import Fit, FitState, Last, carried_out, table
from geomflow.fits.linear import add_gram, gram, solved
from geomflow.fits.loss import EnergyLoss, Loss
from geomflow.fits.objective import Objective, View, shortened
from geomflow.variety.measures import checked_volume
from geomflow.variety.metric import PolarisedMetric

if TYPE_CHECKING:
    from geomflow.variety.points import Points

#: Ridges that are tried, in units of the trace of A Aᵀ at Fubini–Study.
RIDGES = tuple(10.0**-k for k in range(2, 13))
_HELD_OUT = 0.2
_POLISH, _HALVINGS = 2, 12
_BLOCK = 1024
COLUMNS = ("ridge", "sigma", "sigma held out", "pivot")


@final
@kept
@dataclass(frozen=True)
class FrozenReport:
    """A fit in numbers: `history` rows are (λ relative, σ on fitted points, σ held out, least pivot on fitted ones).

    `ridge` is the λ that was chosen, relative to the trace of A Aᵀ at Fubini–Study.
    """

    outcome: Outcome
    features: int
    points: int
    ridge: float
    history: np.ndarray

    def __str__(self) -> str:
        return (
            f"{self.features} frozen features, {self.points} points, λ = {self.ridge:.0e}: σ = "
            f"{self.history[-1, 1]:.3g} on the fitted points; {self.outcome}"
        )


def frozen_fit(
    span: TangentSpan,
    points: Points,
    *,
    ridge: float | None = None,
    seed: int = 0,
    progress: bool | None = None,
) -> Any:
    """The metric g_FS + M, M in the span, that minimises ∫(v − 1)² dμ_Ω + λ|δ|² on `points`, started at g_FS.

    Without a `ridge` (λ relative to the trace of A Aᵀ at g_FS) one is chosen among `RIDGES` by σ on a fifth of
    the points, drawn by the seed; the last steps then see all of them. Returns a `KernelMetric` (of a φ-network) or
    `FrozenComponents`; `metric.report` tells the outcome: singular where no step stays in the cone of
    metrics, steady at g_FS where none lowers σ on the points held out.

    Where there are fewer features than points the normal equations are summed in blocks, else the kernel of the points
    is formed, whose bytes are required first (`MemoryLimitError`). Raises `InputError` for a ridge that is not > 0.
    """
    if ridge is not None and not 0 < ridge < np.inf:
        raise InputError(f"the ridge is {ridge}; give a positive number, or None to have it chosen")
    if len(points) < 10:
        raise InputError(f"{len(points)} points are too few for a fit; give at least 10")
    square = EnergyLoss.of("(v - 1)^2")
    with one_thread_products():
        chosen, start, path, stuck = ridge, np.zeros(span.size), np.zeros((0, 4)), False
        if ridge is None:
            train, held_out = points.split(1 - _HELD_OUT, seed)
            unseen = TangentObjective(span, span.places(held_out), square)
            fit = FrozenFit(TangentObjective(span, span.places(train), square), unseen, RIDGES, start)
            solution = carried_out(fit, len(RIDGES) + 1, progress)
            chosen, start, path = solution.last.number("ridge"), solution.last["best"], table(solution, *COLUMNS)[1:]
            stuck = solution.outcome.kind is OutcomeKind.singular and not start.any()
        alive, count = ridge is not None or bool(start.any()), _POLISH if ridge is None else len(RIDGES)
        last = FrozenFit(TangentObjective(span, span.places(points), square), None, (chosen,) * count * alive, start)
        solution = carried_out(last, count + 1, progress)
    outcome = last.outcome(solution.last, stuck or solution.outcome.kind is OutcomeKind.singular)
    history = np.concatenate([path, table(solution, *COLUMNS)[1:]])
    report = FrozenReport(outcome, span.size, len(points), chosen, history)
    metric = span.result(solution.last["coefficients"], report)
    if isinstance(metric, PolarisedMetric):
        checked_volume(metric, points)
    return metric


@final
@dataclass(frozen=True, eq=False)
class TangentObjective(Objective):
    """∫(v − 1)² dμ_Ω on the places of a span; views are taken from (∂v/∂M with κ held fixed, the packed M)."""

    span: TangentSpan
    places: Any
    loss: Loss

    @property
    def weights(self) -> np.ndarray:
        """Those of the places."""
        return self.places.weights

    def look(self, coefficients: np.ndarray) -> View:
        """What is there at these coefficients."""
        change = self.span.change(self.places, coefficients)
        volume, dual, least = self.places.volume(change)
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            return self.seen(volume, float(least.min()), (dual / (self.weights @ volume), change))

    @cached_property
    def scale(self) -> float:
        """tr A Aᵀ at Fubini–Study, κ held fixed: the unit of ridges."""
        dual, total = self.look(np.zeros(self.span.size)).at[0], 0.0
        for block, rows in self._blocks(dual):
            total += float(self.weights[block] @ np.sum(rows**2, axis=1))
        return total

    def target(self, view: View, level: float) -> np.ndarray:
        """δ' of a full step; NaN where the features are too large for numbers."""
        (dual, change), v, root = view.at, view.v, np.sqrt(self.weights)
        along = np.sum(dual * change, axis=1)
        target = root * (along - v * (self.weights @ along) - (v - 1))
        if self.span.size < len(v):
            return self._primal(dual, v, target, level)
        rows = self._rows(dual)
        rows -= v[:, None] * (self.weights @ rows)
        rows *= root[:, None]
        return solved(gram(rows), level, target) @ rows

    def _primal(self, dual: np.ndarray, v: np.ndarray, target: np.ndarray, level: float) -> np.ndarray:
        """(AᵀA + λ)⁻¹ Aᵀ b with AᵀA summed over blocks of points."""
        size, root = self.span.size, np.sqrt(self.weights)
        require(24.0 * size**2, f"normal equations of {size} features", "take a narrower network")
        normal, right, mean = np.zeros((size, size)), np.zeros(size), np.zeros(size)
        crossed = np.zeros(size)
        for block, rows in self._blocks(dual):
            rows *= root[block, None]
            mean += root[block] @ rows
            right += target[block] @ rows
            crossed += (root * v)[block] @ rows
            add_gram(rows.T, normal)
        upper = np.triu(np.outer(crossed, mean) + np.outer(mean, crossed))
        normal += (self.weights @ v**2) * np.triu(np.outer(mean, mean)) - upper
        return solved(normal, level, right - (target @ (root * v)) * mean)

    def _blocks(self, dual: np.ndarray) -> Iterator[tuple[slice, np.ndarray]]:
        """Blocks of points with the derivatives by the coefficients there, in one room."""
        room = np.empty((_BLOCK, self.span.size))
        for block in slices(len(dual), _BLOCK):
            part = self.places.take(np.arange(block.start, block.stop))
            yield block, self.span.fill(part, dual[block], room[: block.stop - block.start])

    def _rows(self, dual: np.ndarray) -> np.ndarray:
        shape = len(dual), self.span.size
        bytes_ = 8.0 * (1.5 * shape[0] * shape[1] + 2 * shape[0] ** 2)
        require(bytes_, f"the kernel of {shape[0]} points by {shape[1]} features", "take fewer points or features")
        return self.span.fill(self.places, dual, np.empty(shape))


@final
@dataclass(frozen=True, eq=False)
class FrozenFit(Fit):
    """Gauss–Newton steps from the coefficients `first`, one for each of the relative `ridges`.

    With points held out `best` and `ridge` are those of least σ there, and the steps end where it has grown by half.
    """

    objective: TangentObjective
    held_out: TangentObjective | None
    ridges: tuple[float, ...]
    first: np.ndarray

    name: ClassVar[str] = "frozen-fit"

    @cached_property
    def _look(self) -> Last:
        return Last(self.objective.look)

    @cached_property
    def _seen(self) -> Last:
        return Last(self.objective.look if self.held_out is None else self.held_out.look)

    def start(self) -> FitState:
        """Where no ridge was tried."""
        sigma = self._unseen(self.first)
        return FitState.of(coefficients=self.first, taken=0, best=self.first, ridge=RIDGES[0], sigma=sigma)

    def step(self, state: FitState) -> FitState | Outcome:
        """The step of the next ridge, halved until g stays positive and the energy falls."""
        here, taken = state["coefficients"], state.count("taken")
        if taken == len(self.ridges) or self._unseen(here) > 1.5 * state.number("sigma"):
            return Outcome(OutcomeKind.finished, f"took {taken} steps.", float(taken))
        ridge, view = self.ridges[taken], self._look(here)
        level = ridge * self.objective.scale

        def whole(view: View, coefficients: np.ndarray) -> float:
            return view.energy + float(level * coefficients @ coefficients)

        target = self.objective.target(view, level)
        if not np.isfinite(target).all():
            raise InputError("the kernel of the residuals is not finite: the features are too large here")
        most = np.nextafter(whole(view, here), np.inf)
        found = shortened(self.objective, here, most, target - here, goal=whole, halvings=_HALVINGS)
        if found is None:
            inside = self.objective.look(target).least > 0
            return Outcome(OutcomeKind.steady if inside else OutcomeKind.singular, "no step is good.", float(taken))
        self._look.put(*found[1:])
        return self._arrived(state.moved(coefficients=found[1], taken=taken + 1), ridge)

    def _arrived(self, state: FitState, ridge: float) -> FitState:
        sigma = self._unseen(state["coefficients"])
        if sigma < state.number("sigma"):
            return state.moved(best=state["coefficients"], ridge=ridge, sigma=sigma)
        return state

    def _unseen(self, coefficients: np.ndarray) -> float:
        """σ on held-out points; infinite where g is not positive there, NaN without any."""
        if self.held_out is None:
            return np.nan
        view = self._seen(coefficients)
        return view.sigma if view.least > 0 else np.inf

    def numbers(self, state: FitState) -> Mapping[str, float]:
        """The last ridge, σ on fitted points and held out, and the least pivot on fitted ones."""
        view, taken = self._look(state["coefficients"]), state.count("taken")
        ridge = self.ridges[taken - 1] if taken else np.nan
        return dict(zip(COLUMNS, (ridge, view.sigma, self._unseen(state["coefficients"]), view.least), strict=True))

    def outcome(self, state: FitState, stuck: bool) -> Outcome:
        """How it ended."""
        view, steps = self._look(state["coefficients"]), state.number("taken")
        if stuck:
            message = (
                f"no step from σ = {view.sigma:.3g} stays in the cone of metrics at all {len(view.v)} points; "
                "take a larger ridge or more points"
            )
            return Outcome(OutcomeKind.singular, message, steps)
        if not state["coefficients"].any():
            message = (
                f"no step from Fubini–Study lowers σ = {view.sigma:.3g} on the points held out: these features say "
                "nothing about other points; take more points or other features"
            )
            return Outcome(OutcomeKind.steady, message, steps)
        return Outcome(OutcomeKind.finished, f"least pivot of g {view.least:.3g}.", steps)
