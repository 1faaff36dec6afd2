"""Unknown functions have the values that functions can have: of one name, at arguments that meet, complex or real."""

import pytest
import sympy
from hypothesis import given
from hypothesis import strategies as st
from sympy import Abs, Function, I, Rational, Symbol, atan, exp, log, pi, re, sqrt

from geomflow.core.errors import InputError, SymmetryError
from geomflow.core.graph.modular import PRIME
from geomflow.core.graph.sympy_bridge import Applied, applied, with_functions
from geomflow.core.graph.unknown import conjugate_name
from geomflow.symbolic import Chart, ComplexChart, KahlerMetric, Metric, is_zero

x, y, t = sympy.symbols("x y t", real=True)
a, b = sympy.symbols("a b")
f, g, fbar = Function("f"), Function("g"), Function("fbar")
C = ComplexChart("z w")
z, zb = C.symbols[0], C.conjugates[0]
fz, fzb = f(z, zb).diff(z), f(z, zb).diff(zb)
tau = Symbol("tau", complex=True)
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
    f(re(z)) - f((z - zb) / 2), sqrt(f(I * z * zb) ** 4) - f(I * z * zb) ** 2, sqrt(fz**4) - fz**2, log(exp(fz)) - fz,
])  # fmt: skip
def test_functions_of_complex_arguments_are_complex(e):
    assert is_zero(e, C).zero is False


@pytest.mark.parametrize("e", [
    Abs(f(z)) ** 2 - f(z) * fbar(zb), sqrt(f(z)) * sqrt(fbar(zb)) - sqrt(f(z) * fbar(zb)),
    sqrt(f(z * zb) ** 4) - f(z * zb) ** 2, sqrt(f(z, zb) ** 4) - f(z, zb) ** 2, f(re(z)) - f((z + zb) / 2),
    sqrt(g(f(z) * fbar(zb)) ** 4) - g(f(z) * fbar(zb)) ** 2, sqrt(fz) * sqrt(fzb) - sqrt(fz * fzb),
    sqrt(fz.diff(zb) ** 4) - fz.diff(zb) ** 2, sqrt(f(z).diff(z)) * sqrt(fbar(zb).diff(zb)) - sqrt(
        f(z).diff(z) * fbar(zb).diff(zb)),
])  # fmt: skip
def test_functions_of_real_or_conjugate_arguments_are_real(e):
    assert is_zero(e, C)


@pytest.mark.parametrize("inner", [sqrt(x), log(x), x**y, x ** Rational(1, 3), log(-1 - x**2), sympy.asin(2 + x**2)])
def test_functions_are_complex_where_their_arguments_are(inner):
    assert is_zero(log(exp(f(inner))) - f(inner)).zero is False
    assert is_zero(sqrt(f(inner) ** 4) - f(inner) ** 2).zero is False


def test_functions_are_real_where_their_arguments_are():
    assert is_zero(sqrt(f(sqrt(x)) ** 4) - f(sqrt(x)) ** 2, ranges={"x": (0, sympy.oo)})


@pytest.mark.parametrize("e", [
    sympy.conjugate(tau) - tau, re(tau) - tau, Abs(tau) ** 2 - tau**2, Abs(Symbol("s")) ** 2 - Symbol("s") ** 2,
])  # fmt: skip
def test_complex_parameters_are_no_reals_on_a_complex_chart(e):
    assert is_zero(e, C).zero is False


def test_complex_parameters_have_conjugates():
    real = f(tau * sympy.conjugate(tau) * z * zb)
    assert is_zero(log(exp(sympy.conjugate(tau) + tau)) - tau - sympy.conjugate(tau), C)
    assert is_zero(log(exp(real)) - real, C)


def test_conjugates_of_functions_that_are_declared_complex():
    function = Function("F", complex=True)
    inner = function(z * zb)
    assert C.conjugate(inner) != inner
    assert C.conjugate(C.conjugate(inner)) == inner
    assert is_zero(sympy.conjugate(inner) - inner, C).zero is False
    with pytest.raises(SymmetryError):
        KahlerMetric("z", [[inner]])
    assert is_zero(sqrt(Function("fbar", complex=True)(x) ** 2) + f(x)).zero is False


