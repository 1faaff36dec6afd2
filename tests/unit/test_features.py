"""Frozen tangent features, learned kernels, and the network of metric components of the paper."""

from __future__ import annotations

import numpy as np
import pytest

import geomflow as gf
import geomflow.variety as gv
from geomflow import plot
from geomflow.core.errors import InputError, MemoryLimitError, ShapeError, StoreError
from geomflow.core.hermitian import orthonormal
from geomflow.fits import (
    ComponentNetwork,
    ComponentTangent,
    ComponentTraining,
    KernelDescent,
    KernelMetric,
    KernelWatch,
    NaturalDescent,
    PhiNetwork,
    PhiTraining,
    PotentialTangent,
    RidgeFit,
    component_network,
    feature_network,
    feature_training,
    frozen_fit,
    kernel_metric,
    learned_kernel,
    tangent_span,
)
from geomflow.fits.held_out import small_start
from geomflow.fits.learned import frame_components
from geomflow.fits.objective import EnergyLoss
from geomflow.fits.phi_network import potential_jets
from geomflow.fits.span import SpanObjective
from geomflow.networks import Perceptron
from geomflow.tangent import Adam
from geomflow.variety.errors import KahlerConeError, UnderdeterminedError

QUARTIC, QUINTIC, CUBIC = gv.Fermat(4), gv.Fermat(5), gv.Fermat(3)
ROUNDING = 1e-11


def potential_span(variety, hidden=(4, 3), seed=1, factor=0.1):
    network = feature_network(variety.ambient, hidden)
    return PotentialTangent(PhiNetwork(variety, network, small_start(network, seed, factor)))


def component_span(variety, hidden=(4, 3), seed=1):
    network = Perceptron(2 * variety.ambient.size, hidden, variety.dim**2, "tanh", "standard", bias_std=0.1)
    return ComponentTangent(ComponentNetwork(variety, (0, 1), network, network.initial(seed) / 5))


SPANS = {"potential": potential_span, "components": component_span}


def patch(variety, count, seed):
    return gv.sample_patch(variety, count, seed, patch=0, elim=1)


def central(function, at, direction, step=1e-5):
    """The derivative along a direction, to fourth order."""
    near = function(at + step * direction) - function(at - step * direction)
    far = function(at + 2 * step * direction) - function(at - 2 * step * direction)
    return (8 * near - far) / (12 * step)


# ------------------------------------------------------------------------------------------------- tangent features


def test_a_direction_moves_the_hessian_as_finite_differences_do():
    span, points = potential_span(QUINTIC), QUINTIC.sample(30, seed=1)
    inputs = span.weighted(points).inputs
    direction = np.random.default_rng(2).standard_normal(span.size)
    phi, hessian = span.combine(inputs, direction)
    for number, got in enumerate((phi, hessian)):
        wanted = central(
            lambda theta, k=number: span._hessian(theta, inputs)[k], span.metric.parameters, direction
        )
        assert np.abs(got - wanted).max() < 1e-8 * np.abs(wanted).max()


@pytest.mark.parametrize("kind", SPANS)
def test_tangent_kernel_is_the_jacobian_of_the_metric_times_its_transpose(kind):
    span, points = SPANS[kind](QUARTIC), patch(QUARTIC, 6, 3)
    network, parameters = span.metric.network, span.metric.parameters
    scales = orthonormal(QUARTIC.dim)

    def matrices(theta):
        if kind == "potential":
            return (span._hessian(theta, span.weighted(points).inputs)[1] * scales).ravel()
        return (network.values(theta, span.weighted(points).inputs) * scales).ravel()

    columns = [central(matrices, parameters, row, 1e-4) for row in np.eye(network.size)]
    expected = np.stack(columns, axis=1)
    assert np.abs(span.jacobian(points) - expected).max() < 1e-8 * np.abs(expected).max()
    kernel = span.kernel(points)
    assert np.abs(kernel - expected @ expected.T).max() < 1e-7 * np.abs(kernel).max()
    assert np.linalg.eigvalsh(kernel)[0] > -ROUNDING * np.abs(kernel).max()


@pytest.mark.parametrize("kind", SPANS)
def test_rows_are_the_transpose_of_changes(kind):
    span, points = SPANS[kind](QUINTIC), patch(QUINTIC, 40, 4)
    inputs, rng = span.weighted(points).inputs, np.random.default_rng(0)
    direction, dual = rng.standard_normal(span.size), rng.standard_normal((40, 9))
    rows = span.rows(inputs, dual)
    expected = np.sum(dual * span.change(inputs, direction), axis=1)
    assert np.abs(rows @ direction - expected).max() < ROUNDING * np.abs(expected).max()


