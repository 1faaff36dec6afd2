"""Zero is decided, also where it hides behind identities of functions and roots."""

import pytest

from geomflow.core import graph as gr
from geomflow.core.errors import ExpressionError
from geomflow.core.graph.modular import PRIME

x, y = gr.symbol("x"), gr.symbol("y")
s, c = gr.sin(x), gr.cos(x)

ZEROS = {
    "polynomial": (x + y) ** 3 - x**3 - 3 * x**2 * y - 3 * x * y**2 - y**3,
    "pythagoras": s**2 + c**2 - 1,
    "double angle": gr.sin(2 * x) - 2 * s * c,
    "half angle": gr.sin(x) - 2 * gr.sin(x / 2) * gr.cos(x / 2),
    "sum of angles": gr.cos(x + y) - gr.cos(x) * gr.cos(y) + gr.sin(x) * gr.sin(y),
    "exponential of a sum": gr.exp(x + 2 * y) - gr.exp(x) * gr.exp(y) ** 2,
    "logarithm of a product": gr.log(x * y) - gr.log(x) - gr.log(y),
    "hyperbolic": gr.cosh(x) ** 2 - gr.sinh(x) ** 2 - 1,
    "tanh": gr.tanh(x) - gr.sinh(x) / gr.cosh(x),
    "product of roots": gr.sqrt(x * y) - gr.sqrt(x) * gr.sqrt(y),
    "conjugate roots": (gr.sqrt(x + 1) - gr.sqrt(x)) * (gr.sqrt(x + 1) + gr.sqrt(x)) - 1,
    "nested root": gr.sqrt(3 + 2 * gr.sqrt(2)) - 1 - gr.sqrt(2),
    "imaginary": (x + gr.I * y) * (x - gr.I * y) - x**2 - y**2,
    "arctangent": gr.call("atan", x) + gr.call("atan", 1 / x) - gr.PI / 2,
}


@pytest.mark.parametrize("name", ZEROS)
def test_zero(name):
    assert gr.is_zero(ZEROS[name])


@pytest.mark.parametrize("name", ZEROS)
def test_almost_zero_is_not_zero(name):
    assert not gr.is_zero(ZEROS[name] + x**7 / 10**30)


def test_an_expression_without_a_domain_is_an_error():
    nowhere = gr.power(gr.add(gr.sqrt(x * y), -gr.sqrt(x) * gr.sqrt(y)), -1)
    with pytest.raises(ExpressionError, match="could not be decided"):
        gr.is_zero(nowhere)


def test_the_prime_is_prime_and_five_modulo_eight():
    import sympy

    assert sympy.isprime(PRIME)
    assert PRIME % 8 == 5
