"""Random smooth fields from a seed: trigonometric polynomials, the same function on every grid of a torus.

On a grid with one point along an axis it is that function where the axis begins.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from math import comb
from typing import TYPE_CHECKING, Any, final

import numpy as np

from geomflow.core.errors import InputError, require_known
from geomflow.core.numbers import generator
from geomflow.field.fields import Fields
from geomflow.field.forms import FormField, spread
from geomflow.field.hermitian import HermitianField
from geomflow.field.metric import MetricField
from geomflow.field.potential import PotentialField
from geomflow.field.state import Field, ScalarField
from geomflow.field.symmetric import SymmetricField
from geomflow.field.tensor import TensorField
from geomflow.field.wirtinger import complex_dimension
from geomflow.symbolic.language.kinds import pairs_of_kinds

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
    return MetricField(grid, np.eye(grid.dim) + _random_matrices(grid, seed, amplitude, modes))


def random_symmetric(grid: Grid, seed: Any, amplitude: float, modes: int) -> SymmetricField:
    """Σ C_m cos(k·x + θ_m) with symmetric C_m whose spectral norms sum to `amplitude`."""
    return SymmetricField(grid, _random_matrices(grid, seed, amplitude, modes))


def _random_matrices(grid: Grid, seed: Any, amplitude: float, modes: int) -> np.ndarray:
    random = generator(seed)
    waves = draw_waves(random, grid.dim, modes)
    matrices = random.standard_normal((len(waves.m), grid.dim, grid.dim))
    matrices = matrices + np.swapaxes(matrices, -1, -2)
    norms = np.linalg.norm(matrices, ord=2, axis=(-2, -1))
    matrices *= (_weights(random, len(waves.m), amplitude) / norms)[:, None, None]
    return np.einsum("m...,mij->...ij", waves.on(grid), matrices)  # type: ignore[no-any-return]


def random_vector(grid: Grid, seed: Any, amplitude: float, modes: int) -> TensorField:
    """Σ X_m cos(k·x + θ_m) with vectors X_m whose lengths sum to `amplitude`."""
    return TensorField(grid, np.moveaxis(_random_rows(grid, seed, amplitude, modes, grid.dim), 0, -1), "^i")


def random_form(grid: Grid, seed: Any, amplitude: float, modes: int, degree: int = 1) -> FormField:
    """Σ A_m cos(k·x + θ_m) with k-forms A_m = Σ_{i<j<…} A_{ij…} dx^i ∧ … whose lengths sum to `amplitude`."""
    rows = _random_rows(grid, seed, amplitude, modes, comb(grid.dim, degree))
    return FormField(grid, spread(rows, grid.dim, degree))


def _random_rows(grid: Grid, seed: Any, amplitude: float, modes: int, count: int) -> np.ndarray:
    """Components (count, *grid) whose root of the sum of squares is at most `amplitude`."""
    random = generator(seed)
    waves = draw_waves(random, grid.dim, modes)
    rows = random.standard_normal((len(waves.m), count))
    rows *= (_weights(random, len(waves.m), amplitude) / np.linalg.norm(rows, axis=1))[:, None]
    return np.einsum("m...,mi->i...", waves.on(grid), rows)  # type: ignore[no-any-return]


def random_hermitian(grid: Grid, seed: Any, amplitude: float, modes: int) -> HermitianField:
    """½δ + Σ C_m cos(k·x + θ_m) with Hermitian C_m whose spectral norms sum to `amplitude`/2 < ½."""
    require_amplitude(amplitude)
    size = complex_dimension(grid, "a Hermitian metric")
    random = generator(seed)
    waves = draw_waves(random, grid.dim, modes)
    matrices = random.standard_normal((len(waves.m), size, size, 2)) @ np.array([1, 1j])
    matrices = matrices + np.conj(np.swapaxes(matrices, -1, -2))
    matrices *= (_weights(random, len(waves.m), amplitude / 2) / np.linalg.norm(matrices, 2, (-2, -1)))[:, None, None]
    return HermitianField(grid, 0.5 * np.eye(size) + np.einsum("m...,mij->...ij", waves.on(grid), matrices))


def random_potential(grid: Grid, seed: Any, amplitude: float, modes: int) -> PotentialField:
    """Σ c_m cos(k·x + θ_m) with Σ|c_m||k_m|²/2 = amplitude < 1, over the reference ½δ: |∂∂̄φ| ≤ ½ amplitude."""
    require_amplitude(amplitude)
    size = complex_dimension(grid, "a Kähler potential")
    random = generator(seed)
    waves = draw_waves(random, grid.dim, modes)
    weights = 2 * _weights(random, len(waves.m), amplitude) / waves.squared_lengths(grid)
    return PotentialField(grid, np.tensordot(weights, waves.on(grid), axes=1), 0.5 * np.eye(size))


MAKERS: dict[str, Callable[[Grid, Any, float, int], Field]] = {
    "scalar": random_scalar, "metric": random_metric, "potential": random_potential, "vector": random_vector,
    "symmetric": random_symmetric, "form": random_form, "hermitian": random_hermitian,
}
"""Random fields, by their kinds."""


def random_fields(grid: Grid, given: str | Mapping[str, str], seed: Any, amplitude: float, modes: int) -> Fields:
    """The state of `grid.random_fields(given, seed)`: each field from one drawn number and its name."""
    drawn = int(generator(seed).integers(2**32))
    return grid.fields(**{name: _maker(grid, kind)(grid, np.random.default_rng([drawn, *name.encode()]), amplitude,
                                                   modes)
                          for name, kind in pairs_of_kinds(given).items()})


def _maker(grid: Grid, kind: str) -> Callable[[Grid, Any, float, int], Field]:
    degrees = {f"{degree}-form": degree for degree in range(grid.dim + 1)}
    if kind in degrees:
        return partial(random_form, degree=degrees[kind])
    require_known("kind of field", kind, (*MAKERS, *degrees))
    return MAKERS[kind]


def require_amplitude(amplitude: float) -> None:
    """InputError unless 0 ≤ amplitude < 1, the range that keeps metrics positive."""
    if not 0 <= amplitude < 1:
        raise InputError(f"the amplitude is {amplitude}; a positive metric needs one that is at least 0 and below 1.")
