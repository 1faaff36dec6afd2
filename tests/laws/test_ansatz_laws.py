"""Laws of reduction: at numbers it is what the unreduced metric says, and it scales as the flow does."""

from functools import cache

import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st

import geomflow as gf
from geomflow.symbolic import is_zero

GROUPS = ("su2", "nil", "sol", "sl2r", "e2")
BIANCHI = [{"type": "III"}, {"type": "V"}, {"type": "VI", "h": "-1/4"}]
ENTRIES = [*((name, {}) for name in GROUPS), *(("bianchi", more) for more in BIANCHI), ("berger", {"n": 2}),
           ("product", {"spheres": (2, 3), "flat": 1})]
A, B, C = sympy.symbols("A B C", positive=True)
numbers = st.fractions(min_value="1/5", max_value=5, max_denominator=7)
SETTINGS = settings(max_examples=4, deadline=None)


@cache
def ansatz_of(name, parameters=()):
    return gf.catalogue.ansatz(name, **dict(parameters))


@cache
def reduced(name, parameters, flow):
    return ansatz_of(name, parameters).reduce(flow)


@pytest.mark.parametrize("name, parameters", [(name, tuple(more.items())) for name, more in ENTRIES])
@given(st.data())
@SETTINGS
def test_reduction_is_the_ricci_tensor_of_the_metric_with_numbers(name, parameters, data):
    """Σ_k ∂g/∂u_k u̇_k = −2 Ric, with Ric of the metric in which numbers stand for the unknowns, decided."""
    ansatz, found = ansatz_of(name, parameters), reduced(name, parameters, "-2*Ric")
    table = {u.value: sympy.Rational(data.draw(numbers, u.name)) for u in ansatz.unknowns}
    metric = gf.Metric(ansatz.metric.chart, ansatz.metric.matrix.subs(table))
    moved = sum((ansatz.metric.matrix.diff(u.value) * rate for u, rate in
                 zip(ansatz.unknowns, found.rates, strict=True)), sympy.zeros(metric.dim)).subs(table)
    assert is_zero(moved + 2 * metric.ricci, metric.chart).decided()


@pytest.mark.parametrize("name", GROUPS)
@pytest.mark.parametrize("flow, degree", [("-2*Ric", 0), ("-R*g", 0), ("-2*Ric + 2/3*mean(R)*g", 0), ("-R^2*g", -1),
                                          ("laplacian(Ric)", -1)])
@given(numbers)
@SETTINGS
def test_rates_scale_as_the_flow_does(name, flow, degree, factor):
    """The flow of c g is that of g in other units of time."""
    found, c = reduced(name, (), flow), sympy.Rational(factor)
    scaled = [rate.subs({A: c * A, B: c * B, C: c * C}, simultaneous=True) for rate in found.rates]
    assert is_zero([s - c**degree * rate for s, rate in zip(scaled, found.rates, strict=True)]).decided()


def wave(x, data, base, name):
    """A positive function of a circle."""
    high, shift = (sympy.Rational(data.draw(st.fractions("-1/3", "1/3", max_denominator=9), name)) for _ in range(2))
    return base + high * sympy.cos(x) + shift * sympy.sin(2 * x)


@pytest.mark.parametrize("name, parameters", [("sphere-circle", (("n", 2),)), ("torus-sphere", ())])
@given(st.data())
@settings(max_examples=3, deadline=None)
def test_reduction_is_the_ricci_tensor_of_the_metric_with_functions(name, parameters, data):
    ansatz, found = ansatz_of(name, parameters), reduced(name, parameters, "-2*Ric")
    x = ansatz.metric.chart.symbols[0]
    table = {u.value: wave(x, data, 2, u.name) for u in ansatz.unknowns}
    metric = gf.Metric(ansatz.metric.chart, ansatz.metric.matrix.subs(table))
    moved = sympy.zeros(metric.dim)
    for u, rate in zip(ansatz.unknowns, found.rates, strict=True):
        moved += ansatz.metric.matrix.diff(u.value).subs(table) * rate.subs(table).doit()
    assert is_zero(moved + 2 * metric.ricci, metric.chart).decided()


@given(st.fractions("1/3", 3, max_denominator=5))
@SETTINGS
def test_a_change_of_the_coordinate_changes_nothing(stretch):
    """χ → χ/k in x → k x: rates are those of a geometry and not of a coordinate."""
    k = sympy.Rational(stretch)
    found = reduced("sphere-circle", (), "-2*Ric")
    ansatz = ansatz_of("sphere-circle")
    x = ansatz.metric.chart.symbols[0]
    chi, psi = (u.value for u in ansatz.unknowns)
    for name, value in (("chi", k), ("psi", 1)):
        here = found[name].subs({chi: 2 + sympy.sin(x), psi: 3 + sympy.cos(x)}).doit()
        there = found[name].subs({chi: k * (2 + sympy.sin(k * x)), psi: 3 + sympy.cos(k * x)}).doit()
        assert is_zero(there - value * here.subs(x, k * x), ansatz.metric.chart).decided()
