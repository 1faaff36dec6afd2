"""Trigonometric polynomials in fixed point beside sums of mpmath's, term by term."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geomflow.field.reduced.fixed_point import BITS, DIGITS, Polynomial, quotient, to_fixed, to_mpmath, values

NUMBERS = st.lists(st.floats(-10, 10), min_size=12, max_size=12)
NEAR = mpmath.mpf(10) ** -38


def summed(cosines, sines, x):
    pairs = enumerate(zip(cosines, sines, strict=True))
    return sum(c * mpmath.cos(k * x) + s * mpmath.sin(k * x) for k, (c, s) in pairs)


@settings(max_examples=20, deadline=None)
@given(NUMBERS, NUMBERS, st.lists(st.floats(0, 7), min_size=1, max_size=3))
def test_values_and_integrals_to_40_digits(cosines, sines, angles):
    """Also of many angles at once; ∫ of all but the constant, by its terms."""
    polynomial = Polynomial.of(cosines, sines)
    with mpmath.workdps(DIGITS + 20):
        found, integrals = map(to_mpmath, values([polynomial, polynomial.integral()], to_fixed(angles)))
        for value, integral, x in zip(found, integrals, map(mpmath.mpf, angles), strict=True):
            terms = [(c * mpmath.sin(k * x) + s * (1 - mpmath.cos(k * x))) / k
                     for k, (c, s) in enumerate(zip(cosines, sines, strict=True)) if k]
            assert abs(value - summed(cosines, sines, x)) < NEAR
            assert abs(integral - sum(terms)) < NEAR


def test_floats_and_numbers_of_mpmath_go_over_and_back():
    given_ = [0.1, -3.0, 2.0**-100]
    with mpmath.workdps(DIGITS):
        assert [float(x) for x in to_mpmath(to_fixed(given_))] == given_
        assert abs(to_mpmath(to_fixed([mpmath.pi]))[0] - mpmath.pi) < NEAR


def test_quotients():
    third = quotient(to_fixed([1.0, -2.0]), to_fixed([3.0, 0.5]))
    assert third[0] == (1 << BITS) // 3
    assert third[1] == -4 << BITS
    assert third.dtype == np.dtype(object)
    with pytest.raises(ZeroDivisionError):
        quotient(to_fixed([1.0]), to_fixed([0.0]))
