"""Functions by coefficients of modes, and those of Chebyshev between ends without parity."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import final

import numpy as np
from numpy.typing import ArrayLike

from geomflow.field.reduced.axes import OneAxis, OnInterval, check_count, check_interval, inside
from geomflow.field.reduced.basis import Arrays


class Modal(OneAxis):
    """Functions by coefficients of modes: values = modes @ coefficients, coefficients = analysis @ values."""

    order = None

    @property
    @abstractmethod
    def modes_at_nodes(self) -> np.ndarray:
        """The modes at the nodes, (N, modes)."""

    @property
    @abstractmethod
    def analysis(self) -> np.ndarray:
        """From values at the nodes to coefficients, (modes, N)."""

    @property
    @abstractmethod
    def slopes(self) -> np.ndarray:
        """The derivative of modes in their own variable, on coefficients, (modes, modes)."""

    @property
    def project(self) -> np.ndarray:
        return self.modes_at_nodes @ self.analysis

    @property
    def degrees(self) -> np.ndarray:
        """How many waves or zeros each mode has, (modes,)."""
        return np.arange(self.modes_at_nodes.shape[1])

    def tail(self, values: np.ndarray) -> float:
        """The largest coefficient of the shortest tenth of the modes, over the largest of all, but at least 1.

        Of logarithms this is what is lost; 1e-16 is resolved.

        Parameters
        ----------
        values : (N,) array
            At the nodes.
        """
        sizes, degrees = np.abs(self.analysis @ values), self.degrees
        return float(sizes[degrees >= 0.9 * degrees.max()].max() / max(sizes.max(), 1.0))

    def derivative(self, index: Sequence[int]) -> np.ndarray:
        (times,) = self._checked(index)
        return self._derivative(times) if times else np.eye(self.n)

    def _derivative(self, times: int) -> np.ndarray:
        return self.modes_at_nodes @ np.linalg.matrix_power(self.slopes, times) @ self.analysis


@final
@dataclass(frozen=True)
class Chebyshev(OnInterval, Modal):
    """Functions on [a, b] without parity at the ends, by Chebyshev polynomials at Lobatto's nodes, ends included.

    The regular variable is x; all n polynomials are kept; integrals are by Clenshaw and Curtis.

    Parameters
    ----------
    n : int
        Nodes.
    a, b : float
        The ends.
    """

    n: int
    a: float
    b: float

    def __post_init__(self) -> None:
        check_count(self.n, 2, "an interval with its ends")
        check_interval(self.a, self.b)

    @property
    def x(self) -> Arrays:
        share = np.sin(np.pi * np.arange(self.n) / (2 * (self.n - 1))) ** 2
        found = np.where(share <= 0.5, self.a + (self.b - self.a) * share, self.b - (self.b - self.a) * share[::-1])
        return (found,)

    @property
    def points(self) -> Arrays:
        return self.x

    @cached_property
    def modes_at_nodes(self) -> np.ndarray:
        """T_k(t), t = (2x − a − b)/(b − a)."""
        last = self.n - 1
        return np.cos(np.pi * (np.outer(np.arange(last, -1, -1), np.arange(self.n)) % (2 * last)) / last)

    @property
    def analysis(self) -> np.ndarray:
        ends = np.ones(self.n)
        ends[[0, -1]] = 0.5
        return 2 / (self.n - 1) * ends[:, None] * self.modes_at_nodes.T * ends

    @property
    def slopes(self) -> np.ndarray:
        """T_j' = 2j (T_{j−1} + T_{j−3} + …), with half of T_0."""
        k, j = np.indices((self.n, self.n))
        found = np.where((j > k) & ((j - k) % 2 == 1), 2.0 * j, 0.0)
        found[0] /= 2
        return 2 / (self.b - self.a) * found

    @property
    def weights(self) -> np.ndarray:
        k = np.arange(0, self.n, 2)
        return (self.b - self.a) / 2 * (2 / (1.0 - k**2)) @ self.analysis[::2]

    def at(self, points: ArrayLike) -> np.ndarray:
        places = inside(points, self.a, self.b)
        angle = 2 * np.arctan2(np.sqrt(self.b - places), np.sqrt(places - self.a))
        return np.cos(np.outer(angle, np.arange(self.n))) @ self.analysis
