"""Functions between poles or mirrors by Legendre polynomials in the cosine, or in a function of it."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Self, final

import numpy as np
from numpy.typing import ArrayLike

from geomflow.core.errors import InputError
from geomflow.field.bases import polynomials
from geomflow.field.bases.axes import InCosine, check_count, check_interval, inside
from geomflow.field.bases.polynomials import Angles
from geomflow.field.bases.spectral import Modal


class Polynomials(Modal):
    """Functions by Legendre polynomials in η = cos Y, at Gauss's nodes in η."""

    n: int
    modes: int | None

    def _check_modes(self) -> None:
        check_count(self.n, 2, "an interval")
        kept = 3 * self.n // 4 if self.modes is None else self.modes
        if not 1 <= kept <= self.n:
            raise InputError(f"{self.n} nodes carry 1 to {self.n} modes, not {kept}; the default is three quarters")
        object.__setattr__(self, "modes", kept)

    @property
    def kept(self) -> int:
        """The number of modes, polynomials of lower degree."""
        assert self.modes is not None
        return self.modes

    @property
    def eta(self) -> Angles:
        """Y at the nodes."""
        return polynomials.gauss(self.n)[0]

    def limited(self, drop: int) -> Self:
        """The same nodes with fewer modes.

        Parameters
        ----------
        drop : int
            How many fewer.
        """
        return replace(self, modes=self.kept - drop)  # type: ignore[type-var]

    @cached_property
    def modes_at_nodes(self) -> np.ndarray:
        """p_k(η) at the nodes, (N, modes)."""
        return polynomials.legendre(self.kept, self.eta)

    @property
    def analysis(self) -> np.ndarray:
        return self.modes_at_nodes.T * polynomials.gauss(self.n)[1]

    @property
    def slopes(self) -> np.ndarray:
        return polynomials.slopes(self.kept)

    def _of_moments(self, moments: np.ndarray) -> np.ndarray:
        """Weights at the nodes that integrate p_0, …, p_{n−1} as given, (N,)."""
        return polynomials.legendre(self.n, self.eta) @ moments * polynomials.gauss(self.n)[1]


class Polar(InCosine, Polynomials):
    """Functions on [a, b] that are smooth in ξ = cos X, by Legendre polynomials in ξ or in a function η of it."""

    def _check(self) -> None:
        check_count(self.n, 2, "an interval")
        check_interval(self.a, self.b)
        self._check_modes()

    @property
    def stretch(self) -> np.ndarray:
        """dX/dY at the nodes."""
        return self.reach(self.eta)[1]

    @abstractmethod
    def reach(self, eta: Angles) -> tuple[Angles, np.ndarray]:
        """X and dX/dY at any Y.

        Parameters
        ----------
        eta : Angles
            Y.
        """

    @abstractmethod
    def _eta_at(self, angles: Angles) -> Angles:
        """Y of any X."""

    @property
    @abstractmethod
    def weights_xi(self) -> np.ndarray:
        """w with w · f = ∫ f dξ over [−1, 1], (N,)."""

    @property
    def odd_weights(self) -> np.ndarray:
        return (self.b - self.a) / np.pi * self.weights_xi / self.angles.sin

    def root_weights(self, low: bool, high: bool) -> np.ndarray:
        if low == high:
            return self.odd_weights if low else self.weights
        roots = np.sqrt(self.from_start if low else self.from_end)
        return (self.b - self.a) / np.pi * self._jacobi_weights(low, high) / roots

    @abstractmethod
    def _jacobi_weights(self, low: bool, high: bool) -> np.ndarray:
        """w with w · f = ∫ f (1 − ξ)^α (1 + ξ)^β dξ, where α, β are 0 at the ends that are named, else −½."""

    def at(self, points: ArrayLike) -> np.ndarray:
        places = inside(points, self.a, self.b)
        far = places - self.a > self.b - places
        near = np.where(far, self.b - places, places - self.a) * (np.pi / (self.b - self.a))
        return polynomials.legendre(self.kept, self._eta_at(Angles(near, far))) @ self.analysis


@final
@dataclass(frozen=True)
class Legendre(Polar):
    """Functions smooth in ξ = cos X, X = π(x − a)/(b − a), by Legendre polynomials at Gauss's nodes, by increasing x.

    Poles and mirrors at both ends are kept without conditions. Derivatives are those of the projected polynomial,
    with respect to ξ.

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
        self._check()

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
        """Exact for polynomials in ξ of degree below n: ∫_0^π p_k(cos X) dX is known."""
        return (self.b - self.a) / np.pi * self._of_moments(polynomials.moments(self.n))

    def _jacobi_weights(self, low: bool, high: bool) -> np.ndarray:
        angles, weights = polynomials.jacobi(self.n, low, high)
        return self._of_moments(weights @ polynomials.legendre(self.n, angles))
