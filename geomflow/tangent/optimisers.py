"""The optimisers people train networks with: maps from a gradient and a memory to a step.

The memory has `slots` arrays of the parameters' shape, zero at first. `step(k, descent, memory)` is given the number k
of the step, from 0, and descent = −∂L/∂θ, and returns the increments of the parameters and of the memory.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar, final

import numpy as np

from geomflow.core.errors import InputError
from geomflow.core.numbers import real_number


class Optimiser(ABC):
    """A rule for discrete descent; subclasses are frozen dataclasses and remember nothing themselves."""

    slots: ClassVar[int] = 0

    @abstractmethod
    def step(self, k: int, descent: np.ndarray, memory: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Increments of the parameters, (n,), and of the memory, (slots, n)."""


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
    """θ += rate · descent: gradient descent, stochastic where batches are drawn. `rate` is a step of flow time."""

    rate: float

    def __post_init__(self) -> None:
        _rate(self)

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
