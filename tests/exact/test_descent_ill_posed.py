"""Ill-posed derived flows are refused with their growth rate; forced, they grow at it."""

import warnings

import numpy as np
import pytest
from fields import grid_of

import geomflow as gf
from geomflow import functionals as fn
from geomflow.core.errors import IllPosedError

AMPLITUDE = 1e-6
WAVY = [["1 + 0.2*cos(2*pi*x)", "0.1*sin(2*pi*y)"], ["0.1*sin(2*pi*y)", "1"]]


def concave():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        return fn.EF(gf.ComplexTorus(dim=1), "-(v-1)^2")


@pytest.mark.parametrize("text", [np.eye(2), WAVY])
@pytest.mark.parametrize("kind", [fn.PerelmanF, fn.PerelmanW])
def test_perelman_at_fixed_measure_is_refused_and_the_well_posed_flows_are_named(kind, text):
    torus = gf.Torus(dim=2)
    flow = gf.Descent(kind(torus).gradient_flow(), parameters={"tau": 1.0} if kind is fn.PerelmanW else {})
    with pytest.raises(IllPosedError) as caught:
        gf.solve(flow, torus.grid(8).metric(text), 0.01)
    for expected in ("ill-posed", "|k|^2 t", "PerelmanLambda", "gauge='deturck'", "forced=True"):
        assert expected in str(caught.value)


def test_the_growth_rate_is_told():
    torus = gf.Torus(dim=2)
    with pytest.raises(IllPosedError, match=r"exp\(1 \|k\|\^2 t\)"):
        gf.solve(fn.PerelmanF(torus).gradient_flow(), torus.grid(8).metric(np.eye(2)), 0.01)
    with pytest.raises(IllPosedError, match=r"exp\(0\.5 \|k\|\^4 t\)"):
        gf.solve(concave().gradient_flow(), gf.ComplexTorus(dim=1).grid(8).potential("0"), 0.01)


@pytest.mark.parametrize("metric", ["mabuchi", "dirichlet", "L2"])
def test_ascent_is_refused(metric):
    torus = gf.ComplexTorus(dim=1)
    state = torus.grid(8).potential("0.001*cos(2*pi*x)")
    for functional in (-fn.KEnergy(torus), -fn.EF(torus, "v*log(v)"), concave()):
        with pytest.raises(IllPosedError):
            gf.solve(functional.gradient_flow(metric), state, 0.01)
    if metric != "dirichlet":
        with pytest.raises(IllPosedError, match=r"\|k\|\^6"):
            gf.solve((-fn.EG(torus, "1/v")).gradient_flow(metric), state, 0.01)


@pytest.mark.parametrize("sign", [1, -1])
def test_einstein_hilbert_is_refused_both_ways(sign):
    torus = gf.Torus(dim=3)
    with pytest.raises(IllPosedError, match=r"\|k\|\^2"):
        gf.solve((sign * fn.EinsteinHilbert(torus)).gradient_flow(), torus.grid(8).metric(np.eye(3)), 0.01)


def test_einstein_hilbert_in_dimension_two_stands_still():
    torus = gf.Torus(dim=2)
    state = torus.grid(16, scheme="spectral").metric(WAVY)
    sol = gf.solve(fn.EinsteinHilbert(torus).gradient_flow(), state, 0.1, stepper="rk45")
    assert sol.last.distance(state) < 1e-9


@pytest.mark.parametrize("numbers", [(1, 0), (1, 1), (0, 2)])
@pytest.mark.parametrize("order", [8, "spectral"])
def test_forced_the_longitudinal_mode_grows_at_the_square_of_its_wave_number(order, numbers):
    torus = gf.Torus(dim=2)
    grid = grid_of(torus, 16 if order == 8 else 8, order)
    k = 2 * np.pi * np.array(numbers)
    mode = np.cos(sum(kj * x for kj, x in zip(k, grid.coordinates(), strict=True)))
    along = np.outer(k, k) / (k @ k)
    state = grid.metric(np.eye(2) + AMPLITUDE * along * mode[..., None, None])
    t1 = 0.2 / float(k @ k)
    sol = gf.solve(gf.Descent(fn.PerelmanF(torus).gradient_flow(), forced=True), state, t1, stepper="rk45", rtol=1e-13)
    assert sol.outcome.kind == "finished"
    sizes = [float((mode[..., None, None] * along * metric.values).sum()) for metric in (state, sol.last)]
    assert np.log(sizes[1] / sizes[0]) / t1 == pytest.approx(float(k @ k), rel=0.01)


def test_forced_ascent_grows_at_the_predicted_rate():
    flow = concave().gradient_flow()
    grid = gf.ComplexTorus(dim=1).grid(8, scheme="spectral")
    mode = np.broadcast_to(np.cos(2 * np.pi * grid.coordinates()[0]), grid.shape)
    rate = (2 * np.pi) ** 4 / 2
    state, t1 = grid.potential(AMPLITUDE * mode), 0.02 / rate
    sol = gf.solve(gf.Descent(flow, forced=True), state, t1, stepper="rk4", control=gf.FixedStep(t1 / 200))
    sizes = [float((mode * potential.values).sum()) for potential in (state, sol.last)]
    assert np.log(sizes[1] / sizes[0]) / t1 == pytest.approx(rate, rel=0.01)
