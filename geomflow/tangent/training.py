"""Training: discrete descent of the parameters by the optimisers people use, on mini-batches of the points.

An optimiser maps a gradient and a memory to a step. The memory has `slots` arrays of the parameters' shape, zero at
first. `step(k, descent, memory)` is given the number k of the step, from 0, and descent = −∂L/∂θ, and returns the
increments of the parameters and of the memory.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, ClassVar, final

import numpy as np

from geomflow.core.errors import InputError
from geomflow.core.numbers import real_number, whole
from geomflow.flow import Problem, Stepper
from geomflow.flow.steppers.runge_kutta import Iteration
from geomflow.networks.model import Model
from geomflow.networks.state import ModelState
from geomflow.symbolic.functionals import Functional
from geomflow.tangent.gradient_flow import ParameterFlow
from geomflow.tangent.loss import Continuum, Loss


class Optimiser(ABC):
    """A rule for discrete descent; subclasses are frozen dataclasses and remember nothing themselves."""

    slots: ClassVar[int] = 0

    @abstractmethod
    def step(self, k: int, descent: np.ndarray, memory: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Increments of the parameters, (n,), and of the memory, (slots, n).

        Parameters
        ----------
        k : int
            The number of the step, from 0.
        descent : (n,) array
            −∂L/∂θ.
        memory : (slots, n) array
            What is remembered.
        """


def _shares(optimiser: Optimiser, *names: str) -> None:
    """Read the fields of these names as numbers from 0 to less than 1."""
    for name in names:
        value = _number(optimiser, name, name)
        if not 0 <= value < 1:
            raise InputError(f"{name} = {value!r} must be at least 0 and less than 1.")


def _number(optimiser: Optimiser, name: str, called: str) -> float:
    """Read a field as one number."""
    value = getattr(optimiser, name)
    if callable(value) or np.ndim(value):
        raise InputError(f"{called} is one number for all steps, and it is {value!r}. For a schedule train in parts: "
                         "solve again from sol.last with another rate; what the optimiser remembers goes along.")
    object.__setattr__(optimiser, name, number := real_number(value, f"{called} is one number for all steps: it"))
    return number


def _rate(optimiser: Optimiser) -> None:
    """Read the learning rate, which is positive."""
    rate = _number(optimiser, "rate", "the learning rate")
    if not 0 < rate < np.inf:
        raise InputError(f"the learning rate {rate!r} must be positive and finite.")


@final
@dataclass(frozen=True)
class SGD(Optimiser):
    """θ += rate · descent: gradient descent, stochastic where batches are drawn.

    Parameters
    ----------
    rate : float
        The learning rate, a step of flow time.
    """

    rate: float

    def __post_init__(self) -> None:
        _rate(self)

    def step(self, k: int, descent: np.ndarray, memory: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The increments."""
        return self.rate * descent, memory[:0]


@final
@dataclass(frozen=True)
class Momentum(Optimiser):
    """u ← momentum · u + descent, θ += rate · u (Polyak 1964).

    Parameters
    ----------
    rate : float
        The learning rate.
    momentum : float
        At least 0 and less than 1.
    """

    rate: float
    momentum: float = 0.9

    slots: ClassVar[int] = 1

    def __post_init__(self) -> None:
        _rate(self)
        _shares(self, "momentum")

    def step(self, k: int, descent: np.ndarray, memory: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The increments."""
        velocity = self.momentum * memory[0] + descent
        return self.rate * velocity, (velocity - memory[0])[None]


@final
@dataclass(frozen=True)
class Adam(Optimiser):
    """Adaptive moments (Kingma and Ba, arXiv:1412.6980, algorithm 1).

    m ← b₁m + (1−b₁)d, s ← b₂s + (1−b₂)d², θ += rate · m̂/(√ŝ + epsilon), with m̂ = m/(1−b₁^{k+1}), ŝ = s/(1−b₂^{k+1}).

    Parameters
    ----------
    rate : float
        The learning rate.
    first, second : float
        b₁ and b₂, at least 0 and less than 1.
    epsilon : float
        What keeps the quotient finite.
    """

    rate: float = 1e-3
    first: float = 0.9
    second: float = 0.999
    epsilon: float = 1e-8

    slots: ClassVar[int] = 2

    def __post_init__(self) -> None:
        _rate(self)
        _shares(self, "first", "second")

    def step(self, k: int, descent: np.ndarray, memory: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The increments."""
        mean = self.first * memory[0] + (1 - self.first) * descent
        square = self.second * memory[1] + (1 - self.second) * descent**2
        unbiased = mean / (1 - self.first ** (k + 1))
        scale = np.sqrt(square / (1 - self.second ** (k + 1))) + self.epsilon
        return self.rate * unbiased / scale, np.stack([mean - memory[0], square - memory[1]])


@final
@dataclass(frozen=True)
class Training(ParameterFlow):
    """Descent of L = factor·E by an optimiser, one step a unit of time: ``solve(flow, state, t1=1000)`` takes 1000.

    Each step sees a batch of the state's points, drawn without replacement from the seed and the number of the step
    alone, so that a run that was stopped goes on to the same bits, on a processor of the same kind. What an optimiser
    remembers, and the number of steps, are part of the state: ``solve(flow, sol.last, t1=1000)`` takes 1000 steps more,
    as one run of 2000 would. An optimiser of another class starts afresh. Monitors: "energy" is L on all points,
    "dissipation" |∂L/∂θ|² there; take ``monitor_every`` to watch less often than at each step.

    Raises InputError for a batch that is empty or larger than the points.

    Parameters
    ----------
    functional : Functional or Continuum
        E, and how it is descended.
    model : Model
        What makes the metric.
    optimiser : Optimiser
        What makes a step of a gradient.
    batch : int, optional
        Points that a step sees; all unless given.
    seed : int
        What draws the batches.
    parameters : mapping
        Numbers for what the functional leaves open.
    measure : str, float, sympy.Expr, array or field, optional
        Its reference measure dm/dx.
    """

    functional: Functional | Continuum
    model: Model
    optimiser: Optimiser = field(default_factory=Adam)
    batch: int | None = None
    seed: int = 0
    parameters: Mapping[str, float] = field(default_factory=dict)
    measure: Any = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if not isinstance(self.optimiser, Optimiser):
            raise InputError(f"the optimiser must be SGD, Momentum or Adam, not {self.optimiser!r}.")
        whole(self.seed, "the seed of the batches", 0)
        if self.batch is not None and (not isinstance(self.batch, int | np.integer) or self.batch < 1):
            raise InputError(f"a batch of {self.batch!r} points cannot be drawn: give a whole number >= 1, or None "
                             "for all points.")

    @property
    def name(self) -> str:
        """The functional's name and the optimiser's."""
        return f"{self.functional.name}-{type(self.optimiser).__name__.lower()}"

    def on(self, state: Any) -> Loss:  # type: ignore[override]  # parameters have no equation on a grid
        """The loss that is descended from the state, as numbers."""
        loss = super().on(state)
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

        problem = self._problem(state, loss, increment, np.concatenate([state.pack(), self._remembered(state)]))
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
        """The iteration itself.

        Parameters
        ----------
        problem : Problem
            As the flow was bound.
        """
        return Iteration()


def _moved(rate: np.ndarray) -> float:
    """The largest change of a parameter in a step."""
    return float(np.abs(rate[0]).max())
