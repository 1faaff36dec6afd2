"""Closed-form network kernels: reference arrays of an established package, and the textbook recursion in 60 digits."""

from __future__ import annotations

from pathlib import Path

import mpmath as mp
import numpy as np
import pytest

from geomflow.kernels.activations import LeakyRelu
from geomflow.kernels.network import NetworkKernel

REFERENCE = np.load(Path(__file__).parents[1] / "data" / "ntk_reference_public.npz")
SETTINGS = {"std": (1.4, 0.1), "paper": (80.52, 5.716)}
NAMES = sorted(set(REFERENCE.files) - {"X"})


@pytest.mark.parametrize("name", NAMES)
def test_reference_arrays(name):
    activation, setting, layers, kind = name.split("_")
    kernel = NetworkKernel(activation, int(layers[1]), *SETTINGS[setting])
    kernel = kernel if kind == "ntk" else kernel.covariance
    unit = REFERENCE["X"] / np.linalg.norm(REFERENCE["X"], axis=1, keepdims=True)
    lost = (activation == "relu") & (kind == "ntk") & (unit @ unit.T > 1 - 1e-6)  # its arccos there: √ε
    apart = np.abs(kernel.matrix(REFERENCE["X"]) / REFERENCE[name] - 1)
    assert np.all(apart <= np.where(lost, 3e-8, 1e-12))


def _relu(a, b, k):
    c = min(max(k / mp.sqrt(a * b), mp.mpf(-1)), mp.mpf(1))
    angle = mp.acos(c)
    return mp.sqrt(a * b) * (mp.sin(angle) + (mp.pi - angle) * c) / (2 * mp.pi), (mp.pi - angle) / (2 * mp.pi)


def _erf(a, b, k):
    det = (1 + 2 * a) * (1 + 2 * b)
    return 2 / mp.pi * mp.asin(2 * k / mp.sqrt(det)), 4 / mp.pi / mp.sqrt(det - 4 * k**2)


def _cos(a, b, k):
    return mp.exp(-(a + b) / 2) * mp.cosh(k), mp.exp(-(a + b) / 2) * mp.sinh(k)


def _sin(a, b, k):
    return mp.exp(-(a + b) / 2) * mp.sinh(k), mp.exp(-(a + b) / 2) * mp.cosh(k)


def _gelu_value(a, b, k):
    det = (1 + a) * (1 + b) - k**2
    z = mp.asin(k / mp.sqrt((1 + a) * (1 + b)))
    rational = (a * b + k**2 - k**2 * (a / (1 + a) + b / (1 + b))) / mp.sqrt(det)
    return k / 4 + (k * z + rational) / (2 * mp.pi)


def _gelu(a, b, k):
    return _gelu_value(a, b, k), mp.diff(lambda t: _gelu_value(a, b, t), k)


def _identity(a, b, k):
    return k, mp.mpf(1)


def _exp(a, b, k):
    value = mp.exp((a + b) / 2 + k)
    return value, value


def _gauss(a, b, k):
    value = mp.exp(k - (a + b) / 2)
    return value, value


def _leaky(slope):
    def dual(a, b, k):
        """E[φ(u) φ(v)] of R(u) − s R(−u) from those of the pairs (±u, ±v), whose covariances are ±k."""
        s, (same, same_step), (other, other_step) = mp.mpf(slope), _relu(a, b, k), _relu(a, b, -k)
        return (1 + s**2) * same - 2 * s * other, (1 + s**2) * same_step + 2 * s * other_step

    return dual


DUALS = {"relu": _relu, "erf": _erf, "cos": _cos, "sin": _sin, "gelu": _gelu, "identity": _identity, "exp": _exp,
         "gauss": _gauss, "sin+cos": _gauss,
         **{LeakyRelu(slope): _leaky(slope) for slope in (0.0, 0.01, 0.3, 1.0, 1.7)}}


def exact_kernel(kernel, x, y):
    """(covariance, tangent) of two points in 60 digits, by the textbook recursion on the covariance."""
    with mp.workdps(60):
        m, beta = mp.mpf(kernel.weight_std) ** 2, mp.mpf(kernel.bias_std) ** 2
        u, v = ([mp.mpf(float(c)) for c in point] for point in (x, y))
        a, b, k = (m * mp.fdot(*pair) / len(u) + beta for pair in ((u, u), (v, v), (u, v)))
        theta, dual = k, DUALS[kernel.activation]
        for _ in range(kernel.depth):
            value, slope = dual(a, b, k)
            theta = m * value + beta + m * slope * theta
            a, b, k = m * dual(a, a, a)[0] + beta, m * dual(b, b, b)[0] + beta, m * value + beta
        return k, theta


