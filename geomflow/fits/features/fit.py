"""Regularised Gauss–Newton fits in the span of frozen tangent features: kernel ridge regression for v = 1.

With A = √μ ∂v/∂δ and r = √μ (v − 1) at δ, v of mean one on the points and μ their weights, a step goes to

    δ' = argmin |A (δ' − δ) + r|² + λ |δ'|²  =  Aᵀ (A Aᵀ + λ)⁻¹ (A δ − r)  =  (AᵀA + λ)⁻¹ Aᵀ (A δ − r).

|δ|² is the norm of the tangent kernel Θ = J Jᵀ, A Aᵀ the kernel of the residuals: only Θ enters, not the features.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, final

import numpy as np
from scipy.linalg import LinAlgError, cho_factor, cho_solve

from geomflow.core.errors import InputError
from geomflow.core.memory import require
from geomflow.core.outcome import Outcome, OutcomeKind
from geomflow.core.progress import counter
from geomflow.core.threads import each, one_thread_products, slices
from geomflow.fits.features.span import TangentSpan
from geomflow.variety.density import checked_volume
from geomflow.variety.metric import VarietyMetric

if TYPE_CHECKING:
    from geomflow.variety.points import Points

#: Ridges that are tried, in units of the trace of A Aᵀ at Fubini–Study.
RIDGES = tuple(10.0**-k for k in range(2, 13))
_HELD_OUT = 0.2
_POLISH, _HALVINGS = 2, 12
_BLOCK, _TILE = 1024, 512


@final
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
    with counter("frozen features", progress) as tick, one_thread_products():
        if ridge is None:
            train, held_out = points.split(1 - _HELD_OUT, seed)
            descent = Descent(span, train, held_out)
            chosen, start = descent.path(tick)
            history = descent.history
        else:
            chosen, start, history = ridge, np.zeros(span.size), []
        last = Descent(span, points, start=start)
        alive = start.any() or chosen == ridge
        last.stuck = not alive and descent.stuck
        for _ in range(_POLISH if ridge is None else len(RIDGES)):
            alive = alive and last.step(chosen, tick)
    history = np.array([*history, *last.history])
    report = FrozenReport(last.outcome(), span.size, len(points), chosen, history)
    metric = span.result(last.coefficients, report)
    if isinstance(metric, VarietyMetric):
        checked_volume(metric, points)
    return metric


class Descent:
    """Gauss–Newton steps on some points from Fubini–Study, or from given coefficients."""

    def __init__(
        self, span: TangentSpan, points: Points, held_out: Points | None = None, start: np.ndarray | None = None
    ) -> None:
        self.span, self.places = span, span.places(points)
        self.unseen = None if held_out is None else span.places(held_out)
        self.weights = self.places.weights
        self.coefficients = np.zeros(span.size) if start is None else start
        self.change = span.change(self.places, self.coefficients)
        self.history: list[tuple[float, ...]] = []
        self.stuck = False
        self.scale = self._trace()

    def path(self, tick: Callable[[float], None]) -> tuple[float, np.ndarray]:
        """One step for each of `RIDGES`, largest first; the ridge and coefficients of least σ on held-out points."""
        best = (self._unseen(), RIDGES[0], self.coefficients)
        for ridge in RIDGES:
            if not self.step(ridge, tick):
                break
            sigma = self.history[-1][2]
            if sigma < best[0]:
                best = (sigma, ridge, self.coefficients)
            elif sigma > 1.5 * best[0]:
                break
        return best[1:]

    def step(self, ridge: float, tick: Callable[[float], None]) -> bool:
        """One step at a relative ridge, halved until g stays positive and the energy falls; False where none does."""
        level = ridge * self.scale
        before = self._energy(self.change, self.coefficients, level)
        target = self._solved(level)
        moved = self.span.change(self.places, target)
        part = 1.0
        for _ in range(_HALVINGS):
            tried = self.coefficients + part * (target - self.coefficients)
            change = self.change + part * (moved - self.change)
            if self._energy(change, tried, level) <= before:
                break
            part /= 2
        else:
            self.stuck = self._energy(moved, target, level) == np.inf
            return False
        self.coefficients, self.change = tried, change
        _, sigma, least = self.places.quality(change)
        self.history.append((ridge, sigma, self._unseen(), least))
        tick(sigma)
        return True

    def _unseen(self) -> float:
        """σ on held-out points; infinite where g is not positive there, NaN without any."""
        if self.unseen is None:
            return np.nan
        _, sigma, least = self.unseen.quality(self.span.change(self.unseen, self.coefficients))
        return sigma if least > 0 else np.inf

    def _energy(self, change: np.ndarray, coefficients: np.ndarray, level: float) -> float:
        volume, _, least = self.places.volume(change)
        if not least.min() > 0:
            return np.inf
        v = volume / (self.weights @ volume)
        return float(self.weights @ (v - 1) ** 2 + level * coefficients @ coefficients)

    def _solved(self, level: float) -> np.ndarray:
        """δ' of a full step."""
        volume, dual, _ = self.places.volume(self.change)
        kappa = self.weights @ volume
        v, root = volume / kappa, np.sqrt(self.weights)
        along = np.sum(dual * self.change, axis=1) / kappa
        target = root * (along - v * (self.weights @ along) - (v - 1))
        if self.span.size < len(v):
            return self._primal(dual / kappa, v, target, level)
        rows = self._rows(dual / kappa)
        rows -= v[:, None] * (self.weights @ rows)
        rows *= root[:, None]
        return solved(gram(rows), level, target) @ rows

    def _primal(self, dual: np.ndarray, v: np.ndarray, target: np.ndarray, level: float) -> np.ndarray:
        """(AᵀA + λ)⁻¹ Aᵀ b with AᵀA summed over blocks of points."""
        size, root = self.span.size, np.sqrt(self.weights)
        require(24.0 * size**2, f"normal equations of {size} features", "take a narrower network")
        normal, right, mean = np.zeros((size, size)), np.zeros(size), np.zeros(size)
        crossed = np.zeros(size)
        room = np.empty((_BLOCK, size))
        for block in slices(len(v), _BLOCK):
            part = self.places.take(np.arange(block.start, block.stop))
            rows = self.span.fill(part, dual[block], room[: block.stop - block.start])
            rows *= root[block, None]
            mean += root[block] @ rows
            right += target[block] @ rows
            crossed += (root * v)[block] @ rows
            normal += gram(rows.T)
        upper = np.triu(np.outer(crossed, mean) + np.outer(mean, crossed))
        normal += (self.weights @ v**2) * np.triu(np.outer(mean, mean)) - upper
        return solved(normal, level, right - (target @ (root * v)) * mean)

    def _rows(self, dual: np.ndarray) -> np.ndarray:
        shape = len(dual), self.span.size
        bytes_ = 8.0 * (1.5 * shape[0] * shape[1] + 2 * shape[0] ** 2)
        require(bytes_, f"the kernel of {shape[0]} points by {shape[1]} features", "take fewer points or features")
        return self.span.fill(self.places, dual, np.empty(shape))

    def _trace(self) -> float:
        """tr A Aᵀ at Fubini–Study, κ held fixed: the unit of ridges."""
        volume, dual, _ = self.places.volume(np.zeros_like(self.change))
        kappa, total = self.weights @ volume, 0.0
        room = np.empty((_BLOCK, self.span.size))
        for block in slices(len(volume), _BLOCK):
            part = self.places.take(np.arange(block.start, block.stop))
            rows = self.span.fill(part, dual[block] / kappa, room[: block.stop - block.start])
            total += float(self.weights[block] @ np.sum(rows**2, axis=1))
        return total

    def outcome(self) -> Outcome:
        """How it ended."""
        steps = len(self.history)
        _, sigma, least = self.places.quality(self.change)
        if not self.coefficients.any() and not self.stuck:
            message = (
                f"no step from Fubini–Study lowers σ = {sigma:.3g} on the points held out: these features say nothing "
                "about other points; take more points or other features"
            )
            return Outcome(OutcomeKind.steady, message, float(steps))
        if self.stuck:
            message = (
                f"no step from σ = {sigma:.3g} stays in the cone of metrics at all {len(self.weights)} points; "
                "take a larger ridge or more points"
            )
            return Outcome(OutcomeKind.singular, message, float(steps))
        return Outcome(OutcomeKind.finished, f"least pivot of g {least:.3g}.", float(steps))


def solved(matrix: np.ndarray, level: float, target: np.ndarray) -> np.ndarray:
    """(G + λ)⁻¹ b from the upper triangle of G; ten times λ as often as rounding leaves G + λ not positive."""
    diagonal = np.diagonal(matrix).copy()
    for _ in range(40):
        np.fill_diagonal(matrix, diagonal + level)
        try:
            return cho_solve(cho_factor(matrix, check_finite=False), target)
        except LinAlgError:
            level = max(10 * level, 1e-16 * float(diagonal.max()))
    raise InputError("the kernel of the residuals is not finite: the features are too large here")


def gram(rows: np.ndarray) -> np.ndarray:
    """The upper triangle of A Aᵀ, from tiles on all threads."""
    out = np.zeros((len(rows), len(rows)))
    parts = slices(len(rows), _TILE)
    tiles = [(a, b) for i, a in enumerate(parts) for b in parts[i:]]

    def work(tile: tuple[slice, slice]) -> None:
        out[tile] = rows[tile[0]] @ rows[tile[1]].T

    each(work, tiles)
    return out
