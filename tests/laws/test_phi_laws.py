"""Laws of network potentials: functions on the variety, closed forms of a fixed class, exact derivatives."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

import geomflow.variety as gv
from geomflow.fits import PhiNetwork, ProjectiveInputs
from geomflow.fits.fit import FitState
from geomflow.fits.objective import loss_of
from geomflow.fits.phi_steps import AdamStep, GaussNewton
from geomflow.fits.points import WeightedPoints
from geomflow.networks import Perceptron
from geomflow.networks import complex_hessian as blocks
from geomflow.networks.complex_hessian import ComplexHessian

VARIETIES = (gv.Fermat(3), gv.Fermat(4), gv.Fermat(5), gv.Bicubic(), gv.Tetraquadric())
ACTIVATIONS = ("gelu", "tanh", "erf", "cos", "softplus")

networks = st.builds(
    lambda hidden, name, kind, std: (hidden, name, kind, std),
    st.lists(st.integers(1, 9), min_size=1, max_size=3),
    st.sampled_from(ACTIVATIONS),
    st.sampled_from(("standard", "ntk")),
    st.sampled_from((0.0, 0.3)),
)
seeds = st.integers(0, 2**31)


def metric_of(variety, network, seed, size=1.0):
    hidden, name, kind, std = network
    inputs = sum((n + 1) ** 2 for n in variety.ambient.dims)
    perceptron = Perceptron(inputs, hidden, 1, name, kind, bias_std=std)
    return PhiNetwork(variety, perceptron, size * perceptron.initial(seed))


@given(st.sampled_from(VARIETIES), networks, seeds)
@settings(max_examples=15)
def test_metric_and_potential_do_not_depend_on_the_patch(variety, network, seed):
    metric, points = metric_of(variety, network, seed), variety.sample(8, seed=seed % 1000)
    assert gv.transition_loss(metric, points) < 1e-9
    patch = points.patch.copy()
    patch[:, 0] = (patch[:, 0] + 1) % (variety.ambient.dims[0] + 1)
    moved = gv.in_patch(points, patch)
    assert np.abs(metric.correction(moved) - metric.correction(points)).max() < 1e-12


@given(st.sampled_from(VARIETIES), networks, seeds)
@settings(max_examples=15)
def test_metric_is_hermitian_and_linear_in_the_last_layer(variety, network, seed):
    metric, points = metric_of(variety, network, seed), variety.sample(6, seed=seed % 1000)
    g, reference = metric.at(points), gv.FubiniStudy(variety).at(points)
    assert np.abs(g - np.swapaxes(g.conj(), 1, 2)).max() <= 1e-13 * np.abs(g).max()
    last = metric.network.layout.slices[f"W{metric.network.depth}"]
    doubled = metric.parameters.copy()
    doubled[last] *= 2
    twice = PhiNetwork(variety, metric.network, doubled).at(points)
    assert np.abs(twice - 2 * g + reference).max() < 1e-11 * np.abs(g).max()


def test_volume_is_that_of_the_class():
    variety = gv.Fermat(4)
    points = variety.sample(20_000, seed=3)
    for seed in range(3):
        metric = metric_of(variety, ((8, 8), "gelu", "standard", 0.1), seed, size=0.4)
        assert gv.volume(metric, points).within(gv.class_volume(metric), 4)


@given(networks, seeds)
@settings(max_examples=15)
def test_gradient_is_the_slope_along_any_direction(network, seed):
    variety = gv.Fermat(4)
    metric = metric_of(variety, network, seed)
    inputs = ProjectiveInputs.of(variety.sample(7, seed=seed % 1000), (1.0,))
    rng = np.random.default_rng(seed)
    mixture, change = rng.normal(size=(7, 4)), rng.normal(size=7)
    engine, direction = ComplexHessian(metric.network), rng.normal(size=metric.network.size)

    def energy(step):
        value, packed = engine(metric.parameters + step * direction, inputs)
        return float(np.sum(mixture * packed) + change @ value)

    def local(block, value, packed):
        return 0.0, change[block], mixture[block]

    slope = engine.gradient(metric.parameters, inputs, local)[1] @ direction
    h = 1e-4
    numeric = (8 * (energy(h) - energy(-h)) - energy(2 * h) + energy(-2 * h)) / (12 * h)
    assert abs(slope - numeric) < 1e-6 * (1 + np.abs(mixture).sum() * np.linalg.norm(direction))


def test_results_do_not_depend_on_blocks_or_threads(monkeypatch):
    variety = gv.Fermat(5)
    metric = metric_of(variety, ((9, 5), "gelu", "standard", 0.3), 1)
    inputs = ProjectiveInputs.of(variety.sample(301, seed=2), (1.0,))

    def local(block, value, packed):
        return float(np.sum(packed**2)), value, 2 * packed

    def compute():
        return ComplexHessian(metric.network).gradient(metric.parameters, inputs, local)

    total, gradient = compute()
    monkeypatch.setenv("GEOMFLOW_THREADS", "1")
    assert np.array_equal(compute()[1], gradient)
    monkeypatch.setattr(blocks, "_BLOCK", 17)
    other, slope = compute()
    assert abs(other - total) < 1e-12 * abs(total)
    assert np.abs(slope - gradient).max() < 1e-12 * np.abs(gradient).max()


def test_single_precision_carries_six_digits():
    variety = gv.Fermat(5)
    metric = metric_of(variety, ((32, 32), "gelu", "standard", 0.3), 1)
    inputs = ProjectiveInputs.of(variety.sample(200, seed=2), (1.0,))
    exact, fast = (ComplexHessian(metric.network, p)(metric.parameters, inputs)[1] for p in ("double", "single"))
    assert np.abs(exact - fast).max() < 1e-5 * np.abs(exact).max()


def _start(count=400):
    variety = gv.Fermat(3)
    network = Perceptron(9, (7,), 1, "gelu", "standard", bias_std=0.1)
    objective = WeightedPoints.in_frames(variety.sample(count, seed=1), (1.0,))
    theta = 0.3 * network.initial(2)
    engine = ComplexHessian(network)
    kappa, memory = objective.quality(engine(theta, objective.inputs)[1])[0], np.zeros((3, theta.size))
    return engine, objective, FitState.of(parameters=theta, moments=memory[:2], move=memory[2], kappa=[kappa],
                                          steps=[0, 0], loss=0.0)


def _energy(engine, objective, parameters, kappa, loss):
    volume = objective.volume(engine(parameters, objective.inputs)[1])[0] / kappa
    return float(np.mean(loss.evaluate(volume)[0]))


def test_gauss_newton_steps_solve_the_damped_least_squares():
    engine, objective, state = _start()
    loss, batch = loss_of("(v - 1)^2"), objective.draw(60, [0])
    kappa, before, h = state.number("kappa"), state["parameters"], 1e-6
    columns = []
    for direction in np.eye(len(before)):
        ends = (batch.volume(engine(before + s * h * direction, batch.inputs)[1])[0] for s in (1, -1))
        columns.append(np.subtract(*ends) / (2 * h * kappa))
    rows = np.stack(columns, axis=1) * np.sqrt(2 / 60)
    residual = (batch.volume(engine(before, batch.inputs)[1])[0] / kappa - 1) * np.sqrt(2 / 60)
    damping = 1e-3 * np.sum(rows**2) / 60
    expected = -np.linalg.solve(rows.T @ rows + damping * np.eye(len(before)), rows.T @ residual)
    state = GaussNewton(damping=1e-3, longest=1e9).step(state, engine, batch, loss, 1.0)
    assert np.abs(state["parameters"] - before - expected).max() < 1e-5 * np.abs(expected).max()


@given(st.sampled_from(("(v - 1)^2", "v*log(v)", "sigma")), st.booleans())
@settings(max_examples=6)
def test_short_steps_descend(text, newton):
    engine, objective, state = _start()
    loss, kappa = loss_of(text), state.number("kappa")
    batch = objective.draw(300, [1])
    method = GaussNewton(damping=1e-2) if newton else AdamStep(1e-5)
    before = _energy(engine, batch, state["parameters"], kappa, loss)
    state = method.step(state, engine, batch, loss, 1e-2 if newton else 1.0)
    assert abs(state.number("loss") - before) < 1e-12
    assert _energy(engine, batch, state["parameters"], kappa, loss) < before


def test_batches_are_samples_of_the_measure():
    _, objective, _ = _start(2000)
    drawn = objective.draw(200_000, [3])
    exact = objective.weights @ objective.ratio
    assert abs(drawn.ratio.mean() - exact) < 5 * drawn.ratio.std() / np.sqrt(200_000)
    assert np.array_equal(drawn.ratio, objective.draw(200_000, [3]).ratio)
