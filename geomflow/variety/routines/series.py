"""Loops over truncated power series in x and x̄, many points at a time.

A series in x is an array (R, B), one in x and x̄ an array (R, R, B): the coefficients of x^α x̄^β, rows in the order of
`geomflow.core.monomials`, at B points. `starts` and `pairs` say what multiplies to what: x^α is the product of the
monomials at pairs[starts[α] : starts[α + 1]].
"""

from __future__ import annotations

import numpy as np
from numba import njit

_OPTIONS = {"cache": True, "forceinline": True, "nogil": True, "error_model": "numpy",
            "fastmath": {"contract", "reassoc", "nsz"}}


@njit(**_OPTIONS)
def add_product(left, right, starts, pairs, factor, out):
    """out += factor · left · right, series in x and x̄."""
    rows, count = starts.size - 1, left.shape[2]
    for c in range(rows):
        for d in range(rows):
            total = out[c, d]
            for p in range(starts[c], starts[c + 1]):
                for q in range(starts[d], starts[d + 1]):
                    x, y = left[pairs[p, 0], pairs[q, 0]], right[pairs[p, 1], pairs[q, 1]]
                    for i in range(count):
                        total[i] += factor * x[i] * y[i]


@njit(**_OPTIONS)
def monomials(base, parent, variable, starts, pairs, out):
    """out[0] = 1 and out[m] = out[parent[m]] · base[variable[m]], series in x; parents come first."""
    out[:] = 0
    out[0, 0] = 1
    count = base.shape[2]
    for m in range(1, out.shape[0]):
        left, right = out[parent[m]], base[variable[m]]
        for c in range(starts.size - 1):
            total = out[m, c]
            for p in range(starts[c], starts[c + 1]):
                x, y = left[pairs[p, 0]], right[pairs[p, 1]]
                for i in range(count):
                    total[i] += x[i] * y[i]


@njit(**_OPTIONS)
def logarithm(series, starts, pairs, degrees, out):
    """log f of real series, f_βα = conj f_αβ; NaN where f(0) is not positive.

    With D = Σ_a x^a∂_a it is D f = f D log f, degree by degree.
    """
    rows, count = starts.size - 1, series.shape[2]
    inverse, rest = np.empty(count), np.empty(count, series.dtype)
    for i in range(count):
        inverse[i] = 1 / series[0, 0, i].real
        out[0, 0, i] = np.log(series[0, 0, i].real)
    for c in range(1, rows):
        for d in range(rows):
            if 0 < d < c:
                for i in range(count):
                    out[c, d, i] = np.conj(out[d, c, i])
                continue
            for i in range(count):
                rest[i] = degrees[c] * series[c, d, i]
            for p in range(starts[c], starts[c + 1]):
                a, b = pairs[p, 0], pairs[p, 1]
                if b == 0:
                    continue
                for q in range(starts[d], starts[d + 1]):
                    if a == 0 and pairs[q, 0] == 0:
                        continue
                    x, y = series[a, pairs[q, 0]], out[b, pairs[q, 1]]
                    for i in range(count):
                        rest[i] -= degrees[b] * x[i] * y[i]
            for i in range(count):
                out[c, d, i] = rest[i] * inverse[i] / degrees[c]
        for i in range(count):
            out[0, c, i] = np.conj(out[c, 0, i])
