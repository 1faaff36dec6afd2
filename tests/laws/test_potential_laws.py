"""Laws of descents in kernels of the potential: invariance, rates of linearised flows, optima, the Kähler cone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import geomflow as gf
import geomflow.variety as gv
from geomflow.fits import (
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
    RidgeFit,
    kernel_metric,
)
from geomflow.fits.kernel_descent import KernelFit
from geomflow.fits.objective import loss_of
from geomflow.fits.span import SpanObjective

QUINTIC, CUBIC = gv.Fermat(5), gv.Fermat(3)


def random_metric(kernel, variety, seed=0, centres=10):
    """Of well-conditioned centres, so that rounding is not amplified."""
    span = kernel.span(variety.sample(centres, seed=seed), tolerance=1e-4)
    return KernelMetric(span, 0.1 * np.random.default_rng(seed).normal(size=span.size))


def changes(metric, isometries, points):
    """|φ(g p) − φ(p)| over all maps and points; φ does not depend on the representative."""
    images = isometries(points.coordinates)
    values = [metric.correction(replace(points, coordinates=images[:, m])) for m in range(len(isometries))]
    return np.abs(np.array(values) - metric.correction(points))


@pytest.mark.parametrize("variety", [QUINTIC, gv.Bicubic(), gv.Dwork(0.7)], ids=str)
@pytest.mark.parametrize("profile", [Power(2), Exponential(1.0), PowerSeries((0.5, 1.0, 0.2))], ids=str)
def test_invariant_kernels_are_invariant_under_sampled_symmetries(variety, profile):
    metric = random_metric(InvariantKernel(3, profile), variety)
    isometries, points = Isometries.sample(variety, 30, 4), variety.sample(20, seed=7)
    images = isometries(points.coordinates)
    assert np.abs(variety.polynomial.value(images.reshape(-1, images.shape[2]))).max() < 1e-11
    assert changes(metric, isometries, points).max() < 1e-12


def test_averages_over_a_group_are_invariant_under_it():
    group = Isometries.permuting(QUINTIC)
    metric, points = random_metric(OrbitKernel(Exponential(2.0), group), QUINTIC), QUINTIC.sample(10, seed=7)
    assert changes(metric, group, points).max() < 1e-12
    others = changes(metric, Isometries.diagonal(QUINTIC)[:50], points)
    assert others.max() > 1e-3


def test_averages_over_a_sample_are_invariant_up_to_the_root_of_its_size():
    points, test = QUINTIC.sample(10, seed=7), Isometries.sample(QUINTIC, 20, 99)
    sizes, left = (8, 128, 2048), []
    for size in sizes:
        images = Isometries.sample(QUINTIC, size, 3)(QUINTIC.sample(1, seed=0).coordinates)
        unit = images[0] / np.linalg.norm(images[0], axis=1, keepdims=True)

        def mean(z, unit=unit):
            z = z / np.linalg.norm(z, axis=-1, keepdims=True)
            return (np.abs(z @ unit.conj().T) ** 6).mean(axis=-1)

        moved = mean(test(points.coordinates)) - mean(points.coordinates)[:, None]
        left.append(np.sqrt(np.mean(moved**2)))
    assert np.polyfit(np.log(sizes), np.log(left), 1)[0] == pytest.approx(-0.5, abs=0.12)


@pytest.fixture(scope="module")
def landscape():
    """The cubic curve, whose invariant potentials of degree six leave a residual of next to nothing."""
    points = CUBIC.sample(1500, seed=1)
    return SpanObjective.of(InvariantKernel(6, Power(1)).span(points[:200]), points, loss_of("(v - 1)^2"))


@pytest.fixture(scope="module")
def optimum(landscape):
    """The coefficients of least energy."""
    return last(KernelFit(landscape, None, RidgeFit(1e-14, tolerance=1e-9), np.zeros(landscape.span.size)))


def last(fit):
    """The coefficients that a fit ends at."""
    return gf.solve(fit, fit.start(), fit.method.steps).last["coefficients"]


def modes(landscape, coefficients):
    """Eigenvalues and vectors of the Gauss–Newton Hessian, largest first."""
    values, vectors = np.linalg.eigh(landscape.linearise(landscape.evaluate(coefficients))[0])
    return values[::-1], vectors[:, ::-1]


def decays(landscape, optimum, method, mode, size=1e-5):
    """What is left of a small push along an eigenvector, after the method's steps."""
    direction = modes(landscape, optimum)[1][:, mode]
    there = last(KernelFit(landscape, None, method, optimum + size * direction))
    return float((there - optimum) @ direction) / size


