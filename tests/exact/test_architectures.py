"""Gauss-net and the fully trained cosine network: kernels against exact expectations and against finite networks."""

from __future__ import annotations

import autograd.numpy as anp
import mpmath as mp
import numpy as np
import pytest

from geomflow.core.errors import InputError, NotFiniteError, ShapeError
from geomflow.field import Torus
from geomflow.kernels import CosineNetKernel, GaussianKernel, GaussNetKernel, NetworkKernel
from geomflow.networks import AutogradNetwork, CosineNetwork, FourierEmbedding
from geomflow.networks.jets import Series

GAUSS = GaussNetKernel(1.3, 0.4, 0.8, 0.3)


def cloud(dim, count=5, seed=0):
    return np.random.default_rng(seed).standard_normal((count, dim))


def normal_mean(function):
    """E[function(z)] for one standard normal z, by mpmath's quadrature."""
    return mp.quad(lambda z: mp.npdf(z) * function(z), mp.linspace(-24, 24, 9))


def gauss_net_moments(kernel, x, y):
    """E[φφ'] and E[φφ' (1 + σ_b² + s x·x')]-parts of one neuron: a mean for every weight, from quadrature in z alone.

    φ(x) = Π_i exp(√s w_i x_i − s x_i²) exp(σ_b b − σ_b²), so that expectations factorise over w_i and b.
    """
    s, sigma = mp.mpf(kernel.weight_std) ** 2 / len(x), mp.mpf(kernel.bias_std)
    root = mp.sqrt(s)
    mean = normal_mean(lambda z: mp.exp(2 * sigma * z - 2 * sigma**2))
    for a, b in zip(map(mp.mpf, x.tolist()), map(mp.mpf, y.tolist())):
        mean *= normal_mean(lambda z, a=a, b=b: mp.exp(root * z * (a + b) - s * (a**2 + b**2)))
    return mean, 1 + sigma**2 + s * mp.fdot(x.tolist(), y.tolist())


@pytest.mark.parametrize("dim", [1, 2, 6])
def test_gauss_net_is_gaussian_in_expectation(dim):
    x = cloud(dim, 3, seed=dim)
    height, variance = GAUSS.output_bias_std**2, GAUSS.output_weight_std**2
    covariance, tangent = GAUSS.covariance.matrix(x), GAUSS.matrix(x)
    with mp.workdps(40):
        for p in range(3):
            for q in range(p + 1):
                mean, factor = gauss_net_moments(GAUSS, x[p], x[q])
                s = mp.mpf(GAUSS.weight_std) ** 2 / dim
                square = mp.fsum((mp.mpf(a) - mp.mpf(b)) ** 2 for a, b in zip(x[p].tolist(), x[q].tolist()))
                assert abs(mean / mp.exp(-s * square / 2) - 1) < mp.mpf(10) ** -30
                exact = mp.mpf(height) + mp.mpf(variance) * mean
                assert abs(mp.mpf(covariance[p, q]) / exact - 1) < 1e-14
                exact = mp.mpf(height) + mp.mpf(variance) * mean * factor
                natural = np.sqrt(tangent[p, p] * tangent[q, q])
                assert abs(mp.mpf(tangent[p, q]) - exact) < 1e-14 * natural


def neurons(kernel, x, count, seed):
    """Of `count` neurons at x (p, d): exp(√s w·x + σ_b b − σ_b² − s|x|²), (count, p), and w, b."""
    rng = np.random.default_rng(seed)
    s = kernel.weight_std**2 / x.shape[1]
    w, b = rng.standard_normal((count, x.shape[1])), rng.standard_normal(count)
    sigma = kernel.bias_std
    return np.exp(np.sqrt(s) * w @ x.T + sigma * b[:, None] - sigma**2 - s * np.sum(x**2, axis=1)), w, b


