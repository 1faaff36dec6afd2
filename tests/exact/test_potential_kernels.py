"""Kernels of the Kähler potential: ∂∂̄ against series and mean values, Bergman kernels against explicit monomials."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import geomflow.variety as gv
from geomflow.fits import (
    ArcCosine,
    Exponential,
    InvariantFeatures,
    InvariantKernel,
    Isometries,
    KernelDescent,
    KernelMetric,
    NaturalDescent,
    OrbitKernel,
    OverlapKernel,
    PotentialSpan,
    Power,
    PowerSeries,
    ProjectiveInputs,
    RidgeFit,
    kernel_metric,
)
from geomflow.kernels import NetworkKernel

QUINTIC, BICUBIC = gv.Fermat(5), gv.Bicubic()
NETWORK = PowerSeries.of_network(NetworkKernel("erf", 2, 1.2, 0.3))
PROFILES = [Exponential(1.3), Power(1), Power(3), ArcCosine(0.0), ArcCosine(0.5), NETWORK]


def _name(case):
    return f"{case}"[:60]


def moved(points, step):
    """The points after local coordinates have changed by `step` (P, n), back on the variety by Newton's method."""
    z, every = points.coordinates.copy(), np.arange(len(points))
    np.put_along_axis(z, points.good, np.take_along_axis(z, points.good, axis=1) + step, axis=1)
    for _ in range(30):
        value, slope = points.variety.polynomial.gradient(z)
        z[every, points.elim] -= value / slope[every, points.elim]
    return replace(points, coordinates=z)


def circle_mean(function, points, direction, radius, count=12):
    """(mean of f over a circle of that radius in a complex line − f)/radius², which is ∂∂̄f along it + O(radius²)."""
    turns = np.exp(2j * np.pi * np.arange(count) / count)
    values = [function(moved(points, radius * turn * direction)) for turn in turns]
    return (np.mean(values, axis=0) - function(points)) / radius**2


def assert_is_the_complex_hessian(metric, points, seed):
    """g − g_FS along random directions is the limit of circle means: errors fall as radius², then Richardson's rest."""
    rng = np.random.default_rng(seed)
    direction = rng.normal(size=(len(points), points.variety.dim, 2)) @ np.array([1, 1j])
    direction /= np.linalg.norm(direction, axis=1, keepdims=True)
    correction = metric.at(points) - metric.reference.at(points)
    exact = np.einsum("pa,pab,pb->p", direction, correction, direction.conj()).real
    wide, narrow = (circle_mean(metric.correction, points, direction, radius) for radius in (0.02, 0.01))
    assert np.abs(wide - exact).max() < 0.05 * np.abs(exact).max()
    best = (4 * narrow - wide) / 3
    assert np.abs(best - exact).max() < 1e-2 * np.abs(wide - exact).max() + 1e-8 * np.abs(exact).max()


def some_metric(kernel, variety, seed=0, centres=12, tolerance=1e-10):
    span = kernel.span(variety.sample(centres, seed=seed), tolerance=tolerance)
    return KernelMetric(span, 0.1 * np.random.default_rng(seed).normal(size=span.size))


@pytest.mark.parametrize("variety", [QUINTIC, BICUBIC], ids=str)
@pytest.mark.parametrize("profile", PROFILES, ids=_name)
def test_the_metric_is_the_complex_hessian_of_the_potential(profile, variety):
    metric, points = some_metric(OverlapKernel(profile), variety), variety.sample(20, seed=5)
    assert_is_the_complex_hessian(metric, points, seed=1)
    assert gv.transition_loss(metric, points) < 1e-9


