"""Wide networks on unit features: kernels as power series, and finite φ-networks of the invariants of a quintic."""

from __future__ import annotations

import mpmath as mp
import numpy as np
import pytest

import geomflow.variety as gv
from geomflow.fits import InvariantFeatures, InvariantKernel, OverlapKernel, PowerSeries, ProjectiveInputs
from geomflow.kernels import (
    CosineNetKernel,
    GaussNetKernel,
    NetworkKernel,
    NormalisedKernel,
    Polynomial,
    Quadrature,
    ResidualKernel,
    monte_carlo,
    zonal_series,
)

QUINTIC = gv.Fermat(5)
NETWORKS = [
    *(NetworkKernel(activation, 2, 1.1, 0.3) for activation in
      ("erf", "cos", "sin", "gelu", "identity", "sin+cos", "gauss", "tanh", "softplus", "swish",
       Polynomial((0.2, 1.0, 0.1)), Quadrature(np.arctan, lambda u: 1 / (1 + u * u), 1e-8))),
    NetworkKernel("exp", 1, 0.5, 0.2), ResidualKernel("gelu", 2, 1.1, 0.2, branch=0.5),
    NormalisedKernel("erf", 2, 1.1, 0.2), GaussNetKernel(1.2, 0.3, 0.8, 0.2), CosineNetKernel(1.3, amplitude=0.7),
]  # fmt: skip


def unit_vectors(count, dim, seed=0):
    """Some of them nearly equal, or opposite."""
    u = np.random.default_rng(seed).standard_normal((count, dim))
    u[1], u[2] = -u[0], u[0] + 1e-4 * u[2]
    return u / np.linalg.norm(u, axis=1, keepdims=True)


@pytest.mark.parametrize("network", NETWORKS, ids=lambda kernel: f"{kernel}"[:45])
@pytest.mark.parametrize("dim", [2, 7])
def test_the_series_are_the_kernels_on_a_sphere(network, dim):
    u = unit_vectors(8, dim)
    for kernel in (network, network.covariance):
        tolerance = getattr(getattr(kernel, "activation", None), "tolerance", 1e-12)
        series, matrix = zonal_series(kernel, tolerance), kernel.matrix(np.sqrt(dim) * u)
        assert (series >= 0).all()
        found = np.polynomial.polynomial.polyval(u @ u.T, series)
        assert np.abs(found - matrix).max() < 3 * tolerance * matrix.max()


def test_series_of_one_layer_by_taylor_expansion_in_forty_digits():
    """(2/π) arcsin(2ac/(1 + 2a)) of erf and e^{a(c − 1)} of sin + cos."""
    with mp.workdps(40):
        a = mp.mpf(1.2) ** 2
        known = {
            "erf": mp.taylor(lambda t: 2 / mp.pi * mp.asin(2 * a * t / (1 + 2 * a)), 0, 30),
            "sin+cos": mp.taylor(lambda t: mp.exp(a * (t - 1)), 0, 20),
        }
    for name, exact in known.items():
        series = zonal_series(NetworkKernel(name, 1, 1.2).covariance)
        terms = min(len(series), len(exact))
        assert terms >= 20
        np.testing.assert_allclose(series[:terms], 1.2**2 * np.array(exact, float)[:terms], rtol=1e-11, atol=1e-15)


def test_a_tolerance_is_kept():
    """The coefficients that are left out are not negative, and their sum is what the value at one lacks."""
    kernel = NetworkKernel("tanh", 1, 1.5)
    for tolerance in (1e-3, 1e-6, 1e-9):
        assert 0 <= 1 - zonal_series(kernel, tolerance).sum() / kernel.diagonal([[1.0]])[0] <= 2 * tolerance


def invariants(count, degree=5, seed=1):
    """√m û of invariant features u at points of the quintic, (count, m)."""
    inputs = ProjectiveInputs.of(QUINTIC.sample(count, seed=seed), (1.0,))
    u = InvariantFeatures.of(QUINTIC, degree).at(inputs).values
    return np.sqrt(u.shape[1]) * u / np.linalg.norm(u, axis=1, keepdims=True)


@pytest.mark.parametrize("kernel", [NetworkKernel("erf", 2, 1.2, 0.3), NetworkKernel("gelu", 1, 1.2, 0.3).covariance],
                         ids=["tangent", "covariance"])
def test_an_invariant_kernel_has_a_network_behind_it(kernel):
    """Its span reproduces the kernel of a wide φ-network of the invariants, over the value of a point with itself."""
    points = QUINTIC.sample(12, seed=1)
    span = InvariantKernel(5, PowerSeries.of_network(kernel)).span(points, tolerance=1e-13)
    place = span.prepared(ProjectiveInputs.of(points, (1.0,)))
    values = np.stack([span.combine(place, unit)[0] for unit in np.eye(span.size)], axis=1)
    exact = kernel.matrix(invariants(12)) / kernel.diagonal(invariants(1))[0]
    np.testing.assert_allclose(values @ values.T, exact, rtol=0, atol=1e-9)


def test_an_overlap_kernel_has_the_network_of_the_products_behind_it():
    kernel, points = NetworkKernel("erf", 1, 1.2, 0.3), QUINTIC.sample(12, seed=1)
    z = points.coordinates / np.linalg.norm(points.coordinates, axis=1, keepdims=True)
    products = np.einsum("pi,pj->pij", z, z.conj()).reshape(12, -1)
    x = 50**0.5 * np.concatenate([products.real, products.imag], axis=1)  # 50 numbers, whose squares add up to one
    span = OverlapKernel(PowerSeries.of_network(kernel)).span(points, tolerance=1e-13)
    inputs = ProjectiveInputs.of(points, (1.0,))
    values = np.stack([span.combine(inputs, unit)[0] for unit in np.eye(span.size)], axis=1)
    np.testing.assert_allclose(values @ values.T, kernel.matrix(x) / kernel.diagonal(x)[0], rtol=0, atol=1e-9)


@pytest.mark.parametrize("activation", ["erf", "sin+cos"])
def test_finite_networks_of_the_invariants_approach_as_the_root_of_their_width(activation):
    """The tangent kernels of finite φ-networks of √m û, against the profile at the cosines of û."""
    kernel, x = NetworkKernel(activation, 2, 1.2, 0.3), invariants(6)
    profile, top = PowerSeries.of_network(kernel), kernel.diagonal(x)[0]
    exact = top * profile.derivatives(x @ x.T / x.shape[1], 0)[0]
    widths = np.array([32, 64, 128, 256, 512])
    estimates = [monte_carlo(kernel, x, width=int(width), networks=64, seed=4) for width in widths]
    spreads = [estimate.spread(exact) for estimate in estimates]
    assert np.polyfit(np.log(widths), np.log(spreads), 1)[0] == pytest.approx(-0.5, abs=0.1)
    assert np.sqrt(np.mean(((estimates[-1].mean - exact) / estimates[-1].error) ** 2)) < 2
