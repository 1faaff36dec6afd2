"""Units change nothing: kernels of wide networks and ensembles from 1e-150 to 1e150; few points, and other arrays."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geomflow.core.errors import InputError
from geomflow.kernels import (
    CosineNetKernel,
    GaussianKernel,
    GaussNetKernel,
    InfiniteEnsemble,
    LeakyRelu,
    NetworkKernel,
    NormalisedKernel,
    ResidualKernel,
)

RNG = np.random.default_rng(3)
X, Y, NEW = RNG.standard_normal((7, 2)), RNG.standard_normal((7, 2)), RNG.standard_normal((4, 2))
HOMOGENEOUS = st.sampled_from([NetworkKernel("identity", 2), NetworkKernel("relu", 3), NetworkKernel(LeakyRelu(0.3), 2),
                               ResidualKernel("relu", 2)])
ANY = [NetworkKernel("erf", 2, 1.2, 0.3), NetworkKernel("relu", 1, 1.2, 0.3), NetworkKernel("softplus", 1, 1.0, 0.3),
       GaussNetKernel(1.0, 0.2), CosineNetKernel(1.0), ResidualKernel("relu", 1, 1.0, 0.1), NormalisedKernel("erf")]
POWERS = st.integers(-480, 480)


@settings(max_examples=40, deadline=None)
@given(HOMOGENEOUS, st.booleans(), POWERS)
def test_homogeneous_kernels_scale(kernel, whole, power):
    kernel = kernel if whole else kernel.covariance
    scaled = np.ldexp(kernel.matrix(np.ldexp(X, power), np.ldexp(NEW, power)), -2 * power)
    np.testing.assert_allclose(scaled, kernel.matrix(X, NEW), rtol=1e-13)
    scaled = np.ldexp(kernel.diagonal(np.ldexp(X, power)), -2 * power)
    np.testing.assert_allclose(scaled, kernel.diagonal(X), rtol=1e-13)


@settings(max_examples=20, deadline=None)
@given(st.booleans(), POWERS)
def test_normalised_kernels_do_not_see_units(whole, power):
    kernel = NormalisedKernel("relu", 2) if whole else NormalisedKernel("relu", 2).covariance
    np.testing.assert_allclose(kernel.matrix(np.ldexp(X, power), NEW), kernel.matrix(X, NEW), rtol=1e-13)


@settings(max_examples=30, deadline=None)
@given(HOMOGENEOUS, POWERS, st.sampled_from([0.3, math.inf]))
def test_time_is_measured_in_units_of_points(kernel, power, time):
    """x → s x, t → t/s² changes no mean."""
    expected = InfiniteEnsemble(kernel).regress(X, Y, ridge=0.1).at(time).mean(NEW)
    scaled = InfiniteEnsemble(kernel).regress(np.ldexp(X, power), Y, ridge=math.ldexp(0.1, 2 * power))
    found = scaled.at(math.ldexp(time, -2 * power)).mean(np.ldexp(NEW, power))
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("kernel", ANY, ids=repr)
@pytest.mark.parametrize("scale", [1e-300, 1e-150, 1e150, 1e300])
def test_means_are_linear_in_values_of_any_size(kernel, scale):
    learned = InfiniteEnsemble(kernel).regress(X, Y)
    scaled = InfiniteEnsemble(kernel).regress(X, scale * Y)
    for time in (0.5, math.inf):
        expected = learned.at(time).mean(NEW)
        assert np.abs(scaled.at(time).mean(NEW) / scale - expected).max() < 1e-10 * np.abs(expected).max()
        assert np.array_equal(scaled.at(time).variance(NEW), learned.at(time).variance(NEW))


@pytest.mark.parametrize("scale", [1e-140, 1e-3, 1e140])
def test_amplitudes_follow_the_size_of_values(scale):
    one, other = (InfiniteEnsemble(ANY[0]).regress(X, s * Y, ridge=0.1).calibrated() for s in (1.0, scale))
    assert other.ensemble.amplitude == pytest.approx(scale * one.ensemble.amplitude, rel=1e-12)


def test_values_beyond_all_amplitudes_are_refused():
    with pytest.raises(InputError, match="amplitude of networks is squared"):
        InfiniteEnsemble(ANY[0]).regress(X, 1e200 * Y, ridge=0.1).calibrated()
    with pytest.raises(InputError, match="so unlikely"):
        InfiniteEnsemble(ANY[0]).regress(X, 1e200 * Y, ridge=0.1).evidence()


@pytest.mark.parametrize("kernel", ANY, ids=repr)
def test_short_and_long_times_and_ridges(kernel):
    """tΘY for short times, ΘY/ρ for large ridges."""
    learned, first = InfiniteEnsemble(kernel).regress(X, Y), kernel.matrix(NEW, X) @ Y
    for time in (1e-300, 1e-100):
        np.testing.assert_allclose(learned.at(time).mean(NEW), time * first, rtol=1e-10, atol=time * 1e-12)
    for ridge in (1e100, 1e300):
        found = InfiniteEnsemble(kernel).regress(X, Y, ridge=ridge).at(math.inf).mean(NEW)
        np.testing.assert_allclose(found, first / ridge, rtol=1e-10, atol=1e-12 / ridge)
    assert np.array_equal(learned.at(1e-300).variance(NEW), learned.at(0).variance(NEW))


@pytest.mark.parametrize("kernel", ANY, ids=repr)
def test_other_arrays_of_the_same_numbers(kernel):
    def found(x, y, new):
        process = InfiniteEnsemble(kernel).regress(x, y).at(1.5)
        return np.hstack([process.mean(new), process.covariance(new), process.variance(new)[:, None]])

    few = [array.astype(np.float32) for array in (X, Y, NEW)]
    expected = found(*(array.astype(float) for array in few))
    for change in (lambda a: a, np.ndarray.tolist, np.asfortranarray, lambda a: np.repeat(a, 2, axis=0)[::2],
                   lambda a: np.repeat(a, 2, axis=1)[:, ::2]):
        assert np.array_equal(found(*map(change, few)), expected)


@pytest.mark.parametrize("kernel", [*ANY, GaussianKernel(0.5)], ids=repr)
def test_no_points_and_one(kernel):
    assert kernel.apply(X[:0], X, Y).shape == (0, 2)
    assert kernel.apply(X, X[:0], Y[:0]).tolist() == np.zeros((7, 2)).tolist()
    assert kernel.matrix(X[:0], X).shape == (0, 7)
    if isinstance(kernel, GaussianKernel):
        return
    learned = InfiniteEnsemble(kernel).regress(X, Y).at(1.0)
    assert learned.mean(X[:0]).shape == (0, 2)
    assert learned.covariance(X[:0], X).shape == (0, 7)
    assert learned.variance(X[:0]).shape == (0,)
    assert learned.sample(X[:0], 3, 0).shape == (3, 0, 2)
    alone = InfiniteEnsemble(kernel).regress(X[:1], Y[:1]).at(math.inf)
    assert np.abs(alone.mean(X[:1]) - Y[:1]).max() < 1e-14
    assert alone.variance(X[:1])[0] < 1e-14


@pytest.mark.parametrize("activation", ["erf", "gelu", "sin", "cos", "gauss", "sin+cos"])
def test_points_whose_rounding_would_decide_are_refused(activation):
    for kernel in (NetworkKernel(activation), ResidualKernel(activation)):
        with pytest.raises(InputError, match=r"deviation 1\.4.e\+11 at point 1 of 2.* rounding of points"):
            kernel.matrix([[1.0, 2.0], [0.0, 2e11]])
