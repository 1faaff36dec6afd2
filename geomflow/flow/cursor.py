"""Where a run is: time, state, the arrays that a stepper works in, and the few numbers that it may remember."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

import numpy as np
from numba import njit, types

from geomflow.codegen.threaded import address, call_each, threads
from geomflow.core.memory import aligned, require, step_of
from geomflow.flow.problem import Problem

_BLOCK = 4096  # doubles: one block of the target stays in the first-level cache
_PARALLEL = 1 << 18  # doubles: below this a parallel region costs more than it saves


def _cached(**options: Any) -> Callable[[Callable[..., Any]], Any]:
    """`numba.njit`, cached between processes where some directory for the cache can be written."""

    def decorate(function: Callable[..., Any]) -> Any:
        try:
            return njit(cache=True, **options)(function)
        except RuntimeError:
            return njit(**options)(function)

    return decorate


@_cached(nogil=True)
def _block(work, target, rows, weights, low, high):  # type: ignore[no-untyped-def]
    out = work[target, low:high]
    first = work[rows[0], low:high]
    weight = weights[0]
    for i in range(out.size):
        out[i] = weight * first[i]
    for k in range(1, rows.size):
        term = work[rows[k], low:high]
        weight = weights[k]
        for i in range(out.size):
            out[i] += weight * term[i]


@_cached(nogil=True)
def _span(work, target, rows, weights, first, last):  # type: ignore[no-untyped-def]
    for low in range(first, last, _BLOCK):
        _block(work, target, rows, weights, low, min(low + _BLOCK, last))


@_cached(nogil=True)
def _each(address, work, target, rows, weights, spans, failed, threads):  # type: ignore[no-untyped-def]
    call_each(address, (work, target, rows, weights), 2, spans, failed, threads)


@cache
def _address() -> int:
    numbers = types.Array(types.float64, 1, "C")
    whole = types.int64
    _span.compile((types.Array(types.float64, 2, "C"), whole, types.Array(whole, 1, "C"), numbers, whole, whole))
    return address(_span)


def combine(work: np.ndarray, target: int, rows: np.ndarray, weights: np.ndarray) -> None:
    """Write Σ_k weights[k] · work[rows[k]] to work[target].

    `work` has shape (nrows, size). `target` may be rows[0] and none of the others.
    """
    size = work.shape[1]
    number = threads() if size >= _PARALLEL else 1
    if number == 1:
        _span(work, target, rows, weights, 0, size)
        return
    ends = np.linspace(0, size // _BLOCK, number + 1, dtype=np.int64) * _BLOCK
    ends[-1] = size
    spans = np.stack([ends[:-1], ends[1:]], axis=1)
    _each(_address(), work, target, rows, weights, spans, np.empty(number, dtype=np.int64), number)


class Workspace:
    """Named arrays of one shape in one block of memory.

    `work["y"]` is a view; `work.combine("new", {"y": 1.0, "k1": dt})` is new = y + dt k1 in one pass;
    `work.swap("y", "new")` exchanges two names without moving numbers.
    """

    def __init__(self, shape: tuple[int, ...], names: Sequence[str]) -> None:
        size = int(np.prod(shape, dtype=np.int64))
        require(8.0 * size * len(names), f"the {len(names)} work arrays of shape {shape}")
        step = step_of(8 * size) // 8
        whole = -(-size // step) * step
        self._data = aligned((len(names), whole))
        self._shape = shape
        self._rows = {name: row for row, name in enumerate(names)}
        self._views: dict[str, np.ndarray] = {
            name: self._data[row, :size].reshape(shape) for name, row in self._rows.items()}

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of each array, (ncomp, *grid)."""
        return self._shape

    def __getitem__(self, name: str) -> np.ndarray:
        return self._views[name]

    def combine(self, target: str, terms: Mapping[str, float]) -> None:
        """target = Σ weight · array over the terms; the target may be the first term and no other."""
        rows = self._rows
        indices = np.array([rows[name] for name in terms], dtype=np.int64)
        weights = np.array(list(terms.values()), dtype=np.float64)
        combine(self._data, rows[target], indices, weights)

    def swap(self, one: str, other: str) -> None:
        """Exchange two arrays by name."""
        rows, views = dict(self._rows), dict(self._views)
        rows[one], rows[other] = rows[other], rows[one]
        views[one], views[other] = views[other], views[one]
        self._rows, self._views = rows, views

    @property
    def order(self) -> Any:
        """Which numbers stand under which names; set it to undo the swaps since then."""
        return self._rows, self._views

    @order.setter
    def order(self, order: Any) -> None:
        self._rows, self._views = order

    def peaks(self, name: str) -> np.ndarray:
        """max |value| of each component, shape (ncomp,); NaN where the component has a NaN."""
        flat = self._views[name].reshape(self._shape[0], -1)
        peaks: np.ndarray = np.maximum(flat.max(axis=1), -flat.min(axis=1))
        return peaks


_OWN_ROWS = ("y", "new", "rate", "new_rate", "error")
_RADIUS_AGE = 10


