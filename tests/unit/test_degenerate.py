"""What is degenerate in an equation is named, with the gauge that damps it."""

import pytest

import geomflow as gf
from geomflow.core.errors import InputError, UnknownNameError
from geomflow.flow.registry import gradient

T2 = gf.Torus(dim=2)
grid = T2.grid(9)
g = grid.random_metric(1, 0.1)
DEGENERATE = 'g_xx, g_xy, g_yy: parabolic of order {}, degenerate in 2 of 3 directions, diffeomorphisms'


def verdicts(flow, state):
    return [block.verdict for block in flow.character(state)]


@pytest.mark.parametrize(("rate", "order"), [("-2*Ric", 2), ("laplacian(R)*g", 4), ("-laplacian(laplacian(R))*g", 6)])
def test_diffeomorphisms_are_named_and_damped_by_the_gauge_of_the_flows_order(rate, order):
    bare, gauged = (gf.Flow.from_expression(rate, gauge=gauge) for gauge in (None, "deturck"))
    assert verdicts(bare, g) == [DEGENERATE.format(order) + ': gauge="deturck" damps these']
    assert verdicts(gauged, g) == [f"g_xx, g_xy, g_yy: parabolic of order {order}"]


def test_flows_that_take_no_gauge_are_offered_none():
    assert verdicts(gradient(T2, "scalar-squared"), g) == [DEGENERATE.format(4)]
    assert verdicts(gf.RicciFlow(), g) == [DEGENERATE.format(2) + ': gauge="deturck" damps these']
    named = gradient(T2, "density", density="R^2", fields="g")
    assert verdicts(named, g) == [DEGENERATE.format(4) + ': gauge="deturck" damps these']


def test_gauge_transformations_of_a_connection_are_named_too():
    rates = {"g": "-2*Ric[i,j] + F[i,k]*F[j,k]", "A": "div(F)"}
    state = grid.fields(g=g, A=grid.form(["sin(2*pi*y)/10", 0]))
    bare, gauged = (gf.Flow.from_expression(rates, where={"F": "d(A)"}, gauge=gauge) for gauge in (None, "deturck"))
    (verdict,) = verdicts(bare, state)
    assert verdict.endswith("degenerate in 3 of 5 directions, diffeomorphisms and gauge transformations of A: "
                            'gauge="deturck" damps diffeomorphisms')
    (verdict,) = verdicts(gauged, state)
    assert verdict.endswith("parabolic of order 2, degenerate in 1 of 5 directions, gauge transformations of A")


def test_what_is_degenerate_beside_symmetries_is_not_named():
    metric = gf.Torus(dim=3).grid(8).random_metric(1, 0.1)
    (verdict,) = verdicts(gf.Flow.from_expression("-(R - mean(R))*g"), metric)
    assert "degenerate in 5 of 6 directions, diffeomorphisms among them" in verdict


def test_the_gauge_is_shown():
    shown = {gauge: str(gf.Flow.from_expression({"g": "-2*Ric", "f": "laplacian(f)"}, gauge=gauge).equation.rhs)
             for gauge in (None, "deturck", "deturck+conformal")}
    assert shown[None] == "(-2*Ric, laplacian(f(t)))"
    assert shown["deturck"] == "(-2*Ric + Lie(Y, g(t)), Lie(Y, f(t)) + laplacian(f(t)))"
    assert shown["deturck+conformal"] == "(-2*Ric + s*g(t) + Lie(Y, g(t)), Lie(Y, f(t)) + laplacian(f(t)))"
    latex = gf.Flow.from_expression({"g": "-2*Ric", "f": "0"}, gauge="deturck").latex()
    assert r"\mathcal{L}_{Y} g" in latex


@pytest.mark.parametrize(("rate", "gauge", "words"), [
    ("-2*Ric", "deturck", "Y = W, W^k = g^ij Gamma^k_ij"),
    ("-3*Ric", "deturck", "Y = 3*W/2, W^k = g^ij Gamma^k_ij"),
    ("laplacian(R)*g", "deturck", "Y = -D W, W^k = g^ij Gamma^k_ij, D = g^ab d_a d_b"),
    ("laplacian(R)*g/3", "deturck+conformal",
     "Y = -D W/3, W^k = g^ij Gamma^k_ij, D = g^ab d_a d_b, s = laplacian R/3")])
def test_a_run_tells_its_gauge(rate, gauge, words):
    assert gf.Flow.from_expression(rate, gauge=gauge).on(g).facts["gauge"] == words


def test_gauges_are_of_a_metric_in_dimension_two_or_more():
    with pytest.raises(UnknownNameError, match="unknown gauge 'conformal'; did you mean 'deturck\\+conformal'"):
        gf.Flow.from_expression("-2*Ric", gauge="conformal")
    with pytest.raises(InputError, match="belongs to flows of a metric"):
        gf.Flow.from_expression("laplacian(u)", gauge="deturck").on(grid.scalar(0))
    with pytest.raises(InputError, match="in dimension 1 all metrics are flat"):
        line = gf.Torus(dim=1).grid(9)
        gf.Flow.from_expression({"g": "0*g", "f": "0"}, gauge="deturck").on(line.fields(g=line.metric(), f=0))
