"""Derivatives of sampled periodic functions along the lattice directions of a cell: centred stencils and Fourier.

Both kinds offer `along(values, axis, times, spacing)` and `symbol(n, times, spacing)`, the factor by which the discrete
derivative multiplies each Fourier mode. Mixed derivatives are products of derivatives along single directions.

Cartesian derivatives are combinations of them: ∂/∂X_j = Σ_a dual[j, a] ∂/∂s_a, so ∂^index is a polynomial in the ∂/∂s_a
with constant coefficients; on a rectangular torus it is the single term ∂^index itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Protocol, final

import numba
import numpy as np
import scipy

from geomflow.codegen.stencils import weights
from geomflow.field.lattice import FlatTorus

# Below this many values the start of a thread costs more than it saves.
_PARALLEL_SIZE = 1 << 17


class Discretisation(Protocol):
    """What a grid needs to differentiate."""

    def along(self, values: np.ndarray, axis: int, times: int, spacing: float) -> np.ndarray:
        """The `times`-th derivative of `values` (any shape, periodic) along `axis`."""

    def symbol(self, n: int, times: int, spacing: float) -> np.ndarray:
        """Eigenvalues on the modes 0..n-1 (in the order of numpy.fft.fftfreq), complex, (n,)."""


def wave_numbers(n: int, spacing: float) -> np.ndarray:
    """2π m/(n h) for the integer modes m of a full transform, (n,); the even-n Nyquist mode is negative."""
    return 2 * np.pi * np.fft.fftfreq(n, spacing)


@final
@dataclass(frozen=True)
class Fourier:
    """Exact derivatives of the trigonometric interpolant.

    For even n the Nyquist mode cos(πx/h) has no odd derivative on the grid, so it is dropped there; even derivatives
    keep it with −k². Threads share the lines of an array, so results do not depend on their number.
    """

    def along(self, values: np.ndarray, axis: int, times: int, spacing: float) -> np.ndarray:
        """The `times`-th derivative along `axis`."""
        n = values.shape[axis]
        workers = numba.get_num_threads() if values.size >= _PARALLEL_SIZE else 1
        spectrum = scipy.fft.rfft(values, axis=axis, workers=workers)
        factor = self.symbol(n, times, spacing)[: n // 2 + 1]
        spectrum *= factor.reshape((-1,) + (1,) * (values.ndim - 1 - axis))
        return np.asarray(scipy.fft.irfft(spectrum, n=n, axis=axis, workers=workers, overwrite_x=True))

    def symbol(self, n: int, times: int, spacing: float) -> np.ndarray:
        """(i k)^times, with the even-n Nyquist mode dropped for odd `times`."""
        factor = (1j * wave_numbers(n, spacing)) ** times
        if n % 2 == 0 and times % 2 == 1:
            factor[n // 2] = 0
        return factor


@final
@dataclass(frozen=True)
class Stencil:
    """Centred finite differences of an even order of accuracy."""

    order: int

    def along(self, values: np.ndarray, axis: int, times: int, spacing: float) -> np.ndarray:
        """The `times`-th derivative along `axis`."""
        scaled = stencil_row(times, self.order) / spacing**times
        return np.asarray(scipy.ndimage.correlate1d(values, scaled, axis=axis, mode="wrap"))

    def symbol(self, n: int, times: int, spacing: float) -> np.ndarray:
        """Σ_j w_j e^{ijkh}/h^times."""
        row = stencil_row(times, self.order)
        offsets = np.arange(len(row)) - len(row) // 2
        phases = np.exp(1j * wave_numbers(n, spacing)[:, None] * spacing * offsets)
        return np.asarray(phases @ row / spacing**times)


TRANSFORMED = 3
"""A derivative by Fourier transforms takes so many arrays: modes, up to 4/3 of the grid's points, and values."""


@final
class CellJets:
    """The cell derivatives ∂_s^index of one array, by index.

    Mixed derivatives are taken along the axes in order; leading ones are remembered and shared. Those that have an
    array among `places` are written there, and remembered as what stands in it.
    """

    def __init__(self, discretisation: Discretisation, spacing: Sequence[float], values: np.ndarray,
                 places: Mapping[tuple[int, ...], np.ndarray] = MappingProxyType({})) -> None:
        self._discretisation, self._spacing, self._values, self._places = discretisation, spacing, values, places
        self._known: dict[tuple[int, ...], np.ndarray] = {}

    def __call__(self, index: tuple[int, ...]) -> np.ndarray:
        """∂_s^index."""
        if index not in self._known:
            found = self._values
            if any(index):
                axis = max(axis for axis, times in enumerate(index) if times)
                lower = self((*index[:axis], *(0,) * (len(index) - axis)))
                found = self._discretisation.along(lower, axis, index[axis], self._spacing[axis])
            if index in self._places:
                self._places[index][...] = found
            self._known[index] = self._places.get(index, found)
        return self._known[index]


def way_to(index: tuple[int, ...]) -> list[tuple[int, ...]]:
    """A derivative, and those on the way to it: along all of its axes but the last, and so on down to the first."""
    axes = [axis for axis, times in enumerate(index) if times]
    return [(*index[: axis + 1], *(0,) * (len(index) - axis - 1)) for axis in reversed(axes)]


@lru_cache(maxsize=64)
def stencil_row(times: int, order: int) -> np.ndarray:
    """The centred weights of the `times`-th derivative at unit spacing, from the leftmost point to the rightmost."""
    return np.array([float(weight) for weight in weights(times, order)])


Index = tuple[int, ...]


@lru_cache(maxsize=4096)
def cell_expansion(torus: FlatTorus, index: Index) -> dict[Index, float]:
    """Cell derivative index -> coefficient, for the Cartesian derivative `index`."""
    dual = torus.dual
    return expand(index, lambda j, a: float(dual[j, a]), 1.0)


def expand(index: Sequence[int], coefficient: Callable[[int, int], Any], one: Any) -> dict[Index, Any]:
    """The product over j of (Σ_a coefficient(j, a) ∂_a)^index[j], multiplied out; zero coefficients are left out."""
    dim = len(index)
    terms: dict[Index, Any] = {(0,) * dim: one}
    for j, times in enumerate(index):
        row = [(a, coefficient(j, a)) for a in range(dim)]
        for _ in range(times):
            terms = _times_row(terms, [(a, c) for a, c in row if not _is_zero(c)])
    return terms


def _times_row(terms: dict[Index, Any], row: list[tuple[int, Any]]) -> dict[Index, Any]:
    result: dict[Index, Any] = {}
    for index, value in terms.items():
        for a, c in row:
            bumped = (*index[:a], index[a] + 1, *index[a + 1 :])
            result[bumped] = result[bumped] + value * c if bumped in result else value * c
    return result


def _is_zero(value: Any) -> bool:
    return isinstance(value, float | int) and value == 0
