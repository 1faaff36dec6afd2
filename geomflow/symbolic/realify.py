"""From z and z̄ to x and y: exact objects of a complex chart in real coordinates."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import sympy

from geomflow.symbolic.chart import ComplexChart
from geomflow.symbolic.exact import compute, read_array, written
from geomflow.symbolic.ring import HALF, ExactRing


def in_real_coordinates(chart: ComplexChart, expression: sympy.Expr) -> sympy.Expr:
    """The expression with z = x + i y, z̄ = x − i y; radicands are expanded, so that they are seen to be real."""
    x, y = chart.real_chart.symbols[0::2], chart.real_chart.symbols[1::2]
    table = {z: a + sympy.I * b for z, a, b in zip(chart.symbols, x, y, strict=True)}
    table |= {z: a - sympy.I * b for z, a, b in zip(chart.conjugates, x, y, strict=True)}
    return _expanded(expression.xreplace(table))


def _expanded(e: sympy.Expr) -> sympy.Expr:
    if not e.args:
        return e
    if (e.is_Pow and e.exp.is_Rational and not e.exp.is_Integer) or (e.is_Function and len(e.args) == 1):
        return e.func(sympy.expand(_expanded(e.args[0])), *e.args[1:])
    return e.func(*[_expanded(a) for a in e.args])


def real_values(chart: ComplexChart, expressions: Sequence[sympy.Expr]) -> list[sympy.Expr]:
    """Real-valued expressions in real coordinates, without i."""
    moved = [in_real_coordinates(chart, e) for e in expressions]
    return compute(moved, chart.real_chart.symbols, lambda ring: ring.write([ring.read(e) for e in moved]))


def real_matrix(chart: ComplexChart, matrix: sympy.ImmutableMatrix) -> sympy.ImmutableMatrix:
    """The matrix of 2 T_{ab̄} dz^a dz̄^b in the coordinates x^1, y^1, ...: with T = A + iB, 2[[A, B], [−B, A]].

    A = (T + Tᵗ)/2 and iB = (T − Tᵗ)/2 because T is Hermitian.
    """
    moved = matrix.applyfunc(lambda e: in_real_coordinates(chart, e))
    return compute([*moved, sympy.I], chart.real_chart.symbols, lambda ring: written(ring, _blocks(ring, moved)))


def _blocks(ring: ExactRing, matrix: sympy.ImmutableMatrix) -> np.ndarray:
    t, n = read_array(ring, matrix), len(matrix.tolist())
    minus_i = -ring.read(sympy.I)
    result = ring.array((2 * n, 2 * n))
    for a in range(n):
        for b in range(n):
            even, odd = t[a, b] + t[b, a], (t[a, b] - t[b, a]) * minus_i
            result[2 * a, 2 * b] = result[2 * a + 1, 2 * b + 1] = even * (2 * HALF)
            result[2 * a, 2 * b + 1] = odd
            result[2 * a + 1, 2 * b] = -odd
    return result
