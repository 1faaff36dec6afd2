"""Unknown functions have the values that functions can have: of one name, at arguments that meet, complex or real."""

import pytest
import sympy
from hypothesis import given
from hypothesis import strategies as st
from sympy import Abs, Function, I, Rational, Symbol, atan, exp, log, pi, re, sqrt

from geomflow.core.errors import InputError
from geomflow.core.graph.modular import PRIME
from geomflow.core.graph.sympy_bridge import Applied, applied, with_functions
from geomflow.symbolic import Chart, ComplexChart, KahlerMetric, Metric, is_zero

x, y, t = sympy.symbols("x y t", real=True)
a, b = sympy.symbols("a b")
f, g, fbar = Function("f"), Function("g"), Function("fbar")
C = ComplexChart("z w")
z, zb = C.symbols[0], C.conjugates[0]
indices = st.tuples(st.integers(0, 3), st.integers(0, 3))
slots = st.sampled_from([(x, x), (x, y), (x + y, x), (x**2, x**2), (x, sympy.Integer(2))])


@given(indices, indices, slots)
def test_derivatives_are_told_apart_by_index_at_any_arguments(one, other, args):
    first, second = Applied(f, one, args), Applied(f, other, args)
    assert applied(first.written()) == first
    assert first.written() == Applied(f, one, args).written()
    assert (first.written() == second.written()) == (one == other)
    assert (with_functions(first.written()) is with_functions(second.written())) == (one == other)


@given(st.integers(1, 4), st.integers(1, 4), indices)
def test_a_written_derivative_is_that_of_a_function_typed_in(m, n, index):
    typed = sympy.Lambda((a, b), a**m * b**n + 5 * a * b**2)
    right = typed.expr.diff(a, index[0], b, index[1]).subs({a: x, b: x})
    assert sympy.expand(Applied(f, index, (x, x)).written().replace(f, typed).doit() - right) == 0


def test_the_laplacian_of_a_derivative_on_the_diagonal():
    found = Metric(Chart([x, y]), [[1, 0], [0, 1]]).laplacian(f(x, x).diff(x))
    typed = sympy.Lambda((a, b), a**2 * b + 5 * a * b**2 + 3 * a**2 * b)
    assert found.replace(f, typed).doit() == typed(x, x).diff(x, 3) == 54


def test_the_ricci_form_of_a_function_of_equal_arguments():
    typed = sympy.Lambda((a, b), log(1 + a) + a**2 * b / 50 + a * b**2 / 10)
    metric = KahlerMetric.from_potential("z", "f(abs(z)^2, abs(z)^2)", functions="f")
    closed = KahlerMetric.from_potential("z", typed(z * zb, z * zb))
    at = {z: Rational(1, 2) + I / 3, zb: Rational(1, 2) - I / 3}
    found = sympy.N(metric.ricci[0, 0].replace(f, typed).doit().subs(at), 20)
    assert abs(found - sympy.N(closed.ricci[0, 0].subs(at), 20)) < 1e-15


def test_a_function_and_a_symbol_may_share_a_name():
    number, function = Symbol("a", real=True), Function("a", positive=True)
    assert Metric("t x", [[1, 0], [0, 1 + (Abs(number) - number) * exp(t) * function(t)]]).ricci != sympy.zeros(2, 2)
    assert is_zero((atan(Symbol("f", positive=True)) + atan(1 / Symbol("f", positive=True)) - pi / 2) * f(x))


def test_functions_of_one_name_are_one():
    positive = Function("f", positive=True)
    assert Metric("x y", [[1, 0], [0, 1 + (Abs(f(x)) - f(x)) * positive(y)]]).ricci == sympy.zeros(2, 2)
    with pytest.raises(InputError, match=r"unknown functions called 'f'.*contradict"):
        is_zero(positive(x) + Function("f", negative=True)(x))