@pytest.mark.parametrize("mode", [1, 2])
def test_gradient_flow_decays_at_the_rates_of_its_linearisation(landscape, optimum, mode):
    values, _ = modes(landscape, optimum)
    left = decays(landscape, optimum, KernelDescent(8, rate=0.5), mode)
    assert left == pytest.approx((1 - values[mode] / values[0]) ** 8, rel=0.02)


@pytest.mark.parametrize("mode", [0, 1, 2])
def test_natural_flow_decays_alike_in_all_modes_above_its_damping(landscape, optimum, mode):
    values, _ = modes(landscape, optimum)
    method = NaturalDescent(3, step=0.3, damping=float(values[1] / values[0]))
    shares = values[mode] / (values[mode] + values[1])
    assert decays(landscape, optimum, method, mode) == pytest.approx((1 - 0.3 * shares) ** 3, rel=0.02)


def test_gradient_and_hessian_are_those_of_the_energy(landscape):
    rng = np.random.default_rng(2)
    here, direction = 0.01 * rng.normal(size=(2, landscape.span.size))
    evaluation = landscape.evaluate(here)
    hessian, gradient = landscape.linearise(evaluation)
    np.testing.assert_allclose(landscape.gradient(evaluation), gradient, rtol=1e-9, atol=1e-12 * np.abs(gradient).max())
    ahead, behind = (landscape.evaluate(here + sign * 1e-4 * direction) for sign in (1, -1))
    assert (ahead.energy - behind.energy) / 2e-4 == pytest.approx(gradient @ direction, rel=1e-5)
    slope = (ahead.v - behind.v) / 2e-4
    assert direction @ hessian @ direction == pytest.approx(2 * landscape.weights @ slope**2, rel=1e-5)


@pytest.mark.parametrize("loss", ["(v - 1)^2", "v*log(v)", "sigma"])
@pytest.mark.parametrize("method", [KernelDescent(30), NaturalDescent(10), RidgeFit(1e-6)], ids=str)
def test_every_descent_lowers_every_loss(method, loss):
    points = CUBIC.sample(600, seed=3)
    report = kernel_metric(points, OverlapKernel(Power(2)), method, loss=loss).report
    energy = report["energy"]
    assert energy[-1] < 0.6 * energy[0]
    if not isinstance(method, RidgeFit):
        assert np.all(np.diff(energy) < 0)
    assert np.all(report["pivot"] > 0)


def test_the_optimum_of_a_ridge_fit_is_minus_the_gradient_over_the_ridge():
    points = CUBIC.sample(600, seed=3)
    metric = kernel_metric(points, OverlapKernel(Exponential(1.0)), RidgeFit(1e-3, tolerance=1e-12))
    scene = SpanObjective.of(metric.span, points, loss_of("(v - 1)^2"))
    gradient = scene.gradient(scene.evaluate(metric.coefficients))
    np.testing.assert_allclose(metric.coefficients, -gradient / 1e-3, rtol=0, atol=1e-4 * np.abs(gradient).max() / 1e-3)


def test_volume_is_that_of_the_class_and_the_euler_number_a_whole_number():
    metric = kernel_metric(QUINTIC.sample(600, seed=1), InvariantKernel(3, Power(1)), RidgeFit(1e-9))
    points = QUINTIC.sample(4000, seed=2)
    assert gv.volume(metric, points).within(gv.class_volume(metric))
    assert gv.euler_number(metric, points[:1500]).within(-200)
