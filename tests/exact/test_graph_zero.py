"""Zero is decided, also where it hides behind identities of functions and roots."""

import pytest

from geomflow.core import graph as gr
from geomflow.core.errors import ExpressionError
from geomflow.core.graph.modular import PRIME, Undefined, _root

x, y = gr.symbol("x"), gr.symbol("y")
s, c = gr.sin(x), gr.cos(x)

ZEROS = {
    "polynomial": (x + y) ** 3 - x**3 - 3 * x**2 * y - 3 * x * y**2 - y**3,
    "pythagoras": s**2 + c**2 - 1,
    "double angle": gr.sin(2 * x) - 2 * s * c,
    "half angle": gr.sin(x) - 2 * gr.sin(x / 2) * gr.cos(x / 2),
    "sum of angles": gr.cos(x + y) - gr.cos(x) * gr.cos(y) + gr.sin(x) * gr.sin(y),
    "exponential of a sum": gr.exp(x + 2 * y) - gr.exp(x) * gr.exp(y) ** 2,
    "hyperbolic": gr.cosh(x) ** 2 - gr.sinh(x) ** 2 - 1,
    "tanh": gr.tanh(x) - gr.sinh(x) / gr.cosh(x),
    "conjugate roots": (gr.sqrt(x + 1) - gr.sqrt(x)) * (gr.sqrt(x + 1) + gr.sqrt(x)) - 1,
    "nested root": gr.sqrt(3 + 2 * gr.sqrt(2)) - 1 - gr.sqrt(2),
    "imaginary": (x + gr.I * y) * (x - gr.I * y) - x**2 - y**2,
}

POSITIVE = gr.Domain({"x": (gr.ZERO, None), "y": (gr.ZERO, None)})
ZEROS_OF_POSITIVES = {
    "logarithm of a product": gr.log(x * y) - gr.log(x) - gr.log(y),
    "product of roots": gr.sqrt(x * y) - gr.sqrt(x) * gr.sqrt(y),
    "arctangent": gr.call("atan", x) + gr.call("atan", 1 / x) - gr.PI / 2,
}


@pytest.mark.parametrize("name", ZEROS)
def test_zero(name):
    assert gr.is_zero(ZEROS[name])


@pytest.mark.parametrize("name", ZEROS)
def test_almost_zero_is_not_zero(name):
    assert not gr.is_zero(ZEROS[name] + x**7 / 10**30)


@pytest.mark.parametrize("name", ZEROS_OF_POSITIVES)
def test_what_is_zero_for_positive_numbers_only(name):
    assert gr.is_zero(ZEROS_OF_POSITIVES[name], POSITIVE)
    assert not gr.is_zero(ZEROS_OF_POSITIVES[name] + x**7 / 10**30, POSITIVE)
    assert gr.is_zero(ZEROS_OF_POSITIVES[name]).zero is False


def test_an_expression_without_a_domain_is_undecided():
    nowhere = gr.power(gr.sqrt(x**2) - gr.call("abs", x), -1)
    verdict = gr.is_zero(nowhere)
    assert (verdict.zero, verdict.status, bool(verdict)) == (None, "undecided", False)
    with pytest.raises(ExpressionError, match="could not be decided"):
        verdict.decided()
    assert gr.all_zero([gr.ZERO, s**2 + c**2 - 1, nowhere]).status == "undecided"
    assert gr.all_zero([nowhere, x]).zero is False


def test_a_verdict_says_how_surely():
    assert gr.is_zero(gr.ZERO).status == "proved"
    by_residues = gr.is_zero(ZEROS["double angle"])
    assert by_residues.status == "probable"
    assert 0 < by_residues.bound < 1e-30
    by_values = gr.is_zero(ZEROS["nested root"])
    assert by_values.status == "probable"
    assert by_values.bound < 2**-100
    refuted = gr.is_zero(gr.call("abs", x) - x)
    assert refuted.status == "proved"
    assert refuted.point["x"] < 0


def test_the_bound_grows_with_the_degree():
    small, large = (gr.is_zero((x + y) ** n * (x - y) ** n - (x**2 - y**2) ** n).bound for n in (2, 2000))
    assert large > 1e4 * small


@pytest.mark.parametrize("name", list("abcdefghijklmnop"))
def test_the_sign_of_a_root_is_not_left_to_chance(name):
    """A root modulo a prime is one of two, so that residues alone would find sqrt(a²) = a for some names."""
    a, b = gr.symbol(name), gr.symbol(name + "2")
    assert gr.is_zero(gr.sqrt(a**2) - a).zero is False
    assert gr.is_zero(gr.sqrt(a) * gr.sqrt(b) + gr.sqrt(a * b)).zero is False


def test_bounds_may_name_other_symbols():
    m, r = gr.symbol("m"), gr.symbol("r")
    outside = gr.Domain({"m": (gr.ZERO, None), "r": (2 * m, None)})
    assert gr.is_zero(gr.call("abs", 1 - 2 * m / r) - 1 + 2 * m / r, outside)
    inside = gr.Domain({"m": (gr.ZERO, None), "r": (m, 3 * m)})
    assert gr.is_zero(gr.call("abs", 1 - 2 * m / r) - 1 + 2 * m / r, inside).zero is False


def test_a_conjugate_is_no_symbol_of_its_own():
    z, w = gr.symbol("z"), gr.symbol("w")
    modulus = gr.sqrt(z * w) ** 2 - gr.call("abs", z * w)
    assert gr.is_zero(modulus, gr.Domain(planes=frozenset("z"), conjugates={"w": "z"}))
    assert gr.is_zero(gr.log(z * w) - gr.log(z) - gr.log(w), gr.Domain(planes=frozenset("z"), conjugates={"w": "z"}))


def test_whole_numbers():
    n = gr.symbol("n")
    assert gr.is_zero(gr.sin(gr.PI * n), gr.Domain(integers={"n": lambda n: True}))
    assert gr.is_zero(gr.sin(gr.PI * n)).zero is False


def test_the_prime_is_prime_and_small_numbers_have_roots_modulo_it():
    import sympy

    assert sympy.isprime(PRIME)
    assert PRIME % 16 == 9
    for n in (-1, *sympy.primerange(30)):
        assert sympy.is_quad_residue(n % PRIME, PRIME)
        assert _root(n % PRIME) ** 2 % PRIME == n % PRIME
    with pytest.raises(Undefined):
        _root(next(n for n in range(31, 200) if not sympy.is_quad_residue(n, PRIME)))