def test_symbols_of_one_name_do_not_contradict_what_is_known():
    with pytest.raises(InputError, match=r"'m'.*contradict"):
        Metric("x y", [["m", 0], [0, Symbol("m", positive=True)]], parameters={"m": "negative"})
    with pytest.raises(InputError, match=r"'x'.*contradict"):
        Chart(["x"], ranges={"x": (-sympy.oo, 0)}).expression(Symbol("x", positive=True))


@pytest.mark.parametrize("e", [
    sqrt(f(z) ** 4) - f(z) ** 2, log(exp(f(z))) - f(z), Abs(f(z)) ** 2 - f(z) ** 2, sqrt(f(g(z)) ** 2) - f(g(z)),
    f(re(z)) - f((z - zb) / 2), sqrt(f(I * z * zb) ** 4) - f(I * z * zb) ** 2,
])  # fmt: skip
def test_functions_of_complex_arguments_are_complex(e):
    assert is_zero(e, C).zero is False


@pytest.mark.parametrize("e", [
    Abs(f(z)) ** 2 - f(z) * fbar(zb), sqrt(f(z)) * sqrt(fbar(zb)) - sqrt(f(z) * fbar(zb)),
    sqrt(f(z * zb) ** 4) - f(z * zb) ** 2, sqrt(f(z, zb) ** 4) - f(z, zb) ** 2, f(re(z)) - f((z + zb) / 2),
    sqrt(g(f(z) * fbar(zb)) ** 4) - g(f(z) * fbar(zb)) ** 2,
])  # fmt: skip
def test_functions_of_real_or_conjugate_arguments_are_real(e):
    assert is_zero(e, C)


def test_functions_that_are_declared_complex_are():
    function = Function("F", complex=True)
    assert is_zero(sqrt(function(x) ** 4) - function(x) ** 2).zero is False
    assert is_zero(log(exp(function(x))) - function(x)).zero is False


@pytest.mark.parametrize("inner", [Abs(x), sqrt(x**2 + 1) * Abs(x) / sqrt(x**2 + 1), Abs(x**3) / x**2])
def test_a_function_at_arguments_that_meet_has_one_value(inner):
    assert is_zero((Abs(x) + x) * (f(inner) - f(x)))
    assert is_zero((Abs(x) + x) * (f(g(inner)) - f(g(x))))
    assert is_zero((f(inner) - f(x)) * (f(inner) - f(-x)))
    assert is_zero((f(inner) - f(x)) * f(y)).zero is False
    assert Metric("x y", [[1, 0], [0, 1 + (Abs(x) + x) * (f(inner) - f(x))]]).ricci == sympy.zeros(2, 2)


def test_residues_say_nothing_of_multiples_of_their_prime():
    assert is_zero(PRIME * Abs(x)).zero is False
    assert is_zero(PRIME * f(Abs(x))).zero is False
    assert is_zero(x ** (PRIME - 1) - 1).zero is False
    assert is_zero(f(x ** (PRIME - 1)) - f(1)).zero is False


def test_whole_numbers_between_bounds_are_taken_one_by_one():
    n = Symbol("n", integer=True)
    assert is_zero(n - 1, ranges={"n": (0, 2)})
    assert is_zero((n - 1) * (n - 2) * (n - 3) * (n - 4), ranges={"n": (0, 5)})
    assert is_zero((n - 1) * (n - 2) * (n - 3), ranges={"n": (0, 5)}).zero is False
    assert is_zero((n - 1) * f(x * n), ranges={"n": (0, 2)})


def test_imaginary_symbols_are_imaginary():
    k = Symbol("k", imaginary=True)
    assert is_zero(k**2 + Abs(k) ** 2)
    assert is_zero(k**2 - Abs(k) ** 2).zero is False


def test_a_function_at_arguments_without_values_is_undecided():
    nowhere = Abs(x) / (sympy.sin(x) ** 2 + sympy.cos(x) ** 2 - 1)
    assert is_zero(f(nowhere) - f(2 * nowhere)).status == "undecided"
