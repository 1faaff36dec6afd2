"""True for every functional, model and batch: what is descended is the gradient of the energy that is reported.

The derivative of the reported energy along any direction, by Richardson's extrapolation of central differences, is the
direction's product with the gradient; and along the flow d(energy)/dt = −dissipation.
"""

import numpy as np
import pytest
from fields import grid_of
from hypothesis import given, settings
from hypothesis import strategies as st

import geomflow as gf
from geomflow import networks
from geomflow.symbolic.functionals import FUNCTIONALS, PotentialFunctional
from geomflow.testing import seeds

CURVE, PLANE = gf.ComplexTorus(dim=1), gf.Torus(dim=2)
SLANTED = gf.ComplexTorus(dim=1, lattice=[[1.3, 0.2], [-0.3, 0.8]])
SURFACE = gf.ComplexTorus(dim=2, periods=(1, 2, 1.5, 1))
NO_SUMS = {"perelman-lambda", "perelman-f-coupled", "perelman-w-coupled"}
"""λ is an eigenvalue; the coupled functionals have an f that no network represents."""
OPTIONS = {"ef": {"function": "(v - 1)^2"}, "eg": {"function": "1/v"}}
PARAMETERS = {"perelman-w": {"tau": 0.7}}


def network(torus, width=6, activation="tanh", **more):
    return networks.Perceptron(torus.real_dim, (width,), activation=activation, **more,
                            embedding=networks.FourierEmbedding(torus))


def potential(torus, size=0.01, reference=None):
    return networks.Rescaled(networks.PotentialModel(torus, network(torus), reference), size)


def metric(torus):
    return networks.Correction(None, networks.Rescaled(networks.IndependentComponents(torus, network(torus)), 0.05))


WAVY = [["1/2 + cos(2*pi*x)/8"]]
MODELS = {
    "independent": (metric(PLANE), "scalar-squared"),
    "shared": (networks.Correction([["1 + cos(2*pi*x)/4", 0], [0, 1]], networks.Rescaled(
        networks.SharedComponents(PLANE, network(PLANE, outputs=3)), 0.05)), "scalar-squared"),
    "cholesky": (networks.CholeskyModel(PLANE, networks.Perceptron(
        2, (5, 4), weight_std=0.6, embedding=networks.FourierEmbedding(PLANE))), "scalar-squared"),
    "cosine": (networks.Correction(None, networks.Rescaled(networks.IndependentComponents(
        PLANE, networks.CosineNetwork(2, 9, kernel_width=0.4, torus=PLANE)), 0.02)), "ricci-squared"),
    "scaled": (networks.Rescaled(networks.PotentialModel(CURVE, network(CURVE)), "0.01 + cos(2*pi*y)/300"), "calabi"),
    "wavy": (potential(CURVE, reference=WAVY), "kenergy"),
    "slanted": (potential(SLANTED), "calabi"),
    "surface": (potential(SURFACE), "kenergy"),
}


def functional_of(name, torus):
    return FUNCTIONALS[name](torus, **OPTIONS.get(name, {}))


def assert_gradient(flow, state, seed):
    loss, theta, rng = flow.on(state), np.array(state.parameters), np.random.default_rng(seed)
    descent = loss.descent(theta)
    noise = rng.standard_normal(len(theta))
    direction = descent / np.linalg.norm(descent) + noise / np.linalg.norm(noise)
    step = 1e-3
    ahead, behind, far, back = (loss.observe(theta + k * step * direction)["energy"] for k in (1, -1, 2, -2))
    measured = (8 * (ahead - behind) - (far - back)) / (12 * step)
    assert measured == pytest.approx(-descent @ direction, rel=1e-7)


def random_points(torus, seed, count=16):
    return np.random.default_rng(seed).random((count, torus.real_dim)) @ np.array(torus.lattice)


@pytest.mark.parametrize("name", sorted(set(FUNCTIONALS) - NO_SUMS))
def test_the_gradient_of_every_functional_is_that_of_its_energy(name):
    torus = CURVE if issubclass(FUNCTIONALS[name], PotentialFunctional) else PLANE
    model = potential(torus) if torus is CURVE else metric(torus)
    flow = gf.GradientFlow(functional_of(name, torus), model, PARAMETERS.get(name, {}))
    assert_gradient(flow, model.on(random_points(torus, 5), seed=3), 3)


@pytest.mark.parametrize("name", MODELS)
@given(seed=seeds, count=st.integers(1, 20))
@settings(max_examples=5, deadline=None)
def test_the_gradient_of_every_model_is_that_of_the_energy(name, seed, count):
    model, functional = MODELS[name]
    flow = gf.GradientFlow(functional_of(functional, model.torus), model)
    assert_gradient(flow, model.on(random_points(model.torus, seed, count), seed=seed), seed)


@pytest.mark.parametrize("order", [2, "spectral"])
def test_the_gradient_on_any_grid_is_that_of_the_energy(order):
    model = potential(CURVE)
    flow = gf.GradientFlow(gf.functionals.Calabi(CURVE), model)
    assert_gradient(flow, model.on(grid_of(CURVE, 8, order), seed=2), 2)


@given(seed=seeds)
@settings(max_examples=3, deadline=None)
def test_a_batch_descends_its_own_sum(seed):
    model = potential(CURVE)
    functional = gf.functionals.EF(CURVE, "(v - 1)^2")
    points = random_points(CURVE, seed, 40)
    rows = np.random.default_rng(seed).choice(40, 7, replace=False)
    theta = model.initial(seed)
    whole = gf.GradientFlow(functional, model).on(model.on(points, parameters=theta))
    alone = gf.GradientFlow(functional, model).on(model.on(points[rows], parameters=theta))
    assert whole.descent(theta, rows) == pytest.approx(alone.descent(theta), rel=1e-10, abs=1e-14)


@given(seed=seeds)
@settings(max_examples=3, deadline=None)
def test_the_energy_falls_by_the_dissipation(seed):
    model = potential(CURVE)
    flow = gf.GradientFlow(gf.functionals.EF(CURVE, "(v - 1)^2"), model)
    start = model.on(random_points(CURVE, seed), seed=seed)
    run = gf.solve(flow, start, t1=4e-3, stepper="rk4", control=gf.FixedStep(1e-3))
    e, h = run["energy"], 1e-3
    slope = (-25 * e[0] + 48 * e[1] - 36 * e[2] + 16 * e[3] - 3 * e[4]) / (12 * h)
    assert slope == pytest.approx(-run["dissipation"][0], rel=1e-6)


def test_a_measure_is_part_of_the_sum():
    model = metric(PLANE)
    flow = gf.GradientFlow(gf.functionals.PerelmanF(PLANE), model, measure="1 + cos(2*pi*x)/3")
    assert_gradient(flow, model.on(random_points(PLANE, 1), seed=1), 1)


def test_many_points_give_the_integral():
    """σ of a network on 40,000 points is that of a fine grid, within four standard errors."""
    model = potential(CURVE, reference=WAVY)
    sigma = gf.functionals.EF(CURVE, "(v - 1)^2")
    fine = gf.GradientFlow(sigma, model).on(model.on(CURVE.grid(96, scheme="spectral"), seed=1))
    theta = model.initial(1)
    values = [gf.GradientFlow(sigma, model).on(model.on(random_points(CURVE, s, 2000), seed=1)).observe(theta)["energy"]
              for s in range(20)]
    error = np.std(values) / np.sqrt(len(values) - 1)
    assert abs(np.mean(values) - fine.observe(theta)["energy"]) < 4 * error
