"""Renaming a parameter or a coordinate renames the answer, whatever the names are."""

import sympy
from hypothesis import given, settings
from hypothesis import strategies as st

from geomflow.symbolic import Chart, ComplexChart, KahlerMetric, Metric, is_zero

NAMES = ["x", "y", "x1", "s", "t", "r", "z", "zb", "e", "i", "j", "pi", "S", "N", "E", "t_re", "x_1", "lambda", "ϕ"]
PLACES = [sympy.Rational(2, 7), sympy.Rational(3, 5), sympy.Rational(5, 4), sympy.Rational(7, 9)]


def distinct(count):
    return st.permutations(NAMES).map(lambda names: names[:count])


def at(expression, names):
    """The value where the symbols of these names, in order, take fixed values."""
    values = dict(zip(names, PLACES, strict=False))
    return sympy.N(expression.subs({s: values[s.name] for s in expression.free_symbols}), 30)


def symbols(names, **assumptions):
    return [sympy.Symbol(name, **assumptions) for name in names]


@settings(max_examples=15)
@given(distinct(4), st.sampled_from([{}, {"positive": True}, {"real": True}]))
def test_curvature_of_a_real_metric(names, assumptions):
    def rows(p, q, a, b):
        return [[1 + a * p**2, p * q / 9], [p * q / 9, a + b * sympy.exp(q / 3)]]

    plain = ["p", "q", "a", "b"]
    expected = Metric(Chart("p q"), rows(*symbols(plain)))
    found = Metric(Chart(names[:2]), rows(*symbols(names, **assumptions)), parameters=names[2:])
    assert abs(at(found.scalar, names) - at(expected.scalar, plain)) < 1e-20
    f, g = (a * p * q for p, q, a, _ in (symbols(names), symbols(plain)))
    assert abs(at(found.laplacian(f), names) - at(expected.laplacian(g), plain)) < 1e-20


@settings(max_examples=10)
@given(distinct(3), distinct(2))
def test_a_pullback_keeps_parameters_apart_from_new_coordinates(names, new):
    """The line element 1 + a² X² pulled back by X = x + y²: a is the same number, whatever x, y and a are called."""
    metric = Metric(Chart(names[:2]), [[f"1 + {names[2]}^2*{names[0]}^2", 0], [0, 1]], parameters=names[2])
    moved = metric.pullback(Chart(new), [f"{new[0]} + {new[1]}^2", new[1]])
    (parameter,) = moved.matrix.free_symbols - set(moved.chart.symbols)
    assert parameter.name == names[2] or names[2] in new
    a, x, y = (PLACES[k] for k in range(3))
    values = dict(zip((*moved.chart.symbols, parameter), (x, y, a), strict=True))
    assert moved.matrix[0, 0].subs(values) == 1 + a**2 * (x + y**2) ** 2
    assert moved.matrix[1, 1].subs(values) == 1 + 4 * y**2 * (1 + a**2 * (x + y**2) ** 2)


@settings(max_examples=10)
@given(distinct(2))
def test_realified_metrics_keep_their_parameters(names):
    """a log(1 + |z|²) has R = 4/a, in complex and in real coordinates."""
    coordinate, parameter = names
    if parameter in (f"{coordinate}b", "zb"):
        parameter = "a"
    metric = KahlerMetric.from_potential(coordinate, f"{parameter}*log(1 + abs({coordinate})^2)", parameter)
    real = metric.realify()
    assert {s.name for s in metric.scalar.free_symbols} == {s.name for s in real.scalar.free_symbols} == {parameter}
    assert is_zero(metric.scalar - 4 / metric.scalar.free_symbols.pop())
    assert is_zero(real.scalar - metric.scalar)
    assert not {parameter, coordinate} & set(real.chart.coordinates)


@settings(max_examples=10)
@given(distinct(3))
def test_geodesics_have_a_parameter_of_their_own(names):
    """dr² + a r² dθ²: r'' = a r θ'^2, for curves named like the coordinates."""
    r, theta, a = names
    radial = Metric(Chart([r, theta]), [[1, 0], [0, f"{a}*{r}^2"]], parameters=a).geodesic_equations()[0].lhs
    (s,) = radial.atoms(sympy.Derivative).pop().variables[:1]
    first, second = sympy.Function(r)(s), sympy.Function(theta)(s)
    assert s.name not in names
    assert is_zero(radial - first.diff(s, 2) + sympy.Symbol(a, real=True) * first * second.diff(s) ** 2, [s])


@settings(max_examples=8)
@given(st.sampled_from(["t", "psi", "t1", "x", "y", "w_2", "b"]), st.booleans())
def test_complex_parameters_are_translations(name, declared):
    """log(1 + |z − t|²) is log(1 + |z|²) moved by t, and its conjugate is carried through every answer."""
    t = sympy.Symbol(name, complex=True) if declared else sympy.Symbol(name)
    chart = ComplexChart("z")
    metric = KahlerMetric.from_potential(chart, sympy.log(1 + sympy.Abs(chart.symbols[0] - t) ** 2))
    ((own, bar),) = metric.chart.moduli
    z, zb = chart.all_symbols
    assert own == t
    assert metric.matrix[0, 0] == sympy.expand(metric.matrix[0, 0].args[0]) ** -2
    assert is_zero(metric.matrix[0, 0] - (1 + (z - own) * (zb - bar)) ** -2)
    assert is_zero(metric.chart.conjugate(bar * z**2) - own * zb**2)
    assert metric.scalar == metric.realify().scalar == 4
    assert KahlerMetric(chart, metric.matrix).chart.moduli == metric.chart.moduli


def test_zero_tells_symbols_apart_by_name():
    plain, real, positive = (sympy.Symbol("x", **facts) for facts in ({}, {"real": True}, {"positive": True}))
    assert is_zero(plain - real, Chart("x y")).status == "proved"
    assert is_zero(plain**2 - real * positive)
    found = is_zero(sympy.sin(plain), Chart("x y"))
    assert sympy.sin(plain).subs(found.point).is_number