def test_the_network_itself_lies_in_the_span_of_its_last_layer():
    span, points = potential_span(QUINTIC), QUINTIC.sample(50, seed=1)
    last, coefficients = span.metric.network.layout.slices["W2"], np.zeros(span.size)
    coefficients[last] = span.metric.parameters[last]
    assert np.abs(span.result(coefficients).at(points) - span.metric.at(points)).max() < ROUNDING
    start = span.result(np.zeros(span.size))
    assert np.array_equal(start.at(points), span.result(0 * coefficients).at(points))
    assert np.abs(start.at(points) - gv.FubiniStudy(QUINTIC).at(points)).max() < ROUNDING


def test_jets_are_those_of_the_network_along_the_direction():
    span, points = potential_span(QUINTIC), QUINTIC.sample(4, seed=1)
    network = span.metric.network
    direction = np.random.default_rng(2).standard_normal(span.size)
    for number, got in enumerate(span.jets(points, direction)):
        wanted = central(
            lambda theta, k=number: potential_jets(network.layers(theta), network.activation, points)[k],
            span.metric.parameters, direction, 1e-4,
        )  # fmt: skip
        assert np.abs(got - wanted).max() < 1e-8 * np.abs(wanted).max()
    metric = span.result(1e-3 * direction)
    assert np.abs(metric.jets(points)[0] - metric.at(points)).max() < ROUNDING


# ------------------------------------------------------------------------------------------------------ frozen fits


def tangent_objective(span, points):
    """∫(v − 1)² on the points."""
    return SpanObjective.of(span, points, EnergyLoss.of("(v - 1)^2"))


@pytest.mark.parametrize("count", (40, 200))
@pytest.mark.parametrize("kind", SPANS)
def test_a_step_is_the_explicit_ridge_least_squares(kind, count):
    """With 40 points the kernel of the points is solved, with 200 the normal equations of fewer features."""
    span, points = SPANS[kind](QUARTIC), patch(QUARTIC, count, 5)
    assert 40 < span.size < 200
    scene, here = tangent_objective(span, points), 0.02 * np.random.default_rng(1).standard_normal(span.size)
    places = scene.points

    def residual(coefficients):
        volume = places.volume(span.change(places.inputs, coefficients))[0]
        return np.sqrt(places.weights) * (volume / (places.weights @ volume) - 1)

    jacobian = np.stack([central(residual, here, row, 1e-4) for row in np.eye(span.size)], axis=1)
    level = 1e-3 * scene.scale
    system = np.concatenate([jacobian, np.sqrt(level) * np.eye(span.size)])
    target = np.concatenate([jacobian @ here - residual(here), np.zeros(span.size)])
    expected = np.linalg.lstsq(system, target, rcond=None)[0]
    found = here + scene.ridge_move(scene.evaluate(here), here, 2 * level)
    assert np.abs(found - expected).max() < 1e-6 * np.abs(expected).max()


def test_a_frozen_fit_ends_where_the_regularised_fit_of_kernels_does():
    span, points = potential_span(QUARTIC, (6, 6)), QUARTIC.sample(400, seed=1)
    ours = frozen_fit(span, points, ridge=1e-4)
    theirs = kernel_metric(points, span, RidgeFit(2e-4 * tangent_objective(span, points).scale, tolerance=1e-14))
    assert isinstance(ours, KernelMetric)
    assert np.abs(ours.coefficients - theirs.coefficients).max() < 1e-5 * np.abs(ours.coefficients).max()


def test_the_ridge_is_chosen_on_points_held_out():
    span, points = potential_span(QUARTIC, (8, 8)), QUARTIC.sample(300, seed=1)
    metric = frozen_fit(span, points, seed=3)
    report = metric.report
    unseen = report["sigma held out"]
    assert metric.report.outcome.kind == "finished"
    assert report.settings["ridge"] == report["ridge"][np.nanargmin(unseen)]
    assert gv.sigma(metric, points) < gv.sigma(gv.FubiniStudy(QUARTIC), points)
    assert report["sigma"][-1] == report.sigma == pytest.approx(float(gv.sigma(metric, points)))
    assert "frozen features" in str(metric.report)


@pytest.mark.parametrize("method", (KernelDescent(steps=30), NaturalDescent(steps=5), RidgeFit(1e-3)))
def test_every_descent_in_a_kernel_takes_the_span_of_a_network(method):
    points = QUARTIC.sample(300, seed=1)
    metric = kernel_metric(points, potential_span(QUARTIC, (6, 6)), method)
    assert gv.sigma(metric, points) < gv.sigma(gv.FubiniStudy(QUARTIC), points)


