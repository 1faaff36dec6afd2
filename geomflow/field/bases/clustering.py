"""Legendre polynomials in a variable η whose nodes are drawn to given places, necks and tips."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import final

import numpy as np

from geomflow.core.errors import InputError
from geomflow.field.bases import polynomials
from geomflow.field.bases.density import Density, centred
from geomflow.field.bases.polar import Legendre, Polar
from geomflow.field.bases.polynomials import Angles

FINER = 96
"""Integrals of modes against the density are on twice the nodes and this many."""


@final
@dataclass(frozen=True)
class Clustered(Polar):
    """Functions smooth in ξ = cos X, X = π(x − a)/(b − a), by Legendre polynomials in η at Gauss's nodes in η.

    ξ(η) maps [−1, 1] to itself, analytic, dξ/dη = Q(η) = C exp(−Σ s_i B_i(η)) with bumps B_i at the places. In angles,
    η = cos Y, the distance of nodes is dX/dY = Q sin Y/sin X, even about both poles, and smaller by about e^{−κ} at a
    place of strength κ than far from it (s = κ, and 2κ at a pole, where dX/dY = √Q). Derivatives are those of the
    projected polynomial in η, with respect to ξ, by the chain rule; nothing is divided at the poles.

    Parameters
    ----------
    n : int
        Nodes.
    a, b : float
        The ends.
    places : tuple of (X, κ)
        Angles in [0, π] and strengths: κ = 6 suits a neck of width 1/100, κ = 2 tips, which take as much from a neck.
    modes : int, optional
        Polynomials kept, of degrees below it; by default the integer part of 3n/4.
    """

    n: int
    a: float
    b: float
    places: tuple[tuple[float, float], ...]
    modes: int | None = None

    def __post_init__(self) -> None:
        self._check()
        for place in self.places:
            if len(place) != 2 or not (0 <= place[0] <= np.pi and np.isfinite(place[1])):
                raise InputError(f"a place is a pair of an angle X = π(x − a)/(b − a) in [0, π] and a strength, "
                                 f"not {place!r}")

    @cached_property
    def angles(self) -> Angles:
        """X at the nodes."""
        return self._density.positions(self.eta)

    @property
    def unresolved(self) -> float:
        """By how much modes miss cos X, a polynomial of degree one where nodes are not drawn."""
        return float(np.abs(self.project @ self.angles.cos - self.angles.cos).max())

    def spread(self, count: int) -> np.ndarray:
        angles = self._density.positions(Angles.of(np.linspace(0, np.pi, count))).value
        return np.asarray(np.clip(self.a + (self.b - self.a) / np.pi * angles, self.a, self.b))

    def reach(self, eta: Angles) -> tuple[Angles, np.ndarray]:
        return self._density.positions(eta), self._density.speed(eta)

    @property
    def _density(self) -> Density:
        return centred(self.places)

    def _eta_at(self, angles: Angles) -> Angles:
        return self._density.inverse(angles)

    @property
    def weights_xi(self) -> np.ndarray:
        fine = self._fine
        return self._of_fine(fine.weights_xi * self._density.slope(fine.angles))

    @property
    def weights(self) -> np.ndarray:
        """dx = (b − a)/π · Q sin Y/sin X · dY, whose factor before dY is smooth in η."""
        fine, density = self._fine, self._density
        factor = density.slope(fine.angles) * fine.angles.sin / density.positions(fine.angles).sin
        return (self.b - self.a) / np.pi * self._of_fine(fine.weights * factor)

    def _jacobi_weights(self, low: bool, high: bool) -> np.ndarray:
        eta, weights = polynomials.jacobi(2 * self.n + FINER, low, high)
        xi = self._density.positions(eta)
        factor = np.sqrt(eta.from_end / xi.from_end if low else eta.from_start / xi.from_start)
        return self._of_moments((weights * factor * self._density.slope(eta)) @ polynomials.legendre(self.n, eta))

    @property
    def _fine(self) -> Legendre:
        return Legendre(2 * self.n + FINER, 0.0, np.pi)

    def _of_fine(self, fine: np.ndarray) -> np.ndarray:
        """Weights at the nodes, exact where those on the finer nodes are, for polynomials in η of degree below n."""
        return self._of_moments(fine @ polynomials.legendre(self.n, self._fine.angles))

    def _derivative(self, times: int) -> np.ndarray:
        """d^k/dξ^k = Σ_j c_kj d^j/dη^j."""
        factors = chain(self._density.logarithm(self.eta, times - 1), times)
        return sum((factors[j][:, None] * super(Clustered, self)._derivative(j) for j in range(1, times + 1)),
                   np.zeros((self.n, self.n)))


def chain(logarithm: np.ndarray, times: int) -> Sequence[np.ndarray]:
    """c_j with (d/dξ)^k = Σ_j c_j (d/dη)^j, dη/dξ = e^{−log Q}, from Taylor coefficients of log Q, (k, points).

    By c_{k+1, j} = (c_kj' + c_{k, j−1})/Q on Taylor series in η.
    """
    inverse = exponential(-logarithm)
    rows = [np.zeros_like(inverse) for _ in range(times + 1)]
    rows[0][0] = 1
    for _ in range(times):
        sums = [_slope(row) + (rows[j - 1] if j else 0) for j, row in enumerate(rows)]
        rows = [_product(inverse, row) for row in sums]
    return [row[0] for row in rows]


def exponential(series: np.ndarray) -> np.ndarray:
    """Taylor coefficients of e^f from those of f, (k, points)."""
    found = np.zeros_like(series)
    found[0] = np.exp(series[0])
    for k in range(1, len(series)):
        found[k] = sum(j * series[j] * found[k - j] for j in range(1, k + 1)) / k
    return found


def _product(one: np.ndarray, two: np.ndarray) -> np.ndarray:
    return np.array([sum(one[j] * two[k - j] for j in range(k + 1)) for k in range(len(one))])


def _slope(series: np.ndarray) -> np.ndarray:
    found = np.zeros_like(series)
    found[:-1] = np.arange(1, len(series))[:, None] * series[1:]
    return found
