"""A polynomial and its derivatives, from a table of products that its monomials are made of.

A table is (left, right, monomial, coefficient) for numbers w: w_0, …, w_{N−1} are the coordinates, w_N is 1, and
product k makes w_{N+1+k} = w_left[k] · w_right[k] of earlier ones; term t is coefficient[t] · w_monomial[t].
"""

from __future__ import annotations

import numpy as np
from numba import njit

from geomflow.codegen.building import Array, Value, instructions, loop
from geomflow.variety.routines.numbers import Changing, Complex, Line, real

OPTIONS = {"cache": True, "nogil": True, "error_model": "numpy", "no_cfunc_wrapper": True}

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


# Code


class Terms:
    """A table in code, with the polynomial's value and derivatives at a point."""

    def __init__(self, size: Value, left: Array, right: Array, monomial: Array, coefficient: Array) -> None:
        self.size, self._pairs = size, (left, right)
        self._monomial, self._coefficient = monomial, Line.of(coefficient)
        self.products = left.shape[0]
        self.count = size + 1 + self.products

    def _pair(self, k: Value) -> tuple[Value, Value]:
        left, right = self._pairs
        return left[k], right[k]

    def _made(self, z: Line, w: Line) -> None:
        """All numbers w at z."""
        for i in loop(self.size):
            w[i] = z[i]
        w[self.size] = real(1.0)
        made = w.at(self.size + 1)
        for k in loop(self.products):
            a, b = self._pair(k)
            made[k] = w[a] * w[b]

    def value(self, z: Line, w: Line) -> Complex:
        """Q(z), with room for w."""
        self._made(z, w)
        total = Changing(real(0.0))
        for t in loop(self._monomial.shape[0]):
            total.now += self._coefficient[t] * w[self._monomial[t]]
        return total.now

    def gradient(self, z: Line, w: Line, slope: Line) -> Complex:
        """Q(z), with ∂Q/∂w in `slope`, for the coordinates first: ∂Q/∂z_i."""
        self._made(z, w)
        for k in loop(self.count):
            slope[k] = real(0.0)
        total = Changing(real(0.0))
        for t in loop(self._monomial.shape[0]):
            m, c = self._monomial[t], self._coefficient[t]
            total.now += c * w[m]
            slope[m] += c
        made = slope.at(self.size + 1)
        for n in loop(self.products):
            k = self.products - 1 - n
            (a, b), outer = self._pair(k), made[k]
            slope[a] += outer * w[b]
            slope[b] += outer * w[a]
        return total.now

    def along(self, j: Value, w: Line, slope: Line, along: Line, bend: Line) -> None:
        """The derivatives along z_j of w in `along`, and of ∂Q/∂w in `bend`."""
        for k in loop(self.count):
            along[k] = real(0.0)
            bend[k] = real(0.0)
        along[j] = real(1.0)
        first = self.size + 1
        for k in loop(self.products):
            a, b = self._pair(k)
            along[first + k] = along[a] * w[b] + w[a] * along[b]
        for n in loop(self.products):
            k = self.products - 1 - n
            (a, b), outer, moved = self._pair(k), slope[first + k], bend[first + k]
            bend[a] += moved * w[b] + outer * along[b]
            bend[b] += moved * w[a] + outer * along[a]


@instructions
def _gradients(z: Array, left: Array, right: Array, monomial: Array, coefficient: Array, room: Array, values: Array,
               out: Array) -> None:
    size = z.shape[1]
    terms = Terms(size, left, right, monomial, coefficient)
    w, slope, q = Line.of(room), Line.of(room, 1), Line.of(values)
    for p in loop(z.shape[0]):
        q[p] = terms.gradient(Line.of(z, p), w, slope)
        row = Line.of(out, p)
        for i in loop(size):
            row[i] = slope[i]


@instructions
def _hessians(z: Array, left: Array, right: Array, monomial: Array, coefficient: Array, room: Array,
              out: Array) -> None:
    size = z.shape[1]
    terms = Terms(size, left, right, monomial, coefficient)
    w, slope, along, bend = (Line.of(room, n) for n in range(4))
    for p in loop(z.shape[0]):
        terms.gradient(Line.of(z, p), w, slope)
        for j in loop(size):
            terms.along(j, w, slope, along, bend)
            for i in loop(size):
                Line.of(out, p, i)[j] = bend[i]


@njit(**OPTIONS)
def _run_gradients(arguments):
    _gradients(arguments)


@njit(**OPTIONS)
def _run_hessians(arguments):
    _hessians(arguments)


def gradients(z: np.ndarray, table: Table, values: np.ndarray, out: np.ndarray) -> None:
    """Q and ∂Q at many points (n, N), into (n,) and (n, N)."""
    _run_gradients((z, *table, room(z, table, 2), values, out))


def hessians(z: np.ndarray, table: Table, out: np.ndarray) -> None:
    """∂∂Q at many points (n, N), into (n, N, N): column j is the derivative of w and of ∂Q/∂w along z_j."""
    _run_hessians((z, *table, room(z, table, 4), out))


def room(z: np.ndarray, table: Table, rows: int) -> np.ndarray:
    """Room for so many rows of numbers like w."""
    return np.empty((rows, z.shape[1] + 1 + len(table[0])), np.complex128)
