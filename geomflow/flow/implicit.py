"""Stand-ins for the stiff part of a rate: constant coefficients, solved by FFT."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import scipy

from geomflow.core import memory
from geomflow.core.errors import ShapeError
from geomflow.core.program import Stage
from geomflow.field.grid import Grid
from geomflow.field.operators import Operator, pointwise
from geomflow.flow.principal import Index, PrincipalPart, Slope
from geomflow.flow.problem import Array, Implicit, Spectrum


@dataclass(frozen=True, eq=False)
class FourierImplicit(Implicit):
    """The operator that multiplies each Fourier mode by its symbol, with real part ≤ 0, the same for each component.

    The symbol of −|k|⁴/2, say, is −|k|⁴/2 at the wave numbers of the grid; of a stencil, its own eigenvalues are best.

    Parameters
    ----------
    symbol : (*half) or (ncomp, *half) array
        Half is the shape of `scipy.fft.rfftn` of the grid.
    shape : tuple of int
        Shape of the packed state, (ncomp, *grid).
    """

    symbol: Array
    shape: tuple[int, ...]

    def __post_init__(self) -> None:
        *rest, last = self.shape[1:]
        half = (*rest, last // 2 + 1)
        if self.symbol.shape not in (half, (self.shape[0], *half)):
            raise ShapeError(f"the symbol has shape {self.symbol.shape}; the grid {self.shape[1:]} needs {half}.")

    def prepare(self, t: float, y: Array) -> None:
        """Nothing: this operator is the same at every state."""

    def solve(self, b: Array, c: float, out: Array) -> None:
        """Divide each mode by 1 − c·symbol."""
        modes = self._forward(b)
        np.multiply(self.symbol, -c, out=self._factor)
        np.add(self._factor, 1.0, out=self._factor)
        np.divide(modes, self._factor, out=modes)
        self._back(modes, out)

    def apply(self, y: Array, out: Array) -> None:
        """Multiply each mode by the symbol."""
        modes = self._forward(y)
        np.multiply(modes, self.symbol, out=modes)
        self._back(modes, out)

    @cached_property
    def _factor(self) -> Array:
        return np.empty_like(self.symbol)

    @property
    def _axes(self) -> tuple[int, ...]:
        return tuple(range(1, len(self.shape)))

    def _forward(self, y: Array) -> Array:
        modes: Array = scipy.fft.rfftn(y, axes=self._axes, workers=os.cpu_count())
        return modes

    def _back(self, modes: Array, out: Array) -> None:
        size = self.shape[1:]
        out[...] = scipy.fft.irfftn(modes, s=size, axes=self._axes, workers=os.cpu_count(), overwrite_x=True)


Damping = Callable[[float, np.ndarray], np.ndarray]
Fields = Callable[[float, np.ndarray], tuple[np.ndarray, tuple[float, ...]]]
Frozen = list[tuple[Slope, float]]

_MATRICES = 4096
_STIFF = 0.1
_ROUNDING = 1e-9


class FrozenPrincipal(Implicit):
    """The principal part with its coefficients frozen to constants at the start of each step, solved by FFT.

    Where only the highest derivatives count, pure coefficients (all derivative counts even) take their strongest value
    on the grid, so that products over several stages are not weaker than the truth; mixed ones their mean. Where lower
    ones count too, all coefficients are frozen at every place at which one of them is extreme, and each mode is damped
    as it is at the worst of these. Between components of the state there is no coupling: each gets the sum of the
    moduli of its row. `fields` gives the program's fields and parameters at a time and a state, `damping` factors of
    the Fourier modes by which the program is followed.
    """

    def __init__(self, part: PrincipalPart, grid: Grid, statics: np.ndarray | None, fields: Fields,
                 damping: Damping | None = None) -> None:
        self._part, self._grid, self._statics, self._fields = part, grid, statics, fields
        self._damping = damping
        self._waves: dict[Index, np.ndarray] = {}
        self._operator: FourierImplicit | None = None

    def prepare(self, t: float, y: np.ndarray) -> None:
        """Freeze the coefficients at the state y."""
        symbol = self.symbol(t, y)
        self._operator = FourierImplicit(symbol, (len(symbol), *self._grid.shape))

    def symbol(self, t: float, y: np.ndarray) -> np.ndarray:
        """The eigenvalues of L on real Fourier modes, (ncomp, *grid.rfftn shape), frozen at the state y.

        Their real parts are ≤ 0; they are complex if the equation has derivatives of odd order.
        """
        symbol = envelope(self._uncoupled(values) for values in self._freezings(t, y))
        if not any(slope.odd for slope in self._part.slopes):
            symbol = symbol.real
        return symbol if self._damping is None else symbol * self._damping(t, y)

    def spectrum(self, t: float, y: np.ndarray) -> Spectrum:
        """Where the eigenvalues of the frozen equation lie at the state y."""
        symbol, damping, oscillation, covered = self.symbol(t, y), 0.0, 0.0, True
        for values in self._freezings(t, y):
            matrix = self._matrix(values)
            eigenvalues = _eigenvalues(matrix)
            damping = max(damping, float(-eigenvalues.real.min()))
            oscillation = max(oscillation, float(np.abs(eigenvalues.imag).max()))
            covered = covered and _covers(symbol, matrix)
        return Spectrum(damping, oscillation, covered)

    def _uncoupled(self, values: Frozen) -> np.ndarray:
        rows = self._composed(values)
        shape = self._wave((0,) * self._grid.dim).shape
        return np.stack([np.broadcast_to(_alone(c, row), shape) for c, row in enumerate(rows)])

    def _matrix(self, values: Frozen) -> np.ndarray:
        """The frozen equation mode by mode, (ncomp, ncomp, modes)."""
        rows = self._composed(values)
        shape = self._wave((0,) * self._grid.dim).shape
        return np.array([[np.broadcast_to(row.get(c, 0.0), shape).ravel() for c in range(len(rows))] for row in rows],
                        dtype=complex)

    def _composed(self, values: Frozen) -> list[dict[int, Any]]:
        """For each rate: the symbol by each field, through all stages."""
        known: list[list[dict[int, Any]]] = [[{column: 1.0} for column in range(len(self._part.program.fields))]]
        for stage, given in enumerate(self._part.program.stages):
            rows: list[dict[int, Any]] = [{} for _ in given.outputs]
            for slope, value in values:
                if slope.stage == stage:
                    factor = value * self._wave(slope.index)
                    for column, inner in known[slope.source][slope.column].items():
                        rows[slope.row][column] = rows[slope.row].get(column, 0.0) + factor * inner
            known.append(rows)
        return known[-1]

    def _wave(self, index: Index) -> np.ndarray:
        if index not in self._waves:
            wave = self._grid.derivative_symbol(index)
            self._waves[index] = wave if sum(index) % 2 else wave.real.copy()
        return self._waves[index]

    @cached_property
    def _coefficients(self) -> Operator:
        program = self._part.program
        outputs = tuple((f"c_{n}", x.coefficient) for n, x in enumerate(self._part.slopes))
        frozen = replace(program, stages=(*program.stages[:-1], Stage(outputs)))
        count = len({x.index for x in self._part.slopes})
        memory.require(count * self._grid.nbytes, f"the symbols of {count} derivatives on {self._grid!r}",
                       'use a smaller grid, or an explicit stepper such as "rkc"')
        return pointwise(frozen, self._grid, self._statics)

    def _freezings(self, t: float, y: np.ndarray) -> Iterator[Frozen]:
        """The coefficients as constants, one way or several."""
        slopes = self._part.slopes
        values = self._coefficients(*self._fields(t, y))
        if not self._part.lower:
            yield [(x, freeze(x.index, v)) for x, v in zip(slopes, values, strict=True)]
            return
        flat = values.reshape(len(slopes), -1)
        for place in dict.fromkeys(int(i) for v in flat for i in (v.argmin(), v.argmax())):
            yield list(zip(slopes, flat[:, place].tolist(), strict=True))

    def apply(self, y: np.ndarray, out: np.ndarray) -> None:
        """Write L y to `out`."""
        assert self._operator is not None
        self._operator.apply(y, out)

    def solve(self, b: np.ndarray, c: float, out: np.ndarray) -> None:
        """Solve (1 − c L) u = b and write u to `out`."""
        assert self._operator is not None
        self._operator.solve(b, c, out)


def _alone(component: int, row: dict[int, Any]) -> Any:
    """The symbol that stands for a row: its own entry, damped by the moduli of all others."""
    own = row.get(component, 0.0)
    others = sum(np.abs(entry) for column, entry in row.items() if column != component)
    return own if set(row) <= {component} else 1j * np.imag(own) - np.abs(np.real(own)) - others


def envelope(symbols: Iterable[np.ndarray]) -> np.ndarray:
    """Mode by mode the strongest damping, and the strongest oscillation if all have one sense, else the middle one."""
    real, low, high = 0.0, np.inf, -np.inf
    for symbol in symbols:
        real = np.minimum(real, symbol.real)
        low, high = np.minimum(low, symbol.imag), np.maximum(high, symbol.imag)
    strongest = np.where(high > -low, high, low)
    return real + 1j * np.where(low * high > 0, strongest, (low + high) / 2)


def _eigenvalues(matrix: np.ndarray) -> np.ndarray:
    """Eigenvalues of some of the matrices of (ncomp, ncomp, modes)."""
    if len(matrix) == 1:
        only: np.ndarray = matrix[0, 0]
        return only
    some = matrix[..., :: max(1, matrix.shape[-1] // _MATRICES)]
    return np.linalg.eigvals(np.moveaxis(some, -1, 0)) if np.isfinite(some).all() else np.full(1, np.nan)


def _covers(symbol: np.ndarray, matrix: np.ndarray) -> bool:
    """Whether on stiff modes the ratios θ of the true eigenvalues to the symbol's have |1 − θ| ≤ 1."""
    size = np.abs(matrix).sum(axis=1)
    own = symbol.reshape(len(matrix), -1)
    error = size - np.abs(np.einsum("iim->im", matrix)) + np.abs(np.einsum("iim->im", matrix) - own)
    return bool((error <= (1 + _ROUNDING) * np.abs(own))[size > _STIFF * size.max()].all())


def freeze(index: Index, values: np.ndarray) -> float:
    """One number for a coefficient that varies over the grid."""
    if any(times % 2 for times in index):
        return float(values.mean())
    low, high = float(values.min()), float(values.max())
    return high if abs(high) > abs(low) else low