def test_metrics_of_frozen_features_are_stored(tmp_path):
    span, points = potential_span(QUARTIC), QUARTIC.sample(100, seed=1)
    metric = frozen_fit(span, points, ridge=1e-3)
    metric.save(tmp_path / "frozen.npz")
    again = gf.load_metric(tmp_path / "frozen.npz")
    assert np.array_equal(again.at(points), metric.at(points))
    assert str(again.report) == str(metric.report)
    with pytest.raises(InputError, match="takes no kernel"):
        gf.load_metric(tmp_path / "frozen.npz", kernel=None)


def test_metrics_of_frozen_components_are_stored(cloud, tmp_path):
    metric = frozen_fit(ComponentTangent(component_network(cloud[:300], epochs=1, **SMALL)), cloud[:100], ridge=1e-3)
    metric.save(tmp_path / "frozen.npz")
    again = gf.load_metric(tmp_path / "frozen.npz")
    assert np.array_equal(again.at(cloud), metric.at(cloud))
    assert str(again.report) == str(metric.report)


def test_features_that_say_nothing_leave_fubini_study():
    span, points = potential_span(QUINTIC, (16, 16)), QUINTIC.sample(20, seed=1)
    metric = frozen_fit(span, points)
    assert metric.report.outcome.kind == "steady"
    assert "say nothing about other points" in metric.report.outcome.message
    assert not metric.coefficients.any()


def test_bad_fits_are_refused(monkeypatch):
    span, points = potential_span(QUARTIC), QUARTIC.sample(30, seed=1)
    with pytest.raises(InputError, match="ridge is -1"):
        frozen_fit(span, points, ridge=-1)
    with pytest.raises(InputError, match="3 points are too few"):
        frozen_fit(span, points[:3])
    with pytest.raises(InputError, match="on the"):
        frozen_fit(span, QUINTIC.sample(30, seed=1))
    with pytest.raises(InputError, match="PhiNetwork or a ComponentNetwork"):
        tangent_span(gv.FubiniStudy(QUARTIC))
    monkeypatch.setattr("geomflow.core.memory.available", lambda: 10_000)
    with pytest.raises(MemoryLimitError, match="30 points by"):
        frozen_fit(span, points, ridge=1e-3)


# -------------------------------------------------------------------------------------------------- learned kernels


def test_a_learned_kernel_generalises_where_the_initial_one_does_not():
    points, unseen = QUARTIC.sample(1500, seed=1), QUARTIC.sample(2000, seed=2)
    kernel = learned_kernel(points, 0, width=16, steps=150, tries=1)
    start = small_start(kernel.metric.network, 0, 0.1)
    initial = PotentialTangent(PhiNetwork(QUARTIC, kernel.metric.network, start))
    fresh = QUARTIC.sample(300, seed=3)
    learned, frozen = (gv.sigma(frozen_fit(span, fresh), unseen) for span in (kernel, initial))
    assert learned < 0.2 * frozen


def test_learned_kernels_are_the_same_for_a_seed_and_travel():
    points = CUBIC.sample(600, seed=1)
    first, second = (learned_kernel(points, 4, width=4, steps=10, tries=2) for _ in range(2))
    assert np.array_equal(first.metric.parameters, second.metric.parameters)
    elsewhere = gv.Dwork("1/2", degree=3)
    there = first.on(elsewhere)
    assert there.variety is elsewhere
    metric = frozen_fit(there, elsewhere.sample(200, seed=2))
    unseen = elsewhere.sample(500, seed=3)
    assert gv.sigma(metric, unseen) < gv.sigma(gv.FubiniStudy(elsewhere), unseen)
    with pytest.raises(UnderdeterminedError, match="20 points are too few"):
        learned_kernel(points[:20])
    with pytest.raises(InputError, match="0 tries"):
        learned_kernel(points, tries=0)


