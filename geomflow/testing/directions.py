"""Directions in which a state is moved: smooth, small beside the state, the simplest first."""

from __future__ import annotations

from collections.abc import Iterator
from functools import singledispatch
from itertools import product
from typing import Any, NamedTuple

import numpy as np

from geomflow.field import Field, Grid, HermitianField, MetricField, PotentialField
from geomflow.field.wirtinger import complex_hessian
from geomflow.testing.spelling import angle

SHARE = 0.1
"""How large a direction is beside what must stay positive of the state."""


class Direction(NamedTuple):
    """A change of a state: packed rows, and the same in words; which row it moves, -1 for all of them."""

    rows: np.ndarray
    words: str
    row: int = -1


def packed(state: Any) -> np.ndarray:
    """The numbers of a state, (ncomp, *grid); an array itself where the state is one."""
    return state.pack() if hasattr(state, "pack") else np.array(state, dtype=float)


def moved(state: Any, rows: np.ndarray) -> Any:
    """The state with these numbers."""
    return state.unpack(rows) if hasattr(state, "unpack") else rows


@singledispatch
def mixed(state: Any, random: np.random.Generator) -> Direction:
    """A random direction, of all waves and components."""
    rows = packed(state)
    return Direction(reach(state, rows) * random.uniform(-1, 1, rows.shape),
                     "a random direction")


@mixed.register(Field)
def _mixed_waves(state: Field, random: np.random.Generator) -> Direction:
    rows = sum(random.uniform(-1, 1) * d.rows for d in simple(state))
    return Direction(np.asarray(rows) / 4, "a mixture of long waves")


@singledispatch
def simple(state: Any) -> Iterator[Direction]:
    """One number after the other."""
    rows = packed(state)
    size = reach(state, rows)
    for place in np.ndindex(rows.shape):
        unit = np.zeros(rows.shape)
        unit[place] = size
        yield Direction(unit, f"{size:.3g} at {place}", place[0])


@simple.register(Field)
def _simple_waves(state: Field) -> Iterator[Direction]:
    """A constant and long waves in each component, and the state's own waves."""
    rows = state.pack()
    own = rows - rows.mean(axis=tuple(range(1, rows.ndim)), keepdims=True)
    if np.abs(own).max() > 1e-9:
        share = reach(state, own) / float(np.abs(own).max())
        yield Direction(share * own, f"{share:.4g}*(state - its mean)")
    for row, name in enumerate(state.component_names):
        for words, wave in waves(state.grid):
            rows = np.zeros((len(state.component_names), *state.grid.shape))
            rows[row] = wave
            size = reach(state, rows)
            yield Direction(size * rows, f"{size:.4g}*{words} in {name}" if words else f"{size:.4g} in {name}", row)


def waves(grid: Grid) -> Iterator[tuple[str, np.ndarray]]:
    """1, cosines and sines of the longest waves, as text and numbers; the text of 1 is empty."""
    yield "", np.ones(grid.shape)
    cell = np.meshgrid(*[np.arange(n) / n for n in grid.shape], indexing="ij")
    axes = np.eye(grid.dim, dtype=int)
    vectors = [*axes, axes[0] + axes[1]] if grid.dim > 1 else [axes[0]]
    for m, (name, function) in product(vectors, (("cos", np.cos), ("sin", np.sin))):
        theta = 2 * np.pi * sum(k * u for k, u in zip(m, cell))
        yield f"{name}({angle(grid, m)})", function(theta)


@singledispatch
def reach(state: Any, rows: np.ndarray) -> float:
    """How large a multiple of a direction, scaled to values up to one, is small beside the state."""
    return SHARE * max(float(np.abs(packed(state)).max(initial=0.0)), SHARE)


@reach.register(MetricField | HermitianField)
def _beside_metric(state: MetricField | HermitianField, rows: np.ndarray) -> float:
    return SHARE * max(state.eigenvalue_range()[0], 0.1)


@reach.register(PotentialField)
def _beside_potential(state: PotentialField, rows: np.ndarray) -> float:
    bend = float(np.abs(complex_hessian(state.grid, rows[0])).max()) / max(float(np.abs(rows).max()), 1e-300)
    return SHARE * max(state.eigenvalue_range()[0], 0.1) / max(bend, 1.0)