def test_the_tails_of_gauss_net_are_heavy():
    """The relative deviation of the square of one neuron is √(e^{4v} − 1), v = s|x|² + σ_b²: its moments, exactly.

    And in a sample, where v is small enough that a sample sees it.
    """
    with mp.workdps(30):
        for v in (mp.mpf("0.01"), mp.mpf(1), mp.mpf(4)):
            square, fourth = (normal_mean(lambda z, k=k, v=v: mp.exp(k * (mp.sqrt(v) * z - v))) for k in (2, 4))
            assert abs(square - 1) < 1e-20
            assert abs(mp.sqrt(fourth - square**2) / mp.sqrt(mp.exp(4 * v) - 1) - 1) < 1e-20
    kernel, x = GaussNetKernel(0.3, 0.1), np.array([[0.5, -0.3]])
    v = kernel.weight_std**2 / 2 * np.sum(x**2) + kernel.bias_std**2
    squares = neurons(kernel, x, 400_000, seed=1)[0][:, 0] ** 2
    assert squares.mean() == pytest.approx(1, abs=5 * np.sqrt(np.expm1(4 * v) / 400_000))
    assert squares.std() == pytest.approx(np.sqrt(np.expm1(4 * v)), rel=0.01)


def gauss_net_tangent(kernel, x, width, seed):
    """J(x) J(x)ᵀ of one finite Gauss-net, by the derivatives by a, w, b and b_0."""
    phi, _, _ = neurons(kernel, x, width, seed)
    a = np.random.default_rng([seed, 1]).standard_normal(width)
    s, scale = kernel.weight_std**2 / x.shape[1], kernel.output_weight_std**2 / width
    inner = 1 + np.square(a)[:, None, None] * (s * x @ x.T + kernel.bias_std**2)
    return kernel.output_bias_std**2 + scale * np.einsum("ip,iq,ipq->pq", phi, phi, inner)


def fitted_exponent(single, exact, widths, networks=40):
    """The exponent by which one network's kernel approaches the exact one, relative in the norm."""
    spreads = [np.sqrt(np.mean([np.sum((single(width, seed) - exact) ** 2) for seed in range(networks)]))
               for width in widths]
    return np.polyfit(np.log(widths), np.log(spreads), 1)[0]


def test_finite_gauss_nets_approach_as_the_root_of_their_width():
    kernel, x = GaussNetKernel(0.5, 0.2, 0.8, 0.3), cloud(2, seed=4) / 2
    single = lambda width, seed: gauss_net_tangent(kernel, x, width, seed)  # noqa: E731
    assert fitted_exponent(single, kernel.matrix(x), (64, 256, 1024, 4096)) == pytest.approx(-0.5, abs=0.1)


@pytest.mark.parametrize("bias_std", [0.0, 0.4])
def test_sin_plus_cos_has_the_kernels_of_gauss_net(bias_std):
    x, kernel = cloud(3), NetworkKernel("sin+cos", 1, 1.2, bias_std)
    gauss = GaussNetKernel(1.2, bias_std, 1.2, bias_std)
    for mine, other in ((kernel, gauss), (kernel.covariance, gauss.covariance)):
        np.testing.assert_allclose(mine.matrix(x), other.matrix(x), rtol=1e-13, atol=1e-14)


def cosine_tangent(network, x, width, seed):
    """J(x) J(x)ᵀ of a cosine network by central differences in a, ω = √d w/σ_w and b: no formula of the kernel."""
    dim = x.shape[1]
    omega = network.waves.T * np.sqrt(dim) / network.weight_std

    def values(a, omega, b):
        """Every neuron's term, (width, p)."""
        phases = network.weight_std / np.sqrt(dim) * omega @ x.T + b[:, None]
        return network.amplitude / np.sqrt(width) * a[:, None] * np.cos(phases)

    a, b, step = network.initial(seed), network.phases, 1e-5
    np.testing.assert_allclose(values(a, omega, b).sum(axis=0), network.values(a, x)[:, 0], atol=1e-12)
    moves = [(1.0, np.zeros(dim), 0.0), *((0.0, row, 0.0) for row in np.eye(dim)), (0.0, np.zeros(dim), 1.0)]
    rows = [(values(a + step * da, omega + step * dw, b + step * db)
             - values(a - step * da, omega - step * dw, b - step * db)) / (2 * step) for da, dw, db in moves]
    return sum(row.T @ row for row in rows)


def test_the_fully_trained_cosine_network_against_its_finite_ones():
    x = cloud(2, seed=3)
    kernel = CosineNetKernel(1.4)

    def single(width, seed):
        return cosine_tangent(CosineNetwork(2, width, weight_std=1.4, seed=seed), x, width, 10_000 + seed)

    draws = np.array([single(512, seed) for seed in range(64)])
    errors = draws.std(axis=0, ddof=1) / np.sqrt(len(draws))
    assert np.sqrt(np.mean(((draws.mean(axis=0) - kernel.matrix(x)) / errors) ** 2)) < 2
    assert fitted_exponent(single, kernel.matrix(x), (64, 256, 1024)) == pytest.approx(-0.5, abs=0.1)