def delicate_pairs(seed, inputs=4):
    """Nearly equal, nearly parallel and nearly opposite points, and generic ones."""
    rng = np.random.default_rng(seed)
    pairs = []
    for gap in (0.0, 1e-15, 1e-12, 1e-9, 1e-6, 1e-3, 0.3):
        for factor in (1.0, 2.5, -1.0, -0.4):
            x, shift = rng.standard_normal((2, inputs))
            pairs.append((x, factor * (x + gap * shift)))
    return pairs


@pytest.mark.parametrize("activation", [name for name in DUALS if name != "exp"], ids=str)
@pytest.mark.parametrize("deviations", [(1.4, 0.1), (1.4, 0.0), (80.52, 5.716)])
@pytest.mark.parametrize("depth", [1, 2, 3, 4])
def test_all_digits_near_coincident_and_antipodal_points(activation, deviations, depth):
    kernel = NetworkKernel(activation, depth, *deviations)
    wide = activation in ("gelu", "gauss", "sin+cos", "sin", "cos")  # whose layers magnify rounding by up to σ_w
    bound = max(1e-12, 1e-14 * deviations[0] ** (depth - 1)) if wide else 1e-12
    for x, y in delicate_pairs(7):
        covariance, tangent = exact_kernel(kernel, x, y)
        for mine, exact in ((kernel.covariance, covariance), (kernel, tangent)):
            natural = np.sqrt(float(mine.diagonal(x[None])[0]) * float(mine.diagonal(y[None])[0]))
            value = mine.matrix(x[None], y[None])[0, 0]
            assert abs(float(mp.mpf(value) - exact)) <= bound * max(abs(float(exact)), 1e-3 * natural), (x, y)


@pytest.mark.parametrize("deviations", [(0.6, 0.1), (1.0, 0.0)])
@pytest.mark.parametrize("depth", [1, 2])
def test_all_digits_of_exponential_networks(deviations, depth):
    """Of short points: the variance of two layers is e^{2e^{2p²}}."""
    kernel = NetworkKernel("exp", depth, *deviations)
    for x, y in delicate_pairs(7):
        x, y = x / (1 + np.linalg.norm(x)), y / (1 + np.linalg.norm(y))
        for mine, exact in zip((kernel.covariance, kernel), exact_kernel(kernel, x, y)):
            assert abs(mp.mpf(mine.matrix(x[None], y[None])[0, 0]) / exact - 1) <= 1e-12, (x, y)


def test_the_textbook_duals_are_the_gaussian_integrals():
    """The formulas above against Gauss–Hermite quadrature of E[φ(u) φ(v)] and of its derivative by k."""
    from scipy.special import erf, ndtr

    nodes, weights = np.polynomial.hermite_e.hermegauss(80)
    weights = weights / weights.sum()
    functions = {"erf": erf, "cos": np.cos, "sin": np.sin, "gelu": lambda u: u * ndtr(u),
                 "exp": np.exp, "sin+cos": lambda u: np.sin(u) + np.cos(u)}
    a, b = 0.7, 0.5
    for name, function in functions.items():
        def mean(k, function=function):
            u = np.sqrt(a) * nodes
            v = k / np.sqrt(a) * nodes[:, None] + np.sqrt(b - k**2 / a) * nodes
            return np.sum(weights * function(u) * (function(v) @ weights))

        value, slope = (float(part) for part in DUALS[name](mp.mpf(a), mp.mpf(b), mp.mpf("0.2")))
        assert mean(0.2) == pytest.approx(value, rel=1e-9)
        assert (mean(0.2 + 1e-5) - mean(0.2 - 1e-5)) / 2e-5 == pytest.approx(slope, rel=1e-8)


def test_the_covariance_of_opposite_points_keeps_its_relative_digits():
    kernel = NetworkKernel("relu", 1, 1.4, 0.0).covariance
    for gap in (1e-1, 1e-3, 1e-6, 1e-9):
        x, y = np.array([1.0, 0.3, -2.0]), np.array([-1.0, -0.3 + gap, 2.0])
        exact = exact_kernel(NetworkKernel("relu", 1, 1.4, 0.0), x, y)[0]
        assert abs(mp.mpf(kernel.matrix(x[None], y[None])[0, 0]) / exact - 1) < 1e-12
