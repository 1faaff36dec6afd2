"""Input derivatives of networks and of what is made of them: truncated power series, jets, and Leibniz' rule.

A series of order K in d variables is an array (C, ...) of Taylor coefficients ∂^α u / α!, one channel for each
multi-index α with |α| <= K, ordered by degree, the value first; C = binomial(d + K, K).

A jet is a mapping from multi-indices (counts of derivatives, one per coordinate) to arrays with the points first.
Absent indices are zero, so that a constant is the jet {(0, ..., 0): value}.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from math import comb, prod
from typing import final

import numpy as np
from numba import njit

from geomflow.core.errors import InputError
from geomflow.core.monomials import Index, Monomials, minus, monomials, multi_indices

Jet = dict[Index, np.ndarray]
Bilinear = Callable[[np.ndarray, np.ndarray], np.ndarray]

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
    def products(self) -> tuple[np.ndarray, ...]:
        """Places i, j and k, (count,) each, of all terms of a product c_k = Σ a_i b_j: by k, then by i."""
        table = self.monomials.products
        triples = [(i, j, k) for k, row in enumerate(table) for i, j in row]
        return tuple(np.ascontiguousarray(np.array(triples, dtype=np.int64).T))

    @cached_property
    def starts(self) -> np.ndarray:
        """Where the terms of each channel begin among the products, and where the last ones end."""
        return np.searchsorted(self.products[2], np.arange(self.channels + 1))

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
        flat, (left, right, _) = (self.channels, -1), self.products
        _compose(outer.reshape(len(outer), -1), u.reshape(flat), left, right, self.starts, self.ends, out.reshape(flat))
        return out

    def multiply(self, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        """The truncated product of two series (C, ...)."""
        return self._bilinear(a, b, *self.products)

    def transpose_multiply(self, a: np.ndarray, cotangent: np.ndarray) -> np.ndarray:
        """The transpose of b ↦ a b at a cotangent (C, ...): b̄_β = Σ_α a_{α−β} c_α."""
        left, right, target = self.products
        return self._bilinear(a, cotangent, left, target, right)

    def _bilinear(self, a: np.ndarray, b: np.ndarray, *places: np.ndarray) -> np.ndarray:
        if self.order == 0:
            return a * b
        out = np.empty(b.shape)
        flat = (self.channels, -1)
        _multiply(a.reshape(flat), b.reshape(flat), *places, out.reshape(flat))
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
def _compose(outer: np.ndarray, u: np.ndarray, left: np.ndarray, right: np.ndarray, starts: np.ndarray,
             ends: np.ndarray, out: np.ndarray) -> None:
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
                    _accumulate(v[left[row]], w[right[row]], w[channel], count)
            for m in range(count):
                w[0, m] = scale * outer[k, begin + m]
        _copy(w, out, count, 0, begin)


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract"})
def _multiply(a: np.ndarray, b: np.ndarray, left: np.ndarray, right: np.ndarray, target: np.ndarray,
              out: np.ndarray) -> None:
    """out[target] = Σ a[left] b[right], term by term in order."""
    total = b.shape[1]
    v, w, sums = np.empty((a.shape[0], _CHUNK)), np.empty((a.shape[0], _CHUNK)), np.empty((a.shape[0], _CHUNK))
    for begin in range(0, total, _CHUNK):
        count = min(_CHUNK, total - begin)
        _copy(a, v, count, begin, 0)
        _copy(b, w, count, begin, 0)
        sums[...] = 0.0
        for term in range(target.size):
            _accumulate(v[left[term]], w[right[term]], sums[target[term]], count)
        _copy(sums, out, count, 0, begin)


#: The highest input derivative that networks offer.
HIGHEST_JET = 4


@final
@dataclass(frozen=True, repr=False)
class Jets(Mapping[Index, np.ndarray]):
    """∂^α f(x) for every multi-index α of degree <= order: a mapping {α: (p, outputs)}.

    α counts derivatives per input coordinate, (2, 0) is ∂_x².

    Parameters
    ----------
    series : Series
        The algebra that knows the multi-indices.
    array : (C, p, outputs) array
        All derivatives in the order of `indices`: by degree, the value first.
    """

    series: Series
    array: np.ndarray

    @property
    def order(self) -> int:
        """The highest degree."""
        return self.series.order

    @property
    def indices(self) -> tuple[Index, ...]:
        """The multi-indices in the order of `array`."""
        return self.series.indices

    def __getitem__(self, index: Index) -> np.ndarray:
        try:
            return self.array[self.series.indices.index(tuple(index))]
        except ValueError:
            message = f"no derivative {index}: these jets have {self.series.dim} inputs and order {self.order}."
            raise KeyError(message) from None

    def __iter__(self) -> Iterator[Index]:
        return iter(self.series.indices)

    def __len__(self) -> int:
        return self.series.channels

    def __repr__(self) -> str:
        _, points, outputs = self.array.shape
        return (
            f"the derivatives up to order {self.order} by {self.series.dim} inputs of {outputs} outputs at "
            f"{points} points"
        )


def checked_order(order: int) -> int:
    """`order` if it is a whole number from 0 to 4; raises `InputError` otherwise."""
    if isinstance(order, bool) or not isinstance(order, int | np.integer) or not 0 <= order <= HIGHEST_JET:
        raise InputError(f"jets have order 0 to {HIGHEST_JET}, and the order is {order!r}.")
    return int(order)


def binomial(upper: Index, lower: Index) -> int:
    """Π_k (upper_k choose lower_k)."""
    return prod(map(comb, upper, lower))


def below(index: Index) -> Iterator[Index]:
    """All multi-indices β ≤ index, entry by entry."""
    return product(*(range(n + 1) for n in index))


def leibniz(first: Mapping[Index, np.ndarray], second: Mapping[Index, np.ndarray], multiply: Bilinear,
            wanted: Iterable[Index]) -> Jet:
    """∂^α(a·b) = Σ_{β≤α} (α choose β) ∂^β a · ∂^{α−β} b for the wanted α, with a bilinear product."""
    result: Jet = {}
    for index in wanted:
        for part in below(index):
            rest = minus(index, part)
            if part in first and rest in second:
                term = binomial(index, part) * multiply(first[part], second[rest])
                result[index] = result[index] + term if index in result else term
    return result


def leibniz_adjoint(first: Mapping[Index, np.ndarray], cotangents: Mapping[Index, np.ndarray],
                    multiply: Bilinear) -> Jet:
    """The adjoint of b ↦ `leibniz(a, b)`: cotangents of ∂^γ b from cotangents of ∂^α(a·b).

    `multiply(a, c)` is the adjoint of the bilinear product in its second argument.
    """
    result: Jet = {}
    for index, cotangent in cotangents.items():
        for part in below(index):
            rest = minus(index, part)
            if rest in first:
                term = binomial(index, part) * multiply(first[rest], cotangent)
                result[part] = result[part] + term if part in result else term
    return result


def exponential(jet: Mapping[Index, np.ndarray]) -> Jet:
    """The jet of e^u, by ∂_k e^u = e^u ∂_k u; infinite beyond double precision."""
    result: Jet = {}
    for index in sorted(jet, key=sum):
        if not any(index):
            with np.errstate(over="ignore"):
                result[index] = np.exp(jet[index])
            continue
        axis = next(k for k, n in enumerate(index) if n)
        lower = tuple(n - (k == axis) for k, n in enumerate(index))
        parts = ((part, minus(index, part)) for part in below(lower))
        terms = [binomial(lower, part) * result[part] * jet[rest] for part, rest in parts if rest in jet]
        result[index] = np.asarray(sum(terms, start=np.zeros_like(jet[index])))
    return result


def hessian_terms(size: int) -> tuple[tuple[int, int, Index, complex], ...]:
    """(a, b, multi-index, factor): ∂_a∂_b̄ = Σ factor ∂^{multi-index}, coordinates x1, y1, x2, y2, ..."""
    terms = []
    for a, b in np.ndindex(size, size):
        pairs = ((0, 0, 0.25), (1, 1, 0.25), (0, 1, 0.25j), (1, 0, -0.25j))
        for first, second, factor in pairs:
            if a == b and first != second:
                continue
            index = [0] * (2 * size)
            index[2 * a + first] += 1
            index[2 * b + second] += 1
            terms.append((int(a), int(b), tuple(index), complex(factor)))
    return tuple(terms)


def hessian_of_jets(jets: Jet, size: int) -> np.ndarray:
    """∂_a∂_b̄ f (p, n, n) from the second derivatives of f (p,)."""
    result = np.zeros((len(next(iter(jets.values()))), size, size), complex)
    for a, b, index, factor in hessian_terms(size):
        result[:, a, b] += factor * jets[index]
    return result


def hessian_adjoint(cotangent: np.ndarray) -> Jet:
    """{multi-index: (p,)}: the cotangents of real second derivatives from Re Σ D^{ab̄} ∂_a∂_b̄ f."""
    result: Jet = {}
    for a, b, index, factor in hessian_terms(cotangent.shape[-1]):
        term = np.real(factor * cotangent[:, a, b])
        result[index] = result[index] + term if index in result else term
    return result
