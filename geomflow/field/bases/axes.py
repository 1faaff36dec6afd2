"""What bases of one coordinate share: on circles, on intervals, and between ends about which all is even."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import ArrayLike

from geomflow.core.errors import InputError
from geomflow.field.bases.basis import Arrays, Basis
from geomflow.field.bases.polynomials import Angles


class OneAxis(Basis):
    """A basis with one coordinate."""

    n: int

    @property
    def shape(self) -> tuple[int, ...]:
        return (self.n,)

    @property
    def project(self) -> np.ndarray:
        return np.eye(self.n)

    @abstractmethod
    def spread(self, count: int) -> np.ndarray:
        """Places along the whole domain, as dense as the nodes are, the ends of an interval among them.

        Parameters
        ----------
        count : int
            How many.
        """


class OnCircle(OneAxis):
    """A basis on a circle with equidistant nodes; the regular variable is x."""

    period: float
    start: float

    @property
    def x(self) -> Arrays:
        return (self.start + self.period * np.arange(self.n) / self.n,)

    @property
    def points(self) -> Arrays:
        return self.x

    @property
    def weights(self) -> np.ndarray:
        return np.full(self.n, self.period / self.n)

    def spread(self, count: int) -> np.ndarray:
        return np.linspace(self.start, self.start + self.period, count)

    def _turns(self, points: ArrayLike) -> np.ndarray:
        """(x − start)/period."""
        return (np.atleast_1d(np.asarray(points, dtype=float)) - self.start) / self.period


class OnInterval(OneAxis):
    """A basis on [a, b]."""

    a: float
    b: float

    def spread(self, count: int) -> np.ndarray:
        return np.linspace(self.a, self.b, count)


@final
@dataclass(frozen=True)
class Constant(OneAxis):
    """A number, as a function that is the same at n nodes.

    Parameters
    ----------
    n : int
        Nodes.
    """

    n: int
    order = None

    def __post_init__(self) -> None:
        check_count(self.n, 1, "a number")

    @property
    def points(self) -> Arrays:
        return (np.zeros(self.n),)

    @property
    def x(self) -> Arrays:
        return self.points

    @property
    def project(self) -> np.ndarray:
        return np.full((self.n, self.n), 1 / self.n)

    @property
    def weights(self) -> np.ndarray:
        return np.full(self.n, 1 / self.n)

    def spread(self, count: int) -> np.ndarray:
        return np.zeros(count)

    def derivative(self, index: Sequence[int]) -> np.ndarray:
        (times,) = self._checked(index)
        return np.zeros((self.n, self.n)) if times else np.eye(self.n)

    def at(self, points: ArrayLike) -> np.ndarray:
        return np.full((len(np.atleast_1d(points)), self.n), 1 / self.n)


class InCosine(OnInterval):
    """Functions on [a, b] that are smooth in ξ = cos X, X = π(x − a)/(b − a): even about both ends.

    The regular variable is ξ; X is held by its distance from the nearer end, so that nothing loses digits there.
    """

    @property
    @abstractmethod
    def angles(self) -> Angles:
        """X at the nodes."""

    @property
    def points(self) -> Arrays:
        return (self.angles.cos,)

    @property
    def x(self) -> Arrays:
        step, near = (self.b - self.a) / np.pi, self.angles.near
        return (np.where(self.angles.far, self.b - step * near, self.a + step * near),)

    @property
    def sine_squared(self) -> np.ndarray:
        """1 − ξ² at the nodes, to its last digits."""
        return self.angles.sin**2

    @property
    def from_start(self) -> np.ndarray:
        """1 − ξ at the nodes, to its last digits."""
        return self.angles.from_start

    @property
    def from_end(self) -> np.ndarray:
        """1 + ξ at the nodes, to its last digits."""
        return self.angles.from_end


def check_count(n: int, least: int, what: str) -> None:
    """Raise InputError for fewer than `least` nodes of `what`."""
    if isinstance(n, bool) or not isinstance(n, int | np.integer) or n < least:
        raise InputError(f"{what} needs a whole number of nodes, at least {least}, not {n!r}")


def check_interval(a: float, b: float) -> None:
    """Raise InputError unless a < b are finite."""
    if not (np.isfinite(a) and np.isfinite(b) and a < b):
        raise InputError(f"an interval [a, b] needs finite ends a < b, not a = {a!r} and b = {b!r}")


def inside(points: ArrayLike, a: float, b: float) -> np.ndarray:
    """The places as floats in [a, b]; InputError for one that is outside by more than rounding."""
    places = np.atleast_1d(np.asarray(points, dtype=float))
    slack = 4 * np.finfo(float).eps * max(abs(a), abs(b))
    outside = ~((places >= a - slack) & (places <= b + slack))
    if outside.any():
        raise InputError(f"{places[outside][0]!r} is outside of the interval [{a!r}, {b!r}]; evaluate inside")
    return np.clip(places, a, b)
