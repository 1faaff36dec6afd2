"""Error bars of learned metrics on unseen points: pulls (prediction − truth)/deviation, 20 draws of train points."""

import math
from functools import cache

import numpy as np
import pytest

import geomflow as gf
from geomflow.kernels import InfiniteEnsemble, MetricEnsemble, NetworkKernel, PotentialEnsemble, Waves
from geomflow.networks import Perceptron
from geomflow.study.together import descended, passed

DRAWS = 20
WAVES = np.random.default_rng(11).standard_normal((2, 3, 7, 7)) / 40


def torus_metric(x):
    """1.5 δ_ij + waves up to the third in every component, (p, 2, 2)."""
    k = np.stack(np.meshgrid(*[np.arange(-3, 4)] * 2, indexing="ij"))
    phase = 2 * np.pi * np.tensordot(x, k, 1)
    parts = np.einsum("cab,pab->pc", WAVES[0], np.cos(phase)) + np.einsum("cab,pab->pc", WAVES[1], np.sin(phase))
    return 1.5 * np.eye(2) + parts[:, [0, 1, 1, 2]].reshape(-1, 2, 2)


def flat(x):
    """1.5 δ_ij."""
    return np.tile(1.5 * np.eye(2), (len(x), 1, 1))


def width(learned, x, wanted):
    """The root mean square of the pulls of all components."""
    missed = (learned.mean(x) - wanted) / learned.deviation(x)[:, None, None]
    return np.sqrt(np.mean(missed[:, 0, 0] ** 2 + missed[:, 1, 1] ** 2 + 2 * missed[:, 0, 1] ** 2) / 3)


def torus_widths(kernel, trained, seed, points=None):
    """On 200 unseen points after 120 drawn ones, or those given; as it comes, and cross-calibrated."""
    rng = np.random.default_rng(seed)
    x, new = rng.uniform(size=(120, 2)) if points is None else points, rng.uniform(size=(200, 2))
    ensemble = InfiniteEnsemble(kernel.periodic(gf.Torus(dim=2)), trained)
    learned = MetricEnsemble.learn(ensemble, x, torus_metric(x), reference=flat)
    return [width(each, new, torus_metric(new)) for each in (learned, learned.cross_calibrated())]


def pooled(widths):
    """Of all draws together."""
    return np.sqrt(np.mean(np.square(widths), axis=0))


def random_draws(kernel, trained):
    return np.array([torus_widths(kernel, trained, seed) for seed in range(DRAWS)])


@pytest.mark.parametrize("kernel, trained", [(NetworkKernel("gelu", 1, 1.4, 0.3), "last"),
                                             (NetworkKernel("relu", 1, 1.4, 0.3), "all")], ids=str)
def test_on_a_torus_the_pulls_have_width_one(kernel, trained):
    plain, calibrated = pooled(random_draws(kernel, trained))
    assert abs(calibrated - 1) < 0.1
    assert abs(plain - 1) > 0.3


@pytest.mark.slow
@pytest.mark.parametrize("trained", ["last", "all"])
@pytest.mark.parametrize("depth", [1, 2])
@pytest.mark.parametrize("activation", ["erf", "gelu", "relu", "cos"])
def test_on_a_torus_the_pulls_of_every_kernel_have_width_one(activation, depth, trained):
    assert abs(pooled(random_draws(NetworkKernel(activation, depth, 1.4, 0.3), trained))[1] - 1) < 0.1


def test_on_a_regular_grid_error_bars_are_too_large():
    """A value left out lacks its neighbours: points between are predicted better than that."""
    grid = np.stack(np.meshgrid(*[np.arange(11) / 11] * 2, indexing="ij"), axis=-1).reshape(-1, 2)
    for kernel in (NetworkKernel("relu", 1, 1.4, 0.3), NetworkKernel("gelu", 1, 1.4, 0.3)):
        assert torus_widths(kernel, "last", 0, grid)[1] < 0.5


@cache
def smooth_metric():
    """g = ½ + ∂∂̄φ on the elliptic curve, φ of waves up to the third: what gives it at points, (p, 1, 1)."""
    rng = np.random.default_rng(3)
    k = np.stack(np.meshgrid(*[np.arange(-3, 4)] * 2, indexing="ij"))
    heights = rng.standard_normal((2, 7, 7)) / (1 + np.sum(k**2, axis=0)) / 30

    def at(x):
        phase = 2 * np.pi * np.tensordot(x, k, 1)
        parts = np.sum(heights[0] * np.cos(phase) + heights[1] * np.sin(phase), axis=(1, 2))
        return 0.5 + parts[:, None, None] - np.sum(heights[0, 3, 3])

    return at


