"""Residual and layer-normalised networks: against the recursions in 60 digits, and finite networks by autograd."""

from __future__ import annotations

from itertools import pairwise

import autograd.numpy as anp
import mpmath as mp
import numpy as np
import pytest
from autograd import grad
from autograd.scipy.special import erf

from geomflow.core.errors import InputError
from geomflow.field import Torus
from geomflow.kernels import InfiniteEnsemble, LeakyRelu, NetworkKernel, NormalisedKernel, Polynomial, ResidualKernel
from tests.exact.test_activation_series import integrals
from tests.exact.test_network_kernel_reference import DUALS, delicate_pairs

ACTIVATIONS = ("relu", "erf", "cos", "sin", "gelu", "identity", "sin+cos", LeakyRelu(0.3), "exp")


def first_layer(kernel, x, y):
    """σ_w² x·y/d + σ_b² of (x, x), (y, y) and (x, y)."""
    m, beta = mp.mpf(kernel.weight_std) ** 2, mp.mpf(kernel.bias_std) ** 2
    u, v = ([mp.mpf(float(c)) for c in point] for point in (x, y))
    return m, beta, [m * mp.fdot(*pair) / len(u) + beta for pair in ((u, u), (v, v), (u, v))]


def residual(kernel, dual, x, y):
    """(covariance, tangent) by the formulas of the docstring: all three of (x, x), (y, y), (x, y) at once."""
    m, beta, stream = first_layer(kernel, x, y)
    share, theta = mp.mpf(kernel.branch) ** 2, stream[2]
    for _ in range(kernel.depth):
        inner = [m * h + beta for h in stream]
        value, slope = dual(*inner)
        branch = [m * dual(a, a, a)[0] + beta for a in inner[:2]] + [m * value + beta]
        theta = theta + share * (branch[2] + m * slope * (inner[2] + m * theta))
        stream = [h + share * b for h, b in zip(stream, branch)]
    covariance = m * stream[2] + beta
    return covariance, covariance + m * theta


def normalised(kernel, dual, x, y):
    """(covariance, tangent): correlations enter the activation."""
    m, beta, (a, b, k) = first_layer(kernel, x, y)
    theta, one = k, mp.mpf(1)
    for _ in range(kernel.depth):
        scale = mp.sqrt(a * b)
        value, slope = dual(one, one, k / scale)
        a = b = m * dual(one, one, one)[0] + beta
        theta = m * value + beta + m * slope * theta / scale
        k = m * value + beta
    return k, theta


KINDS = {"residual": (lambda *given: ResidualKernel(*given, branch=0.6), residual),
         "normalised": (NormalisedKernel, normalised)}


def gaps(kernel, exact, pairs):
    """The errors of covariance and tangent kernel, relative to the roots of their diagonals."""
    for x, y in pairs:
        for mine, known in zip((kernel.covariance, kernel), exact(x, y)):
            natural = mp.sqrt(mp.mpf(mine.diagonal(x[None])[0]) * mp.mpf(mine.diagonal(y[None])[0]))
            yield float(abs(mp.mpf(mine.matrix(x[None], y[None])[0, 0]) - known) / natural)


@pytest.mark.parametrize("activation", ACTIVATIONS, ids=str)
@pytest.mark.parametrize("deviations", [(1.4, 0.1), (1.1, 0.0)])
@pytest.mark.parametrize("kind", KINDS)
def test_all_digits_near_coincident_and_antipodal_points(kind, deviations, activation):
    """1e-12, as the perceptron's kernels have; exponentials of growing variances are taken at one block."""
    make, recursion = KINDS[kind]
    kernel = make(activation, 1 if activation == "exp" else 2, *deviations)
    with mp.workdps(60):
        exact = lambda x, y: recursion(kernel, DUALS[activation], x, y)  # noqa: E731
        pairs = [(x / 2, y / 2) for x, y in delicate_pairs(7)]
        assert max(gaps(kernel, exact, pairs)) < 1e-12


