"""Charts: names, assumptions, ranges, and the Wirtinger symbols of complex charts."""

import pytest
import sympy
from sympy import conjugate, im, re

from geomflow.core.errors import ExpressionError, InputError, UnknownNameError
from geomflow.symbolic import Chart, ComplexChart


def test_text_becomes_real_symbols_and_ranges_make_them_positive():
    chart = Chart("r, theta", ranges={"r": (0, sympy.oo)}, periods={"theta": 2 * sympy.pi})
    r, theta = chart.symbols
    assert chart.coordinates == ("r", "theta")
    assert r.is_positive
    assert theta.is_real
    assert theta.is_positive is None
    assert str(chart) == "a real chart with coordinates r in (0, oo), theta of period 2*pi"


def test_symbols_are_matched_by_name():
    chart = Chart("x y")
    plain = sympy.Symbol("x")
    assert chart.expression(plain**2) == chart.symbols[0] ** 2


def test_given_symbols_and_assumptions_are_kept():
    x = sympy.Symbol("x", negative=True)
    assert Chart([x, "y"], assumptions={"y": {"positive": True}}).symbols == (
        x,
        sympy.Symbol("y", positive=True, real=True),
    )


@pytest.mark.parametrize("symbols", ["", [], "x x", [1], ["x+y"]])
def test_bad_coordinates_are_refused(symbols):
    with pytest.raises(InputError):
        Chart(symbols)


def test_bad_ranges_and_periods_are_refused():
    with pytest.raises(UnknownNameError, match="did you mean 'theta'"):
        Chart("r theta", ranges={"thta": (0, 1)})
    with pytest.raises(InputError, match="empty"):
        Chart("x", ranges={"x": (1, 0)})
    with pytest.raises(InputError, match="positive"):
        Chart("x", periods={"x": -1})


def test_complex_charts_have_independent_conjugates():
    chart = ComplexChart("z1 z2")
    z1, z2 = chart.symbols
    w1, w2 = chart.conjugates
    assert [s.name for s in chart.conjugates] == ["zb1", "zb2"]
    assert chart.expression("abs(z1)^2 + conj(z2)") == z1 * w1 + w2
    assert chart.expression(re(z1) + sympy.I * im(z1)).equals(z1)
    assert chart.expression(conjugate(z1 * w2 + sympy.I)) == w1 * z2 - sympy.I
    assert chart.real_chart.coordinates == ("x1", "y1", "x2", "y2")
    assert ComplexChart("z").real_chart.coordinates == ("x", "y")
    assert chart.latex_names[w1] == r"\bar{z}_{1}"


@pytest.mark.parametrize("value", [None, [1], "x +", object(), sympy.Matrix([1])])
def test_what_is_not_an_expression_is_refused(value):
    with pytest.raises(ExpressionError):
        Chart("x").expression(value)
