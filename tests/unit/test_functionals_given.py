"""What functionals of several fields refuse, in words."""

from __future__ import annotations

import pytest

import geomflow as gf
from geomflow.core.errors import InputError, NotFiniteError

TORUS = gf.Torus(dim=2)
TEXT = "dot(d(f), d(f)) + f^4"


@pytest.mark.parametrize(("given", "message"), [
    ({"parameters": {"a": 2}}, "the parameter 'a' does not occur in the density"),
    ({"parameters": {"f": 2}}, "'f' is a field and cannot be a parameter"),
    ({"parameters": {"x": 2}}, "'x' is a coordinate and cannot be a parameter"),
    ({"parameters": {"1": 2}}, "'1' cannot be the name of a parameter: take letters"),
    ({"parameters": [1]}, "parameters maps names to what they stand for"),
    ({"where": {"R": "f"}}, "'R' is a curvature and cannot be a definition"),
    ({"where": ["w"]}, "where maps names to what they stand for"),
    ({"fields": "g f d"}, "'d' is an operator and cannot be a field"),
    ({"fields": "g f pi"}, "'pi' is a number and cannot be a field"),
    ({"fields": "g f t"}, "'t' is the time and cannot be a field"),
    ({"density": "dV*f"}, "is not covariant: it names dV, which belongs to the coordinates.*Write it in tensors"),
    ({"density": "R*f", "fields": "f"}, "R belongs to a metric, and there is none: add one"),
])
def test_names_that_cannot_be(given, message):
    with pytest.raises(InputError, match=message):
        gf.functionals.from_density(TORUS, **{"density": TEXT, "fields": "g f", **given})


@pytest.mark.parametrize(("choice", "message"), [
    ({"metric": "f"}, "says no inner product of a field: write the field, a colon"),
    ({"metric": 3}, "inner products are given by field"),
    ({"of": 3}, "of is text or a list of texts"),
    ({"of": []}, "names no field"),
    ({"of": ["f", "f"]}, "names a field twice"),
    ({"keep": 3}, "keep is text or a list of texts"),
    ({"keep": "volum"}, "unknown name 'volum'"),
    ({"keep": "mean"}, "mean"),
    ({"keep": "d(f)"}, "contract its indices"),
    ({"keep": ["volume", "volume"]}, "keep names 'volume', whose integral stays where those of 'volume' stay"),
    ({"keep": ["f", "volume", "R", "1 + 2*f"]}, "keep names '1 . 2.f', whose .* those of 'f', 'volume' stay"),
])
def test_choices_that_cannot_be(choice, message):
    with pytest.raises(InputError, match=message):
        gf.functionals.from_density(TORUS, TEXT, fields="g f").gradient_flow(**choice)


def test_a_multiplier_without_a_value_is_said():
    flow = gf.functionals.from_density(TORUS, TEXT, fields="g f").gradient_flow(of="f", keep="f^2")
    grid = TORUS.grid(6)
    with pytest.raises(NotFiniteError, match="the lower one is 0 at this state"):
        gf.solve(flow, grid.fields(g=grid.metric(), f=0), t1=1e-3)


@pytest.mark.parametrize("textbook", ["f", {}, None])
def test_a_textbook_says_something(textbook):
    with pytest.raises(InputError, match="a textbook's gradient is given by field"):
        gf.functionals.from_density(TORUS, TEXT, fields="g f").certify_gradient(textbook)


def test_definitions_of_the_density_are_words_of_textbooks_too():
    energy = gf.functionals.from_density(TORUS, "w*dot(d(f), d(f))", fields="g f", where={"w": "1 + f^2"})
    assert energy.certify_gradient({"f": "-2*div(w*grad(f)) + 2*f*dot(d(f), d(f))"})
    assert not energy.certify_gradient({"f": "-2*div(w*grad(f)) + f*dot(d(f), d(f))"})


def test_there_is_no_measure_but_dv():
    state = TORUS.grid(6).fields(g=TORUS.grid(6).metric(), f=1)
    flow = gf.functionals.from_density(TORUS, TEXT, fields="g f").gradient_flow(of="f")
    with pytest.raises(InputError, match="integrated against dV"):
        gf.Descent(flow, measure=2).on(state)