@pytest.mark.parametrize("activation, trained", [("erf", "last"), ("gelu", "all")])
def test_metrics_of_potentials_have_pulls_of_width_one(activation, trained):
    torus, metric = gf.ComplexTorus(1), smooth_metric()
    kernel = NetworkKernel(activation, 1, 1.4, 0.3).periodic(torus)
    waves, widths = Waves.of(InfiniteEnsemble(kernel, trained), torus), []
    for seed in range(DRAWS):
        rng = np.random.default_rng(seed)
        x, new = rng.uniform(size=(80, 2)), rng.uniform(size=(200, 2))
        learned = PotentialEnsemble.learn(waves, x, metric(x)).cross_calibrated()
        pulls = (learned.mean(new) - metric(new)) / learned.deviation(new)
        widths.append(np.sqrt(np.mean(np.abs(pulls) ** 2)))
    assert abs(pooled(widths) - 1) < 0.1


@cache
def quintic():
    """Points, features (Re, Im) z_i z̄_j/|z|² with their natural norm times 5, and two functions of the k = 12 metric:
    log det g/g_FS and the potential φ of g = g_FS + ∂∂̄φ."""
    X = gf.Fermat(5)
    metric, points = gf.algebraic_metric(X, 12, X.sample(4000, seed=1)), X.sample(20_000, seed=5)
    z = points.coordinates / np.linalg.norm(points.coordinates, axis=1, keepdims=True)
    products = np.einsum("pi,pj->pij", z, z.conj())
    i, j = np.triu_indices(5, 1)
    beside = np.sqrt(2) * products[:, i, j]
    features = 5 * np.concatenate([np.einsum("pii->pi", products).real, beside.real, beside.imag], axis=1)
    density = metric.log_determinant(points) - gf.FubiniStudy(X).log_determinant(points)
    return features, {"density": density, "potential": metric.correction(points)}


def quintic_widths(kernel, trained, target, seed, train, new):
    """As it comes, calibrated by likelihood, and by values left out."""
    features, functions = quintic()
    chosen = np.random.default_rng(seed).permutation(len(features))[: train + new]
    x, y, unseen = features[chosen[:train]], functions[target][chosen[:train]], chosen[train:]
    learned = InfiniteEnsemble(kernel, trained, mean=float(y.mean())).regress(x, y)
    process = learned.at(math.inf)
    found = []
    for one in (process, learned.calibrated().at(math.inf), process.cross_calibrated()):
        pulls = (one.mean(features[unseen]) - functions[target][unseen]) / np.sqrt(one.variance(features[unseen]))
        found.append(np.sqrt(np.mean(pulls**2)))
    return found


def quintic_draws(kernel, trained, target, train, new):
    return np.array([quintic_widths(kernel, trained, target, seed, train, new) for seed in range(DRAWS)])


@pytest.mark.parametrize("target", ["density", "potential"])
def test_on_the_quintic_the_pulls_have_width_one(target):
    """Those of the likeliest amplitude of the same kernel have not."""
    likely, calibrated = pooled(quintic_draws(NetworkKernel("gelu", 1, 1.4, 0.3), "last", target, 200, 400))[1:]
    assert abs(calibrated - 1) < 0.1
    assert likely > 1.1


@pytest.mark.slow
@pytest.mark.parametrize("target", ["density", "potential"])
@pytest.mark.parametrize("trained", ["last", "all"])
@pytest.mark.parametrize("activation", ["erf", "gelu", "sin", "cos", "relu"])
def test_on_the_quintic_the_pulls_of_every_kernel_have_width_one(activation, trained, target):
    draws = quintic_draws(NetworkKernel(activation, 1, 1.4, 0.3), trained, target, 600, 1200)
    assert abs(pooled(draws)[2] - 1) < 0.1


@pytest.mark.slow
def test_finite_networks_are_as_overconfident_as_infinite_ones():
    """Twenty networks of 256 neurons after 1,000 steps: means as far apart as twenty allow, and pulls as wide."""
    features, functions = quintic()
    y = functions["density"] / functions["density"].std()
    network, pairs = Perceptron(25, (256,), 1, "erf", "ntk", weight_std=1.4, bias_std=0.3), []
    for draw in range(4):
        chosen = np.random.default_rng(draw).permutation(len(features))[:300]
        x, new = chosen[:100], chosen[100:]
        wanted = y[x] - y[x].mean()
        learned = InfiniteEnsemble(NetworkKernel("erf", 1, 1.4, 0.3)).regress(features[x], wanted)
        rate = 1 / learned.rates()[0]
        theta = np.stack([network.initial(seed) for seed in range(20)])
        trained = passed(network, descended(network, theta, features[x], wanted, 1000, rate), features[new]).values
        process = learned.after(1000, rate)
        mean, deviation = process.mean(features[new]), np.sqrt(process.variance(features[new]))
        truth = y[new] - y[x].mean()
        pulls = (trained.mean(axis=0) - truth) / trained.std(axis=0, ddof=1), (mean - truth) / deviation
        pairs.append([np.sqrt(np.mean(pull**2)) for pull in pulls])
        assert np.sqrt(np.mean(((trained.mean(axis=0) - mean) / deviation) ** 2)) < 1.5 / np.sqrt(20)
    finite, infinite = pooled(pairs)
    assert min(finite, infinite) > 2
    assert abs(finite / infinite - 1) < 0.2
