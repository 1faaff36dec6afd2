"""Kernels of activations by Hermite series: against integrals in 40 digits, closed forms, and the error they state."""

from __future__ import annotations

import math

import mpmath as mp
import numpy as np
import pytest
from scipy.special import erf

from geomflow.core.errors import InputError, NotFiniteError, ShapeError, UnknownNameError
from geomflow.field import Torus
from geomflow.kernels import NetworkKernel, Polynomial, Quadrature, monte_carlo
from geomflow.networks import FourierEmbedding
from tests.exact.test_network_kernel_reference import delicate_pairs


def _sigmoid(u):
    return 1 / (1 + mp.exp(-u))


def _cubic(u):
    return mp.mpf("0.5") - u + mp.mpf("0.25") * u**3


FUNCTIONS = {
    "tanh": (mp.tanh, lambda u: 1 - mp.tanh(u) ** 2),
    "softplus": (lambda u: mp.log(1 + mp.exp(u)), _sigmoid),
    "swish": (lambda u: u * _sigmoid(u), lambda u: _sigmoid(u) * (1 + u * (1 - _sigmoid(u)))),
    Quadrature(np.arctan): (mp.atan, lambda u: 1 / (1 + u**2)),
    Polynomial((0.5, -1.0, 0.0, 0.25)): (_cubic, lambda u: -1 + mp.mpf("0.75") * u**2),
}


with mp.workdps(40):
    _STEP = mp.mpf(1) / 6
    _Z = [_STEP * i for i in range(-66, 67)]  # to e^{−60}; the poles of tanh at iπ/2p allow e^{−2π·6·π/2p}
    NODES = _Z, [_STEP * mp.npdf(z) for z in _Z]


def square(function, a):
    """E[f(u)²] by the same rule."""
    return mp.fsum(w * function(mp.sqrt(a) * z) ** 2 for z, w in zip(*NODES))


def integrals(functions, a, b, k):
    """E[f(u) f(v)] for every f by the trapezoidal rule in two standard normals, which converges exponentially."""
    nodes, weights = NODES
    along, across = k / mp.sqrt(a), mp.sqrt(max(b - k**2 / a, 0))
    totals = [mp.mpf(0) for _ in functions]
    for z, w in zip(nodes, weights):
        inner = [along * z + across * t for t in nodes]
        for number, f in enumerate(functions):
            totals[number] += w * f(mp.sqrt(a) * z) * mp.fdot(weights, map(f, inner))
    return totals


def exact(kernel, x, y):
    """(covariance, tangent) of two points by the integrals, layer by layer."""
    functions = FUNCTIONS[kernel.activation]
    m, beta = mp.mpf(kernel.weight_std) ** 2, mp.mpf(kernel.bias_std) ** 2
    u, v = ([mp.mpf(float(c)) for c in point] for point in (x, y))
    a, b, k = (m * mp.fdot(*pair) / len(u) + beta for pair in ((u, u), (v, v), (u, v)))
    theta = k
    for layer in range(kernel.depth):
        value, slope = integrals(functions, a, b, k)
        theta = m * value + beta + m * slope * theta
        if layer + 1 < kernel.depth:
            a, b = (m * square(functions[0], s) + beta for s in (a, b))
        k = m * value + beta
    return k, theta


@pytest.mark.parametrize("depth", [1, 2, 4])
@pytest.mark.parametrize("activation", FUNCTIONS, ids=str)
def test_kernels_equal_integrals_to_their_stated_error(activation, depth):
    x = np.array([[0.6, -0.2], [0.3, 0.7]])
    kernel = NetworkKernel(activation, depth, 1.1, 0.2)
    with mp.workdps(40):
        known = exact(kernel, *x)
        for mine, value in zip((kernel.covariance, kernel), known):
            natural = np.sqrt(np.prod(mine.diagonal(x)))
            stated = max(mine.error(x), 1e-12)
            assert stated < depth * 1e-10
            assert abs(mp.mpf(mine.matrix(x[:1], x[1:])[0, 0]) - value) <= stated * natural


@pytest.mark.parametrize("tolerance", [1e-3, 1e-6, 1e-9])
def test_the_stated_error_is_what_is_reached(tolerance):
    """Of erf, whose kernel is known, where u is steep: at all pairs, in proportion to the diagonal."""
    x, known = np.random.default_rng(0).standard_normal((20, 3)), NetworkKernel("erf", 2, 1.8, 0.3)
    kernel = NetworkKernel(Quadrature(erf, tolerance=tolerance), 2, 1.8, 0.3)
    for mine, other in ((kernel, known), (kernel.covariance, known.covariance)):
        scale = np.sqrt(np.outer(other.diagonal(x), other.diagonal(x)))
        worst = np.max(np.abs(mine.matrix(x) - other.matrix(x)) / scale)
        assert worst <= 2 * tolerance  # one for each layer
        assert worst <= 2 * mine.error(x) + 1e-13
    assert known.error(x) == 0