def test_an_interruption_ends_the_learning_of_a_kernel(monkeypatch):
    def pressed(self, *arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(PhiTraining, "step", pressed)
    with pytest.raises(KeyboardInterrupt):
        learned_kernel(CUBIC.sample(600, seed=1), width=4, steps=10)


def test_trainings_take_networks_starts_and_watchers():
    points, network = CUBIC.sample(600, seed=1), feature_network(CUBIC.ambient, 4)
    training = feature_training(points, network, seed=2, steps=50)
    solution = gf.solve(training, training.start(), training.length, save_at=[25, 50])
    metric = training.metric(solution)
    assert [state["steps"].tolist() for state in solution.states] == [[0, 0], [0, 25], [0, 50]]
    assert metric.report["gauss-newton steps"].tolist() == [0, 25, 50]
    assert np.array_equal(solution.states[0]["parameters"], training.first)
    assert np.array_equal(solution.last["parameters"], metric.parameters)
    with pytest.raises(ShapeError):
        PhiTraining(CUBIC, points, network=network, first=training.first[1:])


# ------------------------------------------------------------------------------------------- the kernel in training


def test_watching_a_kernel_measures_drift_and_alignment():
    points, target = QUARTIC.sample(12, seed=1), gf.fits.algebraic_metric(QUARTIC, 2, QUARTIC.sample(300, seed=2))
    span, moved = potential_span(QUARTIC, seed=1), potential_span(QUARTIC, seed=5)
    watch = KernelWatch(span.metric, points, target)
    at_start, later = watch(span.metric), watch(moved.metric)
    assert at_start.drift == 0
    assert abs(at_start.turned) < ROUNDING
    first, second = span.kernel(points), moved.kernel(points)
    assert later.drift == pytest.approx(np.linalg.norm(second - first) / np.linalg.norm(first))
    assert later.rank == pytest.approx(np.trace(second) ** 2 / np.sum(second**2))
    assert 0 < later.loss_alignment < 1
    assert 0 < later.target_alignment < 1
    assert 0 < later.target_share < 1
    values, vectors = np.linalg.eigh(second)
    watch.target = vectors[:, -1]
    assert watch(moved.metric).target_share == pytest.approx(1)
    assert watch(moved.metric).target_alignment == pytest.approx(values[-1] / np.linalg.norm(second))


def test_the_gradient_that_is_aligned_is_that_of_the_loss():
    points, span = QUARTIC.sample(5, seed=1), potential_span(QUARTIC)
    watch = KernelWatch(span.metric, points, gf.fits.algebraic_metric(QUARTIC, 2, QUARTIC.sample(300, seed=2)))
    scales = orthonormal(2)

    def energy(matrix):
        volume = watch.weighted.volume(matrix.reshape(5, 4) / scales)[0]
        return watch.weighted.weights @ (volume / (watch.weighted.weights @ volume) - 1) ** 2

    here = 0.1 * np.random.default_rng(0).standard_normal(20)
    expected = [central(energy, here, row) for row in np.eye(20)]
    assert watch._descent(here.reshape(5, 4) / scales) == pytest.approx(expected, rel=1e-7, abs=1e-9)


def test_frame_components_do_not_depend_on_coordinates():
    points, metric = QUARTIC.sample(20, seed=1), gf.fits.algebraic_metric(QUARTIC, 2, QUARTIC.sample(300, seed=2))
    found = frame_components(metric, points).reshape(20, 4)
    reference = gv.FubiniStudy(QUARTIC).at(points)
    relative = np.linalg.solve(reference, metric.at(points) - reference)
    expected = np.trace(relative @ relative, axis1=1, axis2=2).real
    assert np.sum(found**2, axis=1) == pytest.approx(expected)


# --------------------------------------------------------------------------------- the paper's network of components


@pytest.fixture(scope="module")
def cloud():
    return patch(QUINTIC, 3000, 1)


SMALL = {"hidden": (24, 24), "batch": 40, "seed": 2}


def test_the_gradient_of_the_component_loss_is_that_of_finite_differences(cloud):
    training = ComponentTraining(cloud[:200], hidden=(5, 4), activation="tanh", batch=10, seed=1)
    theta = training.network.initial(3) / 10
    rows = np.arange(7, 60)
    gradient = training.loss(theta, rows)[1]
    for direction in np.random.default_rng(0).standard_normal((4, theta.size)):
        expected = central(lambda t: training.loss(t, rows)[0], theta, direction, 1e-7)
        assert gradient @ direction == pytest.approx(expected, rel=1e-6)


def test_the_component_loss_at_fubini_study_is_sigma(cloud):
    training = ComponentTraining(cloud, **SMALL)
    train = cloud.split(0.9, 2)[0]
    start = training.loss(np.zeros(training.network.size))[0]
    assert start == pytest.approx(float(gv.sigma(gv.FubiniStudy(QUINTIC), train)))


def test_a_component_network_learns_and_says_so(cloud):
    metric = component_network(cloud, epochs=12, **SMALL)
    report, unseen = metric.report, patch(QUINTIC, 1000, 9)
    assert report.outcome.kind == "finished"
    assert (report.points, report.held_out, report.settings["epochs"]) == (2700, 300, 12)
    assert gv.gain(metric, unseen) > 2
    assert gv.gain(metric, unseen) == pytest.approx(gv.sigma(metric.reference, unseen) / gv.sigma(metric, unseen))
    assert report.curve[0].tolist() == list(range(13))
    assert report.curve[1][-1] == report.sigma
    assert np.abs(metric.at(unseen) - np.swapaxes(metric.at(unseen).conj(), 1, 2)).max() < ROUNDING
    assert "2700 points, 12 epochs" in str(report)


def test_a_resumed_component_fit_equals_one_that_never_stopped(cloud, tmp_path):
    cloud = cloud[:1200]
    whole = component_network(cloud, epochs=4, **SMALL)
    first = ComponentTraining(cloud, epochs=4, **SMALL)
    stopped = first.metric(gf.solve(first, first.start(), first.length, max_steps=40, store=tmp_path / "fit"))
    assert stopped.report.outcome.kind == "interrupted"
    second = ComponentTraining(cloud, epochs=4, **SMALL)
    resumed = second.metric(gf.solve(second, second.start(), second.length, store=tmp_path / "fit", resume=True))
    assert np.array_equal(resumed.parameters, whole.parameters)
    assert np.array_equal(resumed.report.history, whole.report.history, equal_nan=True)
    other = ComponentTraining(cloud, epochs=4, **{**SMALL, "batch": 60})
    with pytest.raises(StoreError, match=r"flow\.batch"):
        gf.solve(other, other.start(), second.length, store=tmp_path / "fit", resume=True)


def test_component_networks_are_stored(cloud, tmp_path):
    metric = component_network(cloud[:300], epochs=1, **SMALL)
    metric.save(tmp_path / "metric.npz")
    again = gf.load_metric(tmp_path / "metric.npz")
    assert np.array_equal(again.at(cloud), metric.at(cloud))
    assert again.report.outcome == metric.report.outcome
    assert again.report.settings["batch"] == 40
    with pytest.raises(StoreError):
        gf.load_metric(tmp_path / "nothing.npz")


def test_component_networks_diverge_and_lose_positivity_as_outcomes(cloud):
    wild = component_network(cloud[:300], epochs=2, optimiser=Adam(1e250), **SMALL)
    assert wild.report.outcome.kind == "diverged"
    assert np.isfinite(wild.parameters).all()
    lost = component_network(cloud[:300], epochs=1, optimiser=Adam(3.0), **SMALL)
    assert lost.report.outcome.kind == "singular"
    assert "not positive at" in lost.report.outcome.message
    with pytest.raises(KahlerConeError):
        gv.sigma(lost, cloud)
    found = gv.quality(lost, cloud)
    assert found.not_positive > 0
    assert np.isfinite(found.gain)


def test_bad_component_fits_are_refused(cloud):
    with pytest.raises(InputError, match="coordinate systems"):
        component_network(QUINTIC.sample(100, seed=1))
    with pytest.raises(InputError, match="batches of 5000"):
        component_network(cloud, batch=5000)
    with pytest.raises(InputError, match="-1 epochs"):
        component_network(cloud, epochs=-1, **SMALL)
    metric = component_network(cloud[:100], epochs=0, **SMALL)
    with pytest.raises(InputError, match="known in the patch"):
        metric.at(gv.sample_patch(QUINTIC, 5, 1, patch=1, elim=0))
    with pytest.raises(InputError, match="need 10"):
        ComponentNetwork(QUINTIC, (0, 1), Perceptron(3, (4,), 9), np.zeros(Perceptron(3, (4,), 9).size))


# ------------------------------------------------------------------------------------------------------- pictures


def test_fits_and_trainings_are_drawn(cloud):
    report = component_network(cloud[:300], epochs=2, **SMALL).report
    axes = plot.training(report)
    assert np.array_equal(axes.lines[0].get_xydata(), np.stack(report.curve, axis=1))
    assert (axes.get_xlabel(), axes.get_yscale()) == ("epochs", "log")
    torus = gf.ComplexTorus(dim=1)
    network = Perceptron(2, (8,), embedding=gf.networks.FourierEmbedding(torus))
    model = gf.networks.Rescaled(gf.networks.PotentialModel(torus, network), 0.01)
    flow = gf.tangent.Training(gf.functionals.KEnergy(torus), model)
    solution = gf.solve(flow, model.on(torus.grid(8, scheme="spectral"), seed=0), t1=5, progress=False)
    axes = plot.training(solution)
    assert np.array_equal(axes.lines[0].get_ydata(), solution["energy"])
    assert axes.get_xlabel() == "steps"
    with pytest.raises(InputError, match="Fubini"):
        plot.training(gv.FubiniStudy(QUARTIC))
