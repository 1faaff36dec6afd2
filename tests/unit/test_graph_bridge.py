"""Between sympy and the graph."""

from fractions import Fraction

import pytest
import sympy

from geomflow.core import graph as gr
from geomflow.core.errors import ExpressionError, UnknownFunctionError
from geomflow.core.graph.sympy_bridge import all_to_sympy, composed, from_sympy, to_sympy, with_functions

X, Y = sympy.symbols("x y", positive=True)
u = sympy.Function("u")(X, Y)


@pytest.mark.parametrize("expression", [
    X**2 * sympy.sin(Y) / 3 - sympy.sqrt(X), sympy.exp(-X * Y) + sympy.pi * sympy.I, sympy.log(X + Y) ** -2,
    sympy.Derivative(u, (X, 2), Y) * u + X, sympy.tanh(X) + sympy.Abs(Y) + sympy.atan(X / Y),
])
def test_round_trip_is_the_identity(expression):
    node = from_sympy(expression, ("x", "y"))
    assert sympy.expand(to_sympy(node, coordinates=(X, Y)) - expression) == 0


def test_decimals_become_the_rationals_they_say():
    assert from_sympy(sympy.Float("0.1")) is gr.constant(Fraction(1, 10))


def test_reciprocal_functions_are_rewritten():
    assert from_sympy(sympy.cot(X)) is 1 / gr.tan(gr.symbol("x"))


def test_assumptions_survive():
    assert to_sympy(gr.symbol("x") ** 2, {"x": X}) == X**2


def test_general_powers_become_exponentials():
    x, y = gr.symbol("x"), gr.symbol("y")
    assert from_sympy(X**Y) is gr.exp(y * gr.log(x))


def test_an_unknown_function_is_named():
    with pytest.raises(UnknownFunctionError, match="unknown function 'besselj'"):
        from_sympy(sympy.besselj(0, X))


@pytest.mark.parametrize("expression", [
    u, u.func(Y, X), u.func(X), u.func(X + 1, Y), u.func(X + 1, Y).diff(X)], ids=str)  # fmt: skip
def test_a_field_is_a_function_of_the_coordinates_in_their_order(expression):
    with pytest.raises(UnknownFunctionError, match=r"unknown function 'u' in 'u\(.*\)' has no values"):
        from_sympy(expression, () if expression is u else ("x", "y"))


f, g = sympy.Function("f"), sympy.Function("g")
FORMS = [
    f(X + 1).diff(X, 2), f(X, X + Y).diff(X, 2), f(g(X)).diff(X, 2), f(f(X)).diff(X), f(X, g(X)).diff(X, 2),
    sympy.Derivative(f(X * Y), X), sympy.Derivative(X * f(X), X),
    f(X, Y).diff(X, Y).subs({X: 2 * X, Y: X}, simultaneous=True),
    sympy.Subs(X * f(X) + f(X).diff(X), X, Y**2),
]  # fmt: skip


@pytest.mark.parametrize("expression", FORMS, ids=str)
def test_every_way_in_which_sympy_writes_derivatives_is_read_and_written(expression):
    """What is read and written again, and differentiated on the graph, is the same with functions typed in."""
    node = with_functions(expression)

    def typed(e):
        e = composed(e, {}).replace(g, lambda s: s**2 + 2 * s)
        return e.replace(f, lambda *s: s[0] ** 3 + (s[0] * s[1] ** 2 if len(s) == 2 else sympy.exp(s[0]))).doit()

    def written(n):
        (result,) = all_to_sympy([n], {"x": X, "y": Y})
        return typed(result)

    assert sympy.expand(written(node) - typed(expression)) == 0
    assert sympy.expand(written(gr.Derivation(("x", "y"))(node, 0)) - typed(expression).diff(X)) == 0


def test_derivatives_at_other_arguments_are_written_as_sympy_does():
    assert to_sympy(with_functions(f(X + 1).diff(X, 2)), {"x": X}) == f(X + 1).diff(X, 2)
    assert to_sympy(with_functions(f(X, Y).diff(X)), {"x": X, "y": Y}) == f(X, Y).diff(X)


def test_functions_are_told_apart_by_name_and_argument():
    assert not gr.is_zero(with_functions(f(X) - f(Y)))
    assert not gr.is_zero(with_functions(f(X, Y) - f(Y, X)))
    assert not gr.is_zero(with_functions(sympy.Function("longname1")(X) - sympy.Function("longname2")(X)))
    assert not gr.is_zero(with_functions(f(X).diff(X) - f(X)))
    assert gr.is_zero(with_functions(f((X + Y) ** 2) - f(X**2 + 2 * X * Y + Y**2)))
    assert gr.is_zero(with_functions(f(sympy.sin(X) ** 2 + sympy.cos(X) ** 2) - f(1)))
    logs = with_functions(f(sympy.log(X * Y)) - f(sympy.log(X) + sympy.log(Y)))
    positive = gr.Domain({"x": (gr.ZERO, None), "y": (gr.ZERO, None)})
    assert gr.is_zero(logs, positive)
    assert not gr.is_zero(logs)
    assert not gr.is_zero(with_functions(sympy.Abs(f(X + 1)) - f(X + 1)))


def test_infinities_are_refused():
    with pytest.raises(ExpressionError, match="zoo"):
        from_sympy(sympy.zoo)


def test_unevaluated_derivatives_of_closed_forms_are_carried_out():
    assert from_sympy(sympy.Derivative(X**2, X), ("x",)) is 2 * gr.symbol("x")


def test_a_derivative_that_cannot_be_carried_out_is_refused():
    with pytest.raises(ExpressionError, match="cannot be carried out"):
        from_sympy(sympy.Derivative(f(X + 1), (X, sympy.Symbol("n"))))