@pytest.mark.parametrize("deviations", [(1.4, 0.1), (1.4, 0.0)])
@pytest.mark.parametrize("depth", [1, 3])
@pytest.mark.parametrize(("activation", "name"), [
    (Quadrature(np.sin, np.cos, 1e-13), "sin"), (Quadrature(np.cos, lambda u: -np.sin(u), 1e-13), "cos"),
    (Polynomial((0.0, 1.0)), "identity"),
], ids=["sin", "cos", "identity"])
def test_all_digits_near_coincident_and_antipodal_points(activation, name, depth, deviations):
    kernel, known = (NetworkKernel(which, depth, *deviations) for which in (activation, name))
    for x, y in delicate_pairs(7):
        for mine, other in ((kernel, known), (kernel.covariance, known.covariance)):
            natural = np.sqrt(other.diagonal(x[None])[0] * other.diagonal(y[None])[0])
            value, expected = (k.matrix(x[None], y[None])[0, 0] for k in (mine, other))
            assert abs(value - expected) <= 1e-12 * natural


def test_derivatives_may_be_left_out():
    x = np.random.default_rng(1).standard_normal((6, 2)) / 2
    for with_it, without in ((Quadrature(np.sin, np.cos), Quadrature(np.sin)), ("tanh", np.tanh)):
        for bias_std in (0.0, 0.3):
            first, second = (NetworkKernel(a, 2, 1.0, bias_std).matrix(np.vstack([x, np.zeros(2)]))
                             for a in (with_it, without))
            np.testing.assert_allclose(second, first, rtol=1e-9, atol=1e-9)


def test_hermite_polynomials_are_orthonormal():
    """For unit deviation E[φφ] = Σ a_n² cⁿ: the correlation raised to the degree."""
    angle = np.linspace(0, np.pi, 7)
    x = np.sqrt(2) * np.column_stack([np.cos(angle), np.sin(angle)])
    for n in range(6):
        kernel = NetworkKernel(Polynomial.hermite([0.0] * n + [1.0])).covariance
        np.testing.assert_allclose(kernel.matrix(x[:1], x)[0], np.cos(angle) ** n, atol=1e-13)


def test_blocks_sums_and_tori():
    kernel = NetworkKernel("softplus", 2, 1.0, 0.2)
    x, y = (np.random.default_rng(seed).standard_normal((count, 3)) for seed, count in ((0, 301), (1, 177)))
    whole = kernel.matrix(np.concatenate([x, y]))
    np.testing.assert_allclose(kernel.matrix(x, y), whole[:301, 301:], rtol=1e-9)
    np.testing.assert_allclose(kernel.apply(x, y, np.ones(177)), whole[:301, 301:].sum(axis=1), rtol=1e-9)
    np.testing.assert_array_equal(kernel.apply(x, y, np.ones(177), block=64), kernel.apply(x, y, np.ones(177)))
    torus = Torus(dim=1)
    grid = torus.grid(16)
    f = np.cos(2 * np.pi * grid.points()[..., 0])
    periodic = NetworkKernel("tanh", 1, 1.0, 0.2, FourierEmbedding(torus))
    direct = periodic.apply(grid.points().reshape(-1, 1), None, f.ravel()) / 16
    np.testing.assert_allclose(periodic.on(grid)(f).ravel(), direct, atol=1e-12)


@pytest.mark.parametrize("activation", ["tanh", "softplus"])
def test_monte_carlo_meets_the_series(activation):
    x = np.random.default_rng(5).standard_normal((4, 3)) / 2
    for kernel in (NetworkKernel(activation, 2, 1.0, 0.3), NetworkKernel(activation, 2, 1.0, 0.3).covariance):
        estimate = monte_carlo(kernel, x, width=256, networks=200, seed=3)
        assert np.max(np.abs(estimate.mean - kernel.matrix(x)) / estimate.error) < 4  # entries are much the same draw
    exact, widths = NetworkKernel(activation, 1, 1.0, 0.3), np.array([64, 128, 256, 512, 1024])
    spreads = [monte_carlo(exact, x, width=int(n), networks=40, seed=4).spread(exact.matrix(x)) for n in widths]
    assert np.polyfit(np.log(widths), np.log(spreads), 1)[0] == pytest.approx(-0.5, abs=0.1)


