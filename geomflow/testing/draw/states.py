"""Hypothesis strategies for tori, grids and states on them, which shrink to few waves, simple numbers, small grids."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from geomflow.core.errors import MissingExtraError
from geomflow.field import ComplexTorus, FlatTorus, Grid, MetricField, PotentialField, ScalarField, Torus

try:
    from hypothesis import strategies as st
    from hypothesis.strategies import DrawFn, SearchStrategy
except ImportError as error:
    raise MissingExtraError.of("hypothesis", "test") from error

seeds = st.integers(min_value=0, max_value=2**32 - 1)
"""Seeds of random numbers."""

amplitudes = st.floats(min_value=0.05, max_value=0.4)
"""How far random fields are from flat ones."""

AXIS = {1: (8, 12, 16), 2: (8, 12, 16), 3: (6, 8), 4: (6,), 6: (4,)}
"""Points an axis by dimension, the fewest first."""


@st.composite
def automorphisms(draw: DrawFn, dim: int, length: int = 2) -> np.ndarray:
    """Matrices of SL(dim, Z): products of elementary shears.

    Parameters
    ----------
    dim : int
        At least 2.
    length : int
        The largest number of shears.
    """
    matrix = np.eye(dim, dtype=int)
    for _ in range(draw(st.integers(min_value=1, max_value=length))):
        i, j = draw(st.permutations(range(dim)))[:2]
        shear = np.eye(dim, dtype=int)
        shear[i, j] = draw(st.sampled_from((-1, 1)))
        matrix = matrix @ shear
    return matrix


def tori(dims: Sequence[int] = (2,)) -> SearchStrategy[Torus]:
    """Real tori: of unit periods first, then of others, then oblique ones.

    Parameters
    ----------
    dims : sequence of int
        The dimensions, the simplest first.
    """
    return st.sampled_from(dims).flatmap(lambda dim: st.sampled_from((
        Torus(dim), Torus(dim, periods=[1 + axis / 2 for axis in range(dim)]), Torus(dim, lattice=_oblique(dim)))))


def complex_tori(dims: Sequence[int] = (1,)) -> SearchStrategy[ComplexTorus]:
    """Complex tori: of unit periods first, then of others, then oblique ones.

    Parameters
    ----------
    dims : sequence of int
        The complex dimensions, the simplest first.
    """
    return st.sampled_from(dims).flatmap(lambda dim: st.sampled_from((
        ComplexTorus(dim), ComplexTorus(dim, periods=[1 + axis / 2 for axis in range(2 * dim)]),
        ComplexTorus(dim, lattice=_oblique(2 * dim)))))


def _oblique(dim: int) -> np.ndarray:
    return np.eye(dim) + np.diag(np.full(dim - 1, 0.25), -1)


@st.composite
def grids(draw: DrawFn, torus: FlatTorus | None = None) -> Grid:
    """Spectral grids of a few points an axis, all axes equal.

    Parameters
    ----------
    torus : FlatTorus, optional
        The torus in dimension two unless given.
    """
    on = torus or Torus(2)
    return on.grid(draw(st.sampled_from(AXIS[on.real_dim])), scheme="spectral")


@st.composite
def _waves(draw: DrawFn, grid: Grid, amplitude: float) -> tuple[np.ndarray, tuple[int, ...], float]:
    """a cos or a sin of 2π m·u with a simple number a, its wave vector m, and a."""
    dim = grid.dim
    m = draw(st.tuples(*[st.sampled_from((0, 1, -1))] * dim).filter(any))
    function = draw(st.sampled_from((np.cos, np.sin)))
    size = amplitude * draw(st.sampled_from((0.5, 0.25, 1.0, -0.5)))
    cell = np.meshgrid(*[np.arange(n) / n for n in grid.shape], indexing="ij")
    return size * function(2 * np.pi * sum(k * u for k, u in zip(m, cell))), m, size


@st.composite
def scalar_states(draw: DrawFn, torus: FlatTorus | None = None, mean: float = 0.0, amplitude: float = 0.2,
                  waves: int = 2) -> ScalarField:
    """Real functions on grids: a constant and a few waves.

    Parameters
    ----------
    torus : FlatTorus, optional
        The torus in dimension two unless given.
    mean : float
        The constant.
    amplitude : float
        The largest of a wave.
    waves : int
        At most so many.
    """
    grid = draw(grids(torus))
    parts = draw(st.lists(_waves(grid, amplitude), max_size=waves))
    return ScalarField(grid, np.full(grid.shape, mean) + sum(part for part, _, _ in parts))


@st.composite
def metric_states(draw: DrawFn, torus: Torus | None = None, amplitude: float = 0.4, waves: int = 2) -> MetricField:
    """Metrics on grids: the flat one and a few waves, each in one component.

    Parameters
    ----------
    torus : Torus, optional
        The torus in dimension two unless given.
    amplitude : float
        The largest of a wave; below 1/waves, which keeps metrics positive.
    waves : int
        At most so many.
    """
    grid = draw(grids(torus))
    values = np.broadcast_to(np.eye(grid.dim), (*grid.shape, grid.dim, grid.dim)).copy()
    axes = st.integers(0, grid.dim - 1)
    for (wave, _, _), i, j in draw(st.lists(st.tuples(_waves(grid, amplitude), axes, axes), max_size=waves)):
        values[..., i, j] += wave
        if i != j:
            values[..., j, i] += wave
    return MetricField(grid, values)


@st.composite
def potential_states(draw: DrawFn, torus: ComplexTorus | None = None, amplitude: float = 0.4,
                     waves: int = 2) -> PotentialField:
    """Kähler potentials on grids, over ½δ: a few waves.

    Parameters
    ----------
    torus : ComplexTorus, optional
        The complex torus in dimension one unless given.
    amplitude : float
        How much of the flat metric a wave may take away; below 1/waves.
    waves : int
        At most so many.
    """
    grid = draw(grids(torus or ComplexTorus(1)))
    total = np.zeros(grid.shape)
    dual = 2 * np.pi * np.linalg.inv(np.array(grid.torus.lattice))
    for wave, m, _ in draw(st.lists(_waves(grid, amplitude), max_size=waves)):
        total = total + _simple(2 / float(np.sum((dual @ m) ** 2))) * wave
    return PotentialField(grid, total, 0.5 * np.eye(grid.torus.complex_dim))


def _simple(value: float) -> float:
    """The next smaller number 1/n."""
    return 1 / math.ceil(1 / value)