def autograd_network(network):
    """The same cosine network with a, ω and b as its parameters, differentiated by autograd."""
    dim, width = network.inputs, network.width

    def function(views, x):
        phases = network.weight_std / np.sqrt(dim) * anp.dot(x, views["omega"].T) + views["b"]
        return network.amplitude / np.sqrt(width) * anp.dot(anp.cos(phases), views["a"])[:, None]

    return AutogradNetwork(function, {"a": (width,), "omega": (width, dim), "b": (width,)}, dim, 1)


def jet_tangent(network, a, x):
    """J(x) J(x)ᵀ of all weights from the first jets of the neurons: ∂_b is the jet along w/|w|², ∂_ω = √s x ∂_b."""
    s = network.weight_std**2 / network.inputs
    value, *slopes = network.features(x, Series(network.inputs, 1))
    along = np.einsum("jpi,ji->pi", slopes, network.waves) / np.sum(network.waves**2, axis=0) * a
    return value @ value.T + (1 + s * x @ x.T) * (along @ along.T)


@pytest.mark.parametrize("dim", [1, 2, 6])
def test_the_fully_trained_cosine_network_by_jets_and_by_autograd(dim):
    """The tangent kernel of one network in three ways, and the mean over many by jets against the closed form."""
    x, kernel = cloud(dim, seed=3), CosineNetKernel(1.4)
    network = CosineNetwork(dim, 40, weight_std=1.4, seed=1)
    a = network.initial(2)
    whole = autograd_network(network)
    parameters = np.concatenate([a, (network.waves.T * np.sqrt(dim) / 1.4).ravel(), network.phases])
    np.testing.assert_allclose(whole.values(parameters, x), network.values(a, x), atol=1e-13)
    by_jets = jet_tangent(network, a, x)
    np.testing.assert_allclose(whole.tangent_kernel(parameters, x)[:, :, 0, 0], by_jets, atol=1e-12 * by_jets.max())

    def single(width, seed):
        wide = CosineNetwork(dim, width, weight_std=1.4, seed=seed)
        return jet_tangent(wide, wide.initial(10_000 + seed), x)

    exact, draws = kernel.matrix(x), np.array([single(2048, seed) for seed in range(64)])
    errors = draws.std(axis=0, ddof=1) / np.sqrt(len(draws))
    assert np.sqrt(np.mean(((draws.mean(axis=0) - exact) / errors) ** 2)) < 2
    assert fitted_exponent(single, exact, (64, 256, 1024, 4096)) == pytest.approx(-0.5, abs=0.1)


@pytest.mark.parametrize("dim", [1, 2, 6])
def test_cosine_kernels_equal_means_over_wave_vectors(dim):
    """(A²/2) E[cos w·(x − x')] (2 + s x·x'), the mean a product of integrals."""
    x, kernel = cloud(dim, 3, seed=dim), CosineNetKernel(1.2, amplitude=0.7)
    tangent, covariance = kernel.matrix(x), kernel.covariance.matrix(x)
    with mp.workdps(40):
        s = mp.mpf(1.2) ** 2 / dim
        for p in range(3):
            for q in range(p + 1):
                gaps = [mp.mpf(a) - mp.mpf(b) for a, b in zip(x[p].tolist(), x[q].tolist())]
                mean = mp.fprod(normal_mean(lambda z, gap=gap: mp.cos(mp.sqrt(s) * z * gap)) for gap in gaps)
                half = mp.mpf(0.7) ** 2 / 2 * mean
                assert abs(mp.mpf(covariance[p, q]) / half - 1) < 1e-13
                exact = half * (2 + s * mp.fdot(x[p].tolist(), x[q].tolist()))
                assert abs(mp.mpf(tangent[p, q]) - exact) < 1e-14 * np.sqrt(tangent[p, p] * tangent[q, q])


