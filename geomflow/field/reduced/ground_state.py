"""Perelman's λ of metrics with symmetry: the lowest eigenvalue of −4Δ + R among functions of the same symmetry.

The ground state is positive and unique, and has every symmetry of the metric: this is the lowest of all.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import scipy.linalg

from geomflow.core.errors import InputError
from geomflow.field.reduced.circles import Circular
from geomflow.field.reduced.compiled import compiled_nodes
from geomflow.field.reduced.polar import Polar
from geomflow.field.reduced.spectral import Modal
from geomflow.symbolic.ansatz.axis import SINE

if TYPE_CHECKING:
    from geomflow.field.reduced.state import ReducedState


def perelman_lambda(state: ReducedState) -> float:
    """λ = min ∫ (4 |∇φ|² + R φ²) dV / ∫ φ² dV, by the modes of the grid (Rayleigh and Ritz).

    Raises InputError on grids of stencils or of two coordinates.
    """
    grid, ansatz = state.grid, state.grid.ansatz
    if not grid.shape:
        return float(state.scalar("R").ravel()[0])
    (basis, *more) = grid.bases
    if more or not isinstance(basis, Circular | Polar):
        raise InputError("λ of metrics with symmetry is computed on spectral grids of one coordinate: leave the order "
                         "out, or take fewer coordinates.")
    (name,) = grid.coordinates
    place = ansatz.metric.chart.coordinates.index(name)
    nodes = [ansatz.regular.node(e) for e in (ansatz.measure.density, ansatz.metric.inverse[place, place])]
    density, inverse = compiled_nodes(grid, nodes)(state.pack().reshape(len(state.fields), -1), {})
    weights = grid.weights * density
    modes, slopes = basis.modes_at_nodes, _slopes(basis, grid.statics, name)
    energy = 4 * (slopes.T * (weights * inverse)) @ slopes + (modes.T * (weights * state.scalar("R"))) @ modes
    return float(scipy.linalg.eigh(energy, (modes.T * weights) @ modes, eigvals_only=True, subset_by_index=[0, 0])[0])


def _slopes(basis: Modal, statics: dict[str, np.ndarray], name: str) -> np.ndarray:
    """d/dx of the modes at the nodes, (N, modes)."""
    inner = basis.derivative((1,)) @ basis.modes_at_nodes
    if not isinstance(basis, Polar):
        return inner
    return -np.pi / (basis.b - basis.a) * statics[f"{SINE}_{name}"][:, None] * inner
