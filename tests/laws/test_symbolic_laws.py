"""Laws of exact geometry, for random metrics and potentials, decided."""

from fractions import Fraction

import numpy as np
import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st
from sympy import Rational

from geomflow.symbolic import Chart, KahlerMetric, Metric, is_zero
from geomflow.symbolic.exact import read_array
from geomflow.symbolic.ring import GraphRing
from geomflow.symbolic.tensors import RingTensors
from geomflow.testing import automorphisms, functions, metrics, potentials

SYMBOLS = sympy.symbols("x y z", real=True)


@settings(max_examples=15)
@given(st.sampled_from([2, 3]).flatmap(metrics), st.integers(1, 9), st.integers(1, 9))
def test_ricci_does_not_see_constants(metric, p, q):
    scaled = metric.scaled(Rational(p, q))
    assert is_zero(scaled.ricci - metric.ricci)
    assert is_zero(scaled.scalar - metric.scalar * Rational(q, p))


@settings(max_examples=15)
@given(st.sampled_from([2, 3]).flatmap(metrics))
def test_contracted_bianchi(metric):
    assert metric.bianchi() == sympy.zeros(1, metric.dim)


@settings(max_examples=10)
@given(metrics(3))
def test_riemann_has_its_symmetries_and_weyl_vanishes_in_dimension_three(metric):
    riemann = metric.riemann_lower
    rng = range(3)
    for l, k, i, j in [(0, 1, 0, 2), (0, 1, 1, 2), (0, 2, 1, 2)]:
        assert riemann[l, k, i, j] == riemann[i, j, l, k]
        assert is_zero(riemann[l, k, i, j] + riemann[k, l, i, j])
    assert all(is_zero(riemann[0, a, b, c] + riemann[0, b, c, a] + riemann[0, c, a, b])
               for a in rng for b in rng for c in rng)  # fmt: skip


@settings(max_examples=10)
@given(metrics(2))
def test_surfaces_have_ricci_half_scalar_times_metric(metric):
    assert is_zero(metric.ricci - metric.scalar / 2 * metric.matrix)


@settings(max_examples=10)
@given(st.data(), st.sampled_from([2, 3]))
def test_naturality_under_changes_of_lattice_basis(data, dim):
    """Ric(F*g) = F* Ric(g) and R(F*g) = R(g)∘F for F in SL(d, Z)."""
    metric = data.draw(metrics(dim))
    matrix = sympy.Matrix(data.draw(automorphisms(dim)))
    images = list(matrix * sympy.Matrix(SYMBOLS[:dim]))
    moved = metric.pullback(Chart(SYMBOLS[:dim]), images)
    table = dict(zip(SYMBOLS[:dim], images, strict=True))
    assert is_zero(moved.ricci - matrix.T * metric.ricci.xreplace(table) * matrix)
    assert is_zero(moved.scalar - metric.scalar.xreplace(table))


@settings(max_examples=8)
@given(metrics(2))
def test_naturality_under_nonlinear_maps(metric):
    x, y = SYMBOLS[:2]
    images = [x + y**2 / 2, y]
    moved = metric.pullback(Chart([x, y]), images)
    assert is_zero(moved.scalar - metric.scalar.xreplace(dict(zip((x, y), images, strict=True))))


@settings(max_examples=8)
@given(metrics(3), functions(SYMBOLS), functions(SYMBOLS))
def test_leibniz_rule_of_the_laplacian(metric, f, g):
    """Δ(fg) = fΔg + gΔf + 2⟨∇f, ∇g⟩."""
    slope = metric.gradient(f)
    cross = sum(slope[i] * g.diff(SYMBOLS[i]) for i in range(3))
    assert is_zero(metric.laplacian(f * g) - f * metric.laplacian(g) - g * metric.laplacian(f) - 2 * cross)


@settings(max_examples=8)
@given(metrics(2), functions(SYMBOLS[:2]))
def test_the_hessian_is_half_the_lie_derivative_along_the_gradient(metric, f):
    assert is_zero(metric.lie_derivative(metric.gradient(f)) - 2 * metric.hessian(f))


