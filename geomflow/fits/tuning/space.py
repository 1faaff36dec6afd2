"""What is searched: a range for each hyperparameter, linear or logarithmic."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, final

import numpy as np

from geomflow.core.errors import InputError, UnknownNameError


@dataclass(frozen=True)
class Range(ABC):
    """The values low ≤ value ≤ high of a hyperparameter, laid out on the unit interval."""

    low: float
    high: float

    def __post_init__(self) -> None:
        if not (np.isfinite([self.low, self.high]).all() and self.low < self.high):
            raise InputError(f"a range goes from a finite number to a larger one, and {self} does not.")

    @abstractmethod
    def at(self, place: float) -> float:
        """The value at a place of [0, 1]; low at 0, high at 1."""

    @abstractmethod
    def place(self, value: float) -> float:
        """The place of a value, the inverse of `at`."""


@final
@dataclass(frozen=True)
class LinearRange(Range):
    """Values at even distances.

    >>> LinearRange(2.0, 4.0).at(0.5)
    3.0
    """

    def at(self, place: float) -> float:
        """low + place (high − low)."""
        return float(np.clip(self.low + place * (self.high - self.low), self.low, self.high))

    def place(self, value: float) -> float:
        """(value − low)/(high − low)."""
        return float((value - self.low) / (self.high - self.low))


@final
@dataclass(frozen=True)
class LogRange(Range):
    """Values at even ratios, for what is known to a factor: rates and widths. Raises InputError unless low > 0.

    >>> LogRange(1.0, 100.0).at(0.5)
    10.0
    """

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.low <= 0:
            raise InputError(f"a logarithmic range starts at a positive number, and {self} does not: "
                             "take a larger low, or a LinearRange.")

    def at(self, place: float) -> float:
        """low (high/low)^place."""
        return float(np.clip(self.low * (self.high / self.low) ** place, self.low, self.high))

    def place(self, value: float) -> float:
        """log(value/low)/log(high/low)."""
        return float(np.log(value / self.low) / np.log(self.high / self.low))


KINDS: Mapping[str, type[Range]] = MappingProxyType({"linear": LinearRange, "log": LogRange})


@final
@dataclass(frozen=True)
class Space:
    """Names and ranges of the hyperparameters; raises InputError where there is none.

    >>> Space({"rate": LogRange(0.01, 1.0), "bias": LinearRange(0.0, 2.0)}).at([0.5, 0.25])
    {'rate': 0.1, 'bias': 0.5}
    """

    ranges: Mapping[str, Range]

    def __post_init__(self) -> None:
        if not self.ranges or not all(isinstance(each, Range) for each in self.ranges.values()):
            raise InputError("a space has a range for each name, such as Space({'rate': LogRange(0.01, 1)}), "
                             f"and {self.ranges!r} was given.")
        object.__setattr__(self, "ranges", dict(self.ranges))

    def __len__(self) -> int:
        return len(self.ranges)

    def at(self, places: Any) -> dict[str, float]:
        """The settings at places of the unit cube, in the order of the names."""
        return {name: each.at(float(place)) for (name, each), place in zip(self.ranges.items(), places, strict=True)}

    def places(self, settings: Mapping[str, float]) -> np.ndarray:
        """The places of settings, (dim,)."""
        return np.array([each.place(settings[name]) for name, each in self.ranges.items()])

    def described(self) -> dict[str, list[Any]]:
        """Plain data from which `read` makes the space again."""
        words = {kind: word for word, kind in KINDS.items()}
        return {name: [words[type(each)], each.low, each.high] for name, each in self.ranges.items()}

    @staticmethod
    def read(described: Mapping[str, Any]) -> Space:
        """The space of plain data; UnknownNameError for a kind of range that is none."""
        for word, *_ in described.values():
            if word not in KINDS:
                raise UnknownNameError.among("range", str(word), KINDS)
        return Space({name: KINDS[word](low, high) for name, (word, low, high) in described.items()})
