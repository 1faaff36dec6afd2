"""Fits in kernels of the potential: unseen gains, choices of settings, stores, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest

import geomflow as gf
import geomflow.variety as gv
from geomflow.core.errors import InputError, PositivityError, ShapeError, StoreError
from geomflow.field import Torus
from geomflow.fits import (
    ArcCosine,
    Exponential,
    InvariantKernel,
    Isometries,
    KernelDescent,
    KernelMetric,
    NaturalDescent,
    OrbitKernel,
    OverlapKernel,
    Power,
    PowerSeries,
    Profile,
    RidgeFit,
    kernel_metric,
    tuned_metric,
)
from geomflow.fits import kernel_fit as fit
from geomflow.fits.kernel_descent import KernelFit
from geomflow.fits.objective import loss_of
from geomflow.fits.span import SpanObjective
from geomflow.kernels import CosineNetKernel, GaussianKernel, NetworkKernel
from geomflow.variety.errors import KahlerConeError

QUINTIC, CUBIC = gv.Fermat(5), gv.Fermat(3)
KERNELS = [
    OverlapKernel(Exponential(1.5)), OverlapKernel(ArcCosine(0.5)), InvariantKernel(3, Power(2)),
    InvariantKernel(3, Exponential(0.5)), InvariantKernel(3, PowerSeries((0.2, 1.0, 0.0, 0.3))),
    OrbitKernel(Power(2), Isometries.permuting(CUBIC), centres=20),
]  # fmt: skip


def gain(metric, seed=1234, count=5000):
    """σ of Fubini–Study over σ of the metric on points of a seed that nothing else has."""
    unseen = metric.variety.sample(count, seed=seed)
    return float(gv.sigma(gv.FubiniStudy(metric.variety), unseen)) / float(gv.sigma(metric, unseen))


@pytest.fixture(scope="module")
def points():
    """2,500 train points: the whole budget."""
    return QUINTIC.sample(2500, seed=1)


def test_without_symmetries_2500_points_gain_more_than_three_and_a_half(points):
    metric = kernel_metric(points, OverlapKernel(Power(2)))
    assert gain(metric) > 3.5
    assert metric.report.outcome.kind == "steady"


def test_with_symmetries_2500_points_gain_more_than_a_hundred(points):
    kernels = [InvariantKernel(degree, Exponential(1.0)) for degree in (2, 4)]
    assert gain(tuned_metric(points, kernels, [1e-6, 1e-10])) > 100


@pytest.mark.slow
@pytest.mark.parametrize("profiles", [
    [Exponential(0.25), Exponential(0.5), Power(2), Power(3)], [ArcCosine(0.5), ArcCosine(2.0)],
], ids=["overlaps", "relu"])  # fmt: skip
def test_settings_chosen_inside_the_budget_gain_more_than_three_and_a_half(points, profiles):
    metric = tuned_metric(points, [OverlapKernel(profile) for profile in profiles], [1e-3, 1e-4])
    assert len(metric.report.settings["trials"]) == 2 * len(profiles)
    assert gain(metric) > 3.5


@pytest.mark.slow
@pytest.mark.parametrize("method", [KernelDescent(400), NaturalDescent(12)], ids=str)
def test_flows_reach_what_the_fit_reaches(points, method):
    train, held_out = points.split(0.8, 0)
    metric = kernel_metric(train, OverlapKernel(Power(2)), method, held_out=held_out)
    assert gain(metric) > 3.5


def test_the_place_of_least_sigma_on_points_held_out_is_taken():
    points, held_out = CUBIC.sample(60, seed=1), CUBIC.sample(500, seed=2)
    method = NaturalDescent(15, step=0.7, damping=1e-12)
    last = kernel_metric(points, OverlapKernel(Exponential(4.0)), method)
    best = kernel_metric(points, OverlapKernel(Exponential(4.0)), method, held_out=held_out)
    least = np.min(best.report["sigma held out"])
    assert float(gv.sigma(best, held_out)) == pytest.approx(least, rel=1e-9)
    assert float(gv.sigma(last, held_out)) == pytest.approx(best.report["sigma held out"][-1], rel=1e-9)


def test_a_choice_names_what_was_tried_and_is_the_best_of_it():
    points = CUBIC.sample(400, seed=5)
    metric = tuned_metric(points, [OverlapKernel(Power(2)), OverlapKernel(Exponential(1.0))], [1e-2, 1e-5])
    trials = dict(metric.report.settings["trials"])
    assert len(trials) == 4
    best = min(trials, key=trials.get)
    assert str(metric.span.profile) in best
    assert f"{RidgeFit(1e-5 if '1e-05' in best else 1e-2)}" == metric.report.method
    again = tuned_metric(points, [OverlapKernel(Power(2)), OverlapKernel(Exponential(1.0))], [1e-2, 1e-5])
    np.testing.assert_array_equal(metric.coefficients, again.coefficients)


@pytest.mark.parametrize("kernel", KERNELS, ids=str)
def test_a_stored_metric_is_the_same_again(kernel, tmp_path):
    metric, unseen = kernel_metric(CUBIC.sample(200, seed=1), kernel), CUBIC.sample(30, seed=2)
    metric.save(tmp_path / "metric.npz")
    again = gf.load_metric(tmp_path / "metric.npz")
    np.testing.assert_array_equal(again.at(unseen), metric.at(unseen))
    assert str(again.report) == str(metric.report)
    np.testing.assert_array_equal(again.report.history, metric.report.history)
    with pytest.raises(StoreError, match="geomflow points"):
        gf.load_metric(_points_file(tmp_path))


def _points_file(folder):
    CUBIC.sample(3, seed=1).save(folder / "points.npz")
    return folder / "points.npz"


def test_a_span_of_ones_own_has_no_store_and_no_curvature(tmp_path):
    from geomflow.fits import PotentialSpan

    class Nothing(PotentialSpan):
        variety, kahler_class, size = CUBIC, (1.0,), 1

        def combine(self, place, coefficients):
            return np.zeros(place.count), np.zeros((place.count, place.n**2))

        def rows(self, place, dual):
            return np.zeros((place.count, 1))

    metric = KernelMetric(Nothing(), np.ones(1))
    with pytest.raises(StoreError, match="cannot be stored"):
        metric.save(tmp_path / "metric.npz")
    with pytest.raises(InputError, match="fourth derivatives"):
        metric.curvature(CUBIC.sample(3, seed=1))
    assert kernel_metric(CUBIC.sample(50, seed=1), Nothing()).report.outcome.kind == "steady"


def test_a_descent_cannot_start_outside_the_cone_and_never_leaves_it():
    points = CUBIC.sample(300, seed=1)
    scene = SpanObjective.of(OverlapKernel(Power(2)).span(points), points, loss_of("(v - 1)^2"))
    with pytest.raises(KahlerConeError, match="outside the Kähler cone"):
        KernelFit(scene, None, RidgeFit(), 100 * np.random.default_rng(0).normal(size=scene.span.size)).start()
    report = kernel_metric(points, OverlapKernel(Exponential(8.0)), NaturalDescent(8, step=1.0)).report
    assert np.all(report["pivot"] > 0)


def test_a_metric_that_is_not_positive_says_where():
    span = OverlapKernel(Power(2)).span(CUBIC.sample(40, seed=1))
    metric = KernelMetric(span, 100 * np.random.default_rng(0).normal(size=span.size))
    with pytest.raises(KahlerConeError, match="not positive at"):
        gv.sigma(metric, CUBIC.sample(50, seed=2))


def test_choices_that_are_all_outside_the_cone_are_refused(monkeypatch):
    monkeypatch.setattr(fit, "_ridge_path", lambda *args: [(1.0, np.inf)])
    with pytest.raises(KahlerConeError, match="none of 1 fits"):
        tuned_metric(CUBIC.sample(50, seed=4), [OverlapKernel(Power(2))], [1.0])


@pytest.mark.parametrize("wrong, message", [
    (lambda: Exponential(0.0), "β is 0"),
    (lambda: Power(0), "the degree is 0"),
    (lambda: Power(1.5), "whole number"),
    (lambda: ArcCosine(-1.0), "the bias is"),
    (lambda: KernelDescent(rate=1.0), "stability bound"),
    (lambda: NaturalDescent(step=1.5), "of length 1.5"),
    (lambda: NaturalDescent(damping=0.0), "positive damping"),
    (lambda: RidgeFit(0.0), "positive ridge"),
    (lambda: PowerSeries((1.0, -0.5)), "none negative"),
    (lambda: PowerSeries((0.0, 0.0)), "not all zero"),
    (lambda: PowerSeries.of_network(NetworkKernel("relu")), "512 terms leave out .* has a kink"),
    (lambda: PowerSeries.of_network(GaussianKernel(1.0)), "kernels of networks of points are series"),
    (lambda: PowerSeries.of_network(NetworkKernel("erf").periodic(Torus(dim=1))), "kernels of networks of points"),
    (lambda: PowerSeries.of_network(CosineNetKernel(1.0).covariance), "the amplitude of .* depends on the dimension"),
    (lambda: InvariantKernel(0, Power(1)).span(CUBIC.sample(5, seed=1)), "the degree is 0"),
    (lambda: OrbitKernel(Power(2), Isometries.permuting(CUBIC), 0), "at least one"),
    (lambda: OrbitKernel(Power(2), Isometries.permuting(CUBIC)).span(QUINTIC.sample(5, seed=1)), "the symmetries act"),
    (lambda: Isometries.sample(QUINTIC, 0, 1), "draw at least one"),
    (lambda: kernel_metric(CUBIC.sample(5, seed=1), "gaussian"), "takes a kernel such as"),
    (lambda: kernel_metric(CUBIC.sample(5, seed=1), OverlapKernel(Power(1)), loss="v**"), "unknown loss"),
    (lambda: tuned_metric(CUBIC.sample(5, seed=1), [], [1.0]), "0 kernels"),
])  # fmt: skip
def test_what_is_refused(wrong, message):
    with pytest.raises(InputError, match=message):
        wrong()


def test_coefficients_of_another_number_are_refused():
    span = OverlapKernel(Power(2)).span(CUBIC.sample(40, seed=1))
    with pytest.raises(ShapeError, match=r"\(3,\) coefficients for 36 functions"):
        KernelMetric(span, np.zeros(3))
    with pytest.raises(InputError, match="the points on"):
        KernelMetric(span, np.zeros(36)).at(QUINTIC.sample(3, seed=1))


class Mistyped(Profile):
    """e^{t−1} with one derivative wrong."""

    def __init__(self, wrong):
        self.wrong = wrong

    def derivatives(self, t, order):
        value = np.exp(t - 1)
        return [3 * value if k == self.wrong else value for k in range(order + 1)]


class Falling(Profile):
    """1 − t, which is not positive."""

    def derivatives(self, t, order):
        return [1 - t, -np.ones_like(t), *(np.zeros_like(t) for _ in range(3))][: order + 1]


@pytest.mark.parametrize("wrong", [1, 2, 3, 4])
def test_wrong_derivatives_of_a_profile_are_refused_with_their_order(wrong):
    points = gv.Fermat(4).sample(40, seed=1)
    for kernel in (OverlapKernel(Mistyped(wrong)), InvariantKernel(4, Mistyped(wrong))):
        with pytest.raises(InputError, match=f"derivative {wrong} of .* is not that of derivative {wrong - 1}"):
            kernel.span(points)
    assert OverlapKernel(Mistyped(5)).span(points).size > 1


def test_a_profile_that_is_not_positive_is_refused_with_its_eigenvalue():
    with pytest.raises(PositivityError, match="eigenvalue -"):
        OverlapKernel(Falling()).span(gv.Fermat(4).sample(40, seed=1))
