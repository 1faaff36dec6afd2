"""True for every network: descent descends, at the rate of the squared gradient, whatever the optimiser sees."""

import numpy as np
import pytest
from hypothesis import given, settings
from strategies import seeds

import geomflow as gf
from geomflow.learn.flows.gradient_flow import GradientFlow
from geomflow.learn.flows.optimisers import SGD
from geomflow.learn.flows.training import Training
from geomflow.learn.models.components import IndependentComponents
from geomflow.learn.models.correction import Correction
from geomflow.learn.models.potential import PotentialModel
from geomflow.learn.models.rescaled import Rescaled
from geomflow.learn.networks.embedding import FourierEmbedding
from geomflow.learn.networks.perceptron import Perceptron

CURVE, PLANE = gf.ComplexTorus(dim=1), gf.Torus(dim=2)
POTENTIAL = Rescaled(PotentialModel(CURVE, Perceptron(2, (12,), embedding=FourierEmbedding(CURVE))), 0.01)
METRIC = Correction(None, Rescaled(IndependentComponents(
    PLANE, Perceptron(2, (8,), activation="erf", embedding=FourierEmbedding(PLANE))), 0.02))
CASES = {
    "kenergy": (gf.functionals.KEnergy(CURVE), POTENTIAL, CURVE),
    "calabi": (gf.functionals.Calabi(CURVE), POTENTIAL, CURVE),
    "scalar-squared": (gf.functionals.ScalarSquared(PLANE), METRIC, PLANE),
    "lambda": (gf.functionals.PerelmanLambda(PLANE), METRIC, PLANE),
}


@pytest.mark.parametrize("case", CASES)
@given(seed=seeds)
@settings(max_examples=4, deadline=None)
def test_the_gradient_is_that_of_the_energy(case, seed):
    functional, model, torus = CASES[case]
    state = model.on(torus.grid(32, order="spectral"), seed=seed)
    loss = GradientFlow(functional, model).on(state)
    theta, step = np.array(state.parameters), 1e-4
    descent = loss.descent(theta)
    direction = descent / np.linalg.norm(descent)
    ahead, behind = (loss.observe(theta + sign * step * direction)["energy"] for sign in (1, -1))
    assert (ahead - behind) / (2 * step) == pytest.approx(-descent @ direction, rel=1e-5)


@pytest.mark.parametrize("case", ["kenergy", "scalar-squared"])
@given(seed=seeds)
@settings(max_examples=3, deadline=None)
def test_points_and_grid_agree_where_the_grid_resolves(case, seed):
    functional, model, torus = CASES[case]
    grid = torus.grid(24, order="spectral")
    on_grid = GradientFlow(functional, model).on(model.on(grid, seed=seed))
    on_points = GradientFlow(functional, model).on(model.on(grid.points().reshape(-1, 2), seed=seed))
    theta = model.initial(seed)
    exact, spectral = on_points.descent(theta), on_grid.descent(theta)
    assert np.abs(exact - spectral).max() < 1e-5 * np.abs(exact).max()
    assert on_points.observe(theta)["energy"] == pytest.approx(on_grid.observe(theta)["energy"], rel=1e-8)


@given(seed=seeds)
@settings(max_examples=3, deadline=None)
def test_the_mean_of_all_batches_is_the_whole(seed):
    functional, model, torus = CASES["kenergy"]
    loss = GradientFlow(functional, model).on(model.on(torus.grid(8, order="spectral"), seed=seed))
    theta = model.initial(seed)
    order = np.random.default_rng(seed).permutation(64).reshape(4, 16)
    mean = np.mean([loss.descent(theta, rows) for rows in order], axis=0)
    assert np.abs(mean - loss.descent(theta)).max() < 1e-12 * np.abs(mean).max()


@given(seed=seeds)
@settings(max_examples=3, deadline=None)
def test_small_steps_of_descent_are_the_flow(seed):
    functional, model, torus = CASES["kenergy"]
    state = model.on(torus.grid(8, order="spectral"), seed=seed)
    flow = gf.solve(GradientFlow(functional, model), state, t1=1.0, rtol=1e-9)
    gaps = []
    for steps in (10, 40):
        run = gf.solve(Training(functional, model, SGD(1.0 / steps)), state, t1=steps, monitor_every=steps)
        gaps.append(np.abs(run.last.parameters - flow.last.parameters).max())
    assert 3.5 < gaps[0] / gaps[1] < 4.5