class Cursor:
    """The present (t, y) of a run, the candidate of the next step, and the rate at the present state.

    Rows of `work`: "y" the state, "new" the candidate, "error" its error estimate, "rate" = rate(t, y) once `rate()`
    was called, "new_rate" the rate at the candidate for steppers that know it, and the stepper's own rows.
    What must survive a restart is in `memory()`: the rest follows from t and y.
    """

    def __init__(self, problem: Problem, t: float, y: np.ndarray, rows: tuple[str, ...]) -> None:
        self.problem = problem
        self.t = t
        self.work = Workspace(y.shape, (*_OWN_ROWS, *rows))
        self.work["y"][...] = y
        self.evaluations = 0
        self._rate_ready = False
        self._rate_counted = False
        self._jacobian: np.ndarray | None = None
        self._radius = -1.0
        self._radius_age = 0
        self._moved = False

    @property
    def y(self) -> np.ndarray:
        """The present state, (ncomp, *grid); a view that the next step reuses."""
        return self.work["y"]

    @property
    def before(self) -> np.ndarray:
        """After `advance`: the state before the step."""
        return self.work["new"]

    def state(self) -> Any:
        """The present state as the user's object, on a copy of the numbers."""
        return self.problem.unpack(self.y.copy())

    def evaluate(self, t: float, source: str, target: str) -> None:
        """target = rate(t, source), counted."""
        self.problem.rate(t, self.work[source], self.work[target])
        self.evaluations += 1

    def rate(self) -> np.ndarray:
        """The rate at the present state; evaluated once, and counted once however often a run is taken up here."""
        if not self._rate_ready:
            self.evaluate(self.t, "y", "rate")
            self.evaluations -= self._rate_counted
            self._rate_ready = True
        return self.work["rate"]

    def jacobian(self) -> np.ndarray:
        """The problem's Jacobian at the present state, (n, n); evaluated once."""
        if self._jacobian is None:
            assert self.problem.jacobian is not None
            self._jacobian = self.problem.jacobian(self.t, self.y)
        return self._jacobian

    def residual(self) -> float:
        """Size of the rate by the problem's own measure, or max |rate|; of an iteration's last change, or NaN."""
        measure = self.problem.residual
        if self.problem.advance is not None:
            change = self.y - self.before
            return (float(measure(change)) if measure else float(np.abs(change).max())) if self._moved else math.nan
        rate = self.rate()
        return float(measure(rate)) if measure else float(self.work.peaks("rate").max())

    def spectral_radius(self) -> float:
        """Bound of |eigenvalues| of the linearised rate here: the problem's own, or an estimate kept for ten steps."""
        if self._radius < 0 or self._radius_age >= self._lifetime():
            bound = self.problem.spectral_radius
            self._radius = float(bound(self.t, self.y)) if bound else estimate_radius(self)
            self._radius_age = 0
        return self._radius

    def oscillation(self) -> float:
        """Bound of |Im λ| here; 0 where the problem does not say."""
        bound = self.problem.oscillation
        return float(bound(self.t, self.y)) if bound else 0.0

    def _lifetime(self) -> int:
        return 1 if self.problem.spectral_radius else _RADIUS_AGE

    def advance(self, t: float, rate_known: bool) -> None:
        """Make the candidate the present state at time t; `rate_known`: "new_rate" is its rate."""
        self._move(t, rate_known)
        self._moved = True
        self._radius_age += 1

    def retreat(self, t: float, rate_known: bool) -> None:
        """Undo the last `advance`, to try the step from time t with another length."""
        self._move(t, rate_known)
        self._radius_age -= 1

    def _move(self, t: float, rate_known: bool) -> None:
        self.work.swap("y", "new")
        if rate_known:
            self.work.swap("rate", "new_rate")
        self._rate_ready, self._rate_counted = rate_known, False
        self._jacobian = None
        self.t = t

    def replace(self, y: np.ndarray) -> None:
        """Make other numbers the present state: nothing that is known of the old ones is kept."""
        self.work["y"][...] = y
        self._rate_ready = self._rate_counted = False
        self._jacobian = None
        self._radius = -1.0

    def memory(self) -> dict[str, Any]:
        """The plain numbers that continue this cursor together with t and y."""
        return {
            "evaluations": self.evaluations,
            "rate_ready": self._rate_ready or self._rate_counted,
            "radius": self._radius,
            "radius_age": self._radius_age,
        }

    def recall(self, memory: dict[str, Any]) -> None:
        """Continue from `memory()`; a rate that was known is evaluated again, to the same bits, and not counted."""
        self._rate_ready, self._rate_counted, self._moved = False, memory["rate_ready"], False
        self._jacobian = None
        self.evaluations = memory["evaluations"]
        self._radius = memory["radius"]
        self._radius_age = memory["radius_age"]


_ITERATIONS = 60
_ACCURACY = 0.01
_SAFETY = 1.2


def estimate_radius(cursor: Cursor) -> float:
    """1.2 times the converged power iterate ‖f(y + v) − f(y)‖ / ‖v‖, from a fixed start direction v.

    Uses the rows "new" and "error"; costs up to 60 evaluations of the rate.
    """
    rate = cursor.rate()
    probe, answer = cursor.work["new"], cursor.work["error"]
    length = np.sqrt(np.finfo(float).eps) * max(float(np.linalg.norm(cursor.y)), 1e-6)
    direction = np.random.default_rng(0).standard_normal(probe.shape)
    radius = 0.0
    for _ in range(_ITERATIONS):
        norm = float(np.linalg.norm(direction))
        if not 0 < norm < np.inf:
            break
        np.add(cursor.y, direction * (length / norm), out=probe)
        cursor.evaluate(cursor.t, "new", "error")
        np.subtract(answer, rate, out=direction)
        previous, radius = radius, float(np.linalg.norm(direction)) / length
        if abs(radius - previous) <= _ACCURACY * radius:
            break
    return _SAFETY * radius
