"""Predictions of each value from all others: against refits, against 40 digits, and as a calibration."""

import math

import mpmath
import numpy as np
import pytest

from geomflow.core.errors import InputError
from geomflow.kernels import InfiniteEnsemble, NetworkKernel

RNG = np.random.default_rng(3)
X, Y = RNG.standard_normal((12, 3)), RNG.standard_normal((12, 2))
WEIGHTS = np.arange(1.0, 13.0)
KERNEL = NetworkKernel("erf", 1, 1.3, 0.4)


def processes(x, y, weights, ridge):
    last, every = (InfiniteEnsemble(KERNEL, trained, mean=0.3).regress(x, y, weights, ridge)
                   for trained in ("last", "all"))
    return last.at(math.inf), every.at(math.inf), every.posterior(), every.posterior(0.7)


@pytest.mark.parametrize("ridge", [0.0, 0.2])
@pytest.mark.parametrize("which", range(4))
def test_they_are_those_of_refits(which, ridge):
    """The deviation is that of a new value there, with its error."""
    found = processes(X, Y, WEIGHTS, ridge)[which].left_out()
    for i in (0, 5, 11):
        rest = np.arange(12) != i
        other = processes(X[rest], Y[rest], WEIGHTS[rest], ridge)[which]
        assert np.allclose(found.residual[i], Y[i] - other.mean(X[i : i + 1])[0], rtol=0, atol=1e-10)
        variance = other.variance(X[i : i + 1])[0] + other.noise / WEIGHTS[i]
        assert abs(found.deviation[i] ** 2 - variance) < 1e-10
    assert found.pulls.shape == (12, 2)


def test_they_equal_forty_digits():
    """r_i and 1/(K⁻¹)_ii by elimination in 40 digits."""
    found = InfiniteEnsemble(KERNEL).regress(X, Y[:, 0]).posterior().left_out()
    kernel = KERNEL.covariance.matrix(X)
    with mpmath.workdps(40):
        for i in range(12):
            rest = [j for j in range(12) if j != i]
            cross = mpmath.matrix([kernel[i, j] for j in rest])
            solved = mpmath.lu_solve(mpmath.matrix(kernel[np.ix_(rest, rest)].tolist()), cross)
            residual = mpmath.mpf(Y[i, 0]) - sum(solved[k] * mpmath.mpf(Y[j, 0]) for k, j in enumerate(rest))
            variance = mpmath.mpf(kernel[i, i]) - sum(a * b for a, b in zip(solved, cross))
            assert abs(found.residual[i] - float(residual)) < 1e-10
            assert abs(found.deviation[i] / float(mpmath.sqrt(variance)) - 1) < 1e-10


@pytest.mark.parametrize("which", range(4))
def test_values_may_be_left_out_together(which):
    found = processes(X, Y, WEIGHTS, 0.2)[which].left_out(together=3)
    for first in (0, 6):
        gone, rest = np.arange(first, first + 3), np.delete(np.arange(12), np.arange(first, first + 3))
        other = processes(X[rest], Y[rest], WEIGHTS[rest], 0.2)[which]
        assert np.allclose(found.residual[gone], Y[gone] - other.mean(X[gone]), rtol=0, atol=1e-10)
        variance = other.variance(X[gone]) + other.noise / WEIGHTS[gone]
        assert np.allclose(found.deviation[gone] ** 2, variance, rtol=0, atol=1e-10)


@pytest.mark.parametrize("which", range(4))
def test_calibration_scales_deviations_alone(which):
    process = processes(X, Y, WEIGHTS, 0.2)[which]
    calibrated, new = process.cross_calibrated(), RNG.standard_normal((5, 3))
    width = process.left_out().width
    assert np.allclose(calibrated.mean(new), process.mean(new), rtol=0, atol=1e-10)
    assert np.allclose(calibrated.variance(new), width**2 * process.variance(new), rtol=1e-9)
    assert abs(calibrated.left_out().width - 1) < 1e-10


def test_what_it_cannot_answer_it_refuses():
    learned = InfiniteEnsemble(KERNEL).regress(X, Y)
    with pytest.raises(InputError, match="for ever"):
        learned.at(1.0).left_out()
    twice = np.concatenate([X, X[:1]]), np.concatenate([Y, Y[:1]])
    with pytest.raises(InputError, match="singular"):
        InfiniteEnsemble(KERNEL).regress(*twice).at(math.inf).left_out()
    with pytest.raises(InputError, match="no weight"):
        InfiniteEnsemble(KERNEL).regress(X, Y, np.arange(12.0)).at(math.inf).left_out()
    with pytest.raises(InputError, match="5 at a time"):
        learned.posterior().left_out(together=5)
    with pytest.raises(InputError, match="any amplitude"):
        InfiniteEnsemble(KERNEL, mean=1.0).regress(X, np.ones(12)).posterior().cross_calibrated()
