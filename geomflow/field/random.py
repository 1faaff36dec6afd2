"""Random smooth fields from a seed: trigonometric polynomials, the same function on every grid of a torus."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, final

import numpy as np

from geomflow.core.errors import InputError
from geomflow.core.numbers import generator
from geomflow.field.hermitian import complex_dimension
from geomflow.field.metric import MetricField
from geomflow.field.potential import PotentialField
from geomflow.field.state import ScalarField

if TYPE_CHECKING:
    from geomflow.field.grid import Grid


@final
@dataclass(frozen=True)
class Waves:
    """Plane waves cos(2π m·u + θ) in lattice coordinates u: integer vectors `m`, (terms, d), and `phases`, (terms,)."""

    m: np.ndarray
    phases: np.ndarray

    def on(self, grid: Grid) -> np.ndarray:
        """The waves at the points of a grid, (terms, *grid)."""
        axes = [np.arange(n) / n for n in grid.shape]
        mesh = np.meshgrid(*axes, indexing="ij", sparse=True)
        angles = [sum(2 * np.pi * k * u for k, u in zip(row, mesh)) + phase for row, phase in zip(self.m, self.phases)]
        return np.stack([np.broadcast_to(np.cos(angle), grid.shape) for angle in angles])

    def squared_lengths(self, grid: Grid) -> np.ndarray:
        """|k|² of the Cartesian wave vectors k = 2π Λ^{-1} m, (terms,)."""
        k = 2 * np.pi * np.linalg.solve(np.array(grid.torus.lattice), self.m.T)
        return np.asarray(np.sum(k**2, axis=0))


def draw_waves(random: np.random.Generator, dim: int, modes: int) -> Waves:
    """2d + 2 waves with nonzero integer vectors of entries between −modes and modes."""
    if modes < 1:
        raise InputError(f"modes is {modes}; a random field needs wave numbers up to at least 1.")
    terms = 2 * dim + 2
    m = random.integers(-modes, modes + 1, size=(terms, dim))
    m[~m.any(axis=1), 0] = 1
    return Waves(m, random.uniform(0, 2 * np.pi, terms))


def _weights(random: np.random.Generator, terms: int, amplitude: float) -> np.ndarray:
    """Signed weights whose moduli sum to `amplitude`."""
    draws = random.uniform(0.2, 1.0, terms) * random.choice((-1.0, 1.0), terms)
    return np.asarray(amplitude * draws / np.sum(np.abs(draws)))


def random_scalar(grid: Grid, seed: Any, amplitude: float, modes: int) -> ScalarField:
    """Σ c_m cos(k·x + θ_m) with Σ|c_m| = amplitude."""
    random = generator(seed)
    waves = draw_waves(random, grid.dim, modes)
    weights = _weights(random, len(waves.m), amplitude)
    return ScalarField(grid, np.tensordot(weights, waves.on(grid), axes=1))


def random_metric(grid: Grid, seed: Any, amplitude: float, modes: int) -> MetricField:
    """δ + Σ C_m cos(k·x + θ_m) with symmetric C_m whose spectral norms sum to `amplitude` < 1."""
    require_amplitude(amplitude)
    random = generator(seed)
    waves = draw_waves(random, grid.dim, modes)
    matrices = random.standard_normal((len(waves.m), grid.dim, grid.dim))
    matrices = matrices + np.swapaxes(matrices, -1, -2)
    norms = np.linalg.norm(matrices, ord=2, axis=(-2, -1))
    matrices *= (_weights(random, len(waves.m), amplitude) / norms)[:, None, None]
    return MetricField(grid, np.eye(grid.dim) + np.einsum("m...,mij->...ij", waves.on(grid), matrices))


def random_potential(grid: Grid, seed: Any, amplitude: float, modes: int) -> PotentialField:
    """Σ c_m cos(k·x + θ_m) with Σ|c_m||k_m|²/2 = amplitude < 1, over the reference ½δ: |∂∂̄φ| ≤ ½ amplitude."""
    require_amplitude(amplitude)
    size = complex_dimension(grid, "a Kähler potential")
    random = generator(seed)
    waves = draw_waves(random, grid.dim, modes)
    weights = 2 * _weights(random, len(waves.m), amplitude) / waves.squared_lengths(grid)
    return PotentialField(grid, np.tensordot(weights, waves.on(grid), axes=1), 0.5 * np.eye(size))


def require_amplitude(amplitude: float) -> None:
    """InputError unless 0 ≤ amplitude < 1, the range that keeps metrics positive."""
    if not 0 <= amplitude < 1:
        raise InputError(f"the amplitude is {amplitude}; a positive metric needs one that is at least 0 and below 1.")
