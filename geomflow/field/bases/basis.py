"""What a reduced equation needs of a domain: nodes, derivatives, a projection, integrals, values elsewhere."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from math import prod
from typing import final

import numpy as np
from numpy.typing import ArrayLike

from geomflow.core.errors import InputError, ShapeError

Arrays = tuple[np.ndarray, ...]
"""One array for each axis."""


class Basis(ABC):
    """Functions on a domain by their N values at nodes.

    A *regular* variable stands for each coordinate: the one that the functions are smooth in, to the ends. Derivatives
    are with respect to it, integrals and places are in the user's coordinate. `order` is that of accuracy, None where
    it is spectral.
    """

    order: int | None

    @property
    @abstractmethod
    def shape(self) -> tuple[int, ...]:
        """The number of nodes along each axis."""

    @property
    @abstractmethod
    def points(self) -> Arrays:
        """The regular variable of each axis at all nodes, (N,) each."""

    @property
    @abstractmethod
    def x(self) -> Arrays:
        """The user's coordinate of each axis at all nodes, (N,) each."""

    @property
    @abstractmethod
    def project(self) -> np.ndarray:
        """The projection on the functions that are kept, (N, N)."""

    @property
    @abstractmethod
    def weights(self) -> np.ndarray:
        """w with w · f = ∫ f dx for functions smooth in the regular variables, (N,)."""

    @property
    def odd_weights(self) -> np.ndarray:
        """w with w · f = ∫ f dx for functions that are odd about every pole, such as the radius of a sphere, (N,)."""
        return self.weights

    def root_weights(self, low: bool, high: bool) -> np.ndarray:
        """w with w · f = ∫ f dx for functions that are odd about the ends that are named, and even about the others.

        Parameters
        ----------
        low, high : bool
            Whether odd about the first end, and about the last.
        """
        return self.odd_weights if low or high else self.weights

    @abstractmethod
    def derivative(self, index: Sequence[int]) -> np.ndarray:
        """The matrix (N, N) of a derivative, `index[i]` times in the regular variable of axis i.

        It acts on what the projection keeps; no derivative is the identity. Raises ShapeError for an index of another
        length, InputError for a negative one.
        """

    @abstractmethod
    def at(self, points: ArrayLike) -> np.ndarray:
        """The matrix (M, N) from values at the nodes to those at places of the user's coordinates, ends included.

        Parameters
        ----------
        points : (M,) array, or (M, axes)
            The places. Raises InputError outside of the domain.
        """

    @property
    def size(self) -> int:
        """The number N of nodes."""
        return prod(self.shape)

    def _checked(self, index: Sequence[int]) -> tuple[int, ...]:
        if len(index) != len(self.shape):
            raise ShapeError(f"the derivative {tuple(index)} has {len(index)} indices, but {self!r} has "
                             f"{len(self.shape)} axes; give one number for each")
        if any(k < 0 for k in index):
            raise InputError(f"the numbers of derivatives must not be negative, they are {tuple(index)}")
        return tuple(index)


@final
@dataclass(frozen=True)
class Point(Basis):
    """No coordinate: one node, for homogeneous metrics."""

    shape = ()
    points = ()
    x = ()
    order = None

    @property
    def project(self) -> np.ndarray:
        return np.ones((1, 1))

    @property
    def weights(self) -> np.ndarray:
        return np.ones(1)

    def derivative(self, index: Sequence[int]) -> np.ndarray:
        self._checked(index)
        return np.ones((1, 1))

    def at(self, points: ArrayLike) -> np.ndarray:
        return np.ones((len(np.atleast_1d(points)), 1))


@final
@dataclass(frozen=True)
class Product(Basis):
    """Functions of two coordinates: the second is the faster one in (N,) arrays.

    Parameters
    ----------
    first, second : Basis
        The bases of the coordinates.
    """

    first: Basis
    second: Basis
    order: int | None = field(init=False, repr=False)

    def __post_init__(self) -> None:
        orders = (basis.order for basis in (self.first, self.second))
        object.__setattr__(self, "order", min((order for order in orders if order is not None), default=None))

    @property
    def shape(self) -> tuple[int, ...]:
        return self.first.shape + self.second.shape

    @property
    def points(self) -> Arrays:
        return self._spread(self.first.points, self.second.points)

    @property
    def x(self) -> Arrays:
        return self._spread(self.first.x, self.second.x)

    @property
    def project(self) -> np.ndarray:
        return np.kron(self.first.project, self.second.project)

    @property
    def weights(self) -> np.ndarray:
        return np.kron(self.first.weights, self.second.weights)

    @property
    def odd_weights(self) -> np.ndarray:
        return np.kron(self.first.odd_weights, self.second.odd_weights)

    def derivative(self, index: Sequence[int]) -> np.ndarray:
        index, split = self._checked(index), len(self.first.shape)
        return np.kron(self.first.derivative(index[:split]), self.second.derivative(index[split:]))

    def at(self, points: ArrayLike) -> np.ndarray:
        places, split = np.asarray(points, dtype=float), len(self.first.shape)
        if places.ndim != 2 or places.shape[1] != len(self.shape):
            raise ShapeError(f"places in {len(self.shape)} coordinates are an array (M, {len(self.shape)}), "
                             f"not one of shape {places.shape}")
        rows = [basis.at(part[:, 0] if part.shape[1] == 1 else part) for basis, part in
                ((self.first, places[:, :split]), (self.second, places[:, split:]))]
        return np.asarray(np.einsum("mi,mj->mij", *rows).reshape(len(places), -1))

    def _spread(self, first: Arrays, second: Arrays) -> Arrays:
        one, two = np.ones(self.first.size), np.ones(self.second.size)
        return (*(np.kron(v, two) for v in first), *(np.kron(one, v) for v in second))
