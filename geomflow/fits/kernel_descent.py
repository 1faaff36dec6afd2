"""Ways down a loss over a linear span: gradient flow, natural-gradient flow, ridges; and the fit that takes one."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, final

import numpy as np

from geomflow.core.errors import InputError
from geomflow.core.outcome import Outcome, OutcomeKind
from geomflow.core.threads import one_thread_products
from geomflow.fits.fit import Fit, FitState, Last
from geomflow.fits.linear import largest, solved
from geomflow.fits.objective import Evaluation, energy, shortened
from geomflow.fits.span import SpanObjective
from geomflow.variety.errors import KahlerConeError

#: The least pivot of g over Fubini–Study that a step may leave.
_LEAST = 1e-3

#: What is watched, the time being that of the flow.
WATCHED = ("time", "sigma", "sigma held out", "energy", "pivot")

#: A step that was found good: its length, the coefficients and the evaluation there, and what the method remembers.
Found = tuple[float, np.ndarray, Evaluation, float]


class DescentMethod(ABC):
    """A way down an objective; the number that it remembers from step to step is zero at the start."""

    @property
    @abstractmethod
    def steps(self) -> int:
        """The most steps that it takes."""

    @abstractmethod
    def found(self, objective: SpanObjective, here: np.ndarray, evaluation: Evaluation, memory: float) -> Found | None:
        """The next step, or None where none descends.

        Parameters
        ----------
        objective : SpanObjective
            What is lowered.
        here : (size,) array
            Coefficients.
        evaluation : Evaluation
            What is there.
        memory : float
            What the last step remembered.
        """

    def over(self, evaluation: Evaluation, here: np.ndarray, memory: float) -> bool:
        """Whether the last step gained too little.

        Parameters
        ----------
        evaluation : Evaluation
            What is `here`.
        here : (size,) array
            Coefficients.
        memory : float
            What the last step remembered.
        """
        return False


@final
@dataclass(frozen=True, eq=False)
class KernelFit(Fit):
    """A descent, and the coefficients on the way with the least σ on the points held out.

    Raises `KahlerConeError` where the start is not positive.

    Parameters
    ----------
    objective : SpanObjective
        What is lowered.
    held_out : SpanObjective or None
        The same on points that are not fitted.
    method : DescentMethod
        The way down.
    first : (size,) array
        Coefficients to start from.
    patience : float
        The fit ends where σ on the points held out is more than so many times its least.
    """

    objective: SpanObjective
    held_out: SpanObjective | None
    method: DescentMethod
    first: np.ndarray
    patience: float = np.inf

    name: ClassVar[str] = "kernel-fit"

    @cached_property
    def _evaluate(self) -> Last:
        return Last(self.objective.evaluate)

    @cached_property
    def _seen(self) -> Last:
        return Last(self.objective.evaluate if self.held_out is None else self.held_out.evaluate)

    def start(self) -> FitState:
        """No time has passed."""
        least = self._evaluate(self.first).least
        if not least > 0:
            raise KahlerConeError(
                f"the descent starts outside the Kähler cone: the least pivot of g over Fubini–Study is "
                f"{least:.3g} on {self.objective.count} points; start from zero"
            )
        first = self.first
        return self._arrived(FitState.of(coefficients=first, best=first, best_taken=0, sigma=np.inf, time=0.0, taken=0,
                                         memory=0.0))

    def step(self, state: FitState) -> FitState | Outcome:
        """A step of the method."""
        here, memory, taken = state["coefficients"], state.number("memory"), state.count("taken")
        evaluation, time = self._evaluate(here), state.number("time")
        if taken and self.method.over(evaluation, here, memory):
            return self._steady(evaluation, taken, time)
        if taken == self.method.steps or self._lost(state):
            message = f"took {taken} steps to E = {evaluation.energy:.3g}; more steps or longer ones go on."
            return Outcome(OutcomeKind.finished, message, time)
        with one_thread_products():
            found = self.method.found(self.objective, here, evaluation, memory)
        if found is None:
            return self._steady(evaluation, taken, time)
        length, there, seen, memory = found
        self._evaluate.put(there, seen)
        return self._arrived(state.moved(coefficients=there, time=time + length, taken=taken + 1, memory=memory))

    def numbers(self, state: FitState) -> Mapping[str, float]:
        """Time of the flow, σ on the train points and on those held out, E, least pivot on both."""
        evaluation, seen = self._evaluate(state["coefficients"]), self._seen(state["coefficients"])
        unseen = np.nan if self.held_out is None else seen.sigma
        least = evaluation.least if self.held_out is None else min(evaluation.least, seen.least)
        numbers = state.number("time"), evaluation.sigma, unseen, evaluation.energy, least
        return dict(zip(WATCHED, numbers, strict=True))

    def _arrived(self, state: FitState) -> FitState:
        """The state with the best place so far, which is the last where no points are held out."""
        if self.held_out is None:
            return state.moved(best=state["coefficients"], best_taken=state["taken"])
        numbers = self.numbers(state)
        unseen = numbers["sigma held out"]
        if unseen < state.number("sigma") and numbers["pivot"] > 0:
            return state.moved(best=state["coefficients"], best_taken=state["taken"], sigma=unseen)
        return state

    def _lost(self, state: FitState) -> bool:
        """Whether the points held out tell that going on is in vain."""
        if self.held_out is None or self.patience == np.inf:
            return False
        seen = self._seen(state["coefficients"])
        return not (seen.least > 0 and seen.sigma <= self.patience * state.number("sigma"))

    def _steady(self, evaluation: Evaluation, steps: int, time: float) -> Outcome:
        message = f"no step gains any more after {steps} of them, at E = {evaluation.energy:.3g}."
        return Outcome(OutcomeKind.steady, message, time)


@final
@dataclass(frozen=True)
class KernelDescent(DescentMethod):
    """Gradient flow in the kernel, da/dt = −∂E/∂a (that is ∂φ/∂t = −K δE/δφ), by explicit steps.

    An explicit step of the linearised flow is stable up to 2/λ, λ the largest eigenvalue of the Gauss–Newton Hessian;
    steps are `rate` of that, with λ found at the start and again after a step that did not descend. The flow
    follows mode i at the rate λ_i, so that stopping early is a regularisation. Raises `InputError`.

    Parameters
    ----------
    steps : int
        At most so many, at least one.
    rate : float
        The length of steps in units of 2/λ, in (0, 1).
    """

    steps: int = 200
    rate: float = 0.9

    def __post_init__(self) -> None:
        if not (0 < self.rate < 1 and self.steps >= 1):
            raise InputError(
                f"{self.steps} steps of {self.rate} of the stability bound: give at least one, and a rate in (0, 1)"
            )

    def found(self, objective: SpanObjective, here: np.ndarray, evaluation: Evaluation, memory: float) -> Found | None:
        """A step of the length that is remembered; a length is found anew where it is zero."""
        length = memory or self.rate * 2 / largest(objective.linearise(evaluation)[0])
        move = -objective.gradient(evaluation)
        step = shortened(objective, here, evaluation.energy, move, length=length, least=_LEAST)
        return None if step is None else (*step, length if step[0] == length else 0.0)


@final
@dataclass(frozen=True)
class NaturalDescent(DescentMethod):
    """Natural-gradient (Gauss–Newton) flow, da/dt = −(H + λ)⁻¹ ∂E/∂a, by explicit steps.

    H is the Gauss–Newton Hessian and λ = `damping` times its largest eigenvalue: modes above λ fall as e^{−t} alike,
    those below stay, which is Levenberg–Marquardt's regularisation. Raises `InputError`.

    Parameters
    ----------
    steps : int
        At most so many, at least one.
    step : float
        Their length in t, in (0, 1].
    damping : float
        λ over the largest eigenvalue of H, positive.
    """

    steps: int = 20
    step: float = 0.5
    damping: float = 1e-6

    def __post_init__(self) -> None:
        if not (0 < self.step <= 1 and self.damping > 0 and self.steps >= 1):
            raise InputError(
                f"{self.steps} steps of length {self.step} with damping {self.damping}: give at least one, a length in "
                "(0, 1] and a positive damping"
            )

    def found(self, objective: SpanObjective, here: np.ndarray, evaluation: Evaluation, memory: float) -> Found | None:
        """A damped Gauss–Newton step."""
        hessian, gradient = objective.linearise(evaluation)
        move = solved(hessian, self.damping * largest(hessian), -gradient)
        step = shortened(objective, here, evaluation.energy, move, length=self.step, least=_LEAST)
        return None if step is None else (*step, 0.0)


@final
@dataclass(frozen=True)
class RidgeFit(DescentMethod):
    """The least E + ½ ridge |a|², |a| the norm of φ in the kernel's space, by Gauss–Newton steps.

    At the optimum φ = −K δE/δφ / ridge. Raises `InputError`.

    Parameters
    ----------
    ridge : float
        Positive.
    steps : int
        At most so many, at least one.
    tolerance : float
        The fit ends when a step gains less than this part of the whole.
    """

    ridge: float = 1e-6
    steps: int = 30
    tolerance: float = 1e-4

    def __post_init__(self) -> None:
        if not (self.ridge > 0 and self.steps >= 1):
            raise InputError(f"{self.steps} steps with the ridge {self.ridge}: give at least one, and a positive ridge")

    def found(self, objective: SpanObjective, here: np.ndarray, evaluation: Evaluation, memory: float) -> Found | None:
        """A step to the minimum of the linearised whole, which is remembered; it counts as a unit of time."""
        whole, move = _whole(evaluation, here, self.ridge), objective.ridge_move(evaluation, here, self.ridge)
        step = _lowered(objective, here, whole, move, self.ridge, least=_LEAST)
        return None if step is None else (1.0, *step[1:], whole)

    def over(self, evaluation: Evaluation, here: np.ndarray, memory: float) -> bool:
        """Whether the last step has left more than 1 − `tolerance` of the whole."""
        return _whole(evaluation, here, self.ridge) > (1 - self.tolerance) * memory


@final
@dataclass(frozen=True)
class RidgePath(DescentMethod):
    """One Gauss–Newton step to the least E + λ |a|² for each of some ridges λ.

    Parameters
    ----------
    ridges : tuple of float
        λ in units of `SpanObjective.scale`, in the order of the steps. `InputError` where features are too large for
        numbers.
    """

    ridges: tuple[float, ...]

    @property
    def steps(self) -> int:
        """One for each ridge."""
        return len(self.ridges)

    def found(self, objective: SpanObjective, here: np.ndarray, evaluation: Evaluation, memory: float) -> Found | None:
        """The step of the next ridge, how many were taken being remembered; it counts as a unit of time."""
        ridge, move = self._next(objective, here, evaluation, memory)
        most = np.nextafter(_whole(evaluation, here, ridge), np.inf)
        step = _lowered(objective, here, most, move, ridge, halvings=12)
        return None if step is None else (1.0, *step[1:], memory + 1)

    def leaves(self, objective: SpanObjective, here: np.ndarray, memory: float) -> bool:
        """Whether the next step, in full, leaves the cone of metrics."""
        move = self._next(objective, here, objective.evaluate(here), memory)[1]
        return not objective.evaluate(here + move).least > 0

    def _next(
        self, objective: SpanObjective, here: np.ndarray, evaluation: Evaluation, memory: float
    ) -> tuple[float, np.ndarray]:
        ridge = 2 * self.ridges[int(memory)] * objective.scale
        move = objective.ridge_move(evaluation, here, ridge)
        if not np.isfinite(move).all():
            raise InputError("the kernel of the residuals is not finite: the features are too large here")
        return ridge, move


def _whole(evaluation: Evaluation, coefficients: np.ndarray, ridge: float) -> float:
    return energy(evaluation, coefficients) + 0.5 * ridge * float(coefficients @ coefficients)


def _lowered(
    objective: SpanObjective, here: np.ndarray, start: float, move: np.ndarray, ridge: float, **limits: Any
) -> tuple[float, np.ndarray, Evaluation] | None:
    """As `shortened`, with the goal E + ½ ridge |a|²."""
    return shortened(objective, here, start, move, goal=lambda evaluation, a: _whole(evaluation, a, ridge), **limits)
