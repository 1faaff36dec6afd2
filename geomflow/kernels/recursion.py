"""The recursion in depth of infinite-width kernels: what an architecture fills in."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Generic, TypeVar

import numpy as np


class Known(ABC):
    """Points, and what a network knows of every point alone."""

    @abstractmethod
    def __len__(self) -> int: ...

    @abstractmethod
    def __getitem__(self, rows: slice) -> Known: ...

    @property
    @abstractmethod
    def terms(self) -> int:
        """How many terms the longest series has; none of closed forms."""


K = TypeVar("K", bound=Known)


class Recursion(ABC, Generic[K]):
    """What is filled in for an architecture: layers of points, and blocks of kernels from them."""

    @abstractmethod
    def layers(self, points: np.ndarray, more: int = 1) -> K:
        """What every layer knows of points (p, d), series with `more` times as many terms as are enough."""

    @abstractmethod
    def block(self, x: K, y: K, tangent: bool, out: np.ndarray) -> None:
        """out = the tangent kernel or the covariance of points, (p, q)."""

    def symmetric(self, x: K, rows: slice, tangent: bool, out: np.ndarray) -> None:
        """Rows of the symmetric matrix from their diagonal on, and their mirror images."""
        after = slice(rows.start, len(x))
        self.block(x[rows], x[after], tangent, out[rows, after])  # type: ignore[arg-type]  # rows of K are a K
        square = out[rows, rows]
        square[np.tril_indices(len(square), -1)] = square.T[np.tril_indices(len(square), -1)]
        out[rows.stop :, rows] = out[rows, rows.stop :].T

    @abstractmethod
    def diagonal(self, x: K, tangent: bool) -> np.ndarray:
        """The kernel of each point with itself, (p,)."""
