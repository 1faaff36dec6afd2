"""Training: discrete descent of the parameters by an optimiser, on mini-batches of the points."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any, final

import numpy as np

from geomflow.core.errors import InputError
from geomflow.flow.flow import Flow
from geomflow.flow.problem import Problem
from geomflow.flow.steppers.runge_kutta import Iteration
from geomflow.tangent.gradient_flow import GradientFlow, checked_state, loss_at, parameter_equation, parameter_problem
from geomflow.tangent.loss import Continuum, Loss
from geomflow.tangent.optimisers import Adam, Optimiser

if TYPE_CHECKING:
    import sympy

    from geomflow.flow.control import Stepper
    from geomflow.networks.model import Model, ModelState
    from geomflow.symbolic.functionals import Functional


@final
@dataclass(frozen=True)
class Training(Flow):
    """Descent of L = factor·E by an optimiser, one step a unit of time: ``solve(flow, state, t1=1000)`` takes 1000.

    Each step sees `batch` of the state's points, drawn without replacement from the seed and the number of the step
    alone, so that a run that was stopped goes on to the same bits, on a processor of the same kind; all points where
    `batch` is None. What an optimiser remembers, and the number of steps, are part of the state:
    ``solve(flow, sol.last, t1=1000)`` takes 1000 steps more, as one run of 2000 would. An optimiser of another class
    starts afresh. Other arguments, and the monitors, are those of `GradientFlow`: "energy" is L on all points,
    "dissipation" |∂L/∂θ|² there; take ``monitor_every`` to watch less often than at each step.

    Raises InputError for a batch that is empty or larger than the points.
    """

    functional: Functional | Continuum
    model: Model
    optimiser: Optimiser = field(default_factory=Adam)
    batch: int | None = None
    seed: int = 0
    parameters: Mapping[str, float] = field(default_factory=dict)
    measure: Any = None

    def __post_init__(self) -> None:
        GradientFlow(self.functional, self.model, self.parameters, self.measure)
        if not isinstance(self.optimiser, Optimiser):
            raise InputError(f"the optimiser must be SGD, Momentum or Adam, not {self.optimiser!r}.")
        if isinstance(self.seed, bool) or not isinstance(self.seed, int | np.integer) or self.seed < 0:
            raise InputError(f"the seed of the batches is a whole number >= 0, and it is {self.seed!r}.")
        if self.batch is not None and (not isinstance(self.batch, int | np.integer) or self.batch < 1):
            raise InputError(f"a batch of {self.batch!r} points cannot be drawn: give a whole number >= 1, or None "
                             "for all points.")

    @property
    def name(self) -> str:
        """The functional's name and the optimiser's."""
        return f"{self.functional.name}-{type(self.optimiser).__name__.lower()}"

    @property
    def equation(self) -> sympy.Eq:
        """The equation that the steps follow for small rates."""
        return parameter_equation()

    def components(self, torus: Any) -> list[sympy.Eq]:
        """The one equation of all parameters."""
        return [self.equation]

    def on(self, state: Any) -> Loss:  # type: ignore[override]  # parameters have no equation on a grid
        """The loss that is descended from the state, as numbers."""
        loss = loss_at(self.functional, self.parameters, self.measure, self.model,
                       checked_state(self, self.model, state))
        if self.batch is not None and not 1 <= self.batch <= len(loss.points):
            raise InputError(f"a batch of {self.batch} points cannot be drawn from {len(loss.points)}.")
        return loss

    def bind(self, state: Any) -> Problem:
        """The iteration that starts at the state; its packed array is (1 + slots, n_parameters)."""
        loss = self.on(state)

        def increment(t: float, y: np.ndarray, out: np.ndarray) -> None:
            k = round(y[-1, 0])
            out[0], out[1:-1] = self.optimiser.step(k, loss.descent(y[0], self._rows(k, loss)), y[1:-1])
            out[-1] = 1.0

        problem = parameter_problem(self, state, loss, increment, self._remembered(state))
        return replace(problem, unpack=partial(self._unpack, state), residual=_moved)

    def _remembered(self, state: ModelState) -> np.ndarray:
        """The memory that the run starts with, (slots + 1, size): the state's, where it is this optimiser's."""
        start = np.zeros((self.optimiser.slots + 1, len(state.parameters)))
        memory = state.memory
        if memory is None or memory.optimiser not in (None, type(self.optimiser).__name__):
            return start
        if len(memory.rows) == self.optimiser.slots:
            start[:-1], start[-1] = memory.rows, memory.steps
        return start

    def _unpack(self, start: ModelState, packed: np.ndarray) -> ModelState:
        state = start.unpack(packed)
        assert state.memory is not None
        return replace(state, memory=replace(state.memory, optimiser=type(self.optimiser).__name__))

    def _rows(self, k: int, loss: Loss) -> np.ndarray | None:
        if self.batch is None:
            return None
        return np.random.default_rng((self.seed, k)).choice(len(loss.points), self.batch, replace=False)

    def default_stepper(self, problem: Problem) -> Stepper:
        """The iteration itself."""
        return Iteration()


def _moved(rate: np.ndarray) -> float:
    """The largest change of a parameter in a step."""
    return float(np.abs(rate[0]).max())
