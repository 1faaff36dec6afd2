"""True for every network: descent descends, at the rate of the squared gradient, whatever the optimiser sees."""

import numpy as np
import pytest
from hypothesis import given, settings

import geomflow as gf
from geomflow.networks.components import IndependentComponents
from geomflow.networks.network_model import PotentialModel
from geomflow.networks.perceptron import Perceptron
from geomflow.networks.periodic import FourierEmbedding
from geomflow.networks.wrapped import Correction, Rescaled
from geomflow.tangent.gradient_flow import GradientFlow
from geomflow.tangent.loss import Continuum
from geomflow.tangent.training import SGD, Training
from geomflow.testing import seeds

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


def _slope(loss, theta, step=1e-4):
    """The derivative of the reported energy along −∂L/∂θ, over −|∂L/∂θ|²: one where they belong together."""
    descent = loss.descent(theta)
    direction = descent / np.linalg.norm(descent)
    values = [loss.observe(theta + shift * step * direction)["energy"] for shift in (-2, -1, 1, 2)]
    return (values[0] - 8 * values[1] + 8 * values[2] - values[3]) / (12 * step) / (-descent @ direction)


@pytest.mark.parametrize("case", CASES)
@given(seed=seeds)
@settings(max_examples=4, deadline=None)
def test_the_gradient_of_the_continuum_is_that_of_a_fine_grid(case, seed):
    functional, model, torus = CASES[case]
    state = model.on(torus.grid(48, scheme="spectral"), seed=seed)
    loss = GradientFlow(Continuum(functional), model).on(state)
    assert _slope(loss, np.array(state.parameters)) == pytest.approx(1, rel=1e-6)


@pytest.mark.parametrize("case", ["kenergy", "scalar-squared"])
@given(seed=seeds)
@settings(max_examples=3, deadline=None)
def test_the_sum_and_the_continuum_agree_where_the_grid_resolves(case, seed):
    functional, model, torus = CASES[case]
    grid = torus.grid(36, scheme="spectral")
    points = grid.points().reshape(-1, 2)
    theta = model.initial(seed)
    summed = GradientFlow(functional, model).on(model.on(grid, seed=seed))
    for place in (grid, points):
        averaged = GradientFlow(Continuum(functional), model).on(model.on(place, seed=seed))
        exact = summed.descent(theta)
        assert np.abs(exact - averaged.descent(theta)).max() < 1e-5 * np.abs(exact).max()
        assert averaged.observe(theta)["energy"] == pytest.approx(summed.observe(theta)["energy"], rel=1e-8)


@given(seed=seeds)
@settings(max_examples=3, deadline=None)
def test_the_mean_of_all_batches_is_the_whole(seed):
    functional, model, torus = CASES["kenergy"]
    loss = GradientFlow(functional, model).on(model.on(torus.grid(8, scheme="spectral"), seed=seed))
    theta = model.initial(seed)
    order = np.random.default_rng(seed).permutation(64).reshape(4, 16)
    mean = np.mean([loss.descent(theta, rows) for rows in order], axis=0)
    assert np.abs(mean - loss.descent(theta)).max() < 1e-12 * np.abs(mean).max()


@given(seed=seeds)
@settings(max_examples=3, deadline=None)
def test_small_steps_of_descent_are_the_flow(seed):
    functional, model, torus = CASES["kenergy"]
    state = model.on(torus.grid(8, scheme="spectral"), seed=seed)
    flow = gf.solve(GradientFlow(functional, model), state, t1=1.0, rtol=1e-9)
    gaps = []
    for steps in (10, 40):
        run = gf.solve(Training(functional, model, SGD(1.0 / steps)), state, t1=steps, monitor_every=steps)
        gaps.append(np.abs(run.last.parameters - flow.last.parameters).max())
    assert 3.5 < gaps[0] / gaps[1] < 4.5
