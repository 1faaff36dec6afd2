"""Equations whose leading symbol follows time or state: judged where a run starts, and along it."""

import numpy as np
import pytest

import geomflow as gf
from geomflow.core.errors import IllPosedError

GRID = gf.Torus(dim=1).grid(32, scheme="spectral")
WAVE = GRID.scalar("1 + cos(2*pi*x)/2")


def heat(rate, **options):
    return gf.Flow.from_expression(rate, **options)


@pytest.mark.parametrize("factor, turn, integral", [
    ("cos(20*pi*t)", 0.025, lambda t: np.sin(20 * np.pi * t) / (20 * np.pi)),
    ("(1 - 50*t)", 0.02, lambda t: t - 25 * t**2),
    ("(-sin(2*pi*t))", 0.0, lambda t: (np.cos(2 * np.pi * t) - 1) / (2 * np.pi)),
])
def test_a_rate_that_turns_backward_ends_the_run_with_a_true_state(factor, turn, integral):
    sol = gf.solve(heat(f"{factor}*laplacian(u)"), WAVE, 0.1)
    assert sol.outcome.kind == "singular"
    assert "ill-posed from t = " in sol.outcome.message
    assert turn < sol.outcome.time < turn + 0.01
    (x,) = GRID.coordinates()
    exact = 1 + np.cos(2 * np.pi * x) / 2 * np.exp(-4 * np.pi**2 * integral(sol.outcome.time))
    np.testing.assert_allclose(sol.states[-1].values, exact, atol=1e-5)


def test_a_rate_that_turns_with_the_state_ends_the_run():
    flow = heat({"u": "laplacian(u)*(1 - f)", "f": "50 + 0*f"})
    sol = gf.solve(flow, GRID.fields(u=WAVE, f=GRID.scalar("0")), 0.1)
    assert sol.outcome.kind == "singular"
    assert " in u grow like " in sol.outcome.message
    assert 0.02 < sol.outcome.time < 0.03


def test_an_equation_is_judged_at_the_time_at_which_a_run_starts():
    assert gf.solve(heat("(t - 1)*laplacian(u)"), WAVE, 2.01, t0=2).outcome.kind == "finished"
    with pytest.raises(IllPosedError, match="at this state and t = 2: "):
        gf.solve(heat("(1 - t)*laplacian(u)"), WAVE, 2.01, t0=2)
    with pytest.raises(IllPosedError, match="at this state and t = 0: "):
        gf.solve(heat("(t - 1)*laplacian(u)"), WAVE, 0.01)


def test_forced_runs_and_constant_symbols_are_not_looked_at():
    assert heat("cos(20*pi*t)*laplacian(u)", forced=True).bind(WAVE).growth is None
    assert heat("laplacian(u) + u^2 + sin(t)").bind(WAVE).growth is None
    assert heat("(2 + cos(2*pi*x))*laplacian(u)").bind(WAVE).growth is None
    assert heat("(2 + cos(t))*laplacian(u)").bind(WAVE).growth is not None


def test_what_turns_in_one_direction_only_is_seen():
    wave = gf.Torus(dim=2).grid(16, scheme="spectral").scalar("cos(2*pi*x) + cos(2*pi*y)")
    sol = gf.solve(heat("d(u, x, x) + (1 - 50*t)*d(u, y, y)"), wave, 0.1)
    assert sol.outcome.kind == "singular"
    assert 0.02 < sol.outcome.time < 0.04


def test_waves_that_turn_elliptic_are_seen_through_their_weights():
    state = GRID.fields(u=WAVE, v=GRID.scalar("0"))
    sol = gf.solve(heat({"u": "v", "v": "(1 - 50*t)*laplacian(u)"}), state, 0.1)
    assert sol.outcome.kind == "singular"
    assert "|k|^1 t" in sol.outcome.message


def test_rounding_below_zero_of_a_degenerate_coefficient_is_no_turn():
    state = GRID.fields(u=WAVE, f=GRID.scalar("1"))
    flow = heat({"u": "f*laplacian(u)", "f": "-200*f - 1e-6"})
    assert gf.solve(flow, state, 0.2).outcome.kind == "finished"
