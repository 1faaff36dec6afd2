"""Stencil weights are exact on polynomials of the scheme's degree, and on no higher one."""

from fractions import Fraction
from math import factorial

import pytest

from geomflow.codegen.stencils import ORDERS, radius, weights
from geomflow.core.errors import InputError


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("derivative", range(1, 7))
def test_exact_on_polynomials_up_to_the_degree(derivative, order):
    reach = radius(derivative, order)
    w = weights(derivative, order)
    assert len(w) == 2 * reach + 1
    moments = [sum(c * s**k for c, s in zip(w, range(-reach, reach + 1))) for k in range(derivative + order + 1)]
    expected = [factorial(derivative) if k == derivative else 0 for k in range(derivative + order)]
    assert moments[:-1] == expected
    assert moments[-1] != 0


def test_known_weights():
    assert weights(1, 2) == (Fraction(-1, 2), 0, Fraction(1, 2))
    assert weights(2, 4) == tuple(Fraction(n, 12) for n in (-1, 16, -30, 16, -1))
    assert weights(4, 2) == (1, -4, 6, -4, 1)
    assert weights(0, 8) == (1,)


@pytest.mark.parametrize("derivative, order", [(1, 3), (1, 0), (2, 10), (-1, 4)])
def test_other_schemes_are_refused(derivative, order):
    with pytest.raises(InputError):
        weights(derivative, order)
