"""The probability that a Gaussian random symmetric matrix is positive, against closed forms and draws."""

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import ndtr

from geomflow.core.errors import InputError, ShapeError
from geomflow.kernels.positivity import fluctuations, positive_probability

SIZES = st.floats(-6, 6)


@pytest.mark.parametrize("ratio", [-1.0, 0.0, 0.3, 2.0, 5.0])
def test_multiples_of_one_in_dimension_two(ratio):
    """Φ(a) − e^{−a²/4} Φ(a/√2)/√2, a = √2 m/s; 0.90414 at m/s = 2."""
    a = mpmath.sqrt(2) * ratio
    expected = mpmath.ncdf(a) - mpmath.exp(-(a**2) / 4) * mpmath.ncdf(a / mpmath.sqrt(2)) / mpmath.sqrt(2)
    found = positive_probability(3 * ratio * np.eye(2), 3.0)
    assert abs(found.value - float(expected)) < 1e-13
    assert found.error == 0


def test_the_value_at_two_deviations():
    assert round(float(positive_probability(2 * np.eye(2), 1.0).value), 5) == 0.90414


@given(SIZES, SIZES, SIZES)
def test_dimension_two_is_the_mass_of_a_cone(x, y, z):
    """P by iterated integrals of the three independent coordinates of g = [[u + v, w], [w, u − v]]."""
    found = float(positive_probability(np.array([[x + y, z], [z, x - y]]), 1.0).value)
    nodes, weights = np.polynomial.legendre.leggauss(400)
    r, turn = np.hypot(y, z) * np.sqrt(2), np.linspace(0, 2 * np.pi, 400, endpoint=False)
    rho = np.maximum(r - 9, 0) + (r + 9 - np.maximum(r - 9, 0)) * (1 + nodes) / 2
    angular = np.exp(-((rho[:, None] * np.cos(turn) - r) ** 2 + (rho[:, None] * np.sin(turn)) ** 2) / 2).mean(1)
    tail = ndtr(np.sqrt(2) * x - rho)
    expected = np.sum(weights * (r + 9 - np.maximum(r - 9, 0)) / 2 * rho * angular * tail)
    assert abs(found - expected) < 1e-10


@pytest.mark.parametrize("low", [-1.5, 0.4, 2.5])
@pytest.mark.parametrize("apart", [43.0, 100.0, 1e3, 1e6, 1e12])
def test_eigenvalues_that_are_far_apart(low, apart):
    """P = ∫ φ(n) φ(n') Φ(c − |(δ + n, n')|) by the trapezoidal rule, c and δ from the eigenvalues."""
    with mpmath.workdps(40):
        delta, step = mpmath.mpf(apart) / mpmath.sqrt(2), mpmath.mpf(1) / 4
        centre = mpmath.sqrt(2) * mpmath.mpf(low) + delta
        nodes = [step * i for i in range(-32, 33)]
        weights = [step * mpmath.npdf(n) for n in nodes]
        expected = mpmath.fsum(v * w * mpmath.ncdf(centre - mpmath.hypot(delta + n, m))
                               for n, v in zip(nodes, weights) for m, w in zip(nodes, weights))
    found = positive_probability(2.5 * np.diag([low + apart, low]), 2.5)
    assert abs(found.value - float(expected)) < 1e-13


@pytest.mark.parametrize("scale", [1e-300, 1e-150, 1e150, 1e300])
@pytest.mark.parametrize("dim", [1, 2, 3])
def test_units_change_no_probability(dim, scale):
    mean = np.eye(dim) + 0.1
    one, other = (positive_probability(s * mean, 0.7 * s, 200) for s in (1.0, scale))
    assert abs(one.value - other.value) < 1e-12


@pytest.mark.parametrize("dim", [1, 2, 3])
@pytest.mark.parametrize("deviation", [1e-320, 1e-200, 1e-10])
def test_tiny_deviations_leave_no_doubt(dim, deviation):
    matrices = np.array([np.eye(dim), -np.eye(dim)])
    assert positive_probability(matrices, np.full(2, deviation), 50).value.tolist() == [1.0, 0.0]


@pytest.mark.parametrize("dim", [1, 2, 3])
def test_probabilities_are_shares_of_draws(dim):
    rng = np.random.default_rng(dim)
    mean = fluctuations(dim, (), rng) + 1.5 * np.eye(dim)
    found = positive_probability(mean, 0.8, count=40_000, seed=1)
    share = np.mean(np.linalg.eigvalsh(mean + 0.8 * fluctuations(dim, (40_000,), 2))[:, 0] > 0)
    assert abs(found.value - share) < 4 * np.hypot(found.error, np.sqrt(share * (1 - share) / 40_000))
    assert (found.error == 0) == (dim <= 2)


def test_fluctuations_have_the_covariance_of_independent_networks():
    drawn = fluctuations(3, (200_000,), 5)
    moments = np.einsum("nij,nkl->ijkl", drawn, drawn) / len(drawn)
    delta = np.eye(3)
    expected = (np.einsum("ik,jl->ijkl", delta, delta) + np.einsum("il,jk->ijkl", delta, delta)) / 2
    assert np.abs(moments - expected).max() < 0.02


def test_no_deviation_leaves_no_doubt():
    matrices = np.array([np.eye(2), np.diag([1.0, -1.0])])
    assert positive_probability(matrices, np.zeros(2)).value.tolist() == [1.0, 0.0]


@pytest.mark.parametrize("mean, deviation, error, words", [
    ([[1.0, 2.0], [0.0, 1.0]], 1.0, ShapeError, "symmetric"),
    (np.eye(2), [1.0, 1.0], ShapeError, r"of shape \(\), and not \(2,\)"),
    (np.eye(2), -1.0, InputError, "the smallest is -1"),
    (np.eye(2), np.nan, InputError, "finite"),
    (np.diag([np.inf, 1.0]), 1.0, InputError, "finite"),
    (np.zeros((0, 0)), 1.0, ShapeError, r"shape \(0, 0\)"),
])
def test_bad_input(mean, deviation, error, words):
    with pytest.raises(error, match=words):
        positive_probability(np.asarray(mean), np.asarray(deviation))
