"""Functions on intervals of which an end is given or infinitely far, by Legendre polynomials in their own variable.

The variable is ξ = 1 − 2s with the share s = sin²(X/2) that `symbolic.ansatz.axes` has for these ends; X is held by its
distance from the nearer end.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from functools import cached_property
from typing import final

import numpy as np
from numpy.typing import ArrayLike

from geomflow.core.errors import InputError
from geomflow.field.bases import polynomials
from geomflow.field.bases.axes import check_interval, inside
from geomflow.field.bases.basis import Arrays
from geomflow.field.bases.polar import Polynomials
from geomflow.field.bases.polynomials import Angles


class OpenEnded(Polynomials):
    """Functions smooth in ξ = cos X where x is a function of X/2, at Gauss's nodes by increasing x."""

    a: float

    @property
    def points(self) -> Arrays:
        return (self.eta.cos,)

    @property
    def x(self) -> Arrays:
        return (self._place(*halves(self.eta)),)

    @property
    def from_start(self) -> np.ndarray:
        """1 − ξ at the nodes, to its last digits."""
        return self.eta.from_start

    @property
    def from_end(self) -> np.ndarray:
        """1 + ξ at the nodes, to its last digits."""
        return self.eta.from_end

    def spread(self, count: int) -> np.ndarray:
        return self._place(*halves(Angles.of(np.linspace(0.0, np.pi, count))))

    def at(self, points: ArrayLike) -> np.ndarray:
        return polynomials.legendre(self.kept, Angles.of(self._angle(points))) @ self.analysis

    @abstractmethod
    def _place(self, sine: np.ndarray, cosine: np.ndarray) -> np.ndarray:
        """x from sin X/2 and cos X/2."""

    @abstractmethod
    def _angle(self, points: ArrayLike) -> np.ndarray:
        """X of places."""

    def _near_start(self) -> np.ndarray:
        """w with w · f = ∫ f (1 − ξ)^(−1/2) dξ."""
        angles, weights = polynomials.jacobi(self.n, False, True)
        return self._of_moments(weights @ polynomials.legendre(self.n, angles))


def halves(angles: Angles) -> tuple[np.ndarray, np.ndarray]:
    """sin X/2 and cos X/2."""
    sine, cosine = np.sin(angles.near / 2), np.cos(angles.near / 2)
    return np.where(angles.far, cosine, sine), np.where(angles.far, sine, cosine)


@dataclass(frozen=True)
class Bounded(OpenEnded):
    """On [a, b].

    Parameters
    ----------
    n : int
        Nodes.
    a, b : float
        The ends.
    modes : int, optional
        Polynomials kept, of degrees below it; by default the integer part of 3n/4.
    """

    n: int
    a: float
    b: float
    modes: int | None = None

    def __post_init__(self) -> None:
        check_interval(self.a, self.b)
        self._check_modes()

    @property
    def _length(self) -> float:
        return self.b - self.a

    def _shares(self, points: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
        """(x − a)/ℓ and (b − x)/ℓ."""
        places = inside(points, self.a, self.b)
        return (places - self.a) / self._length, (self.b - places) / self._length


@final
@dataclass(frozen=True)
class EvenThenGiven(Bounded):
    """Even about a, given at b: x = a + ℓ sin X/2."""

    def _place(self, sine: np.ndarray, cosine: np.ndarray) -> np.ndarray:
        return self.a + self._length * sine

    def _angle(self, points: ArrayLike) -> np.ndarray:
        low, high = self._shares(points)
        return 2 * np.arctan2(low, np.sqrt(high * (1 + low)))

    @cached_property
    def weights(self) -> np.ndarray:
        """Exact for polynomials in ξ of degree below n."""
        return self._length / np.sqrt(8) * self._near_start()

    @property
    def odd_weights(self) -> np.ndarray:
        return self._length / 4 * polynomials.gauss(self.n)[1] / halves(self.eta)[0]


@final
@dataclass(frozen=True)
class GivenThenEven(Bounded):
    """Given at a, even about b: x = b − ℓ cos X/2."""

    def _place(self, sine: np.ndarray, cosine: np.ndarray) -> np.ndarray:
        return self.b - self._length * cosine

    def _angle(self, points: ArrayLike) -> np.ndarray:
        low, high = self._shares(points)
        return 2 * np.arctan2(np.sqrt(low * (1 + high)), high)

    @cached_property
    def weights(self) -> np.ndarray:
        """Exact for polynomials in ξ of degree below n."""
        return self._length / np.sqrt(8) * self._near_start()[::-1]

    @property
    def odd_weights(self) -> np.ndarray:
        return self._length / 4 * polynomials.gauss(self.n)[1] / halves(self.eta)[1]


@final
@dataclass(frozen=True)
class GivenTwice(Bounded):
    """Given at both ends: x = a + ℓ sin² X/2."""

    def _place(self, sine: np.ndarray, cosine: np.ndarray) -> np.ndarray:
        return self.a + self._length * sine**2

    def _angle(self, points: ArrayLike) -> np.ndarray:
        low, high = self._shares(points)
        return 2 * np.arctan2(np.sqrt(low), np.sqrt(high))

    @property
    def weights(self) -> np.ndarray:
        return self._length / 2 * polynomials.gauss(self.n)[1]


@final
@dataclass(frozen=True)
class EvenToInfinity(OpenEnded):
    """Even about a, and then to infinity: x = a + ℓ tan X/2.

    Integrals over it are not computed: most of what one would integrate does not decay.

    Parameters
    ----------
    n : int
        Nodes.
    a : float
        Where it begins.
    scale : float
        ℓ, within which half of the nodes are.
    modes : int, optional
        Polynomials kept, of degrees below it; by default the integer part of 3n/4.
    """

    n: int
    a: float
    scale: float = 1.0
    modes: int | None = None

    def __post_init__(self) -> None:
        check_interval(self.a, self.a + self.scale)
        self._check_modes()

    def _place(self, sine: np.ndarray, cosine: np.ndarray) -> np.ndarray:
        return self.a + self.scale * np.divide(sine, cosine, out=np.full_like(sine, np.inf), where=cosine > 0)

    def _angle(self, points: ArrayLike) -> np.ndarray:
        places = np.atleast_1d(np.asarray(points, dtype=float))
        if not (places >= self.a).all():
            raise InputError(f"{places.min()!r} is before {self.a!r}, where the interval begins; evaluate inside")
        return 2 * np.arctan((places - self.a) / self.scale)

    @property
    def weights(self) -> np.ndarray:
        return np.full(self.n, np.nan)