@settings(max_examples=8)
@given(st.sampled_from([1, 2]).flatmap(potentials))
def test_realified_kahler_curvature_is_riemannian_curvature(metric):
    """Ric, R, |Rm|² and Δ of the real metric are those of the convention table, at a rational point."""
    real = metric.realify()
    table, point = _point(metric)
    assert _close(real.scalar.subs(point), metric.scalar.subs(table))
    assert _close(real.determinant.subs(point), (2**metric.dim * metric.determinant).subs(table) ** 2)
    f = metric.chart.symbols[0] * metric.chart.conjugates[0]
    x, y = real.chart.symbols[:2]
    assert _close(real.laplacian(x**2 + y**2).subs(point), metric.real_laplacian(f).subs(table))


@settings(max_examples=4)
@given(potentials(2))
def test_realified_ricci_has_the_block_form_of_the_metric(metric):
    real = metric.realify()
    table, point = _point(metric)
    t = np.array(metric.ricci.subs(table).evalf(), dtype=complex)
    expected = np.zeros((4, 4))
    expected[0::2, 0::2] = expected[1::2, 1::2] = 2 * t.real
    expected[0::2, 1::2], expected[1::2, 0::2] = 2 * t.imag, -2 * t.imag
    assert np.array(real.ricci.subs(point).evalf(), dtype=float) == pytest.approx(expected, abs=1e-12)


@settings(max_examples=6)
@given(potentials(2), st.integers(1, 9))
def test_kahler_ricci_does_not_see_constants(metric, factor):
    scaled = KahlerMetric.from_potential(metric.chart, factor * metric.potential)
    assert is_zero(scaled.ricci - metric.ricci)


@settings(max_examples=6)
@given(potentials(2))
def test_kahler_riemann_is_symmetric_and_traces_to_ricci(metric):
    riemann, inverse = metric.riemann, metric.inverse
    assert is_zero(riemann[0, 0, 1, 1] - riemann[1, 0, 0, 1])
    trace = sum(inverse[d, c] * riemann[0, 1, c, d] for c in range(2) for d in range(2))
    assert is_zero(trace - metric.ricci[0, 1])


def _point(metric):
    """The same rational point in Wirtinger and in real coordinates."""
    table, point = {}, {}
    real = metric.chart.real_chart.symbols
    for k, (z, w) in enumerate(zip(metric.chart.symbols, metric.chart.conjugates, strict=True)):
        x, y = Fraction(1, 3 + k), Fraction(1, 5 + 2 * k)
        a, b = Rational(x.numerator, x.denominator), Rational(y.numerator, y.denominator)
        table |= {z: a + sympy.I * b, w: a - sympy.I * b}
        point |= {real[2 * k]: a, real[2 * k + 1]: b}
    return table, point


def _close(first, second):
    return abs(complex(sympy.N(first - second, 30))) < 1e-20


ROWS = [
    [["sqrt(1+x^2)", "0"], ["0", "sqrt(1+y^2)*(2+sqrt(1+x^2))"]],
    [["2+erf(x*y)", "0"], ["0", "1"]],
    [["sqrt(2+sqrt(1+x^2))", "0"], ["0", "exp(x/3) + y^2"]],
    [["2+tan(x/4)^2", "x*y/9"], ["x*y/9", "1+(1+x^2)^(1/3)"]],
    [["cosh(x+y/2)", "0"], ["0", "2+exp(-x)*atan(y)"]],
    [["2+sin(2*x+y)*cos(y)", "0"], ["0", "1+log(2+x^2)"]],
]


@pytest.mark.parametrize("rows", ROWS, ids=str)
def test_field_and_graph_give_the_same_curvature(rows):
    """One formula, two rings: the fractions and the graph agree at a point."""
    metric = Metric(Chart(SYMBOLS[:2]), rows)
    ring = GraphRing(("x", "y"), symbols=SYMBOLS[:2])
    (on_graph,) = ring.write([RingTensors(ring, read_array(ring, metric.matrix)).scalar])
    point = dict(zip(SYMBOLS[:2], (Rational(2, 7), Rational(3, 11)), strict=True))
    assert metric.scalar != on_graph
    assert _close(metric.scalar.subs(point), on_graph.subs(point))