@pytest.mark.parametrize("kind", KINDS)
def test_activations_by_quadrature(kind):
    """tanh against integrals in 40 digits, to its stated error."""
    make, recursion = KINDS[kind]
    kernel, functions = make("tanh", 1, 1.1, 0.2), (mp.tanh, lambda u: 1 - mp.tanh(u) ** 2)
    x, y = np.array([0.6, -0.2]), np.array([0.3, 0.7])
    with mp.workdps(40):
        exact = lambda x, y: recursion(kernel, lambda *abk: integrals(functions, *abk), x, y)  # noqa: E731
        stated = max(kernel.error(np.array([x, y])), 1e-12)
        assert stated < 1e-9
        assert max(gaps(kernel, exact, [(x, y)])) < stated


@pytest.mark.parametrize("kind", KINDS)
def test_matrices_diagonals_sums_and_series_agree(kind):
    make, _ = KINDS[kind]
    x, y = np.random.default_rng(1).standard_normal((2, 1100, 3))
    for activation in ("gelu", Polynomial((0.3, 1.0, 0.2))):
        for kernel in (make(activation, 2, 1.2, 0.3), make(activation, 2, 1.2, 0.3).covariance):
            matrix, square = kernel.matrix(x[:70], y), kernel.matrix(x[:70])
            natural = 1e-13 * np.sqrt(kernel.diagonal(y).max() * kernel.diagonal(x[:70]).max())
            np.testing.assert_allclose(kernel.matrix(y, x[:70]).T, matrix, rtol=0, atol=natural)
            np.testing.assert_allclose(kernel.diagonal(x[:70]), np.diag(square), rtol=1e-13)
            sums = kernel.apply(x[:70], y, np.ones(1100))
            np.testing.assert_allclose(sums, matrix.sum(axis=1), rtol=0, atol=1100 * natural)
            np.testing.assert_array_equal(square, square.T)
            assert np.linalg.eigvalsh(square)[0] > -1e-12 * np.linalg.eigvalsh(square)[-1]
    line = [make(one, 2, 1.2, 0.3).matrix(x[:9]) for one in ("identity", Polynomial((0, 1)))]
    np.testing.assert_allclose(*line, rtol=1e-13, atol=1e-13)


def test_limits_that_are_perceptrons():
    """A vanishing branch leaves a linear network; points of one length see no normalisation of a homogeneous layer."""
    x = np.random.default_rng(2).standard_normal((6, 3))
    linear = NetworkKernel("identity", 1, 1.2, 0.3)
    small = ResidualKernel("erf", 3, 1.2, 0.3, branch=1e-9)
    np.testing.assert_allclose(small.matrix(x), linear.matrix(x), rtol=1e-14)
    np.testing.assert_allclose(small.covariance.matrix(x), linear.covariance.matrix(x), rtol=1e-14)
    x *= np.sqrt(3) / np.linalg.norm(x, axis=1, keepdims=True)  # K_0 = σ_w², and √2 keeps lengths from layer to layer
    plain, normed = NetworkKernel("relu", 3, np.sqrt(2.0)), NormalisedKernel("relu", 3, np.sqrt(2.0))
    np.testing.assert_allclose(normed.covariance.matrix(x), plain.covariance.matrix(x) / 2, rtol=1e-13, atol=1e-14)
    np.testing.assert_allclose(normed.matrix(x), plain.matrix(x) / 2, rtol=1e-13, atol=1e-14)


# Finite networks


FUNCTIONS = {"erf": erf, "relu": lambda u: anp.maximum(u, 0.0), "cos": anp.cos}


def linear(kernel, layer, h):
    """σ_w W h/√(fan-in) + σ_b b."""
    weights, bias = layer
    return kernel.weight_std / np.sqrt(weights.shape[1]) * anp.dot(weights, h) + kernel.bias_std * bias


def residual_output(kernel, layers, x):
    stream = linear(kernel, layers[0], x)
    for inner, outer in zip(layers[1:-1:2], layers[2:-1:2]):
        activated = FUNCTIONS[kernel.activation](linear(kernel, inner, stream))
        stream = stream + kernel.branch * linear(kernel, outer, activated)
    return linear(kernel, layers[-1], stream)[0]


