"""The strength of gauges of rates that depend on the time and on other fields, and verdicts on anisotropic metrics."""

import numpy as np
import pytest

import geomflow as gf
from geomflow.core.errors import IllPosedError, InputError, NotFiniteError

T = gf.Torus(dim=2)
GRID = T.grid(16, scheme="spectral")
METRIC = GRID.metric([["1 + 0.1*cos(2*pi*y)", "0"], ["0", "1"]])


def strength(rate, state, t0=0.0):
    flow = gf.Flow.from_expression(rate, gauge="deturck").starting(t0)
    return flow.written(state).facts["gauge"].split(",")[0]


@pytest.mark.parametrize("rate, t0, expected", [
    ("-2*exp(t)*Ric", 0.0, "Y = W"),
    ("-2*cos(pi*t/2)*Ric", 0.0, "Y = W"),
    ("-2*Ric/t", 2.0, "Y = W/2"),
    ("-2*(1 + t)*Ric", 2.0, "Y = 3*W"),
])
def test_a_gauge_is_as_strong_as_the_rate_at_the_start(rate, t0, expected):
    assert strength(rate, METRIC, t0) == expected


def test_a_rate_that_vanishes_at_the_start_is_refused_a_gauge():
    for rate, t0 in (("-2*cos(pi*t/2)*Ric", 1.0), ("-2*sin(t)*Ric", 0.0)):
        with pytest.raises(InputError, match=f"vanishes at t = {t0:g}, where the run starts"):
            strength(rate, METRIC, t0)


@pytest.mark.parametrize("rate, expected", [
    ("-2*Ric", "Y = W"), ("-2*Ric/f", "Y = W/2"), ("-2*exp(1/f)*Ric/exp(1/2)", "Y = W"),
])
def test_a_gauge_is_as_strong_as_the_rate_at_the_means_of_the_other_fields(rate, expected):
    state = GRID.fields(g=METRIC, f=GRID.scalar("2 + cos(2*pi*x)/2"))
    assert strength({"g": rate, "f": "div(f^(-1)*d(f))"}, state) == expected


def test_rates_with_reciprocals_run_in_a_gauge():
    state = GRID.fields(g=METRIC, f=GRID.scalar("2 + cos(2*pi*x)/2"))
    flow = gf.Flow.from_expression({"g": "-2*Ric/f", "f": "div(f^(-1)*d(f))"}, gauge="deturck")
    assert gf.solve(flow, state, 1e-3).outcome.kind == "finished"
    slower = gf.Flow.from_expression("-2*Ric/t", gauge="deturck")
    assert gf.solve(slower, METRIC, 1.001, t0=1).outcome.kind == "finished"


def test_heat_slower_and_slower():
    grid = gf.Torus(dim=1).grid(16, scheme="spectral")
    flow = gf.Flow.from_expression("laplacian(u)/t")
    end = gf.solve(flow, grid.scalar("cos(2*pi*x)"), 1.02, t0=1, rtol=1e-9).states[-1].values
    assert np.abs(end).max() == pytest.approx(1.02 ** (-4 * np.pi**2), rel=1e-6)
    with pytest.raises(NotFiniteError, match=r"singular where it starts: .* of 'u' is infinite"):
        gf.solve(flow, grid.scalar("cos(2*pi*x)"), 1)


def test_short_waves_of_an_anisotropic_metric_are_judged_beside_their_own_size():
    grid = T.grid(16, scheme="spectral")
    metric = grid.metric([["9 + sin(2*pi*y)", "0"], ["0", "1/9"]])
    flow = gf.Flow.from_expression("laplacian(Ric)", gauge="deturck")
    assert [block.undamped for block in flow.character(METRIC)] == [0]
    assert [block.undamped for block in flow.character(metric)] == [0]


def test_growth_along_a_direction_of_slow_waves_is_seen():
    flow = gf.Flow.from_expression({"u": "10^9*d(u, x, x) - d(u, y, y) + 0*v", "v": "laplacian(v)"})
    with pytest.raises(IllPosedError):
        flow.bind(GRID.fields(u="cos(2*pi*x)", v="0"))
