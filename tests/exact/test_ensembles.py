"""Ensembles of infinite networks against 40 digits by mpmath, against finite linearised networks, and by Lanczos."""

import math
from functools import cache

import mpmath
import numpy as np
import pytest
from scipy.stats import chi2, multivariate_normal

from geomflow.kernels import InfiniteEnsemble, NetworkKernel
from geomflow.kernels.filters import LanczosFilter, SpectralFilter
from geomflow.kernels.motions import Learned
from geomflow.networks import Perceptron

RNG = np.random.default_rng(7)
TRAIN, TEST = RNG.standard_normal((6, 3)), RNG.standard_normal((4, 3))
VALUES = RNG.standard_normal((6, 2))
STD, BIAS = 1.3, 0.4
KERNEL = NetworkKernel("erf", 1, STD, BIAS)


def by_mpmath(x, y):
    """K and Θ of one hidden layer of erf, entry by entry."""
    m, beta = mpmath.mpf(STD) ** 2, mpmath.mpf(BIAS) ** 2

    def first(a, b):
        return m * sum(mpmath.mpf(float(u)) * mpmath.mpf(float(v)) for u, v in zip(a, b)) / len(a) + beta

    covariance, tangent = mpmath.matrix(len(x), len(y)), mpmath.matrix(len(x), len(y))
    for i, a in enumerate(x):
        for j, b in enumerate(y):
            k, p, q = first(a, b), 1 + 2 * first(a, a), 1 + 2 * first(b, b)
            covariance[i, j] = m * 2 / mpmath.pi * mpmath.asin(2 * k / mpmath.sqrt(p * q)) + beta
            tangent[i, j] = covariance[i, j] + m * 4 / mpmath.pi / mpmath.sqrt(p * q - 4 * k**2) * k
    return covariance, tangent


def expected(trained, time, weights, ridge):
    """Mean and covariance at TEST by matrix functions in 40 digits."""
    pairs = [by_mpmath(TEST, TRAIN), by_mpmath(TRAIN, TRAIN), by_mpmath(TEST, TEST)]
    theta, prior = (pairs[0][trained == "all"], pairs[1][trained == "all"]), [pair[0] for pair in pairs]
    roots = mpmath.diag([mpmath.sqrt(w) for w in weights])
    rates, vectors = mpmath.eigsy(roots * theta[1] * roots)
    times = [(1 if time == math.inf else 1 - mpmath.exp(-(r + ridge) * time)) / (r + ridge) for r in rates]
    action = theta[0] * roots * vectors * mpmath.diag(times) * vectors.T * roots
    mean = action * mpmath.matrix(VALUES.tolist())
    covariance = prior[2] + action * prior[1] * action.T - action * prior[0].T - prior[0] * action.T
    return [np.array(found.tolist(), dtype=float) for found in (mean, covariance)]


@pytest.mark.parametrize("time", [0.1, 1.0, 10.0, math.inf])
@pytest.mark.parametrize("trained", ["all", "last"])
@pytest.mark.parametrize("weights, ridge", [(np.ones(6), 0.0), (np.arange(1.0, 7.0), 0.3)])
def test_mean_and_covariance_equal_forty_digits(time, trained, weights, ridge):
    with mpmath.workdps(40):
        mean, covariance = expected(trained, time, weights, ridge)
    process = InfiniteEnsemble(KERNEL, trained).regress(TRAIN, VALUES, weights, ridge).at(time)
    assert np.abs(process.mean(TEST) - mean).max() < 1e-10
    assert np.abs(process.covariance(TEST) - covariance).max() < 1e-10
    assert np.abs(process.variance(TEST) - np.diag(covariance)).max() < 1e-10


def test_on_the_train_points_the_initial_function_decays():
    """Residual e^{−Θt}, covariance e^{−Θt} K e^{−Θt}; between two times e^{−Θt} K e^{−Θs}."""
    learned = InfiniteEnsemble(KERNEL).regress(TRAIN, VALUES)
    rates, vectors = np.linalg.eigh(KERNEL.matrix(TRAIN))
    left = {t: vectors * np.exp(-rates * t) @ vectors.T for t in (0.3, 1.7)}
    prior = KERNEL.covariance.matrix(TRAIN)
    assert np.allclose(VALUES - learned.at(0.3).mean(TRAIN), left[0.3] @ VALUES, atol=1e-12)
    assert np.allclose(learned.at(0.3).covariance(TRAIN), left[0.3] @ prior @ left[0.3], atol=1e-12)
    between = learned.at(0.3).covariance(TRAIN, TRAIN, learned.at(1.7))
    assert np.allclose(between, left[0.3] @ prior @ left[1.7], atol=1e-12)


