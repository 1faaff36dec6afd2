"""Exponentials without the beginning of their series, against 60 more digits than they lose."""

from fractions import Fraction

import mpmath as mp
import numpy as np
import pytest

from geomflow.field.reduced import Closing
from geomflow.field.reduced.closing import LARGEST, remainders

EPS = np.finfo(float).eps
ARGUMENTS = np.concatenate([sign * np.geomspace(1e-12, 30, 150) for sign in (1, -1)])


def exact(z, k):
    """(e^z − Σ_{j<k} z^j/j!)/z^k."""
    return (mp.exp(z) - sum(z**j / mp.factorial(j) for j in range(k))) / z**k


@pytest.mark.parametrize("k", range(LARGEST + 1))
def test_remainders_have_all_their_digits(k):
    found = remainders(ARGUMENTS)[k]
    with mp.workdps(140):
        worst = max(abs(f / exact(mp.mpf(float(z)), k) - 1) for f, z in zip(found, ARGUMENTS))
    assert worst < 8 * EPS


@pytest.mark.parametrize("factor", [2, -2, Fraction(1, 3)])
def test_closings_keep_their_digits_to_the_pole(factor):
    """The rounding of z = c ρ² w itself moves Φ_k by |z| units of it at most."""
    w = np.array([1e-12, -1e-3, 0.7, -4.0, 9.0])
    rho = np.array([1e-9, 0.5, 1.0, 1e-30, 0.9])
    found = Closing("w", "rho", factor).values(w, rho)
    with mp.workdps(200):
        c = mp.mpf(Fraction(factor).numerator) / Fraction(factor).denominator
        for k in range(LARGEST + 1):
            for f, a, b in zip(found[k], w, rho):
                z = c * mp.mpf(float(a)) * mp.mpf(float(b))
                wanted = (c * mp.mpf(float(a))) ** k * exact(z, k)
                assert abs(f / wanted - 1) < (16 + 4 * abs(float(z))) * EPS


def test_at_the_pole_they_are_powers():
    found = Closing("w", "rho", 2).values(np.array([1.5, 0.0]), np.zeros(2))
    assert found[:, 0] == pytest.approx([3.0**k / float(mp.factorial(k)) for k in range(LARGEST + 1)], rel=4 * EPS)
    assert np.array_equal(found[:, 1], [1, 0, 0, 0, 0, 0])


def test_what_is_too_large_is_infinite_without_warning():
    assert np.isinf(Closing("w", "rho", 2).values(np.array([1e4]), np.ones(1))).all()
