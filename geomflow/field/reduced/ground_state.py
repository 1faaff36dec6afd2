"""Perelman's λ of metrics with symmetry: the lowest eigenvalue of −4Δ + R among functions of the same symmetry.

The ground state is positive and unique, and has every symmetry of the metric: this is the lowest of all.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, final

import numpy as np
import scipy.linalg

from geomflow.core.errors import InputError
from geomflow.field.bases.basis import Basis
from geomflow.field.bases.circles import Circular
from geomflow.field.bases.polar import Polar
from geomflow.field.bases.spectral import Modal
from geomflow.field.reduced.compiled import odd_ends

PANEL = 6
"""Gauss's points between neighbours."""

if TYPE_CHECKING:
    from geomflow.field.reduced.grid import ReducedGrid
    from geomflow.field.reduced.state import ReducedState


@final
@dataclass(frozen=True, eq=False)
class Modes:
    """Functions on a metric with symmetry by orthonormal modes of the grid, ∫ φ² dV = |c|² of φ = `values` c.

    Integrals are by Gauss's points between neighbours among the grid's, so that all weights are positive.

    Parameters
    ----------
    state : ReducedState
        On a spectral grid of one coordinate, or of none. Raises InputError for others.
    """

    state: ReducedState

    def __post_init__(self) -> None:
        if self._grid.shape and not isinstance(self._basis, Circular | Polar):
            raise InputError("λ and μ of metrics with symmetry are computed on spectral grids of one coordinate: leave "
                             "the order out, or take fewer coordinates.")

    @property
    def _grid(self) -> ReducedGrid:
        return self.state.grid

    @property
    def _basis(self) -> Basis:
        return self._grid.basis

    @cached_property
    def _gauss(self) -> tuple[np.ndarray, np.ndarray]:
        """Places along the coordinate, and weights of ∫ dx."""
        if not self._grid.shape:
            return np.zeros(1), np.ones(1)
        low, high = self._grid.places[[0, -1]]
        edges = np.unique([low, *self._basis.x[0], high])
        nodes, weights = np.polynomial.legendre.leggauss(PANEL)
        half = np.diff(edges)[:, None] / 2
        return (edges[:-1, None] + half * (1 + nodes)).ravel(), (half * weights).ravel()

    @property
    def places(self) -> np.ndarray:
        """Where functions are evaluated, (M,)."""
        return self._gauss[0]

    @cached_property
    def _there(self) -> np.ndarray:
        """From values at the grid's points to those at the places, (M, N)."""
        return self._basis.at(self.places)

    @cached_property
    def weights(self) -> np.ndarray:
        """w with w · s = ∫ s dV, (M,)."""
        measure = self._grid.ansatz.relative_measure
        density = self.state.evaluated(measure.density)
        if isinstance(self._basis, Polar):
            (x,) = self._basis.x
            density = self._root(self.places) * (self._there @ (density / self._root(x)))
        else:
            density = self._there @ density
        return np.asarray(float(measure.volume) * self._gauss[1] * density)

    def _root(self, x: np.ndarray) -> np.ndarray:
        """What the density of volumes holds of sin(X/2) and cos(X/2), about whose zeros it is odd."""
        assert isinstance(self._basis, Polar)
        half = np.pi / 2 * (x - self._basis.a) / (self._basis.b - self._basis.a)
        low, high = odd_ends(self._grid)
        return np.asarray((np.sin(half) if low else 1.0) * (np.cos(half) if high else 1.0) * np.ones_like(x))

    @cached_property
    def inverse(self) -> np.ndarray:
        """g^xx at the places, (M,); 0 where there is no coordinate."""
        ansatz = self._grid.ansatz
        if not ansatz.coordinates:
            return np.zeros(1)
        place = ansatz.metric.chart.coordinates.index(ansatz.coordinates[0])
        return self._there @ self.state.evaluated(ansatz.metric.inverse[place, place])

    @cached_property
    def scalar(self) -> np.ndarray:
        """R at the places, (M,)."""
        return self._there @ self.state.scalar("R").ravel()

    @cached_property
    def _change(self) -> np.ndarray:
        """From orthonormal modes to those of the basis, by QR without squares."""
        plain = self._there @ self._plain
        return np.linalg.inv(np.linalg.qr(np.sqrt(np.maximum(self.weights, 0.0))[:, None] * plain).R)

    @property
    def _plain(self) -> np.ndarray:
        return self._basis.modes_at_nodes if isinstance(self._basis, Modal) else np.ones((1, 1))

    @cached_property
    def at_points(self) -> np.ndarray:
        """The modes at the grid's points, (N, modes)."""
        return self._plain @ self._change

    @cached_property
    def values(self) -> np.ndarray:
        """The modes at the places, (M, modes)."""
        return self._there @ self.at_points

    @cached_property
    def energy(self) -> np.ndarray:
        """∫ (4⟨∇φ, ∇χ⟩ + R φ χ) dV of modes, (modes, modes)."""
        found = (self.values.T * (self.weights * self.scalar)) @ self.values
        if self._grid.shape:
            slopes = self._there @ (self._basis.derivative((1,)) @ self.at_points)
            found = found + 4 * (slopes.T * (self.weights * self.inverse * self._speed**2)) @ slopes
        return np.asarray(found)

    @property
    def _speed(self) -> np.ndarray:
        """The derivative of the regular variable at the places, (M,)."""
        if not isinstance(self._basis, Polar):
            return np.ones(len(self.places))
        turn = np.pi / (self._basis.b - self._basis.a)
        return np.asarray(turn * np.sin(turn * (self.places - self._basis.a)))


def perelman_lambda(state: ReducedState) -> float:
    """λ = min ∫ (4 |∇φ|² + R φ²) dV / ∫ φ² dV, by the modes of the grid (Rayleigh and Ritz).

    Raises InputError on grids of stencils or of two coordinates.
    """
    return float(scipy.linalg.eigvalsh(Modes(state).energy, subset_by_index=[0, 0])[0])
