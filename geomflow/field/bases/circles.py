"""Waves on a circle: Fourier's, and those in a variable whose nodes are drawn to given places."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from functools import cached_property
from typing import final

import numpy as np
from numpy.typing import ArrayLike

from geomflow.core.errors import InputError
from geomflow.field.bases.axes import OnCircle, check_count, check_interval
from geomflow.field.bases.basis import Arrays
from geomflow.field.bases.clustering import chain
from geomflow.field.bases.spectral import Modal
from geomflow.field.bases.winding import Winding, winding


class Circular(OnCircle, Modal):
    """Functions on a circle by trigonometric polynomials in y at n even nodes of y, t = 2π (x − start)/period = t(y).

    For an even number of nodes the sawtooth is not kept, which has no derivative.
    """

    @property
    @abstractmethod
    def kept(self) -> int:
        """How many cosines and sines are kept, of numbers up to half of it."""

    @property
    @abstractmethod
    def antiderivative(self) -> np.ndarray:
        """The matrix (N, N) from f to V with dV/dx = f − mean of f, along all of the waves that nodes carry."""

    @property
    def degrees(self) -> np.ndarray:
        numbers = _numbers(self.kept)
        return np.concatenate([numbers, numbers[1:]])

    @cached_property
    def modes_at_nodes(self) -> np.ndarray:
        """1, cos ky, …, sin ky, …"""
        return _at_nodes(self.n, self.kept)

    @property
    def analysis(self) -> np.ndarray:
        return _analysis(self.n, self.kept)

    @property
    def slopes(self) -> np.ndarray:
        """d/dy."""
        numbers = _numbers(self.kept)[1:]
        count = len(numbers) + 1
        found = np.zeros((2 * count - 1, 2 * count - 1))
        found[count:, 1:count], found[1:count, count:] = -np.diag(numbers), np.diag(numbers)
        return found

    def _integrals(self) -> np.ndarray:
        """The matrix from f to its integral in y of mean 0, without the mean of f."""
        numbers = _numbers(self.n)[1:]
        coefficients = _analysis(self.n, self.n)
        cosines, sines = coefficients[1 : len(numbers) + 1], coefficients[len(numbers) + 1 :]
        modes = _at_nodes(self.n, self.n)
        return modes[:, len(numbers) + 1 :] @ (cosines / numbers[:, None]) - modes[:, 1 : len(numbers) + 1] @ (
            sines / numbers[:, None])


@final
@dataclass(frozen=True)
class Fourier(Circular):
    """Functions on a circle by trigonometric polynomials; the regular variable is x, y = 2π (x − start)/period.

    Parameters
    ----------
    n : int
        Nodes.
    period : float
        The length of the circle.
    start : float
        Where the first node is.
    """

    n: int
    period: float
    start: float = 0.0

    def __post_init__(self) -> None:
        check_count(self.n, 1, "a circle")
        check_interval(self.start, self.start + self.period)

    @property
    def kept(self) -> int:
        return self.n

    @property
    def slopes(self) -> np.ndarray:
        """d/dx."""
        return 2 * np.pi / self.period * super().slopes

    @property
    def antiderivative(self) -> np.ndarray:
        return self.period / (2 * np.pi) * self._integrals()

    def at(self, points: ArrayLike) -> np.ndarray:
        return _waves(self._turns(points), self.kept) @ self.analysis


@final
@dataclass(frozen=True)
class Drawn(Circular):
    """Functions on a circle whose nodes are drawn to places; the regular variable is x.

    t(y) is analytic and periodic, with dt/dy = C exp(−Σ κ_i B_i(y)) and bumps B_i at the places: nodes are closer by
    about e^{−κ} at a place of strength κ than far from it. Derivatives are those of the projected polynomial in y,
    with respect to x, by the chain rule.

    Parameters
    ----------
    n : int
        Nodes.
    period : float
        The length of the circle.
    places : tuple of (t, κ)
        Angles in [0, 2π] and strengths: κ = 6 suits a neck of width 1/100. The first place is where points stay that
        are moved lengthwise.
    start : float
        Where the first node is.
    modes : int, optional
        Cosines and sines kept; by default the integer part of 3n/4.
    """

    n: int
    period: float
    places: tuple[tuple[float, float], ...]
    start: float = 0.0
    modes: int | None = None

    def __post_init__(self) -> None:
        check_count(self.n, 2, "a circle")
        check_interval(self.start, self.start + self.period)
        for place in self.places:
            if len(place) != 2 or not (0 <= place[0] <= 2 * np.pi and np.isfinite(place[1])):
                raise InputError(f"a place is a pair of an angle t = 2π(x − start)/period in [0, 2π] and a strength, "
                                 f"not {place!r}")
        kept = 3 * self.n // 4 if self.modes is None else self.modes
        if not 1 <= kept <= self.n:
            raise InputError(f"{self.n} nodes carry 1 to {self.n} waves, not {kept}; the default is three quarters")
        object.__setattr__(self, "modes", kept)

    @property
    def kept(self) -> int:
        assert self.modes is not None
        return self.modes

    @property
    def _map(self) -> Winding:
        return winding(self.places)

    @property
    def _y(self) -> np.ndarray:
        return 2 * np.pi * np.arange(self.n) / self.n

    @property
    def x(self) -> Arrays:
        return (self._positions,)

    @cached_property
    def _positions(self) -> np.ndarray:
        return self.start + self.period / (2 * np.pi) * self._map.positions(self._y)

    @property
    def unresolved(self) -> float:
        """By how much modes miss cos t and sin t."""
        t = self._map.positions(self._y)
        waves = np.stack([np.cos(t), np.sin(t)], axis=1)
        return float(np.abs(self.project @ waves - waves).max())

    @property
    def stretch(self) -> np.ndarray:
        """dx/dy at the nodes."""
        return self.period / (2 * np.pi) * self._map.slope(self._y)

    @property
    def weights(self) -> np.ndarray:
        """∫ f (dx/dy) dy by the sum over nodes; of slopes exactly 0, of 1 the period."""
        return self.period * self.stretch / self.stretch.sum()

    @property
    def antiderivative(self) -> np.ndarray:
        """V is 0 at the first of the places."""
        mean = self.weights / self.period
        found = self._integrals() @ (self.stretch[:, None] * (np.eye(self.n) - mean))
        if not self.places:
            return found
        still = _waves(self._map.centres[:1] / (2 * np.pi), self.n) @ _analysis(self.n, self.n)
        return found - still @ found

    def spread(self, count: int) -> np.ndarray:
        angles = self._map.positions(np.linspace(0, 2 * np.pi, count))
        return self.start + self.period / (2 * np.pi) * angles

    def at(self, points: ArrayLike) -> np.ndarray:
        turns = self._turns(points)
        y = self._map.inverse(2 * np.pi * (turns - np.floor(turns)))
        return _waves(y / (2 * np.pi), self.kept) @ self.analysis

    def _derivative(self, times: int) -> np.ndarray:
        """d^k/dx^k = Σ_j c_kj d^j/dy^j."""
        logarithm = self._map.logarithm(self._y, times - 1)
        logarithm[0] += np.log(self.period / (2 * np.pi))
        factors = chain(logarithm, times)
        return sum((factors[j][:, None] * super(Drawn, self)._derivative(j) for j in range(1, times + 1)),
                   np.zeros((self.n, self.n)))


def _numbers(kept: int) -> np.ndarray:
    return np.arange((kept - 1) // 2 + 1)


def _waves(turns: np.ndarray, kept: int) -> np.ndarray:
    """1, cos ky, …, sin ky, … at y = 2π · turns, (points, waves)."""
    angle = 2 * np.pi * (np.outer(turns, _numbers(kept)) % 1)
    return np.hstack([np.cos(angle), np.sin(angle[:, 1:])])


def _at_nodes(n: int, kept: int) -> np.ndarray:
    angle = 2 * np.pi * (np.outer(np.arange(n), _numbers(kept)) % n / n)
    return np.hstack([np.cos(angle), np.sin(angle[:, 1:])])


def _analysis(n: int, kept: int) -> np.ndarray:
    found = 2 * _at_nodes(n, kept).T / n
    found[0] /= 2
    return found
