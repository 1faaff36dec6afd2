"""φ-network metrics: fits, their reports, stores and errors."""

from __future__ import annotations

import numpy as np
import pytest

import geomflow as gf
import geomflow.variety as gv
from benchmarks.networks import GivenInputs
from geomflow.core.errors import InputError, NotFiniteError, ShapeError, StoreError
from geomflow.fits import AdamStep, GaussNewton, PhiNetwork, PhiTraining, Recipe, phi_metric
from geomflow.fits.objective import loss_of
from geomflow.fits.phi_training import _scale, _total
from geomflow.fits.points import WeightedPoints
from geomflow.networks import FourierEmbedding, Perceptron
from geomflow.networks.complex_hessian import ComplexHessian
from geomflow.variety.errors import UnderdeterminedError

CUBIC = gv.Fermat(3)
SMALL = {"hidden": (12, 12), "recipe": Recipe(batches=(200, 200), watch=(20, 10))}


@pytest.fixture(scope="module")
def points():
    return CUBIC.sample(3000, seed=1)


@pytest.fixture(scope="module")
def fitted(points):
    return phi_metric(CUBIC, points, steps=(60, 60), seed=3, **SMALL)


def test_a_fit_on_the_cubic_is_nearly_flat(fitted):
    unseen = CUBIC.sample(3000, seed=2)
    assert gv.sigma(fitted, unseen) < 1e-3
    assert fitted.report.sigma == pytest.approx(gv.sigma(fitted, unseen), rel=0.2)
    assert gv.smallest_eigenvalue(fitted, unseen) > 0
    assert np.abs(gv.scalar_curvature(fitted, unseen)).mean() < 0.1


def test_report_says_how_the_fit_went(fitted):
    report = fitted.report
    assert report.outcome.kind == "finished"
    assert report.settings["steps"] == (60, 60)
    assert (report.points, report.held_out) == (2700, 300)
    work, sigma = report.curve
    assert np.all(np.diff(work) > 0)
    assert sigma[0] > 0.05 > sigma[-1] == report.sigma
    assert "277 parameters" not in str(report)
    assert f"{fitted.network.size} parameters" in str(report)
    assert "60 of Gauss–Newton" in str(report)


def test_the_same_seed_gives_the_same_metric(points, fitted):
    again = phi_metric(CUBIC, points, steps=(60, 60), seed=3, **SMALL)
    other = phi_metric(CUBIC, points, steps=(60, 60), seed=4, **SMALL)
    assert np.array_equal(again.parameters, fitted.parameters)
    assert not np.array_equal(other.parameters, fitted.parameters)


def test_a_resumed_fit_equals_one_that_never_stopped(points, fitted, tmp_path):
    first = PhiTraining(CUBIC, points, seed=3, steps=(60, 60), **SMALL)
    assert gf.solve(first, first.start(), first.length, max_steps=75, store=tmp_path / "fit").steps == 75
    second = PhiTraining(CUBIC, points, seed=3, steps=(60, 60), **SMALL)
    solution = gf.solve(second, second.start(), second.length, store=tmp_path / "fit", resume=True)
    assert solution.steps == 120
    resumed = second.metric(solution)
    assert np.array_equal(resumed.parameters, fitted.parameters)
    assert np.array_equal(resumed.report.history, fitted.report.history, equal_nan=True)
    again = gf.solve(second, second.start(), second.length, store=tmp_path / "fit", resume=True)
    assert np.array_equal(second.metric(again).parameters, fitted.parameters)


def test_an_interruption_is_an_outcome(points, monkeypatch):
    fit, draw, left = PhiTraining(CUBIC, points, seed=3, steps=(60, 60), **SMALL), WeightedPoints.draw, [15]

    def pressed(self, *arguments):
        left[0] -= 1
        if left[0] < 0:
            raise KeyboardInterrupt
        return draw(self, *arguments)

    monkeypatch.setattr(WeightedPoints, "draw", pressed)
    stopped = fit.metric(gf.solve(fit, fit.start(), fit.length))
    assert stopped.report.outcome.kind == "interrupted"
    assert stopped.report.settings["steps"] == (15, 0)


def test_work_is_counted_and_not_measured(points):
    given = phi_metric(CUBIC, points, work=0.3, seed=5, **SMALL)
    again = phi_metric(CUBIC, points, steps=given.report.settings["steps"], seed=5, **SMALL)
    recipe, size = SMALL["recipe"], given.network.size
    assert given.report.settings["steps"] == recipe.steps(0.3, size, 1)
    assert recipe.steps(3.0, size, 1) == pytest.approx(10 * np.array(given.report.settings["steps"]), rel=0.5)
    assert given.report["work"][-1] == pytest.approx(0.3, rel=0.2)
    assert np.array_equal(given.parameters, again.parameters)


def test_schedule_is_constant_then_falls():
    for constant in range(1, 200):
        total = _total(constant)
        scales = [_scale(step, total) for step in range(total)]
        assert all(scale == 1 for scale in scales[: constant + 1])
        assert np.all(np.diff(scales[constant:]) < 0)
        assert min(scales) > 0


@pytest.mark.parametrize("loss", ["sigma", "v*log(v)", "(v - 1)^2/v"])
def test_other_losses(points, loss):
    metric = phi_metric(CUBIC, points, loss=loss, steps=(60, 40), **SMALL)
    assert metric.report.loss == loss
    assert metric.report.sigma < 5e-3


def test_single_and_double_precision_agree(points):
    sigmas = [
        phi_metric(CUBIC, points, steps=(40, 0), hidden=(12, 12), recipe=Recipe(precision=p)).report.sigma
        for p in ("single", "double")
    ]
    assert sigmas[0] == pytest.approx(sigmas[1], rel=1e-3)


