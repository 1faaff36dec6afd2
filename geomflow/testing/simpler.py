"""Simpler and finer things: states with fewer waves and points, states on finer grids, fewer points."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache, singledispatch
from typing import Any

import numpy as np

from geomflow.field import Field, Grid, PotentialField

MOST_POINTS = 1 << 15
"""Grids are refined once where they stay below so many points, and further where an axis stays below `MOST_AXIS`."""

MOST_AXIS = {1: 512, 2: 64, 3: 24, 4: 12}

FEW = 8
"""Points an axis of a simpler grid."""


@dataclass(frozen=True, eq=False)
class Modes:
    """The Fourier coefficients of rows (ncomp, *grid) that are no rounding, one of each pair ±m, the largest first.

    m             integer wave vectors over the lattice, (count, d); the first one is zero
    coefficients  (count, ncomp), complex
    """

    m: np.ndarray
    coefficients: np.ndarray

    @staticmethod
    def of(rows: np.ndarray) -> Modes:
        """The modes of rows."""
        axes = tuple(range(1, rows.ndim))
        table = np.fft.fftn(rows, axes=axes) / rows[0].size
        m = np.stack(np.meshgrid(*[np.rint(np.fft.fftfreq(n, 1 / n)).astype(int) for n in rows.shape[1:]],
                                 indexing="ij"), axis=-1).reshape(-1, rows.ndim - 1)
        flat = table.reshape(len(rows), -1).T
        size = np.abs(flat).max(axis=1)
        large = np.flatnonzero(size > 1e-12 * max(1.0, float(size.max())))
        kept = np.array([k for k in large if _is_first(m[k], rows.shape[1:])], dtype=int)
        order = kept[np.argsort(-size[kept], kind="stable")]
        order = order[np.argsort(m[order].any(axis=1), kind="stable")]
        if not len(order) or m[order[0]].any():
            order = np.concatenate([[0], order])
        return Modes(m[order], flat[order])

    def on(self, shape: tuple[int, ...], count: int) -> np.ndarray:
        """Rows of the first `count` modes on a grid of another shape that resolves them."""
        table = np.zeros((self.coefficients.shape[1], *shape), complex)
        for m, c in zip(self.m[:count], self.coefficients[:count]):
            for sign, value in ((1, c), (-1, np.conj(c))):
                table[(slice(None), *(sign * m % shape))] = value
        return np.asarray(np.fft.ifftn(table, axes=tuple(range(1, table.ndim))).real * np.prod(shape))

    def plain(self) -> Modes:
        """Of each wave the largest component alone, as a cosine."""
        size = np.abs(self.coefficients)
        still = np.all(self.m == 0, axis=1, keepdims=True)
        kept = still | (size >= size.max(axis=1, keepdims=True))
        return Modes(self.m, np.where(kept, np.where(still, self.coefficients.real, size), 0))

    def rounded(self) -> Modes:
        """With coefficients of two digits."""
        return Modes(self.m, np.vectorize(_rounded, otypes=[complex])(self.coefficients))

    def resolved(self, shape: tuple[int, ...], count: int) -> bool:
        """Whether a grid of this shape resolves the first `count` modes and their squares."""
        return bool(np.all(4 * np.abs(self.m[:count]) <= np.array(shape)))


def _is_first(m: np.ndarray, shape: tuple[int, ...]) -> bool:
    """Whether m stands for the pair ±m: the first number that is not zero is positive, or is the only one of its pair.

    The Nyquist number −n/2 of an even axis is its own opposite.
    """
    opposite = [-k if 2 * abs(k) != n else k for k, n in zip(m, shape)]
    return tuple(m) >= tuple(opposite)


@singledispatch
def simpler(thing: Any) -> Iterator[Any]:
    """Simpler things of the same kind, the simplest first."""
    return iter(())


@simpler.register(Field)
def _simpler_fields(state: Field) -> Iterator[Field]:
    """The state's largest modes with rounded coefficients, on a small grid where that resolves them."""
    rows = state.pack()
    modes = Modes.of(rows)
    rounded = modes.rounded()
    few = [FEW if n > 1 else 1 for n in state.grid.shape]
    small = state.grid.torus.grid(few, scheme="spectral") if state.grid.is_spectral else None
    for count in sorted({min(k, len(modes.m)) for k in (1, 2, 3, 5)}):
        for kept in (modes.plain().rounded(), rounded) if count == 2 else (rounded,):
            if small is not None and small.size < state.grid.size and modes.resolved(small.shape, count):
                yield on_grid(state, small).unpack(kept.on(small.shape, count))
            yield state.unpack(kept.on(state.grid.shape, count))


def _rounded(value: complex) -> complex:
    return complex(*(float(f"{part:.2g}") for part in (value.real, value.imag)))


def finer(state: Any, again: bool = False) -> Any:
    """A field on a grid with twice the points an axis; None where there is none that is affordable.

    Parameters
    ----------
    state : object
        A field, or something that lives on no grid.
    again : bool
        Whether it was refined before: then only cheap grids are.
    """
    if not isinstance(state, Field):
        return None
    grid, axes = state.grid, len(state.grid.resolved)
    if grid.size << axes > MOST_POINTS or (again and 2 * max(grid.shape) > MOST_AXIS.get(axes, 0)):
        return None
    shape = [2 * n if n > 1 else 1 for n in grid.shape]
    return on_grid(state, grid.torus.grid(shape, order=grid.order, scheme=grid.scheme))


def on_grid(state: Field, grid: Grid) -> Any:
    """The state on another grid of its torus: its trigonometric interpolant at the points."""
    values = state.values
    for axis, (few, many) in enumerate(zip(state.grid.shape, grid.shape)):
        values = np.moveaxis(np.tensordot(_waves(few, many), values, axes=(1, axis)), 0, axis)
    if isinstance(state, PotentialField):
        form = state.reference
        return PotentialField(grid, values, on_grid(form, grid) if isinstance(form, Field) else form)
    return replace(state, grid=grid, values=values)  # type: ignore[type-var]


@lru_cache(maxsize=32)
def _waves(few: int, many: int) -> np.ndarray:
    """The matrix of trigonometric interpolation from `few` points of a circle to `many`; the Nyquist wave is a cosine.
    """
    k = np.rint(np.fft.fftfreq(few, 1 / few))
    angles = 2 * np.pi * np.outer(np.arange(many) / many, k)
    values = np.where(2 * np.abs(k) == few, np.cos(angles), np.exp(1j * angles))
    return np.asarray((values @ (np.fft.fft(np.eye(few), axis=0) / few)).real)
