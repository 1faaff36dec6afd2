"""Hypothesis strategies for exact geometry: charts, functions, metrics and Kähler potentials near the flat one."""

from __future__ import annotations

from collections.abc import Sequence

import sympy

from geomflow.core.errors import MissingExtraError
from geomflow.symbolic import Chart, ComplexChart, KahlerMetric, Metric

try:
    from hypothesis import strategies as st
    from hypothesis.strategies import DrawFn, SearchStrategy
except ImportError as error:
    raise MissingExtraError.of("hypothesis", "test") from error

NAMES = ("x", "y", "z", "w")


def charts(dims: Sequence[int] = (2, 1, 3)) -> SearchStrategy[Chart]:
    """Charts with coordinates x, y, z, w.

    Parameters
    ----------
    dims : sequence of int
        The dimensions, the simplest first; at most 4.
    """
    return st.sampled_from(dims).map(lambda dim: Chart(sympy.symbols(NAMES[:dim], real=True)))


def complex_charts(dims: Sequence[int] = (1, 2)) -> SearchStrategy[ComplexChart]:
    """Charts with coordinates z, or z1, z2, ...

    Parameters
    ----------
    dims : sequence of int
        The complex dimensions, the simplest first.
    """
    return st.sampled_from(dims).map(lambda dim: ComplexChart("z" if dim == 1 else [f"z{k + 1}" for k in range(dim)]))


@st.composite
def functions(draw: DrawFn, symbols: Sequence[sympy.Symbol]) -> sympy.Expr:
    """Short functions of some of the coordinates, zero first, at most 3/10 in size near the origin.

    Parameters
    ----------
    symbols : sequence of Symbol
        The coordinates.
    """
    a, b = draw(st.sampled_from(symbols)), draw(st.sampled_from(symbols))
    shapes = [a, a * b, a**2, sympy.sin(a), sympy.cos(a + b), sympy.exp(a) / 3, 1 / (2 + b**2), sympy.Integer(1)]
    return draw(st.integers(-3, 3)) * draw(st.sampled_from(shapes)) / 10


@st.composite
def metrics(draw: DrawFn, dim: int = 2, changes: int = 2) -> Metric:
    """Metrics near twice the flat one.

    Parameters
    ----------
    dim : int
        From 1 to 4.
    changes : int
        How many entries vary, at most.
    """
    symbols = sympy.symbols(NAMES[:dim], real=True)
    matrix = sympy.eye(dim) * 2
    for _ in range(changes):
        i, j = draw(st.integers(0, dim - 1)), draw(st.integers(0, dim - 1))
        change = draw(functions(symbols))
        matrix[i, j] += change
        if i != j:
            matrix[j, i] += change
    return Metric(Chart(symbols), matrix)


@st.composite
def potentials(draw: DrawFn, dim: int = 1) -> KahlerMetric:
    """Kähler metrics of a potential near the flat one, |z|²: with polynomial, logarithmic and oscillating parts.

    Parameters
    ----------
    dim : int
        The complex dimension.
    """
    chart = draw(complex_charts((dim,)))
    pairs = list(zip(chart.symbols, chart.conjugates, strict=True))
    (z, w), (u, v) = draw(st.sampled_from(pairs)), draw(st.sampled_from(pairs))
    square = sum(p * q for p, q in pairs)
    parts = [z * w * u * v, z * w * (u + v), z**2 * v + w**2 * u, sympy.log(1 + square), sympy.exp(z + w)]
    extra = draw(st.sampled_from(parts)) * draw(st.integers(-3, 3)) / 10
    return KahlerMetric.from_potential(chart, square + extra)
