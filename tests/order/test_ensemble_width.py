"""Finite ensembles that learn, against the infinite one: what is expected of the width, from a small share of a study.

Means and covariances of networks near a limit are a series in 1/N where the activation is smooth; one network's kernel
is a mean over N neurons.
"""

import numpy as np
import pytest

from geomflow.field import Torus
from geomflow.networks import FourierEmbedding, Perceptron
from geomflow.study import Ensemble
from geomflow.study import ensemble as study
from geomflow.study.seeds import exponent_of_squares, squared_norm
from geomflow.study.together import descended, passed, pulled, tangent_kernels

RNG = np.random.default_rng(3)
EMBEDDING = FourierEmbedding(Torus(2))
X = RNG.random((5, 2))
FEATURES, VALUES = EMBEDDING.values(X), RNG.standard_normal(5)


@pytest.mark.parametrize("activation", ["erf", "relu", "gelu"])
def test_networks_together_are_networks_one_by_one(activation):
    network = Perceptron(2, (7,), 1, activation, "ntk", 1.4, 0.3, EMBEDDING)
    theta, cotangents = RNG.standard_normal((3, network.size)), RNG.standard_normal((3, 5))
    seen = passed(network, theta, FEATURES)
    kernels, pulls = tangent_kernels(network, seen, FEATURES, 2), pulled(network, seen, FEATURES, cotangents)
    ends = descended(network, theta, FEATURES, VALUES, 4, 0.1)
    for n, parameters in enumerate(theta):
        np.testing.assert_allclose(seen.values[n], network.values(parameters, X)[:, 0], atol=1e-13)
        np.testing.assert_allclose(kernels[n], network.tangent_kernel(parameters, X, X[:2])[:, :, 0, 0], atol=1e-12)
        np.testing.assert_allclose(pulls[n], network.vjp(parameters, X, cotangents[n][:, None]), atol=1e-12)
        for _ in range(4):
            off = VALUES[:, None] - network.values(parameters, X)
            parameters = parameters + 0.1 * network.vjp(parameters, X, off)
        np.testing.assert_allclose(ends[n], parameters, atol=1e-12)


@pytest.mark.parametrize("noise, most", [(0.05, 1.1), (1.0, 1.5)])
def test_squared_norms_know_no_noise_and_their_errors(noise, most):
    """Over 1,000 repetitions the mean is |m|² within three standard errors, and errors are no smaller than the scatter.

    The jackknife is exact for what is linear, and for products of noise alone it gives √2 too much.
    """
    true = np.array([0.3, -0.2, 0.1])
    found = np.array([squared_norm(true + noise * draw) for draw in RNG.standard_normal((1000, 8, 3))])
    scatter = found[:, 0].std()
    assert abs(found[:, 0].mean() - true @ true) < 3 * scatter / np.sqrt(1000)
    assert 0.9 < np.sqrt(np.mean(found[:, 1] ** 2)) / scatter < most


def test_exponents_of_squares_are_found_within_their_errors():
    """Over 200 repetitions two thirds lie within one error, nearly all within two; the last squares may be negative."""
    x = np.array([16.0, 32.0, 64.0, 128.0, 256.0])
    exact, errors = 100 / x**2, np.full(5, 0.02)
    pulls = []
    for noise in RNG.standard_normal((200, 5)):
        gamma, error = exponent_of_squares(x, exact + errors * noise, errors)
        pulls.append(abs(gamma + 1) / error)
    assert 0.55 < np.mean(np.array(pulls) < 1) < 0.9
    assert np.mean(np.array(pulls) < 2.5) > 0.93


def test_pairs_have_opposite_values_and_one_kernel():
    network = Perceptron(1, (9,), 1, "erf", "ntk", study.WEIGHT_STD, study.BIAS_STD, study.EMBEDDING)
    seen = passed(network, study._pairs(network, RNG, 4), study.FEATURES)
    np.testing.assert_array_equal(seen.values[::2], -seen.values[1::2])
    kernels = tangent_kernels(network, seen, study.FEATURES, 3)
    np.testing.assert_array_equal(kernels[::2], kernels[1::2])


def test_companions_are_the_infinite_ensemble_at_any_width():
    """Means over 20,000 of width 2, within four standard errors of Gaussian moments and a half for their tails."""
    infinite = study._infinite("erf")
    network = Perceptron(1, (2,), 1, "erf", "ntk", study.WEIGHT_STD, study.BIAS_STD, study.EMBEDDING)
    theta, count = RNG.standard_normal((20_000, network.size)), len(study.SEEN)
    start = passed(network, theta, study.FEATURES).values
    companions = start[:, count:] + (study.VALUES - start[:, :count]) @ infinite.action.T
    spread = np.sqrt(np.diag(infinite.covariance))
    assert (np.abs(companions.mean(0) - infinite.mean) < 4 * spread / np.sqrt(20_000)).all()
    off = (companions - infinite.mean) / spread
    exact = infinite.covariance / np.outer(spread, spread)
    products = np.einsum("np,nq->npq", off, off)
    assert (np.abs(products.mean(0) - exact) < 5 * products.std(0) / np.sqrt(20_000)).all()


@pytest.fixture(scope="module")
def rows():
    """A few seconds of networks."""
    counts = {16: 250, 32: 180, 64: 120, 128: 60, 256: 16, 512: 8, 1024: 4}
    cells = [{"activation": activation, "width": width, "pairs": pairs, "seed": seed}
             for activation in ("erf", "relu") for width, pairs in counts.items() for seed in range(8)]
    return [{**cell, **Ensemble().measure(cell)} for cell in cells]


def exponent(rows, activation, name, least=16):
    """From a width on."""
    return study.exponent([row for row in rows if row["activation"] == activation and row["width"] >= least], name)


@pytest.mark.parametrize("activation, name, expected", [
    ("erf", "kernel", -0.5), ("relu", "kernel", -0.5), ("erf", "mean_shift", -1.0), ("erf", "covariance_shift", -1.0),
])
def test_exponents_of_the_width(rows, activation, name, expected):
    """To a fifth, which tells −½ from −1 and leaves room for the next order; the error of the fit is half of that."""
    found, error = exponent(rows, activation, name)
    assert error < 0.1
    assert abs(found - expected) < 0.2


def test_training_leaves_the_linearisation_as_the_width_and_more_slowly_with_kinks(rows):
    """ReLU between N^(−1/2) and N^(−3/4): √N neurons cross their kinks, off by 1/N each, to one side or to both."""
    smooth, error = exponent(rows, "erf", "training", 64)
    assert error < 0.1
    assert abs(smooth + 1) < 0.2
    assert -0.8 < exponent(rows, "relu", "training", 64)[0] < -0.5


def test_means_of_networks_with_kinks_shift_more_slowly(rows):
    """N^(−1/2), to a fifth: a neuron carried past its kink is moved no more, all such are off to one side."""
    found, error = exponent(rows, "relu", "mean_shift", 64)
    assert error < 0.1
    assert abs(found + 0.5) < 0.2
