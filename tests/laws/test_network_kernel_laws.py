"""Laws of closed-form network kernels: symmetric, positive semi-definite, rotation-invariant, homogeneous for ReLU."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from geomflow.kernels.activations import CLOSED_FORMS, LeakyRelu
from geomflow.kernels.architectures import CosineNetKernel, GaussNetKernel
from geomflow.kernels.expansions import Polynomial, Quadrature
from geomflow.kernels.network import NetworkKernel

activations = st.one_of(st.sampled_from(sorted(set(CLOSED_FORMS) - {"exp"})),
                        st.floats(0.0, 2.0).map(LeakyRelu))
deviations = st.floats(0.2, 5.0)
biases = st.floats(0.0, 2.0)
seeds = st.integers(0, 2**31)


@st.composite
def kernels(draw):
    kernel = NetworkKernel(draw(activations), draw(st.integers(1, 4)), draw(deviations), draw(biases))
    return draw(st.sampled_from([kernel, kernel.covariance]))


def cloud(seed, count=12, inputs=3):
    """Points among which some coincide, nearly coincide and are opposite."""
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((count, inputs)) * 10.0 ** rng.uniform(-1, 1, (count, 1))
    x[1], x[2], x[3] = x[0], x[0] * (1 + 1e-9), -x[0]
    return x


@settings(max_examples=40, deadline=None)
@given(kernels(), seeds)
def test_symmetric_and_positive(kernel, seed):
    matrix = kernel.matrix(cloud(seed))
    assert np.array_equal(matrix, matrix.T)
    assert np.linalg.eigvalsh(matrix)[0] > -1e-13 * np.trace(matrix)


@settings(max_examples=30, deadline=None)
@given(kernels(), seeds)
def test_rotations_change_nothing(kernel, seed):
    x = cloud(seed)
    rotation = np.linalg.qr(np.random.default_rng(seed).standard_normal((3, 3)))[0]
    scale = np.sqrt(np.outer(kernel.diagonal(x), kernel.diagonal(x)))
    assert np.all(np.abs(kernel.matrix(x @ rotation) - kernel.matrix(x)) <= 1e-12 * scale)


@settings(max_examples=20, deadline=None)
@given(seeds, st.integers(-40, 40), st.integers(1, 4))
def test_relu_without_bias_is_homogeneous(seed, power, depth):
    """Powers of two scale without rounding, so that the kernel must scale exactly."""
    kernel, x, factor = NetworkKernel("relu", depth), cloud(seed), 2.0**power
    np.testing.assert_allclose(kernel.matrix(factor * x, x), factor * kernel.matrix(x, x), rtol=1e-15)


@settings(max_examples=20, deadline=None)
@given(activations, st.integers(1, 3), seeds)
def test_equal_points_give_the_diagonal(activation, depth, seed):
    x = cloud(seed)
    kernel = NetworkKernel(activation, depth, 1.3, 0.4)
    np.testing.assert_allclose(kernel.matrix(x[:2])[0, 1], kernel.diagonal(x)[0], rtol=1e-14)


EXPANDED = st.one_of(st.sampled_from(["softplus", "swish", Quadrature(np.tanh, tolerance=1e-6), Quadrature(np.sin)]),
                     st.lists(st.floats(-1, 1), min_size=1, max_size=4).map(lambda some: Polynomial((*some, 1.0))))


@settings(max_examples=15, deadline=None)
@given(EXPANDED, st.integers(1, 4), st.floats(0.2, 1.2), st.floats(0.0, 0.5), st.booleans(), seeds)
def test_series_are_symmetric_positive_and_invariant(activation, depth, weight_std, bias_std, whole, seed):
    x = cloud(seed)
    x /= 1 + np.linalg.norm(x, axis=1, keepdims=True)
    kernel = NetworkKernel(activation, depth, weight_std, bias_std)
    kernel = kernel if whole else kernel.covariance
    matrix = kernel.matrix(x)
    assert np.array_equal(matrix, matrix.T)
    assert np.linalg.eigvalsh(matrix)[0] > -1e-13 * np.trace(matrix)
    np.testing.assert_allclose(np.diag(matrix), kernel.diagonal(x), rtol=1e-13)
    rotation = np.linalg.qr(np.random.default_rng(seed).standard_normal((3, 3)))[0]
    scale = np.sqrt(np.outer(kernel.diagonal(x), kernel.diagonal(x)))
    assert np.all(np.abs(kernel.matrix(x @ rotation) - matrix) <= 1e-12 * scale)


@settings(max_examples=20, deadline=None)
@given(st.floats(0.2, 2.0), st.floats(0.0, 1.0), seeds)
def test_exponential_networks_are_symmetric_and_positive(weight_std, bias_std, seed):
    x = np.clip(cloud(seed), -3, 3)  # e^u is e^{2p²} in the mean: points of moderate length
    tangent = NetworkKernel("exp", 1, weight_std, bias_std)
    for matrix in (tangent.matrix(x), tangent.covariance.matrix(x)):
        assert np.array_equal(matrix, matrix.T)
        assert np.linalg.eigvalsh(matrix)[0] > -1e-13 * np.trace(matrix)


@settings(max_examples=30, deadline=None)
@given(st.floats(0.2, 5.0), st.floats(0.0, 2.0), st.floats(0.1, 3.0), st.booleans(), seeds)
def test_gauss_and_cosine_networks_are_symmetric_and_positive(weight_std, bias_std, output_std, whole, seed):
    for kernel in (GaussNetKernel(weight_std, bias_std, output_std, bias_std), CosineNetKernel(weight_std)):
        matrix = (kernel if whole else kernel.covariance).matrix(cloud(seed))
        assert np.array_equal(matrix, matrix.T)
        assert np.linalg.eigvalsh(matrix)[0] > -1e-13 * np.trace(matrix)
