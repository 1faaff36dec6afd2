"""What is written in the language of tensors does not depend on coordinates, unless a word in it does.

Random tensors of a metric and two functions are made scalars by contraction; whether these keep their values under a
random change of coordinates is decided exactly, modulo a prime. What names coordinates fails this law, and a flow of
the metric refuses it by the name of the word.
"""

import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st
from rates import tensors

import geomflow as gf
from geomflow.core.errors import InputError
from geomflow.core.symmetric import packed_places
from geomflow.symbolic.variation.residues import invariant
from geomflow.symbolic.variation.staged import Staged


def flow(scalar, tensor, **options):
    """Rates of a metric and of two functions that hold a scalar and a tensor."""
    rates = {"g": "sym(T)", "f": "S", "h": "trace(T)"}
    return gf.Flow.from_expression(rates, where={"S": scalar, "T": tensor}, forced=True, **options)


def state(dim):
    grid = gf.Torus(dim=dim).grid(9, order=2)
    return grid.fields(g=grid.metric(), f="0", h="0")


def covariant(rates, dim, **where):
    """Whether the scalars of the rates are the same in all coordinates, the metric standing still."""
    where |= {"S": rates[0], "T": rates[1]}
    on = state(dim)
    law = gf.Flow.from_expression({"f": "S + 3*dot(T, T)", "h": "trace(T) + dot(T, Hess(f))"}, where=where, forced=True)
    staged = Staged.of(law.on(on).program)
    return invariant(staged, dict(zip(packed_places(dim), on["g"].names("g"), strict=True)), ["f", "h"])


@settings(max_examples=30)
@given(tensors())
def test_random_rates_are_covariant_on_surfaces(rates):
    assert covariant(rates, 2)
    flow(*rates).on(state(2))


@settings(max_examples=8)
@given(tensors())
def test_random_rates_are_covariant_in_space(rates):
    assert covariant(rates, 3)


F = sympy.Function("f")(*sympy.symbols("x y"))
WRONG = {
    "flat": ("flat.laplacian(f)", "flat.Hess(f)", "flat.div(grad(f))", "flat.d(f, y)*f"),
    "dV": ("dV", "f/dV", "laplacian(f)*(1 + dV)"),
    "x": ("sin(2*pi*x)", "d(f, x)", "d(f, x, x) + h", "div(f, h^2)", "R + d(R, x)", F.diff("x", 2), (F**2).diff("x"),
          sympy.sin(2 * sympy.pi * sympy.Symbol("x"))),
}


@pytest.mark.parametrize(("word", "text"), [(word, text) for word, texts in WRONG.items() for text in texts])
def test_what_depends_on_coordinates_is_found_and_named(word, text):
    rates = ("f", text) if "Hess" in str(text) else (text, "g")
    assert not covariant(rates, 2)
    with pytest.raises(InputError, match=rf"the rate of '[gf]' names {word}.*covariant=False"):
        flow(*rates).on(state(2))
    flow(*rates, covariant=False).on(state(2))


@given(tensors(), st.sampled_from([text for text in sum(WRONG.values(), ()) if "Hess" not in str(text)]))
@settings(max_examples=10)
def test_one_wrong_word_in_a_random_rate_is_found(rates, wrong):
    scalar, tensor = rates
    assert not covariant((f"{scalar} + W", tensor), 2, W=wrong)


def test_a_function_of_sympy_that_stands_undifferentiated_is_covariant():
    gf.Flow.from_expression({"g": "-2*Ric", "f": F**2, "h": sympy.Symbol("f") ** 3}).on(state(2))
