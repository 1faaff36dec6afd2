"""Kernels of the Kähler potential: ∂∂̄ against series and mean values, Bergman kernels against explicit monomials."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import geomflow.variety as gv
from geomflow.learn.phi import ProjectiveInputs
from geomflow.learn.potentials import ArcCosine, Exponential, KernelMetric, OverlapKernel, Power

QUINTIC, BICUBIC = gv.Fermat(5), gv.Bicubic()
PROFILES = [Exponential(1.3), Power(1), Power(3), ArcCosine(0.0), ArcCosine(0.5)]


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
@pytest.mark.parametrize("profile", PROFILES, ids=str)
def test_the_metric_is_the_complex_hessian_of_the_potential(profile, variety):
    metric, points = some_metric(OverlapKernel(profile), variety), variety.sample(20, seed=5)
    assert_is_the_complex_hessian(metric, points, seed=1)
    assert gv.transition_loss(metric, points) < 1e-9


@pytest.mark.parametrize("profile", PROFILES, ids=str)
def test_rows_are_the_derivatives_of_what_combine_gives(profile):
    span = OverlapKernel(profile).span(BICUBIC.sample(15, seed=1))
    inputs = ProjectiveInputs.of(BICUBIC.sample(30, seed=2), span.kahler_class)
    dual = np.random.default_rng(3).normal(size=(30, 9))
    columns = [np.sum(dual * span.combine(inputs, unit)[1], axis=1) for unit in np.eye(span.size)]
    np.testing.assert_allclose(span.rows(inputs, dual), np.stack(columns, axis=1), rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("profile", PROFILES, ids=str)
def test_functions_are_orthonormal_and_reproduce_the_kernel(profile):
    points = QUINTIC.sample(40, seed=4)
    span = OverlapKernel(profile).span(points)
    inputs = ProjectiveInputs.of(points, span.kahler_class)
    values = np.stack([span.combine(inputs, unit)[0] for unit in np.eye(span.size)], axis=1)
    overlap = np.abs(inputs.z @ inputs.z.conj().T) ** 2
    kernel = profile.derivatives(overlap, 0)[0]
    np.testing.assert_allclose(values @ values.T, kernel, rtol=0, atol=1e-9)
