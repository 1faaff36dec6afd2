"""Values of sampled fields between the grid points, at any points of a torus.

On a spectral grid the trigonometric interpolant, the one that `grid.derivative` differentiates, is evaluated: exact for
fields whose modes the grid resolves. On a grid with stencils of order p the interpolant is the product of centred
Lagrange polynomials through p + 2 points an axis: its error falls like h^(p+2), so that second derivatives of what it
gives, which are of the size h^(p+2)/h² where neighbouring polynomials meet, are still of the order of the stencils.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from math import prod
from typing import TYPE_CHECKING, Any, TypeVar, final, overload

import numpy as np

from geomflow.core import memory
from geomflow.core.errors import NotFiniteError, ShapeError
from geomflow.core.numbers import require_unmasked
from geomflow.field.derivatives import wave_numbers
from geomflow.field.fields import Fields
from geomflow.field.hermitian import HermitianField
from geomflow.field.mesh import Mesh
from geomflow.field.potential import PotentialField

if TYPE_CHECKING:
    from geomflow.field.grid import Grid
    from geomflow.field.state import Field

    AnyField = TypeVar("AnyField", bound=Field)


BLOCK_BYTES = 1 << 24
"""Points are taken in blocks whose intermediate arrays take about so many bytes."""

BLOCK_PRODUCTS = 1 << 16
"""Matrix products of about so many multiplications stay in one thread and in the cache."""

LEAST_BLOCK = 64


@overload
def interpolate(field: Fields, points: Any) -> dict[str, np.ndarray]: ...
@overload
def interpolate(field: Field, points: Any) -> np.ndarray: ...


def interpolate(field: Field, points: Any) -> np.ndarray | dict[str, np.ndarray]:
    """The values of a field at points: an array (..., tensor indices); of several fields such arrays by name.

    Raises ShapeError for points of another dimension and
    NotFiniteError for points that are not finite.

    Parameters
    ----------
    field : Field
        Of any kind.
    points : (..., d) array
        Cartesian; they may lie outside of the fundamental cell.

    Examples
    --------
    >>> from geomflow.field import Torus
    >>> f = Torus(dim=1).grid(8, scheme="spectral").scalar("cos(2*pi*x)")
    >>> round(float(interpolate(f, [1 / 3])), 12)
    -0.5
    """
    there = Interpolation.to(field.grid, points)
    if isinstance(field, Fields):
        return {name: there(part.values) for name, part in field.parts.items()}
    return there(field.values)


@final
@dataclass(frozen=True, eq=False)
class Interpolation:
    """Evaluation at fixed points of what is sampled on a grid; made once, used for many fields.

    Parameters
    ----------
    grid : Mesh
        Where fields are known.
    cell_points : (count, d) array
        The points in cell coordinates.
    shape : tuple of int
        The shape (...) in which they were given.
    """

    grid: Mesh
    cell_points: np.ndarray
    shape: tuple[int, ...]

    @staticmethod
    def to(grid: Mesh, points: Any) -> Interpolation:
        """The interpolation from a grid to points.

        Parameters
        ----------
        grid : Mesh
            Where fields are known.
        points : (..., d) array
            Cartesian.
        """
        require_unmasked(points, "the array of points")
        array = np.asarray(points, dtype=float)
        if array.ndim == 0 or array.shape[-1] != grid.dim:
            raise ShapeError(f"points on {grid.torus!r} have {grid.dim} coordinates, in the last axis; an array of "
                             f"shape {array.shape} was given.")
        flat = array.reshape(-1, grid.dim)
        if not np.isfinite(flat).all():
            first = int(np.argmin(np.isfinite(flat).all(axis=1)))
            raise NotFiniteError(f"point number {first} is {tuple(flat[first].tolist())}; points must be finite.")
        return Interpolation(grid, flat @ grid.torus.dual, array.shape[:-1])

    def __call__(self, values: np.ndarray) -> np.ndarray:
        """The values (*grid, ...) of a real or complex field, at the points: (*shape, ...)."""
        if np.iscomplexobj(values):
            return self(np.real(values)) + 1j * self(np.imag(values))
        require_unmasked(values, "the array of values")
        array = np.asarray(values, dtype=float)
        if array.shape[: self.grid.dim] != self.grid.shape:
            raise ShapeError(f"an array of shape {array.shape} was given on a grid of shape {self.grid.shape}; the "
                             "grid's axes come first.")
        trailing = array.shape[self.grid.dim :]
        rows = array.reshape(*self.grid.shape, prod(trailing))
        found = self._spectral(rows) if self.grid.is_spectral else self._polynomial(rows)
        return found.reshape((*self.shape, *trailing))

    def _blocks(self, numbers: int, products: int) -> list[slice]:
        """The points in blocks, for so many numbers of eight bytes and so many multiplications a point."""
        size = max(1, min(BLOCK_BYTES // (8 * max(1, numbers)), max(LEAST_BLOCK, BLOCK_PRODUCTS // max(1, products))))
        memory.require(8 * numbers * min(size, len(self.cell_points)), "one block of an interpolation")
        return [slice(start, start + size) for start in range(0, len(self.cell_points), size)]

    def _spectral(self, rows: np.ndarray) -> np.ndarray:
        """Σ_k c_k e^{ik·s}: one axis after the other, the last by a matrix product over half of its modes."""
        dim, width = self.grid.dim, rows.shape[-1]
        modes = np.fft.rfftn(rows, axes=range(dim)) / self.grid.size
        half = modes.shape[dim - 1]
        table = np.ascontiguousarray(np.moveaxis(modes, dim - 1, 0)).reshape(half, -1)
        found = np.empty((len(self.cell_points), width))
        for block in self._blocks(4 * table.shape[1] + 2 * sum(self.grid.shape), table.size):
            partial = _product(self._waves(block, dim - 1, half), table)
            for axis in range(dim - 1):
                waves = self._waves(block, axis, self.grid.shape[axis])
                partial = np.matmul(waves[:, None, :], partial.reshape(*waves.shape, -1))[:, 0]
            found[block] = partial.reshape(-1, width).real
        return found

    def _waves(self, block: slice, axis: int, count: int) -> np.ndarray:
        """e^{iks} of the first `count` modes of an axis, (points, count); twice that for modes that stand for −k too.

        The Nyquist mode of an even axis is cos ks.
        """
        n, last = self.grid.shape[axis], axis == self.grid.dim - 1
        k = wave_numbers(n, self.grid.spacing[axis])[:count]
        angles = self.cell_points[block, axis, None] * k
        waves: np.ndarray = np.exp(1j * angles)
        if n % 2 == 0:
            waves[:, n // 2] = np.cos(angles[:, n // 2])
        if last:
            waves[:, 1 : (n + 1) // 2] *= 2
        return waves

    def _polynomial(self, rows: np.ndarray) -> np.ndarray:
        """Σ over the neighbours of products of Lagrange weights."""
        axes, reach = self.grid.resolved, self._reach
        rows = rows.reshape(*(self.grid.shape[axis] for axis in axes), rows.shape[-1])
        found = np.empty((len(self.cell_points), rows.shape[-1]))
        for block in self._blocks(reach ** len(axes) * (rows.shape[-1] + 1), 0):
            lines = [self._lagrange(block, axis) for axis in axes]
            places = tuple(
                index.reshape(-1, *(reach if a == own else 1 for a in range(len(axes))))
                for own, (index, _) in enumerate(lines)
            )
            partial = rows[places]
            for _, weights in lines:
                partial = np.einsum("pk,pk...->p...", weights, partial)
            found[block] = partial
        return found

    @cached_property
    def _reach(self) -> int:
        """The number of neighbours along an axis."""
        assert self.grid.order is not None
        return self.grid.order + 2

    def _lagrange(self, block: slice, axis: int) -> tuple[np.ndarray, np.ndarray]:
        """Indices of the neighbours along an axis and their weights, both (points, reach)."""
        scaled = self.cell_points[block, axis] / self.grid.spacing[axis]
        left = np.floor(scaled)
        offsets = np.arange(self._reach) - (self._reach // 2 - 1)
        index = (left[:, None].astype(int) + offsets) % self.grid.shape[axis]
        distance = (scaled - left)[:, None] - offsets
        weights = np.ones_like(distance)
        for k, own in enumerate(offsets):
            for other in (m for m in range(self._reach) if m != k):
                weights[:, k] *= distance[:, other] / (own - offsets[other])
        return index, weights


def _product(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """The matrix product, by columns so few at a time that it stays in one thread."""
    found = np.empty((len(left), right.shape[1]), complex)
    step = max(1, BLOCK_PRODUCTS // left.size)
    for start in range(0, right.shape[1], step):
        found[:, start : start + step] = left @ right[:, start : start + step]
    return found


def resample(field: AnyField, grid: Grid) -> AnyField:
    """The field on another grid of the same torus; of several fields each, and those that are still stay so.

    Raises ShapeError for a grid of another torus.

    Parameters
    ----------
    field : Field
        Of any kind; a reference form that a potential has is resampled with it.
    grid : Grid
        Of the same torus.
    """
    if grid.torus != field.grid.torus:
        raise ShapeError(f"the field lives on {field.grid.torus!r} and the grid on {grid.torus!r}.")
    return _moved(field, grid, Interpolation.to(field.grid, grid.points()))


def _moved(field: AnyField, grid: Grid, there: Interpolation) -> AnyField:
    if isinstance(field, Fields):
        parts = {name: _moved(part, grid, there) for name, part in field.parts.items()}
        return replace(field, grid=grid, parts=parts)
    changes: dict[str, Any] = {"grid": grid, "values": there(field.values)}
    if isinstance(field, PotentialField) and isinstance(field.reference, HermitianField):
        changes["reference"] = _moved(field.reference, grid, there)
    return replace(field, **changes)  # type: ignore[type-var]
