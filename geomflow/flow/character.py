"""Whether a system of equations is well-posed at a state: the leading growth of its short waves.

The symbol of the rate linearised at a point is a polynomial in |k| for each direction ξ of the wave vector, composed
along the stages of the program with frozen coefficients. Unknowns that depend on each other in a circle are one block;
between blocks the symbol is triangular. With o_ij the order at which unknown j enters the rate of i, a block's
eigenvalues grow as |k|^μ with μ the largest mean of o along a circle; unknowns are weighted by w so that
o_ij + w_j − w_i ≤ μ (Douglis and Nirenberg 1955; Volevich 1963), and the entries in which this is an equality are its
principal symbol P(ξ). A positive real part of an eigenvalue of P is growth like exp(c|k|^μ t), without bound: the
equation is ill-posed. Zero eigenvalues are directions that short waves are not damped along.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction

import numpy as np

from geomflow.core import graph as gr
from geomflow.core.program import Program
from geomflow.field.grid import Grid
from geomflow.flow.blocks import Block
from geomflow.flow.degenerate import Principal, Symmetry
from geomflow.flow.orders import circles, largest_mean, weights_of
from geomflow.flow.slopes import Slope, Slopes, sampled

DIRECTIONS = 12
"""Random directions of wave vectors beside the axes."""

TOLERANCE = 1e-8
"""Real parts smaller than this beside the largest eigenvalue at the same wave vector are rounding."""

ROUNDING = 1e-13
"""And smaller than this beside the largest of all."""

Entry = dict[int, np.ndarray]
"""Coefficients of |k|^n, by n; (points, directions)."""


def character(program: Program, grid: Grid, statics: np.ndarray | None, y: np.ndarray,
              parameters: Sequence[float], known: Iterable[Symmetry] = ()) -> tuple[Block, ...]:
    """The blocks of a program at a state.

    Parameters
    ----------
    program : Program
        Rates of all components.
    grid : Grid
        Where the state lives.
    statics : array or None
        Given arrays of the program.
    y : (ncomp, *grid) array
        The state.
    parameters : sequence of float
        Values of the program's parameters.
    known : iterable of Symmetry
        What is looked for among directions that are not damped.
    """
    directions = unit_vectors(grid.wave_directions, DIRECTIONS)
    blocks = _blocks(program, Slopes(program, grid, statics)(y, parameters), directions)
    if not any(block.undamped and block.damping for block, _ in blocks):
        return tuple(block for block, _ in blocks)
    rows = dict(zip(program.fields, sampled(y), strict=True))
    changes = {symmetry.name: symmetry.symbol(rows, directions) for symmetry in known}
    return tuple(_explained(block, symbol, changes) for block, symbol in blocks)


def _blocks(program: Program, slopes: Sequence[Slope],
            directions: np.ndarray) -> list[tuple[Block, Principal | None]]:
    matrix = _composed(program, slopes, directions)
    return [_block(program.fields, matrix, places) for places in circles(matrix)]


def unit_vectors(basis: np.ndarray, others: int) -> np.ndarray:
    """Unit vectors: those along a basis, and some random ones of its span, always the same.

    Parameters
    ----------
    basis : (n, d) array
        Vectors.
    others : int
        How many random ones, where the span has more than one dimension.
    """
    count = len(basis)
    random = np.random.default_rng(0).standard_normal((others if count > 1 else 0, count))
    found = np.concatenate([basis, random @ basis])
    return np.asarray(found / np.linalg.norm(found, axis=1, keepdims=True))


def _composed(program: Program, slopes: Sequence[Slope], directions: np.ndarray) -> list[dict[int, Entry]]:
    """For each rate and each field the symbol through all stages, as a polynomial in |k|."""
    waves = [np.prod(directions ** np.array(slope.index), axis=1) * slope.values[:, None] for slope in slopes]
    rows = _chained(program, slopes, [1j ** sum(slope.index) * wave for slope, wave in zip(slopes, waves, strict=True)])
    sizes = _chained(program, slopes, [np.abs(wave) for wave in waves])
    return [{column: _cleaned(entry, size[column]) for column, entry in row.items()}
            for row, size in zip(rows, sizes, strict=True)]


def _chained(program: Program, slopes: Sequence[Slope], factors: Sequence[np.ndarray]) -> list[dict[int, Entry]]:
    """Σ of the products of factors along all ways from a field to a rate."""
    known: dict[str, dict[int, Entry]] = {name: {n: {0: np.ones((1, 1))}} for n, name in enumerate(program.fields)}
    for number, stage in enumerate(program.stages):
        rows: list[dict[int, Entry]] = [{} for _ in stage.names]
        for slope, factor in zip(slopes, factors, strict=True):
            if slope.stage == number:
                _add(rows[slope.row], known[slope.name], sum(slope.index), factor)
        known |= dict(zip(stage.names, rows, strict=True))
    return rows


def _add(row: dict[int, Entry], inner: dict[int, Entry], order: int, factor: np.ndarray) -> None:
    for column, entry in inner.items():
        own = row.setdefault(column, {})
        for power, value in entry.items():
            own[power + order] = own.get(power + order, 0.0) + factor * value


def _cleaned(entry: Entry, sizes: Entry) -> Entry:
    """Without what is zero to rounding: beside what it would be if no terms cancelled, and beside the rest."""
    largest = max(float(np.abs(value).max()) for value in entry.values())
    return {power: value for power, value in entry.items() if np.abs(value).max() > max(
        TOLERANCE * largest, gr.ROUNDING * float(sizes[power].max()))}


def _block(names: Sequence[str], matrix: list[dict[int, Entry]],
           places: list[int]) -> tuple[Block, Principal | None]:
    orders = [[max(matrix[i].get(j, {}), default=None) for j in places] for i in places]
    mean = largest_mean(orders)
    own = tuple(names[n] for n in places)
    if mean is None:
        return Block(own, Fraction(0), 0.0, 0.0, 0.0, len(places)), None
    weights = weights_of(orders, mean)
    entries = [[matrix[i][j][order] if (order := orders[a][b]) is not None and order + weights[b] - weights[a] == mean
                else 0.0 for b, j in enumerate(places)] for a, i in enumerate(places)]
    shape = np.broadcast_shapes(*(np.shape(entry) for row in entries for entry in row))
    symbols = np.array([[np.broadcast_to(entry, shape) for entry in row] for row in entries], dtype=complex)
    symbols = np.moveaxis(symbols, (0, 1), (-2, -1))
    eigenvalues = np.linalg.eigvals(symbols).reshape(-1, len(places))
    return _judged(own, mean, eigenvalues), Principal(places, weights, symbols)


def _explained(block: Block, principal: Principal | None, changes: Mapping[str, np.ndarray]) -> Block:
    """A block with what it is invariant under."""
    if principal is None or not block.undamped:
        return block
    names, count = principal.unseen(changes, TOLERANCE)
    return replace(block, symmetries=names, named=count)


def _judged(names: tuple[str, ...], order: Fraction, eigenvalues: np.ndarray) -> Block:
    """What the eigenvalues (wave vectors, n) of a principal symbol say; roots of a nilpotent part are rounding.

    Short waves along different wave vectors are of different sizes, as |k|_g is, and judged each beside its own.
    """
    sizes, defect = np.abs(eigenvalues), min(3, len(names))
    noise = np.maximum(sizes.max(axis=1, keepdims=True) * TOLERANCE ** (1 / defect),
                       sizes.max() * ROUNDING ** (1 / defect))
    undamped = int((sizes <= noise).sum(axis=1).max())
    growth, damping, oscillation = (float(np.where(part > noise, part, 0.0).max()) for part in
                                    (eigenvalues.real, -eigenvalues.real, np.abs(eigenvalues.imag)))
    growth = growth if order else 0.0
    return Block(names, order, growth, damping, oscillation, undamped)