def normalised_output(kernel, layers, x):
    for layer in layers[:-1]:
        sums = linear(kernel, layer, x)
        centred = sums - anp.mean(sums)
        x = FUNCTIONS[kernel.activation](centred / anp.sqrt(anp.mean(centred**2)))
    return linear(kernel, layers[-1], x)[0]


def drawn(kernel, kind, inputs, width, seed):
    """Weights and biases of every layer."""
    inner = 2 * kernel.depth if kind == "residual" else kernel.depth - 1
    sizes = [inputs, *[width] * (inner + 1), 1]
    rng = np.random.default_rng(seed)
    return [(rng.standard_normal((n, m)), rng.standard_normal(n)) for m, n in pairwise(sizes)]


def samples(kernel, kind, x, width, seed):
    """f(x) f(x)ᵀ and J(x) J(x)ᵀ of one network."""
    output = residual_output if kind == "residual" else normalised_output
    layers = drawn(kernel, kind, x.shape[1], width, seed)
    slope = grad(lambda layers, point: output(kernel, layers, point))
    jacobian = np.array([np.concatenate([part.ravel() for layer in slope(layers, point) for part in layer])
                         for point in x])
    values = np.array([output(kernel, layers, point) for point in x])
    return np.multiply.outer(values, values), jacobian @ jacobian.T


@pytest.mark.parametrize(("kind", "activation"), [("residual", "erf"), ("normalised", "relu"), ("normalised", "cos")])
def test_finite_networks_approach_as_the_root_of_their_width(kind, activation):
    """The tangent kernel of one network deviates as N^(−1/2), and the mean over networks meets both closed forms."""
    kernel = KINDS[kind][0](activation, 2, 1.2, 0.3)
    x = np.random.default_rng(5).standard_normal((4, 3))
    exact, widths, networks = kernel.matrix(x), (32, 64, 128, 256), 80
    spreads = []
    for width in widths:
        drawn = [samples(kernel, kind, x, width, (width, seed)) for seed in range(networks)]
        spreads.append(np.sqrt(np.mean([np.sum((tangent - exact) ** 2) for _, tangent in drawn])))
    assert np.polyfit(np.log(widths), np.log(spreads), 1)[0] == pytest.approx(-0.5, abs=0.1)
    for draws, known in zip(map(np.array, zip(*drawn)), (kernel.covariance.matrix(x), exact)):
        errors = draws.std(axis=0, ddof=1) / np.sqrt(networks)
        assert np.sqrt(np.mean(((draws.mean(axis=0) - known) / errors) ** 2)) < 2


def test_on_tori_and_in_ensembles():
    torus = Torus(dim=2)
    grid, shift = torus.grid(6), np.array([1.0, -2.0])
    where = grid.points().reshape(-1, 2)
    for make, _ in KINDS.values():
        kernel = make("erf", 2, 1.4, 0.1)
        periodic = kernel.periodic(torus)
        np.testing.assert_allclose(periodic.matrix(where), periodic.matrix(where + shift), rtol=1e-12)
        values = np.random.default_rng(0).standard_normal(grid.shape)
        direct = (periodic.matrix(where) @ values.ravel()).reshape(grid.shape) / grid.size
        np.testing.assert_allclose(kernel.on(grid)(values), direct, atol=1e-12 * np.abs(direct).max())
        learned = InfiniteEnsemble(kernel).regress(where[:5], np.arange(5.0)).at(np.inf)
        np.testing.assert_allclose(learned.mean(where[:5]), np.arange(5.0), atol=1e-9)


@pytest.mark.parametrize(("make", "message"), [
    (lambda: ResidualKernel(branch=0.0), "factor of a branch is positive"),
    (lambda: ResidualKernel(branch=1e200), "factor of a branch is squared"),
    (lambda: ResidualKernel(depth=0), "depth"),
    (lambda: NormalisedKernel(weight_std=-1.0), "weight_std"),
    (lambda: NormalisedKernel().matrix([[1.0, 0.0], [0.0, 0.0]]), "point 1 of 2 is zero and bias_std is 0"),
])
def test_bad_input(make, message):
    with pytest.raises(InputError, match=message):
        make()