def test_the_last_layer_trained_for_ever_is_the_posterior_and_all_layers_are_not():
    last, every = (InfiniteEnsemble(KERNEL, trained).regress(TRAIN, VALUES) for trained in ("last", "all"))
    k, cross, prior = (KERNEL.covariance.matrix(*pair) for pair in ((TRAIN, None), (TEST, TRAIN), (TEST, None)))
    textbook = prior - cross @ np.linalg.solve(k, cross.T)
    for process in (last.at(math.inf), last.posterior(), every.posterior()):
        assert np.allclose(process.mean(TEST), cross @ np.linalg.solve(k, VALUES), atol=1e-10)
        assert np.allclose(process.covariance(TEST), textbook, atol=1e-10)
    assert np.abs(every.at(math.inf).covariance(TEST) - textbook).max() > 1e-3


def test_the_posterior_knows_noise():
    weights, noise = np.arange(1.0, 7.0), 0.2
    found = InfiniteEnsemble(KERNEL).regress(TRAIN, VALUES, weights).posterior(noise)
    k, cross, prior = (KERNEL.covariance.matrix(*pair) for pair in ((TRAIN, None), (TEST, TRAIN), (TEST, None)))
    inverse = np.linalg.inv(k + np.diag(noise / weights))
    assert np.allclose(found.mean(TEST), cross @ inverse @ VALUES, atol=1e-12)
    assert np.allclose(found.covariance(TEST), prior - cross @ inverse @ cross.T, atol=1e-12)
    assert np.allclose(found.variance(TEST), np.diag(found.covariance(TEST)), atol=1e-12)


def test_the_evidence_is_a_density_and_calibration_its_largest_value():
    """log N(Y; 0, K + ρ/w) of each component by scipy; no other amplitude is likelier."""
    weights = np.arange(1.0, 7.0)
    learned = InfiniteEnsemble(KERNEL).regress(TRAIN, VALUES, weights, 0.2)
    covariance = KERNEL.covariance.matrix(TRAIN) + np.diag(0.2 / weights)
    expected = sum(multivariate_normal(np.zeros(6), covariance).logpdf(column) for column in VALUES.T)
    assert abs(learned.evidence() - expected) < 1e-10
    best = learned.calibrated()
    assert np.allclose(best.posterior().mean(TEST), learned.posterior().mean(TEST), atol=1e-10)
    for factor in (0.9, 1.1):
        other = InfiniteEnsemble(KERNEL, amplitude=factor * best.ensemble.amplitude)
        assert other.regress(TRAIN, VALUES, weights, factor**2 * best.ridge).evidence() < best.evidence()


def test_steps_of_descent_are_powers():
    learned = InfiniteEnsemble(KERNEL).regress(TRAIN, VALUES, ridge=0.1)
    theta, cross = KERNEL.matrix(TRAIN), KERNEL.matrix(TEST, TRAIN)
    eta, work = 1.5 / learned.rates()[0], np.zeros_like(VALUES)
    for _ in range(37):
        work = work + eta * (VALUES - theta @ work - 0.1 * work)
    assert np.allclose(learned.after(37, eta).mean(TEST), cross @ work, atol=1e-12)
    assert np.allclose(learned.after(100_000, 1e-5).mean(TEST), learned.at(1.0).mean(TEST), rtol=1e-4)


@pytest.mark.filterwarnings("ignore:.*training never changes")
def test_a_point_may_come_twice():
    """Twice with weight one is once with weight two, and unequal values are averaged; for ever too."""
    x, y = np.concatenate([TRAIN, TRAIN[:1]]), np.concatenate([VALUES, VALUES[:1] + 1])
    weights, mean = np.array([2.0, 1, 1, 1, 1, 1]), VALUES + np.array([0.5, 0, 0, 0, 0, 0])[:, None]
    for time in (0.7, math.inf):
        twice = InfiniteEnsemble(KERNEL).regress(x, y).at(time)
        once = InfiniteEnsemble(KERNEL).regress(TRAIN, mean, weights).at(time)
        assert np.allclose(twice.mean(TEST), once.mean(TEST), atol=1e-9)
        assert np.allclose(twice.covariance(TEST), once.covariance(TEST), atol=1e-9)


