"""What training makes of a mode of a rate λ: functions g(λ + ρ) by which values get into networks, never inverses."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from math import inf
from typing import final

import numpy as np

#: Rounding that is seen, relative to values.
SEEN = 1e-8


@dataclass(frozen=True)
class Function(ABC):
    """g of the rates λ + ρ."""

    ridge: float

    @abstractmethod
    def of(self, rates: np.ndarray) -> np.ndarray:
        """g(λ + ρ), for λ ≥ 0."""

    def gains(self, rates: np.ndarray) -> np.ndarray:
        """g(λ + ρ) of the whole spectrum, rates that are zero to rounding given as zeros.

        Nothing is learned of their modes, whose part of Θ(x, X) vanishes too. Where g(ρ) is so large that the rounding
        of that part, ε λ_max, would be seen, it is left out.
        """
        noise = np.finfo(float).eps * rates.max(initial=0.0)
        with np.errstate(over="ignore", invalid="ignore"):
            found = self.of(rates)
            return np.where((rates > 0) | (noise * found <= SEEN), found, 0.0)


@final
@dataclass(frozen=True)
class Learned(Function):
    """(1 − e^{−(λ + ρ)t})/(λ + ρ): t where λ + ρ = 0, and 0 there for ever."""

    time: float

    def of(self, rates: np.ndarray) -> np.ndarray:
        """g(λ + ρ)."""
        rates = rates + self.ridge
        safe = np.where(rates > 0, rates, 1.0)
        if self.time == inf:
            return np.where(rates > 0, 1 / safe, 0.0)
        return np.where(rates > 0, -np.expm1(-safe * self.time) / safe, self.time)


#: What networks are that learn without a ridge and for ever.
FOR_EVER = Learned(0.0, inf)


@final
@dataclass(frozen=True)
class Descended(Function):
    """(1 − (1 − η(λ + ρ))ⁿ)/(λ + ρ), n steps of descent at the rate η."""

    steps: int
    eta: float

    def of(self, rates: np.ndarray) -> np.ndarray:
        """g(λ + ρ)."""
        scaled = self.eta * (rates + self.ridge)
        slow = np.where((scaled > 0) & (scaled < 0.5), scaled, 0.5)
        left = np.where(scaled < 0.5, -np.expm1(self.steps * np.log1p(-slow)), 1 - (1 - scaled) ** self.steps)
        return np.where(scaled > 0, left * self.eta / np.where(scaled > 0, scaled, 1.0), self.eta * self.steps)