@pytest.mark.parametrize("dim", [1, 3])
def test_the_covariance_of_cosine_networks_is_the_gaussian_of_unit_integral(dim):
    x = cloud(dim)
    gaussian = GaussianKernel(np.sqrt(dim) / 1.7).matrix(x)
    np.testing.assert_allclose(CosineNetKernel(1.7).covariance.matrix(x), gaussian, rtol=1e-13)
    np.testing.assert_allclose(CosineNetwork(dim, 10, weight_std=1.7).expected_kernel(x), gaussian, rtol=1e-13)


@pytest.mark.parametrize("kernel", [GAUSS, GAUSS.covariance, CosineNetKernel(1.1), CosineNetKernel(1.1).covariance],
                         ids=["gauss-net", "gauss-net covariance", "cosine", "cosine covariance"])
def test_on_a_torus_the_operator_is_the_kernel_behind_its_embedding(kernel):
    torus = Torus(dim=2, periods=(1.0, 2.0))
    grid = torus.grid((8, 9))
    where, periodic = grid.points().reshape(-1, 2), kernel.periodic(torus)
    embedded = FourierEmbedding(torus).values(where)
    np.testing.assert_allclose(periodic.matrix(where), kernel.matrix(embedded), rtol=1e-14)
    np.testing.assert_allclose(periodic.diagonal(where), np.diag(kernel.matrix(embedded)), rtol=1e-14)
    f = np.random.default_rng(0).standard_normal((2, *grid.shape))
    direct = np.einsum("pq,cq->cp", periodic.matrix(where), f.reshape(2, -1)).reshape(f.shape) * 2 / grid.size
    for operator in (kernel.on(grid), periodic.on(grid)):
        assert operator.symbol is not None
        np.testing.assert_allclose(operator(f), direct, atol=1e-12 * np.abs(direct).max())
    with pytest.raises(ShapeError, match="1 coordinates were given, and the embedding takes 2"):
        periodic.matrix(np.zeros((3, 1)))


def test_the_periodic_covariance_is_that_of_the_periodic_kernel():
    torus, x = Torus(dim=1), np.linspace(0, 1, 7)[:, None]
    for kernel in (GAUSS, CosineNetKernel(1.1)):
        one, other = kernel.periodic(torus, 2).covariance, kernel.covariance.periodic(torus, 2)
        np.testing.assert_array_equal(one.matrix(x), other.matrix(x))
    same = NetworkKernel("sin+cos", 1, 1.2, 0.4).periodic(torus).matrix(x)
    np.testing.assert_allclose(GaussNetKernel(1.2, 0.4, 1.2, 0.4).periodic(torus).matrix(x), same, rtol=1e-13)


def test_sums_and_diagonals_agree_with_matrices():
    x, y = cloud(3, 40), cloud(3, 30, seed=1)
    for kernel in (GAUSS, CosineNetKernel(1.1)):
        for mine in (kernel, kernel.covariance):
            matrix = mine.matrix(x, y)
            np.testing.assert_allclose(mine.apply(x, y, np.ones(30)), matrix.sum(axis=1), rtol=1e-12)
            np.testing.assert_allclose(mine.diagonal(x), np.diag(mine.matrix(x)), rtol=1e-14)


@pytest.mark.parametrize(("make", "message"), [
    (lambda: GaussNetKernel(0.0), "weight_std is a standard deviation, finite and positive"),
    (lambda: GaussNetKernel(1.0, -0.1), "bias_std is a standard deviation, finite and >= 0"),
    (lambda: GaussNetKernel(1.0, output_weight_std=0.0), "output_weight_std"),
    (lambda: GaussNetKernel(1.0, output_bias_std=np.nan), "output_bias_std"),
    (lambda: GaussNetKernel(1e200), "weight_std is squared"),
    (lambda: CosineNetKernel(-1.0), "weight_std is a standard deviation"),
    (lambda: CosineNetKernel(1.0, amplitude=0.0), "amplitude"),
])
def test_numbers_out_of_range(make, message):
    with pytest.raises(InputError, match=message):
        make()


def test_points_that_cannot_be_used():
    with pytest.raises(ShapeError, match="3 and of 2 coordinates"):
        GAUSS.matrix(np.zeros((2, 3)), np.zeros((2, 2)))
    with pytest.raises(NotFiniteError, match="point 1 of 2"):
        CosineNetKernel(1.0).matrix([[0.0], [np.inf]])