@pytest.mark.parametrize(("activation", "deviation"), [("tanh", 7.9), ("swish", 15.0), ("softplus", 22.0)])
def test_steep_activations_equal_integrals(activation, deviation):
    """On the diagonal: one integral by the trapezoidal rule; the poles at iπ/2p and iπ/p allow e^{−2π·40·π/2p}."""
    kernel, x = NetworkKernel(activation, 1, deviation), np.ones((1, 1))
    with mp.workdps(20):
        nodes = [mp.mpf(i) / 40 for i in range(-400, 401)]
        weights = [mp.npdf(z) / 40 for z in nodes]
        value, slope = (mp.fsum(w * f(deviation * z) ** 2 for z, w in zip(nodes, weights))
                        for f in FUNCTIONS[activation])
        square = mp.mpf(deviation) ** 2
        for mine, exact in ((kernel.covariance, square * value), (kernel, square * (value + square * slope))):
            assert abs(mine.matrix(x)[0, 0] / exact - 1) <= max(mine.error(x), 1e-12) < 1e-10


def test_a_constant_has_a_kernel():
    kernel = NetworkKernel(lambda u: 3 + 0 * u, 2, 1.0, 0.5)
    np.testing.assert_allclose(kernel.matrix(np.eye(2)), 9.25, rtol=1e-12)


@pytest.mark.parametrize(("activation", "kind", "message"), [
    (lambda u: np.exp(u**2), NotFiniteError, "is inf at .* second moment"),
    (lambda u: np.exp(0.26 * np.minimum(u**2, 2500.0)), InputError, r"E\[φ\(u\)²\] comes from as far as u = 3[5-9]"),
    (lambda u: np.exp(np.minimum(3 * np.abs(u) ** 1.5, 600)), InputError, r"E\[φ\(u\)²\] comes"),
    (lambda u: 1 / u, InputError, r"E\[φ\(u\)²\] grows"),
    (lambda u: np.sqrt(np.abs(u)), InputError, r"E\[φ'\(u\)²\] grows"),
    (np.sign, InputError, r"E\[φ'\(u\)²\] grows"),
    (lambda u: np.maximum(u, 0), InputError, "kink"),
    (lambda u: np.tanh(u.astype(np.float32)), InputError, "single precision"),
    (np.log, NotFiniteError, "log is nan at -"),
    (lambda u: np.where(u > 20, np.nan, u), NotFiniteError, "is nan at 20"),
    (lambda u: u + np.nan, NotFiniteError, "is nan at"),
    (lambda u: 1 / (u - u), NotFiniteError, "is -?inf at"),
])
def test_activations_that_have_no_kernel(activation, kind, message):
    with pytest.raises(kind, match=message):
        NetworkKernel(activation).matrix(np.ones((1, 2)))


@pytest.mark.parametrize(("activation", "kind", "message"), [
    (math.sin, InputError, r"sin does not work on one of shape \(2, 3\)"),
    (lambda u: u if u > 0 else 0.0, InputError, "as np.tanh and np.maximum do"),
    (lambda u: 1 // 0, InputError, "by zero"),
    (lambda u, v: u, InputError, "argument"),
    (lambda u: None, ShapeError, "elementwise"),
    (lambda u: u.sum(), ShapeError, "elementwise"),
    (np.ravel, ShapeError, r"made \(6,\) of \(2, 3\)"),
    (lambda u: np.exp(1j * u), InputError, "complex"),
    (lambda u: u / np.linalg.norm(u), InputError, "each number alone"),
    (lambda u: u + np.random.default_rng().standard_normal(u.shape), InputError, "or every time"),
])
def test_what_is_not_elementwise_is_refused_at_once(activation, kind, message):
    for make in (NetworkKernel, Quadrature, lambda given: Quadrature(np.tanh, given)):
        with pytest.raises(kind, match=message):
            make(activation)


def test_a_kink_is_known_to_an_error_that_is_asked_for():
    x = np.array([[1.0, 0.3], [-0.2, 0.8]])
    kernel, known = NetworkKernel(Quadrature(lambda u: np.maximum(u, 0), tolerance=0.01)), NetworkKernel("relu")
    assert 1e-5 < kernel.error(x) < 0.01
    np.testing.assert_allclose(kernel.matrix(x), known.matrix(x), atol=0.02 * known.diagonal(x).max())


@pytest.mark.parametrize(("make", "kind", "message"), [
    (lambda: Polynomial(()), ShapeError, "list of coefficients"),
    (lambda: Polynomial((0.0, 0.0)), InputError, "not all zero"),
    (lambda: Polynomial((0.0, np.inf)), InputError, "finite"),
    (lambda: Polynomial([1.0] * 40), InputError, "degrees up to 32, and 39"),
    (lambda: Quadrature(3), InputError, "functions of an array"),
    (lambda: Quadrature(np.tanh, tolerance=0.0), InputError, "tolerance"),
    (lambda: NetworkKernel("tanhh"), UnknownNameError, "did you mean 'tanh'"),
    (lambda: NetworkKernel(3), UnknownNameError, "activation"),
])
def test_what_is_refused(make, kind, message):
    with pytest.raises(kind, match=message):
        make()


