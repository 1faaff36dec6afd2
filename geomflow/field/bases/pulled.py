"""Functions on an interval given at both ends, by Legendre polynomials whose nodes are drawn to one of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import ArrayLike

from geomflow.core.errors import InputError
from geomflow.field.bases import polynomials
from geomflow.field.bases.basis import Arrays
from geomflow.field.bases.clustering import chain
from geomflow.field.bases.open_ends import Bounded, halves

FINER = 96
"""Integrals of modes against dξ/dη are on twice the nodes and this many."""


@final
@dataclass(frozen=True)
class Pulled(Bounded):
    """Given at both ends, x = a + ℓ sin² X/2 with tan X/2 = e^{−κ} tan Y/2, by polynomials in η = cos Y.

    ξ = (η + m)/(1 + mη), m = tanh κ, a Möbius map of [−1, 1]: half of the nodes are within the share
    e^{−2κ}/(1 + e^{−2κ}) of the length from a, and near it they are e^{2κ} times as dense as without. A place X = π is
    the same seen from b. What varies at distances δℓ and ℓ from a needs about e^{−κ}/√δ and e^κ nodes: best is
    κ = −¼ log δ.

    Parameters
    ----------
    n : int
        Nodes.
    a, b : float
        The ends.
    modes : int, optional
        Polynomials kept, of degrees below it; by default the integer part of 3n/4.
    places : tuple of one pair
        (0, κ) or (π, κ).
    """

    n: int
    a: float
    b: float
    modes: int | None = None
    places: tuple[tuple[float, float], ...] = ((0.0, 0.0),)

    def __post_init__(self) -> None:
        super().__post_init__()
        if len(self.places) != 1 or self.places[0][0] not in (0.0, np.pi) or not np.isfinite(self.places[0][1]):
            raise InputError(f"nodes between two given ends are drawn to one of them, by a pair (0, κ) or (π, κ), and "
                             f"{self.places!r} was given")

    @property
    def unresolved(self) -> float:
        """By how much modes miss ξ, a polynomial of degree one where nodes are not drawn."""
        return float(np.abs(self.project @ self.points[0] - self.points[0]).max())

    @property
    def points(self) -> Arrays:
        sine, cosine = self._halves
        return (cosine**2 - sine**2,)

    @property
    def from_start(self) -> np.ndarray:
        return 2 * self._halves[0] ** 2

    @property
    def from_end(self) -> np.ndarray:
        return 2 * self._halves[1] ** 2

    @property
    def weights(self) -> np.ndarray:
        """Exact for polynomials in η of degree below n, to the last digits that 2n + 96 of Gauss's nodes give."""
        eta, weights = polynomials.gauss(2 * self.n + FINER)
        moments = (weights * self._slope(eta.cos)) @ polynomials.legendre(self.n, eta)
        return self._length / 2 * self._of_moments(moments)

    @property
    def _pull(self) -> float:
        """κ towards a, −κ towards b."""
        ((place, kappa),) = self.places
        return kappa if place == 0 else -kappa

    @property
    def _halves(self) -> tuple[np.ndarray, np.ndarray]:
        """sin X/2 and cos X/2 at the nodes."""
        return self._moved(*halves(self.eta))

    def _moved(self, sine: np.ndarray, cosine: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """sin X/2 and cos X/2 from those of Y."""
        sine, cosine = sine * np.exp(-self._pull / 2), cosine * np.exp(self._pull / 2)
        radius = np.hypot(sine, cosine)
        return sine / radius, cosine / radius

    def _place(self, sine: np.ndarray, cosine: np.ndarray) -> np.ndarray:
        return self.a + self._length * self._moved(sine, cosine)[0] ** 2

    def _angle(self, points: ArrayLike) -> np.ndarray:
        low, high = self._shares(points)
        return 2 * np.arctan2(np.sqrt(low) * np.exp(self._pull), np.sqrt(high))

    def _slope(self, eta: np.ndarray) -> np.ndarray:
        """dξ/dη = (1 − m²)/(1 + mη)²."""
        m = np.tanh(self._pull)
        return np.asarray((1 - m**2) / (1 + m * eta) ** 2)

    def _derivative(self, times: int) -> np.ndarray:
        """d^k/dξ^k = Σ_j c_kj d^j/dη^j, from log dξ/dη = log(1 − m²) − 2 log(1 + mη) as a series in η."""
        eta, m = self.eta.cos, np.tanh(self._pull)
        series = [np.log(self._slope(eta)), *((2 / j) * (-m / (1 + m * eta)) ** j for j in range(1, times))]
        factors = chain(np.array(series), times)
        return sum((factors[j][:, None] * super(Pulled, self)._derivative(j) for j in range(1, times + 1)),
                   np.zeros((self.n, self.n)))
