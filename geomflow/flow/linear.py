"""A flow linearised at any state of a grid: what it does to small changes, and the rates at which they grow.

The derivative of the rate along a change is that of the problem's Jacobian where it has one; elsewhere it is taken by
symmetric differences of the compiled rate itself (`core.differences`): averages and what is solved for at each state
are moved along.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, final

import numpy as np

from geomflow.core import memory
from geomflow.core.differences import derivative_along
from geomflow.core.errors import InputError, NotFiniteError
from geomflow.core.notebook import Facts, InNotebook
from geomflow.core.numbers import whole
from geomflow.flow.problem import Problem

DENSE = 1500
"""Up to so many unknowns the matrix is made and its whole spectrum found; beyond, the rightmost eigenvalues alone."""

ROUNDING = 1e-9
"""Of the largest eigenvalue, what its parts are known to."""


@final
@dataclass(frozen=True, repr=False)
class Linearised(InNotebook):
    """J = dF of the rate F at a state: small changes follow dv/dt = J v. Made by `flow.linearise(state)`.

    Parameters
    ----------
    problem : Problem
        The flow bound to the state.
    time : float
        At which F is taken, if it depends on t.
    """

    problem: Problem
    time: float = 0.0

    @property
    def size(self) -> int:
        """The number of unknowns."""
        return int(self.problem.y0.size)

    def apply(self, change: np.ndarray) -> np.ndarray:
        """J v for a change v of the packed state, of its shape or flat. Raises NotFiniteError where J is not finite.

        Parameters
        ----------
        change : (ncomp, *grid) array, or flat
            v.
        """
        v = np.asarray(change, dtype=float).reshape(self.problem.y0.shape)
        if self.problem.jacobian:
            return np.asarray(self.matrix @ v.ravel()).reshape(np.shape(change))
        return self._finite(derivative_along(self._rate, self.problem.y0, v)).reshape(np.shape(change))

    def operator(self) -> Any:
        """J as a `scipy.sparse.linalg.LinearOperator` on flat packed states."""
        from scipy.sparse.linalg import LinearOperator

        return LinearOperator((self.size, self.size), matvec=lambda v: self.apply(v).ravel(), dtype=float)

    @cached_property
    def matrix(self) -> np.ndarray:
        """J as a matrix, (n, n). Raises MemoryLimitError where it doesn't fit."""
        memory.require(8.0 * self.size**2, f"the matrix of {self.size:,} unknowns", "use a smaller grid")
        if self.problem.jacobian:
            return self._finite(np.array(self.problem.jacobian(self.time, self.problem.y0), dtype=float))
        return np.stack([self.apply(unit).ravel() for unit in np.eye(self.size)], axis=1)

    def spectrum(self, count: int = 6) -> np.ndarray:
        """The `count` eigenvalues with the largest real parts, the largest first; complex where J has such.

        Of those whose real parts are the same to rounding, as of waves that neither grow nor decay, the slowest comes
        first, −iω before iω. Up to 1,500 unknowns the whole spectrum is found, beyond by Arnoldi's method. Raises
        InputError where that does not find them.

        Parameters
        ----------
        count : int
            How many.
        """
        values, _ = self.modes(count)
        return values

    def modes(self, count: int = 6) -> tuple[np.ndarray, np.ndarray]:
        """Eigenvalues as of `spectrum`, and their modes as packed changes (count, ncomp, *grid).

        Parameters
        ----------
        count : int
            How many.
        """
        number = whole(count, "the number of eigenvalues", 1)
        if number > self.free:
            raise InputError(f"{number} eigenvalues were asked for, and there are {self.free} unknowns.")
        if self.size <= DENSE or number >= self.free - 1:
            values, vectors = self._all()
        else:
            values, vectors = self._rightmost(number)
        order = rightmost_first(values)[:number]
        found, modes = values[order], vectors[:, order].T.reshape(number, *self.problem.y0.shape)
        real = np.abs(found.imag).max() <= ROUNDING * max(1.0, np.abs(found).max())
        return (found.real, modes.real) if real else (found, modes)

    @property
    def free(self) -> int:
        """How many numbers the rate moves: all, or the modes that a grid keeps."""
        own = self.problem.directions
        return self.size if own is None else own.shape[1]

    def _all(self) -> tuple[np.ndarray, np.ndarray]:
        """All eigenvalues and modes among the changes that the rate makes."""
        own = self.problem.directions
        if own is None:
            return np.linalg.eig(self.matrix)
        values, vectors = np.linalg.eig(own.T @ self.matrix @ own)
        return values, own @ vectors

    def _rightmost(self, count: int) -> tuple[np.ndarray, np.ndarray]:
        from scipy.sparse.linalg import ArpackError, eigs

        try:
            values, vectors = eigs(self.operator(), k=count, which="LR", ncv=min(self.size, 4 * count + 60),
                                   maxiter=2000, v0=np.random.default_rng(0).standard_normal(self.size))
        except ArpackError as error:
            raise InputError(f"the {count} rightmost eigenvalues of {self.size:,} unknowns were not found "
                                   f"({error}): take a smaller grid.") from None
        return values, vectors

    def _finite(self, values: np.ndarray) -> np.ndarray:
        """The values. Raises NotFiniteError where one is not finite."""
        bad = values[~np.isfinite(values)]
        if bad.size:
            raise NotFiniteError(f"the linearised rate is {bad[0]:.6g} in {bad.size} of {values.size} places: the rate "
                                 "has no derivative at this state. Linearise at another state.")
        return values

    def _rate(self, y: np.ndarray) -> np.ndarray:
        """F(y)."""
        out = np.empty_like(y)
        self.problem.rate(self.time, y, out)
        return out

    def __repr__(self) -> str:
        return f"{self.problem.description.get('equation', 'a rate')}, linearised, in {self.size:,} unknowns"

    def __facts__(self) -> Facts:
        yield "unknowns", self.size
        yield "flow", self.problem.description.get("flow", "")


def rightmost_first(values: np.ndarray) -> np.ndarray:
    """The places of eigenvalues by real part, the largest first; of the same to rounding the slowest first.

    >>> rightmost_first(np.array([3j, -3j, -1, 1j, -1j, 0.5])).tolist()
    [5, 4, 3, 1, 0, 2]
    """
    same = ROUNDING * max(1.0, float(np.abs(values).max()))
    order = np.argsort(-values.real, kind="stable")
    group = np.empty(len(values), dtype=int)
    group[order] = np.cumsum(np.diff(-values.real[order], prepend=-values.real[order[0]]) > same)
    return np.lexsort((values.imag, -values.real, np.round(np.abs(values.imag) / same), group))