@pytest.mark.parametrize("profile", PROFILES, ids=_name)
def test_rows_are_the_derivatives_of_what_combine_gives(profile):
    span = OverlapKernel(profile).span(BICUBIC.sample(15, seed=1))
    inputs = ProjectiveInputs.of(BICUBIC.sample(30, seed=2), span.kahler_class)
    dual = np.random.default_rng(3).normal(size=(30, 9))
    columns = [np.sum(dual * span.combine(inputs, unit)[1], axis=1) for unit in np.eye(span.size)]
    np.testing.assert_allclose(span.rows(inputs, dual), np.stack(columns, axis=1), rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("profile", PROFILES, ids=_name)
def test_functions_are_orthonormal_and_reproduce_the_kernel(profile):
    points = QUINTIC.sample(40, seed=4)
    span = OverlapKernel(profile).span(points)
    inputs = ProjectiveInputs.of(points, span.kahler_class)
    values = np.stack([span.combine(inputs, unit)[0] for unit in np.eye(span.size)], axis=1)
    overlap = np.abs(inputs.z @ inputs.z.conj().T) ** 2
    kernel = profile.derivatives(overlap, 0)[0]
    np.testing.assert_allclose(values @ values.T, kernel, rtol=0, atol=1e-9)


INVARIANTS = [InvariantKernel(3, Power(1)), InvariantKernel(2, Power(2)), InvariantKernel(2, Exponential(1.5)),
              InvariantKernel(3, NETWORK), InvariantKernel(3, ArcCosine(0.5))]
ORBITS = [OrbitKernel(Exponential(1.3), Isometries.sample(QUINTIC, 4, 1))]


@pytest.mark.parametrize("kernel", INVARIANTS + ORBITS, ids=_name)
def test_kernels_with_symmetries_are_complex_hessians(kernel):
    assert_is_the_complex_hessian(some_metric(kernel, QUINTIC), QUINTIC.sample(12, seed=5), seed=1)


@pytest.mark.parametrize("kernel", INVARIANTS, ids=_name)
def test_rows_of_invariants_are_the_derivatives_of_what_combine_gives(kernel):
    span = kernel.span(BICUBIC.sample(15, seed=1))
    place = span.prepared(ProjectiveInputs.of(BICUBIC.sample(30, seed=2), span.kahler_class))
    dual = np.random.default_rng(3).normal(size=(30, 9))
    columns = [np.sum(dual * span.combine(place, unit)[1], axis=1) for unit in np.eye(span.size)]
    np.testing.assert_allclose(span.rows(place, dual), np.stack(columns, axis=1), rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize("kernel", [OverlapKernel(p) for p in PROFILES] + INVARIANTS + ORBITS, ids=_name)
def test_jets_are_derivatives_of_the_metric(kernel):
    """∂_c g and ∂_c∂_c̄ g as circle means along each local coordinate."""
    metric, points = some_metric(kernel, QUINTIC, centres=6), QUINTIC.sample(5, seed=9)
    second, third, fourth = metric.jets(points)
    np.testing.assert_allclose(second, metric.at(points), rtol=0, atol=1e-11 * np.abs(second).max())
    count, turns = 12, np.exp(2j * np.pi * np.arange(12) / 12)
    for c in range(3):
        found = []
        for radius in (0.02, 0.01):
            around = np.array([metric.at(moved(points, radius * turn * np.eye(3)[c])) for turn in turns])
            along = np.tensordot(turns.conj(), around, 1) / count / radius
            found.append((along, (around.mean(axis=0) - second) / radius**2))
        for (wide, narrow), exact in zip(zip(*found), (third[:, :, c], fourth[:, :, c, :, c])):
            error, best = np.abs(wide - exact).max(), np.abs((4 * narrow - wide) / 3 - exact).max()
            assert error < 0.05 * np.abs(exact).max()
            assert best < 0.02 * error + 1e-8 * np.abs(exact).max()


@pytest.mark.parametrize("kernel", [OverlapKernel(Exponential(1.3)), INVARIANTS[1], *ORBITS], ids=str)
def test_jets_of_all_functions_at_once_are_those_of_each(kernel):
    span, points = kernel.span(QUINTIC.sample(5, seed=1)), QUINTIC.sample(3, seed=2)
    for together, apart in zip(span.every_jets(points), PotentialSpan.every_jets(span, points)):
        np.testing.assert_allclose(together, apart, rtol=1e-10, atol=1e-10)


def test_a_bergman_kernel_is_the_linear_kernel_of_all_monomials():
    z = ProjectiveInputs.of(QUINTIC.sample(30, seed=6), (1.0,))
    features = InvariantFeatures.of(QUINTIC, 3, gv.trivial_symmetry(5))
    values = features.at(z).values
    overlap = np.abs(z.z @ z.z.conj().T) ** 2
    np.testing.assert_allclose(values @ values.T, overlap**3, rtol=0, atol=1e-13)


class Monomials(PotentialSpan):
    """All P/|z|^{2k} as functions with their natural norm, without any kernel."""

    def __init__(self, variety, degree):
        self.variety, self.kahler_class = variety, (1.0,)
        self.features = InvariantFeatures.of(variety, degree, gv.trivial_symmetry(variety.ambient.size))

    size = property(lambda self: self.features.count)

    def prepared(self, inputs):
        return self.features.at(inputs)

    def combine(self, place, coefficients):
        return place.values @ coefficients, place.second @ coefficients

    def rows(self, place, dual):
        return np.einsum("pc,pcm->pm", dual, place.second)


@pytest.mark.parametrize("method", [RidgeFit(1e-4), KernelDescent(4), NaturalDescent(4)], ids=_name)
def test_descents_in_a_bergman_kernel_are_those_in_explicit_monomials(method):
    variety = gv.Fermat(4)
    points, unseen = variety.sample(700, seed=1), variety.sample(50, seed=2)
    kernel = kernel_metric(points, OverlapKernel(Power(2)).span(points, tolerance=1e-13), method)
    explicit = kernel_metric(points, Monomials(variety, 2), method)
    np.testing.assert_allclose(kernel.report.history, explicit.report.history, rtol=1e-6)
    np.testing.assert_allclose(kernel.at(unseen), explicit.at(unseen), rtol=0, atol=1e-6)


@pytest.mark.parametrize(
    "variety, order", [(gv.Fermat(3), 108), pytest.param(gv.Bicubic(), 1944, marks=pytest.mark.slow)], ids=str
)
def test_the_linear_kernel_of_invariants_is_the_average_over_the_whole_group(variety, order):
    some = Isometries.diagonal(variety) | Isometries.permuting(variety) | Isometries.sample(variety, 8, 0)
    group = some.generated()
    assert len(group) == order
    first, second = (ProjectiveInputs.of(variety.sample(6, seed=seed), (1.0, 1.0)[: len(variety.degree)])
                     for seed in (1, 2))
    features = InvariantFeatures.of(variety, 3)
    product = features.at(first).values @ features.at(second).values.T
    overlaps = np.ones((6, 6, order))
    for block in variety.ambient.blocks:
        overlaps *= np.abs(np.einsum("pi,qmi->pqm", first.z[:, block], group(second.z)[:, :, block].conj())) ** 2
    np.testing.assert_allclose(product, (overlaps**3).mean(axis=2), rtol=1e-11, atol=1e-13)
