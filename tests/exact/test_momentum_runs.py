"""Runs of U(n)-invariant Kähler metrics in the momentum: values found by other formulations, and exact limits."""

from fractions import Fraction

import numpy as np
import pytest

import geomflow as gf
from geomflow.core.errors import ExpressionError, InputError, PositivityError

MOMENTUM = gf.catalogue.ansatz("momentum", n=2, k=1)
NORMALISED = gf.Flow.from_expression("-Ric + g")
START = "(y-a)*(b-y)/(b-a)"
KOISO_CAO = 0.4673258778314
"""F(2) of the soliton."""


def state(n, a, b, ansatz=MOMENTUM):
    return ansatz.grid(n).state(F=START, a=a, b=b)


@pytest.mark.parametrize(("time", "value"), [(0.25, 0.487303024972), (1.0, 0.471885736462), (25.0, KOISO_CAO)])
def test_the_normalised_flow_in_the_first_chern_class_tends_to_the_soliton(time, value):
    sol = gf.solve(NORMALISED, state(32, 1, 3), time)
    assert sol.last.at("F", [2.0])[0] == pytest.approx(value, abs=1e-11)
    assert (sol.last["a"], sol.last["b"]) == (1.0, 3.0)


@pytest.mark.parametrize(("n", "modes"), [(24, 1e-10), (32, 1e-12)])
def test_values_converge_as_powers(n, modes):
    assert abs(gf.solve(NORMALISED, state(n, 1, 3), 25.0).last.at("F", [2.0])[0] - KOISO_CAO) < modes


@pytest.mark.parametrize(("b", "shift", "slope", "accuracy"), [
    (2, Fraction(6, 13), Fraction(24, 13), 1e-11),
    (3, Fraction(9, 11), Fraction(6, 11), 1e-11),
    (5, Fraction(33, 46), Fraction(3, 23), 1e-10),
])
def test_calabi_flow_tends_to_the_extremal_metric_whose_curvature_is_affine(b, shift, slope, accuracy):
    sol = gf.solve(gf.CalabiFlow(), state(48, 1, b), 100.0)
    places = np.linspace(1, b, 7)
    assert sol.last.scalar_at(places) / 2 == pytest.approx(float(shift) + float(slope) * places, rel=accuracy)
    assert (sol.last["a"], sol.last["b"]) == (1.0, float(b))


def test_the_class_moves_at_its_speed_and_the_volume_with_it():
    sol = gf.solve(gf.KahlerRicciFlow(), state(32, 3, 7), 0.5)
    a, b = 3 - 0.5, 7 - 1.5
    assert (sol.last["a"], sol.last["b"]) == pytest.approx((a, b), abs=1e-12)
    assert sol["volume"][-1] == pytest.approx(2 * np.pi**2 * (b**2 - a**2), rel=1e-12)


def test_the_fibre_collapses_at_its_time_and_leaves_the_base():
    sol = gf.solve(gf.KahlerRicciFlow(), state(32, 1, 2), 1.0)
    assert sol.outcome.kind.value == "singular"
    assert sol.singularity.kind == "collapse"
    assert sol.singularity.time == pytest.approx(0.5, abs=1e-9)
    assert sol.last["a"] == pytest.approx(0.5, abs=1e-6)


@pytest.mark.parametrize("n", [2, 3])
def test_fubini_study_shrinks_to_a_point(n):
    ball = gf.catalogue.ansatz("momentum-ball", n=n)
    sol = gf.solve(gf.KahlerRicciFlow(), ball.grid(16).state(F="y*(b-y)/b", b=1), 1.0)
    assert sol.singularity.kind == "extinction"
    assert sol.singularity.time == pytest.approx(1 / (n + 1), abs=1e-10)
    shares = np.linspace(0, 1, 5)
    assert sol.last.at("F", sol.last["b"] * shares) == pytest.approx(sol.last["b"] * shares * (1 - shares), rel=1e-9)


def test_volume_of_the_normalised_flow_is_kept_in_any_class():
    sol = gf.solve(gf.KahlerRicciFlow(normalised=True), state(24, 1, 2.5), 0.1)
    assert sol["volume"] == pytest.approx(sol["volume"][0], rel=1e-11)


def test_a_run_that_is_kept_goes_on_to_the_same_bits(tmp_path):
    whole = gf.solve(NORMALISED, state(24, 1, 3), 0.5, store=tmp_path / "whole.zarr")
    gf.solve(NORMALISED, state(24, 1, 3), 0.2, store=tmp_path / "half.zarr")
    loaded = gf.load(tmp_path / "whole.zarr")
    assert loaded.last["b"] == 3.0
    assert np.array_equal(loaded.last.pack(), whole.last.pack())


def test_states_that_are_no_metrics_are_refused():
    grid = MOMENTUM.grid(24)
    for given, error, told in [
        ({"F": START, "a": 3, "b": 1}, PositivityError, "outside of its cone"),
        ({"F": START, "a": 0, "b": 1}, PositivityError, "outside of its cone"),
        ({"F": "2*" + START, "a": 1, "b": 3}, InputError, "2.0 of the slope 1"),
        ({"F": "-" + START, "a": 1, "b": 3}, PositivityError, "must be positive"),
        ({"F": START + "*x", "a": 1, "b": 3}, ExpressionError, "x"),
        ({"F": START, "a": 1}, InputError, "'b' has no value"),
    ]:
        with pytest.raises(error, match=told):
            grid.state(**given)
    with pytest.raises(InputError, match="spectral"):
        MOMENTUM.grid(24, order=4)
    with pytest.raises(InputError, match="outside of the span"):
        grid.state(F=START, a=1, b=3).at("F", [0.5])
