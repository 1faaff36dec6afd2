"""A polynomial and its derivatives, from a table of products that its monomials are made of.

A table is (left, right, monomial, coefficient) for numbers w: w_0, …, w_{N−1} are the coordinates, w_N is 1, and
product k makes w_{N+1+k} = w_left[k] · w_right[k] of earlier ones; term t is coefficient[t] · w_monomial[t].
"""

from __future__ import annotations

import numpy as np
from numba import njit

_OPTIONS = {"cache": True, "nogil": True, "error_model": "numpy", "no_cfunc_wrapper": True}
PART = {"inline": "always"}

Table = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]


def table(exponents: np.ndarray, coefficients: np.ndarray) -> Table:
    """The table of Σ_t coefficients[t] z^exponents[t]; each power and each product of powers is made once."""
    size = exponents.shape[1]
    places: dict[tuple[int, ...], int]
    places = {tuple(unit): i for i, unit in enumerate(np.eye(size, dtype=int).tolist())} | {(0,) * size: size}
    products: list[tuple[int, int]] = []

    def place(monomial: tuple[int, ...]) -> int:
        if monomial not in places:
            one, other = map(place, _factors(monomial))
            places[monomial] = size + 1 + len(products)
            products.append((one, other))
        return places[monomial]

    monomial = np.array([place(tuple(row)) for row in exponents.tolist()], dtype=np.int64)
    left, right = np.array(products, dtype=np.int64).reshape(-1, 2).T.copy()
    return left, right, monomial, coefficients


def _factors(monomial: tuple[int, ...]) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Two monomials whose product this is: a power and the rest, or halves of a power."""
    first = next(i for i, e in enumerate(monomial) if e)
    exponent = monomial[first]
    power = exponent // 2 if exponent == sum(monomial) else exponent
    one = tuple(power if i == first else 0 for i in range(len(monomial)))
    return one, tuple(e - o for e, o in zip(monomial, one))


@njit(**PART)
def products(z, left, right, w):
    """All numbers w at z."""
    for i in range(z.size):
        w[i] = z[i]
    w[z.size] = 1.0
    for k in range(left.size):
        w[z.size + 1 + k] = w[left[k]] * w[right[k]]


@njit(**PART)
def value(z, table, w):
    """Q(z), with room for w."""
    left, right, monomial, coefficient = table
    products(z, left, right, w)
    total = 0.0j
    for t in range(monomial.size):
        total += coefficient[t] * w[monomial[t]]
    return total


@njit(**PART)
def gradient(z, table, w, slope):
    """Q(z), with ∂Q/∂w in `slope`, for the coordinates first: ∂Q/∂z_i."""
    left, right, monomial, coefficient = table
    products(z, left, right, w)
    for k in range(w.size):
        slope[k] = 0.0
    total = 0.0j
    for t in range(monomial.size):
        total += coefficient[t] * w[monomial[t]]
        slope[monomial[t]] += coefficient[t]
    for k in range(left.size - 1, -1, -1):
        a, b, outer = left[k], right[k], slope[z.size + 1 + k]
        slope[a] += outer * w[b]
        slope[b] += outer * w[a]
    return total


@njit(**_OPTIONS)
def gradients(z, table, values, out):
    """Q and ∂Q at many points (n, N), into (n,) and (n, N)."""
    w = np.empty(z.shape[1] + 1 + table[0].size, np.complex128)
    slope = np.empty(z.shape[1] + 1 + table[0].size, np.complex128)
    for p in range(z.shape[0]):
        values[p] = gradient(z[p], table, w, slope)
        for i in range(z.shape[1]):
            out[p, i] = slope[i]


@njit(**_OPTIONS)
def hessians(z, table, out):
    """∂∂Q at many points (n, N), into (n, N, N): column j is the derivative of w and of ∂Q/∂w along z_j."""
    left, right = table[:2]
    size = z.shape[1]
    room = np.empty((4, size + 1 + left.size), np.complex128)
    w, slope, along, bend = room[0], room[1], room[2], room[3]
    for p in range(z.shape[0]):
        gradient(z[p], table, w, slope)
        for j in range(size):
            along[:] = 0.0
            bend[:] = 0.0
            along[j] = 1.0
            for k in range(left.size):
                a, b = left[k], right[k]
                along[size + 1 + k] = along[a] * w[b] + w[a] * along[b]
            for k in range(left.size - 1, -1, -1):
                a, b, outer, moved = left[k], right[k], slope[size + 1 + k], bend[size + 1 + k]
                bend[a] += moved * w[b] + outer * along[b]
                bend[b] += moved * w[a] + outer * along[a]
            for i in range(size):
                out[p, i, j] = bend[i]
