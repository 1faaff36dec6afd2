"""What kernels are given, checked, and blocks whose sums do not depend on the number of threads."""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any

import numpy as np
from numba import njit

from geomflow.core import memory
from geomflow.core.errors import InputError, NotFiniteError, ShapeError
from geomflow.core.numbers import real_array, real_number, require_unmasked
from geomflow.core.threads import slices

#: Entries of one block unless told otherwise: 4 MB of doubles.
ENTRIES = 1 << 19
#: Tasks that the blocks are dealt to: enough for many workers, not so many that handing them out takes the time.
BATCHES = 64


def row_blocks(rows: int, columns: int, block: int | None = None) -> list[slice]:
    """Slices of rows whose blocks have about `ENTRIES` entries, or `block` rows each."""
    return slices(rows, max(1, ENTRIES // max(columns, 1)) if block is None else max(1, int(block)))


def row_batches(rows: int, columns: int, block: int | None = None) -> tuple[list[slice], int]:
    """Slices of rows, `BATCHES` at most, each of whole blocks as those of `row_blocks`, and the size of a block."""
    blocks = row_blocks(rows, columns, block)
    size = max(1, blocks[0].stop)
    return slices(rows, size * max(1, -(-len(blocks) // BATCHES))), size


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"reassoc", "contract"})
def contract(block: np.ndarray, columns: np.ndarray, out: np.ndarray) -> None:
    """out[c, p] += Σ_q block[p, q] columns[c, q]."""
    for p in range(block.shape[0]):
        for c in range(columns.shape[0]):
            total = 0.0
            for q in range(block.shape[1]):
                total += block[p, q] * columns[c, q]
            out[c, p] += total


#: Numbers below it, and above its inverse, have no useful squares.
LEAST = 1e-150


def real_points(x: Any) -> np.ndarray:
    """`x` as finite real points (p, d)."""
    points = real_array(getattr(x, "coordinates", x), "the points", "give real coordinates, or to projective points "
                        "a kernel of theirs, such as FubiniStudyGaussian(scale)")
    if points.ndim != 2:
        raise ShapeError(f"points are rows of an array (points, coordinates), and the shape {points.shape} was given.")
    if not points.shape[1]:
        raise ShapeError(f"points have coordinates, and the {len(points)} that were given have none.")
    return finite_rows(points)


def finite_rows(points: np.ndarray) -> np.ndarray:
    """The points, or NotFiniteError with the first bad row."""
    if not np.isfinite(points).all():
        row = int(np.argmin(np.isfinite(points).all(axis=1)))
        raise NotFiniteError(f"point {row} of {len(points)} is not finite: {points[row]}; remove it.")
    return points


def same_dimension(x: np.ndarray, y: np.ndarray) -> None:
    """ShapeError where points (p, d) and (q, d) have different numbers of coordinates."""
    if x.shape[1] != y.shape[1]:
        raise ShapeError(f"points of {x.shape[1]} and of {y.shape[1]} coordinates have no distance.")


def checked_scale(scale: Any) -> float:
    """`scale` as a positive number whose square neither vanishes nor overflows."""
    number = real_number(scale, "the width of a kernel is a positive number: it")
    if not 0 < number < np.inf:
        raise InputError(f"the width of a kernel is a positive number, and it is {number:g}.")
    require_square("the width of a kernel", number)
    return number


def require_square(what: str, number: float) -> None:
    """Raise InputError where the square of a positive number, or its inverse, vanishes or overflows."""
    if not LEAST < number < 1 / LEAST:
        raise InputError(f"{what} is squared, and {number:g} squared is out of the range of floating-point numbers: "
                         f"take one between {LEAST:g} and {1 / LEAST:g}.")


def require_matrix(rows: int, columns: int) -> None:
    """Check that a dense matrix fits; the message names the block of rows that does."""
    fits = max(1, min(rows, memory.available() // (2 * 8 * max(columns, 1))))
    memory.require(8 * rows * columns, f"the kernel matrix of {rows:,} × {columns:,} points",
                   f"sum without it by kernel.apply, or take {fits:,} rows at a time")


def _is_complex(values: Any) -> bool:
    require_unmasked(values, "the array of values")
    try:
        return np.iscomplexobj(np.asarray(values))
    except (TypeError, ValueError):
        return False


def as_columns(values: Any, count: int) -> tuple[np.ndarray, Callable[[np.ndarray], np.ndarray]]:
    """Values (q, ...) as real columns (c, q), and the way back from sums (c, p) to (p, ...)."""
    array = np.asarray(values) if _is_complex(values) else real_array(values, "the array of values")
    if array.ndim == 0 or len(array) != count:
        raise ShapeError(f"values of shape {array.shape} were given for {count} points: give one row for each point.")
    tail, is_complex = array.shape[1:], np.iscomplexobj(array)
    flat = np.ascontiguousarray(array.reshape(count, prod(tail)), dtype=complex if is_complex else float)
    columns = flat.view(float).T

    def restore(sums: np.ndarray) -> np.ndarray:
        rows = np.ascontiguousarray(sums.T)
        return (rows.view(complex) if is_complex else rows).reshape(sums.shape[1], *tail)

    return columns, restore
