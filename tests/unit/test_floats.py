"""Floats in exact geometry: the exact numbers that they stand for, by every way in, or a word that it is a guess."""

import math
import warnings
from fractions import Fraction

import numpy as np
import pytest
import sympy
from hypothesis import given
from hypothesis import strategies as st

import geomflow as gf
from geomflow.core.errors import ExpressionError, InputError
from geomflow.core.exact_numbers import fraction_of
from geomflow.core.graph.sympy_bridge import from_sympy
from geomflow.core.numbers import real_number
from geomflow.symbolic import Chart, KahlerMetric, Metric, is_zero
from geomflow.symbolic.functionals.kahler import exact_form
from geomflow.symbolic.given import exactly
from geomflow.symbolic.parse import parse

rho, tau, theta, x = sympy.symbols("rho tau theta x")
THIRD = sympy.Rational(1, 3)


@given(st.fractions(min_value=-(10**6), max_value=10**6, max_denominator=2000))
def test_a_simple_fraction_is_read_back(value):
    assert fraction_of(float(value)) == value


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_what_is_read_rounds_to_the_float(value):
    assert float(fraction_of(value)) == value


@pytest.mark.parametrize("value, meant", [
    (0.1, "1/10"), (2 / 3, "2/3"), (-1 / 7, "-1/7"), (1e-10, "1/10000000000"), (1e23, str(10**23)), (0.0, "0"),
    (1 - 1 / 3, "2/3"), (0.1 + 0.2, "3/10"), (np.float32(0.1), "1/10"), (np.float64(0.25), "1/4"), (0.5j, "i/2"),
    (1.5 ** (2 / 3), "(9/4)^(1/3)"), (math.sqrt(2) / 3, "sqrt(2)/3"), (2 * math.pi, "2*pi"), (-math.pi / 6, "-pi/6"),
    (math.e, "e"), (-np.e, "-e"),
])  # fmt: skip
def test_what_a_float_stands_for(value, meant):
    with warnings.catch_warnings(action="error"):
        assert is_zero(exactly(sympy.sympify(value)) - parse(meant))


@pytest.mark.parametrize("value", [0.123456789, math.exp(1.1), 1.5e-17 + 2**-80])
def test_a_float_that_is_no_simple_number_is_named(value):
    with pytest.warns(UserWarning, match=f"the float {sympy.Float(value)} is no simple number") as caught:
        metric = Metric("x y", [[1, value], [value, value * (1 + x**2) + value * x]])
    assert len(caught) == 1
    assert caught[0].filename == __file__
    assert float(metric.matrix[1, 1].subs(metric.chart.symbols[0], 0)) == value


def test_powers_of_the_float_e_are_exponentials():
    assert Chart("x").expression(math.e ** (2 * x)) == sympy.exp(2 * Chart("x").symbols[0])
    assert parse("2.718281828459045^2") == sympy.E**2


@pytest.mark.parametrize("big", [sympy.sin(sympy.exp(sympy.exp(20))), sympy.exp(sympy.exp(20)), sympy.cosh(10**9)])
def test_numbers_that_take_for_ever_are_refused(big):
    with pytest.raises(ExpressionError, match="is not evaluated"):
        Chart("x").expression(big * x)
    with pytest.raises(InputError, match=r"the rate is .* beyond 2\^±20,000"):
        real_number(big, "the rate")
    assert real_number(sympy.exp(20) * sympy.pi, "the rate") == pytest.approx(math.exp(20) * math.pi)


def lemaitre(radius):
    r = (3 / 2 * (rho - tau)) ** (2 / 3) * radius ** (1 / 3)
    return Metric("tau rho theta phi", sympy.diag(-1, radius / r, r**2, r**2 * sympy.sin(theta) ** 2))


@pytest.mark.parametrize("radius", [1.0, 0.7, sympy.Symbol("r_s")], ids=str)
def test_lemaitre_s_schwarzschild_typed_in_floats_is_ricci_flat(radius):
    metric = lemaitre(radius)
    assert metric.is_ricci_flat
    assert not metric.is_flat
    assert metric.ricci_flatness.status == "proved"


def test_every_way_into_exact_geometry_reads_floats():
    third = x ** (1 / 3)
    expected = parse("x^(1/3)", "x")
    line = Metric("x", [[1]])
    assert line.laplacian(third) == line.laplacian("x^(1/3)")
    assert Metric("x", [[third]]).matrix[0, 0] == Metric("x", np.array([[f"x**{1 / 3}"]])).matrix[0, 0] == expected
    assert Metric("y", [["y^2"]]).pullback("x", [x ** (2 / 3)]).matrix == Metric("x", [["4*x^(2/3)/9"]]).matrix
    assert is_zero(x ** (1 / 3) * x ** (2 / 3) - x, ranges={x: (0, 1)})
    z = sympy.Symbol("z", complex=True)
    potential = (1 + z * sympy.conjugate(z)) ** (1 / 3)
    assert KahlerMetric.from_potential("z", potential).matrix == KahlerMetric.from_potential(
        "z", "(1 + z*conj(z))^(1/3)").matrix
    named = Metric("x", [["a*x"]], parameters={"a": sympy.Float(0.1)})
    assert named.matrix == Metric("x", [["x/10"]]).matrix
    chart = Chart("t p", ranges={"t": (0, math.pi / 2)}, periods={"p": 2 * math.pi})
    assert chart.ranges["t"] == (0, sympy.pi / 2)
    assert chart.periods["p"] == 2 * sympy.pi
    assert from_sympy(sympy.Float(1 / 3)) is from_sympy(THIRD)
    assert from_sympy(third) is from_sympy(x**THIRD)


def test_factors_and_forms_of_functionals_read_floats():
    torus = gf.ComplexTorus(dim=1)
    assert (gf.functionals.KEnergy(torus) * (2 / 3)).terms()[0][0] == Fraction(2, 3)
    assert exact_form([[2 / 3]], 1) == [[(Fraction(2, 3), 0)]]


@pytest.mark.parametrize("text, value", [
    ("0.6666666666666666", "2/3"), ("0.66666666666666663", "2/3"), ("1.0000000000000001", 1 + Fraction(1, 10**16)),
    ("12345678901234567", 12345678901234567), ("0.1234567890123456", Fraction("0.1234567890123456")),
    ("0.666666666666666", Fraction("0.666666666666666")),
])  # fmt: skip
def test_text_keeps_its_digits_unless_they_are_a_float_s_last(text, value):
    assert parse(text) == sympy.Rational(value)


def test_an_exponent_of_many_digits_is_no_trap():
    for exponent in ("0.66666666", "1/1009"):
        metric = Metric(Chart("x y", ranges={"x": (0, 9)}), [["1", "0"], ["0", f"x^({exponent}) + 1/2*x^(1/3)"]])
        assert not metric.is_flat