def test_metrics_are_stored(fitted, tmp_path):
    path = tmp_path / "metric.npz"
    fitted.save(path)
    loaded = gf.load_metric(path)
    unseen = CUBIC.sample(20, seed=9)
    assert np.array_equal(loaded.at(unseen), fitted.at(unseen))
    assert np.array_equal(loaded.report.history, fitted.report.history, equal_nan=True)
    assert str(loaded.report) == str(fitted.report)
    bare = PhiNetwork(CUBIC, fitted.network, fitted.parameters, (2.0,))
    bare.save(path)
    assert gf.load_metric(path).report is None
    assert gf.load_metric(path).kahler_class == (2.0,)


def test_a_store_of_another_fit_is_refused(points, tmp_path):
    plain = {"seed": 3, "steps": (4, 0), **SMALL}
    fit = PhiTraining(CUBIC, points, **plain)
    gf.solve(fit, fit.start(), 2, store=tmp_path / "fit")
    others = [(points, {"hidden": (10,)}, "flow.network"), (points[:2000], {}, "flow.points"),
              (CUBIC.sample(len(points), seed=99), {}, "flow.points"), (points, {"seed": 4}, "flow.seed"),
              (points, {"loss": "sigma"}, "flow.loss"), (points, {"steps": (5, 0)}, "flow.steps")]
    for there, options, said in others:
        other = PhiTraining(CUBIC, there, **{**plain, **options})
        with pytest.raises(StoreError, match=said):
            gf.solve(other, other.start(), 4, store=tmp_path / "fit", resume=True)


def test_too_few_points():
    with pytest.raises(UnderdeterminedError, match="10049 parameters and 450 train points"):
        phi_metric(gv.Fermat(5), gv.Fermat(5).sample(500, seed=0))


@pytest.mark.parametrize("loss", ["sigmas", "v**", "-(v - 1)^2", "v"])
def test_unknown_losses(points, loss):
    with pytest.raises(InputError, match="unknown loss"):
        phi_metric(CUBIC, points, loss=loss, **SMALL)


def test_a_budget_that_is_not_positive(points):
    for work in (0, -1, None):
        with pytest.raises(InputError, match="positive number"):
            phi_metric(CUBIC, points, work=work, **SMALL)


def test_leaving_the_cone_is_an_outcome_with_the_place(points):
    start = 30 * PhiTraining(CUBIC, points, **SMALL).first
    training = PhiTraining(CUBIC, points, steps=(0, 0), first=start, **SMALL)
    report = training.metric(gf.solve(training, training.start(), training.length)).report
    assert report.outcome.kind == "singular"
    assert "worst at [" in report.outcome.message
    assert "Kähler cone" in report.outcome.message


def test_a_rate_that_is_far_too_large_diverges(points):
    recipe = Recipe(phases=(AdamStep(1e300), GaussNewton()), watch=(1, 1))
    metric = phi_metric(CUBIC, points, hidden=(8,), steps=(20, 0), recipe=recipe)
    assert metric.report.outcome.kind == "diverged"
    assert np.isfinite(gv.sigma(metric, points[:100]))


def test_inputs_of_the_constructor():
    network = Perceptron(9, (4,), 1)
    theta = network.initial(0)
    with pytest.raises(InputError, match="25 products"):
        PhiNetwork(gv.Fermat(5), network, theta)
    with pytest.raises(NotFiniteError):
        PhiNetwork(CUBIC, network, theta * np.nan)
    with pytest.raises(InputError, match="relu"):
        PhiNetwork(CUBIC, Perceptron(9, (4,), 1, "relu"), theta)
    metric = PhiNetwork(CUBIC, network, theta)
    with pytest.raises(InputError, match="the points on"):
        metric.at(gv.Fermat(4).sample(5, seed=0))


def test_inputs_of_the_engine():
    import geomflow

    with pytest.raises(InputError, match="outputs=1"):
        ComplexHessian(Perceptron(4, (3,), 2))
    torus = geomflow.Torus(2)
    with pytest.raises(InputError, match="no embedding"):
        ComplexHessian(Perceptron(2, (3,), 1, embedding=FourierEmbedding(torus)))
    network = Perceptron(4, (3,), 1)
    with pytest.raises(InputError, match="'double' or 'single'"):
        ComplexHessian(network, "half")
    with pytest.raises(ShapeError, match="3 inputs"):
        ComplexHessian(network)(network.initial(0), GivenInputs(np.zeros((5, 3)), np.zeros((5, 2, 3))))


def test_energy_losses_lose_their_linear_part():
    loss = loss_of("v*log(v)")
    value, slope, curvature = loss.evaluate(np.array([1.0, 1.5]))
    assert value[0] == slope[0] == 0
    assert value[1] == pytest.approx(1.5 * np.log(1.5) - 0.5)
    assert curvature[1] == pytest.approx(1 / 1.5)


@pytest.mark.slow
def test_a_short_fit_on_the_quintic():
    variety = gv.Fermat(5)
    recipe = Recipe(batches=(500, 600))
    metric = phi_metric(variety, variety.sample(30_000, seed=1), hidden=(32, 32), steps=(150, 80), recipe=recipe)
    assert gv.sigma(metric, variety.sample(5000, seed=2)) < 0.006


@pytest.mark.slow
def test_a_short_fit_on_a_product():
    variety = gv.Bicubic()
    metric = phi_metric(variety, variety.sample(20_000, seed=1), hidden=(24, 24), steps=(150, 60))
    unseen = variety.sample(4000, seed=2)
    assert gv.sigma(metric, unseen) < 0.35 * gv.sigma(gv.FubiniStudy(variety), unseen)
