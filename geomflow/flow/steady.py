"""Where flows stand still: Newton's method on their rates, with exact Jacobians."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, final

import numpy as np

from geomflow.core.errors import ConvergenceError, InputError
from geomflow.core.notebook import Facts, InNotebook
from geomflow.flow.linear import Linearised
from geomflow.flow.problem import Bindable, Problem

STEPS, CLOSE = 60, 1e-8
"""The most steps of Newton's method, and the length of a step, of the largest unknown, after which one more ends it."""

SHORTEST = 2.0**-20
"""The share of a step below which none is found that brings the rates down."""

ROUNDING = 1e-10
"""Of the largest row of the Jacobian, in units of the unknowns: rates that are larger have not vanished."""

FARTHEST = 12.0
"""How far unknowns may go, in their own units (a factor e^12 of logarithms): beyond, the search runs away."""


@final
@dataclass(frozen=True, repr=False)
class Steady(InNotebook):
    """A state at which a flow stands still. Made by `gf.steady(flow, state)`.

    Parameters
    ----------
    state : state
        Where.
    residual : float
        The largest rate of a packed number that is left.
    error : float
        How far the state may be from the exact one, in its packed numbers: what another step of Newton's method would
        change on a grid of half as many points again; of rates without a grid that is what it changes here.
    steps : int
        Of Newton's method.
    problem : Problem
        The flow bound to the state.
    """

    state: Any
    residual: float
    error: float
    steps: int
    problem: Problem

    @cached_property
    def linearised(self) -> Linearised:
        """The flow linearised here: `.spectrum(6)` are the rates at which small changes grow, or decay."""
        return Linearised(self.problem)

    def __repr__(self) -> str:
        return f"steady after {self.steps} steps, rates below {self.residual:.2g}, error {self.error:.2g}: {self.state}"

    def __facts__(self) -> Facts:
        return [("state", self.state), ("residual", self.residual), ("error", self.error), ("steps", self.steps)]


def steady(flow: Bindable, state: Any, *, steps: int = STEPS) -> Steady:
    """A state near a given one at which a flow stands still, stable or not.

    Newton's method on the rates, J δ = −rate with the exact Jacobian J, each step halved until the rates fall; singular
    directions, such as symmetries, are left alone (least squares). Of metrics with symmetry that are run in arclength
    the rates are up to diffeomorphisms: `steady("-2*Ric + 2*g", ...)` are shrinking solitons.

    Raises InputError for a flow whose Jacobian is not known, and ConvergenceError where no such state is found.

    Parameters
    ----------
    flow : Flow
        Whose rate does not depend on the time.
    state : state
        Where to begin. How far it may be from what is found cannot be said: take one with the right shape.
    steps : int
        The most that are made.
    """
    problem = flow.bind(state)
    if problem.jacobian is None:
        raise InputError(f"a state at which {getattr(flow, 'name', 'a flow')} stands still is found with the Jacobian "
                         "of its rate, which is known of metrics with symmetry: make the state of an Ansatz.")
    found, count, residual = newton(problem, problem.y0, steps)
    here = problem.unpack(found)
    problem = replace(problem, y0=found)
    finer = getattr(here, "finer", None)
    error = correction(problem) if finer is None else correction(flow.bind(finer()))
    return Steady(here, residual, error, count, problem)


def newton(problem: Problem, start: np.ndarray, steps: int) -> tuple[np.ndarray, int, float]:
    """The root of a problem's rate near a packed state, the number of steps, and the largest rate left.

    Raises ConvergenceError where it is not reached.
    """
    y = start
    for count in range(1, steps + 1):
        rate = _rate(problem, y)
        step = _step(problem, y, rate)
        length = float(np.abs(step).max()) / max(problem.unit, float(np.abs(y).max()))
        if length < CLOSE:
            last = y + step
            left = float(np.abs(_rate(problem, last)).max())
            _require_vanishing(problem, last, left)
            return last, count, left
        y = _shortened(problem, y, step, rate)
        if problem.unit and float(np.abs(y - start).max()) > FARTHEST * problem.unit:
            raise ConvergenceError("no state at which the rates vanish was found: the search runs away, unknowns grow "
                                   f"or shrink beyond a factor of e^{FARTHEST:g}, where rates only become small. "
                                   "Perhaps there is none; else begin closer to it.")
    raise ConvergenceError(f"no state at which the rates vanish was found in {steps} steps of Newton's method: the "
                           f"largest rate left is {np.abs(_rate(problem, y)).max():.3g}. Begin closer to it.")


def _require_vanishing(problem: Problem, y: np.ndarray, left: float) -> None:
    """Raises ConvergenceError where no change brings the rates down and they are not zero: they cannot vanish here."""
    assert problem.jacobian is not None
    rows = np.abs(problem.jacobian(problem.start, y)).sum(axis=1).max()
    if not left < ROUNDING * max(float(rows), 1.0) * max(problem.unit, float(np.abs(y).max())):
        raise ConvergenceError(f"no state at which the rates vanish was found: no small change brings the largest, "
                               f"{left:.6g}, down. Perhaps there is none; else begin closer to it.")


def correction(problem: Problem) -> float:
    """The largest change of a packed number that a step of Newton's method makes where a problem begins."""
    return float(np.abs(_step(problem, problem.y0, _rate(problem, problem.y0))).max())


def _rate(problem: Problem, y: np.ndarray) -> np.ndarray:
    out = np.empty_like(y)
    with np.errstate(all="ignore"):
        problem.rate(problem.start, y, out)
    return out


def _step(problem: Problem, y: np.ndarray, rate: np.ndarray) -> np.ndarray:
    """−J⁻¹ rate, of least norm, among the changes that the rate makes."""
    assert problem.jacobian is not None
    matrix = problem.jacobian(problem.start, y)
    if not np.isfinite(matrix).all():
        raise ConvergenceError("the Jacobian of the rates is not finite at a step of Newton's method: begin with a "
                               "metric that is nearer to the one that stands still.")
    own = problem.directions
    if own is None:
        return np.asarray(np.linalg.lstsq(matrix, -rate.ravel())[0].reshape(y.shape))
    change = np.linalg.lstsq(own.T @ matrix @ own, -own.T @ rate.ravel())[0]
    return np.asarray((own @ change).reshape(y.shape))


def _shortened(problem: Problem, y: np.ndarray, step: np.ndarray, rate: np.ndarray) -> np.ndarray:
    """y with as much of the step as brings the rates down."""
    before, share = float(np.linalg.norm(rate)), 1.0
    while share > SHORTEST:
        new = y + share * step
        if (problem.check is None or problem.check(problem.start, new) is None) and \
                float(np.linalg.norm(_rate(problem, new))) < (1 - share / 10) * before:
            return np.asarray(new)
        share /= 2
    raise ConvergenceError(f"no state at which the rates vanish was found: Newton's method is stuck where the largest "
                           f"rate is {np.abs(rate).max():.3g}. Begin closer to it.")
