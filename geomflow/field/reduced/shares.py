"""Functions on a span from a to b, by shares u = (y − a)/(b − a) of it; and the ends, which are numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import ArrayLike

from geomflow.field.reduced import polynomials
from geomflow.field.reduced.axes import OneAxis, check_count, inside
from geomflow.field.reduced.basis import Arrays
from geomflow.field.reduced.polar import Polar
from geomflow.field.reduced.polynomials import Angles


@final
@dataclass(frozen=True)
class Shares(Polar):
    """Functions smooth in u on [0, 1], by Legendre polynomials in ξ = 1 − 2u at Gauss's nodes, by increasing u.

    Derivatives are those of the projected polynomial, with respect to ξ; integrals are over u.

    Parameters
    ----------
    n : int
        Nodes.
    modes : int, optional
        Polynomials kept, of degrees below it; by default the integer part of 3n/4.
    """

    n: int
    modes: int | None = None
    a = 0.0
    b = 1.0

    def __post_init__(self) -> None:
        self._check()

    @property
    def x(self) -> Arrays:
        return (np.where(self.angles.far, 1 - self.from_end / 2, self.from_start / 2),)

    @property
    def angles(self) -> Angles:
        return self.eta

    def reach(self, eta: Angles) -> tuple[Angles, np.ndarray]:
        return eta, np.ones_like(eta.near)

    def _eta_at(self, angles: Angles) -> Angles:
        return angles

    @property
    def weights_xi(self) -> np.ndarray:
        return polynomials.gauss(self.n)[1]

    @property
    def weights(self) -> np.ndarray:
        return self.weights_xi / 2

    def _jacobi_weights(self, low: bool, high: bool) -> np.ndarray:
        raise NotImplementedError("densities on a span have no roots")

    def spread(self, count: int) -> np.ndarray:
        return np.asarray(np.sin(np.linspace(0, np.pi / 2, count)) ** 2)

    def at(self, points: ArrayLike) -> np.ndarray:
        shares = inside(points, 0.0, 1.0)
        far = shares > 0.5
        near = 2 * np.arcsin(np.sqrt(np.where(far, 1 - shares, shares)))
        return polynomials.legendre(self.kept, Angles(near, far)) @ self.analysis


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
