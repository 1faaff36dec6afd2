"""Truncated power series in several variables, channel by channel: the algebra of jets.

A series of order K in d variables is an array (C, ...) of Taylor coefficients ∂^α u / α!, one channel for each
multi-index α with |α| <= K, ordered by degree, the value first; C = binomial(d + K, K).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import final

import numpy as np
from numba import njit

from geomflow.core.monomials import Index, Monomials, monomials, multi_indices

#: Numbers handled together in the inner loops, so that all channels of a chunk stay in the cache.
_CHUNK = 128


@final
@dataclass(frozen=True)
class Series:
    """The algebra of series of `order` in `dim` variables: composition with functions, products, their transposes."""

    dim: int
    order: int

    @property
    def monomials(self) -> Monomials:
        """The multi-indices with their tables."""
        return monomials((self.dim,), (self.order,))

    @cached_property
    def indices(self) -> tuple[Index, ...]:
        """The multi-index of each channel."""
        return self.monomials.indices

    @cached_property
    def channels(self) -> int:
        """C, the number of coefficients."""
        return len(self.indices)

    @cached_property
    def factorials(self) -> np.ndarray:
        """α! of each channel, (C,): derivative = α! × coefficient."""
        return self.monomials.factorials

    @cached_property
    def products(self) -> tuple[np.ndarray, np.ndarray]:
        """Pairs (left, right) with indices adding up to channel γ: rows starts[γ]:starts[γ+1], left = 0 first."""
        table = self.monomials.products
        pairs, starts = [pair for row in table for pair in row], np.cumsum([0, *map(len, table)])
        return np.array(pairs, dtype=np.int64), starts.astype(np.int64)

    @cached_property
    def ends(self) -> np.ndarray:
        """Number of channels of degree <= k, k = 0..order."""
        return np.array([len(multi_indices(self.dim, k)) for k in range(self.order + 1)], dtype=np.int64)

    def start(self, x: np.ndarray) -> np.ndarray:
        """The series of the coordinates themselves at points x (p, dim): (C, p, dim)."""
        out = np.zeros((self.channels, *x.shape))
        out[0] = x
        if self.order:
            out[1 : 1 + self.dim] = np.eye(self.dim)[:, None, :]
        return out

    def compose(self, outer: np.ndarray, u: np.ndarray) -> np.ndarray:
        """The series of σ(u) (Faà di Bruno): `outer` (>= order + 1, ...) are σ⁽ᵏ⁾ at the value of u (C, ...)."""
        if self.order == 0:
            return outer[:1]
        out = np.empty(u.shape)
        flat = (self.channels, -1)
        _compose(outer.reshape(len(outer), -1), u.reshape(flat), *self.products, self.ends, out.reshape(flat))
        return out

    def multiply(self, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        """The truncated product of two series (C, ...)."""
        if self.order == 0:
            return a * b
        out = np.empty(b.shape)
        flat = (self.channels, -1)
        _multiply(a.reshape(flat), b.reshape(flat), *self.products, out.reshape(flat))
        return out

    def transpose_multiply(self, a: np.ndarray, cotangent: np.ndarray) -> np.ndarray:
        """The transpose of b ↦ a b at a cotangent (C, ...): b̄_β = Σ_α a_{α−β} c_α."""
        if self.order == 0:
            return a * cotangent
        out = np.empty(cotangent.shape)
        flat = (self.channels, -1)
        _transpose(a.reshape(flat), cotangent.reshape(flat), *self.products, out.reshape(flat))
        return out


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract"}, inline="always")
def _copy(source: np.ndarray, target: np.ndarray, count: int, shift_source: int, shift_target: int) -> None:
    """Columns of `source` from shift_source on to those of `target` from shift_target on."""
    for channel in range(source.shape[0]):
        for m in range(count):
            target[channel, shift_target + m] = source[channel, shift_source + m]


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract"}, inline="always")
def _accumulate(left: np.ndarray, right: np.ndarray, target: np.ndarray, count: int) -> None:
    for m in range(count):
        target[m] += left[m] * right[m]


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract"})
def _compose(outer: np.ndarray, u: np.ndarray, pairs: np.ndarray, starts: np.ndarray, ends: np.ndarray,
             out: np.ndarray) -> None:
    """Horner's rule in the nilpotent part v of u: σ_0 + v (σ_1 + v (σ_2/2! + ...)), each stage in place.

    Chunks are copied next to each other first: channels of a large array share the same few lines of the cache.
    """
    order, total = ends.size - 1, u.shape[1]
    v, w = np.empty((u.shape[0], _CHUNK)), np.empty((u.shape[0], _CHUNK))
    for begin in range(0, total, _CHUNK):
        count = min(_CHUNK, total - begin)
        _copy(u, v, count, begin, 0)
        scale = 1.0
        for k in range(2, order + 1):
            scale /= k
        for m in range(count):
            w[0, m] = scale * outer[order, begin + m]
        for k in range(order - 1, -1, -1):
            scale *= k + 1
            for channel in range(ends[order - k] - 1, 0, -1):
                w[channel] = 0.0
                for row in range(starts[channel] + 1, starts[channel + 1]):
                    _accumulate(v[pairs[row, 0]], w[pairs[row, 1]], w[channel], count)
            for m in range(count):
                w[0, m] = scale * outer[k, begin + m]
        _copy(w, out, count, 0, begin)


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract"})
def _multiply(a: np.ndarray, b: np.ndarray, pairs: np.ndarray, starts: np.ndarray, out: np.ndarray) -> None:
    total = b.shape[1]
    v, w, sums = np.empty((a.shape[0], _CHUNK)), np.empty((a.shape[0], _CHUNK)), np.empty((a.shape[0], _CHUNK))
    for begin in range(0, total, _CHUNK):
        count = min(_CHUNK, total - begin)
        _copy(a, v, count, begin, 0)
        _copy(b, w, count, begin, 0)
        sums[...] = 0.0
        for channel in range(starts.size - 1):
            for row in range(starts[channel], starts[channel + 1]):
                _accumulate(v[pairs[row, 0]], w[pairs[row, 1]], sums[channel], count)
        _copy(sums, out, count, 0, begin)


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract"})
def _transpose(a: np.ndarray, cotangent: np.ndarray, pairs: np.ndarray, starts: np.ndarray, out: np.ndarray) -> None:
    total = cotangent.shape[1]
    v, w, sums = np.empty((a.shape[0], _CHUNK)), np.empty((a.shape[0], _CHUNK)), np.empty((a.shape[0], _CHUNK))
    for begin in range(0, total, _CHUNK):
        count = min(_CHUNK, total - begin)
        _copy(a, v, count, begin, 0)
        _copy(cotangent, w, count, begin, 0)
        sums[...] = 0.0
        for channel in range(starts.size - 1):
            for row in range(starts[channel], starts[channel + 1]):
                _accumulate(v[pairs[row, 0]], w[channel], sums[pairs[row, 1]], count)
        _copy(sums, out, count, 0, begin)