@pytest.mark.parametrize("time", [0.1, 10.0, math.inf])
def test_lanczos_equals_the_spectrum(time):
    x, y = RNG.standard_normal((300, 3)), RNG.standard_normal((300, 2))
    roots = np.sqrt(RNG.uniform(0.5, 2, 300))
    ridge = 0.0 if time < math.inf else 1e-2

    kernel = NetworkKernel("relu", 2, STD, BIAS)
    exact, free = (kind(kernel, x, roots) for kind in (SpectralFilter, LanczosFilter))
    expected = exact.apply(Learned(ridge, time), y)
    assert np.abs(free.apply(Learned(ridge, time), y) - expected).max() < 1e-8 * np.abs(expected).max()
    assert np.allclose(free.rates(5), exact.rates(5), rtol=1e-9)


NETWORKS, WIDTH, LEVEL = 1000, 8000, 1e-3


@cache
def linearised():
    """Values at TRAIN and TEST before training, and tangent kernels of all weights and of the last layer's."""
    x = np.concatenate([TRAIN, TEST])
    network = Perceptron(3, (WIDTH,), 1, "erf", "ntk", weight_std=STD, bias_std=BIAS)
    start, every, last = np.empty((NETWORKS, len(x))), *np.empty((2, NETWORKS, len(x), len(x)))
    for seed in range(NETWORKS):
        parameters = network.initial(seed)
        start[seed] = network.values(parameters, x)[:, 0]
        every[seed] = network.tangent_kernel(parameters, x)[:, :, 0, 0]
        (weights, bias), _ = network.layers(parameters)
        hidden = network.activation(weights @ x.T + bias[:, None])
        last[seed] = STD**2 / WIDTH * hidden.T @ hidden + BIAS**2
    return start, {"all": every, "last": last}


def flown(trained, time):
    """Every linearised network by its own tangent kernel, at TEST, (networks, 4)."""
    start, kernels = linearised()
    theta, seen = kernels[trained], len(TRAIN)
    rates, vectors = np.linalg.eigh(theta[:, :seen, :seen])
    along = np.einsum("npi,np->ni", vectors, VALUES[:, 0] - start[:, :seen]) * (-np.expm1(-rates * time) / rates)
    return start[:, seen:] + np.einsum("nqp,npi,ni->nq", theta[:, seen:, :seen], vectors, along)


def chances(found, mean, covariance):
    """How likely draws of this mean and covariance are as far from them as these, or farther: by χ² of each.

    Whitened draws z have n|mean z|² ~ χ²_d and Σ_{i<j} (Σ z_i z_j)²/n + Σ_i (Σ (z_i² − 1))²/2n ~ χ²_{d(d+1)/2}.
    """
    count, dim = found.shape
    white = np.linalg.solve(np.linalg.cholesky(covariance), (found - mean).T).T
    excess = (white.T @ white - count * np.eye(dim)) / np.sqrt(count)
    upper = np.sum(excess[np.triu_indices(dim, 1)] ** 2) + np.sum(np.diag(excess) ** 2) / 2
    return chi2.sf(count * np.sum(white.mean(0) ** 2), dim), chi2.sf(upper, dim * (dim + 1) // 2)


@pytest.mark.parametrize("time", [0.1, 1.0, 10.0, math.inf])
@pytest.mark.parametrize("trained", ["all", "last"])
def test_a_thousand_linearised_networks(trained, time):
    """Finite networks, each flown by its own tangent kernel, are draws of the process: no χ² is in the last 1/1000.

    Networks of width 500 are not, where the last layer is trained for ever: what is left to vary is as small as their
    shift of order 1/width. Wrong moments are refused: a standard deviation a tenth too small, a mean one fifth of a
    deviation off, and those of another time.
    """
    found, learned = flown(trained, time), InfiniteEnsemble(KERNEL, trained).regress(TRAIN, VALUES[:, 0])
    process, other = learned.at(time), learned.at(3.0)
    mean, covariance = process.mean(TEST), process.covariance(TEST)
    assert min(chances(found, mean, covariance)) > LEVEL
    assert chances(found, mean, covariance / 1.1**2)[1] < LEVEL
    assert chances(found, mean + 0.2 * np.sqrt(np.diag(covariance)), covariance)[0] < LEVEL
    assert min(chances(found, other.mean(TEST), other.covariance(TEST))) < LEVEL
