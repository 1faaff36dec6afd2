"""The optimisers people train networks with: maps from a gradient and a memory to a step.

The memory has `slots` arrays of the parameters' shape, zero at first. `step(k, descent, memory)` is given the number k
of the step, from 0, and descent = −∂L/∂θ, and returns the increments of the parameters and of the memory.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar, final

import numpy as np

from geomflow.core.errors import InputError


class Optimiser(ABC):
    """A rule for discrete descent; subclasses are frozen dataclasses and remember nothing themselves."""

    slots: ClassVar[int] = 0

    @abstractmethod
    def step(self, k: int, descent: np.ndarray, memory: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Increments of the parameters, (n,), and of the memory, (slots, n)."""


def _require(value: float, name: str, low: float, high: float) -> None:
    _require_number(value, name)
    if not low <= value < high:
        raise InputError(f"{name} = {value!r} must be at least {low:g} and less than {high:g}.")


def _require_number(value: Any, name: str) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float | np.integer | np.floating):
        raise InputError(f"{name} is one number for all steps, and it is {value!r}. For a schedule train in parts: "
                         "solve again from sol.last with another rate; what the optimiser remembers goes along.")


def _require_rate(rate: float) -> None:
    _require_number(rate, "the learning rate")
    if not 0 < rate < np.inf:
        raise InputError(f"the learning rate {rate!r} must be positive and finite.")


@final
@dataclass(frozen=True)
class SGD(Optimiser):
    """θ += rate · descent: gradient descent, stochastic where batches are drawn. `rate` is a step of flow time."""

    rate: float

    def __post_init__(self) -> None:
        _require_rate(self.rate)

    def step(self, k: int, descent: np.ndarray, memory: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The increments."""
        return self.rate * descent, memory[:0]


@final
@dataclass(frozen=True)
class Momentum(Optimiser):
    """u ← momentum · u + descent, θ += rate · u (Polyak 1964)."""

    rate: float
    momentum: float = 0.9

    slots: ClassVar[int] = 1

    def __post_init__(self) -> None:
        _require_rate(self.rate)
        _require(self.momentum, "momentum", 0, 1)

    def step(self, k: int, descent: np.ndarray, memory: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The increments."""
        velocity = self.momentum * memory[0] + descent
        return self.rate * velocity, (velocity - memory[0])[None]


@final
@dataclass(frozen=True)
class Adam(Optimiser):
    """Adaptive moments (Kingma and Ba, arXiv:1412.6980, algorithm 1).

    m ← b₁m + (1−b₁)d, s ← b₂s + (1−b₂)d², θ += rate · m̂/(√ŝ + epsilon), with m̂ = m/(1−b₁^{k+1}), ŝ = s/(1−b₂^{k+1}).
    """

    rate: float = 1e-3
    first: float = 0.9
    second: float = 0.999
    epsilon: float = 1e-8

    slots: ClassVar[int] = 2

    def __post_init__(self) -> None:
        _require_rate(self.rate)
        _require(self.first, "first", 0, 1)
        _require(self.second, "second", 0, 1)

    def step(self, k: int, descent: np.ndarray, memory: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The increments."""
        mean = self.first * memory[0] + (1 - self.first) * descent
        square = self.second * memory[1] + (1 - self.second) * descent**2
        unbiased = mean / (1 - self.first ** (k + 1))
        scale = np.sqrt(square / (1 - self.second ** (k + 1))) + self.epsilon
        return self.rate * unbiased / scale, np.stack([mean - memory[0], square - memory[1]])