@given(st.text("fgh", min_size=1, max_size=2), st.integers(0, 4))
def test_conjugation_of_names_is_an_involution(stem, bars):
    name = stem + "bar" * bars
    assert conjugate_name(conjugate_name(name)) == name != conjugate_name(name)


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


n, k = Symbol("n", integer=True), Symbol("k", integer=True)


@pytest.mark.parametrize(("e", "bounds"), [
    (n - 1, (0, 2)), ((n - 1) * (n - 2) * (n - 3) * (n - 4), (0, 5)), ((n - 1) * f(x * n), (0, 2)),
    ((n - 1) * (n - 2) * (n - 3), (0, pi)), ((n - 1) * (n - 2) * (n - 3), (0, sqrt(10))), (1 / (n - 1) - 1, (0, 3)),
    (n - k - 1, (k, k + 2)), (sympy.prod([n - i for i in range(1, 66)]), (0, 66)),
    (Symbol("n", even=True) - 2, (0, 4)), (Symbol("n", odd=True) - 1, (0, 3)), (Symbol("n", prime=True) - 2, (0, 3)),
    (Symbol("n", integer=True, nonnegative=True), (-5, 1)),
])  # fmt: skip
def test_zero_at_every_whole_number_of_its_kind_between_bounds(e, bounds):
    assert is_zero(e, ranges={"n": bounds})


@pytest.mark.parametrize(("e", "bounds"), [
    ((n - 1) * (n - 2) * (n - 3), (0, 5)), (sympy.prod([n - i for i in range(1, 65)]), (0, 66)),
    (Symbol("n", even=True) - 2, (0, 6)), (n - 1, (-1, 2)),
])  # fmt: skip
def test_not_zero_at_one_whole_number(e, bounds):
    assert is_zero(e, ranges={"n": bounds}).zero is False


def test_bounds_that_are_far_apart_are_not_walked_through():
    assert is_zero(n * (n - 1), ranges={"n": (0, 10**15)}).zero is False


def test_functions_of_many_arguments():
    many = [z * i for i in range(1, 13)]
    assert is_zero(sqrt(f(*many) ** 4) - f(*many) ** 2, C).zero is False
    assert is_zero(sqrt(f(z, z, zb, zb) ** 4) - f(z, z, zb, zb) ** 2, C)


def test_zero_is_not_negative():
    whole = Symbol("n", integer=True, nonnegative=True)
    assert is_zero(Abs(whole - Rational(1, 2)) - whole + Rational(1, 2)).zero is False
    assert is_zero(Symbol("n", zero=True))


@pytest.mark.parametrize("e", [n, 1 / (n - 1) - 1])
def test_where_no_whole_number_is_nothing_is_decided(e):
    assert is_zero(e, ranges={"n": (0, 1) if e == n else (0, 2)}).status == "undecided"


def test_imaginary_symbols_are_imaginary():
    k = Symbol("k", imaginary=True)
    assert is_zero(k**2 + Abs(k) ** 2)
    assert is_zero(k**2 - Abs(k) ** 2).zero is False
    assert is_zero(sqrt(f(I * k) ** 4) - f(I * k) ** 2)
    assert is_zero(sqrt(f(k) ** 4) - f(k) ** 2).zero is False
    assert is_zero(Abs(z + k) ** 2 - (z + k) * (zb - k), C)
    form = KahlerMetric.from_potential("z", "abs(z + k)^4", parameters={"k": "imaginary"}).matrix[0, 0]
    assert sympy.expand(form - 4 * (z + k) * (zb - k)) == 0
    with pytest.raises(SymmetryError):
        KahlerMetric("z", [[k]])


def test_a_function_at_arguments_without_values_is_undecided():
    nowhere = Abs(x) / (sympy.sin(x) ** 2 + sympy.cos(x) ** 2 - 1)
    assert is_zero(f(nowhere) - f(2 * nowhere)).status == "undecided"
