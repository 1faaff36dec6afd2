"""Between sympy and the graph."""

from fractions import Fraction

import pytest
import sympy

from geomflow.core import graph as gr
from geomflow.core.errors import ExpressionError, UnknownFunctionError
from geomflow.core.graph.sympy_bridge import from_sympy, to_sympy

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


def test_a_field_on_foreign_coordinates_is_named():
    with pytest.raises(ExpressionError, match="depends on 'y'"):
        from_sympy(u, ("x",))


def test_infinities_are_refused():
    with pytest.raises(ExpressionError, match="zoo"):
        from_sympy(sympy.zoo)


def test_unevaluated_derivatives_of_closed_forms_are_refused():
    with pytest.raises(ExpressionError, match=r"call \.doit"):
        from_sympy(sympy.Derivative(X**2, X), ("x",))
