"""Laws of the expression graph, over random expressions."""

import math
from fractions import Fraction

import numpy as np
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from precision import mpmath_arithmetic

from geomflow.core import graph as gr

LEAVES = [gr.symbol("x"), gr.symbol("y"), gr.jet("u", (0, 0)), gr.jet("u", (1, 0))]
constants = st.fractions(-3, 3, max_denominator=7).map(gr.constant)


def _grow(children):
    pairs = st.tuples(children, children)
    return st.one_of(
        pairs.map(lambda p: p[0] + p[1]), pairs.map(lambda p: p[0] - p[1]), pairs.map(lambda p: p[0] * p[1]),
        pairs.map(lambda p: p[0] / (2 + p[1] ** 2)), children.map(lambda a: a**2), children.map(gr.sin),
        children.map(lambda a: gr.exp(a / 8)), children.map(lambda a: gr.sqrt(3 + a**2)),
        children.map(lambda a: gr.log(2 + a**2)), children.map(lambda a: gr.tanh(a)),
    )


expressions = st.recursive(st.sampled_from(LEAVES) | constants, _grow, max_leaves=8)
points = st.lists(st.floats(-1.5, 1.5), min_size=4, max_size=4)
D = gr.Derivation(("x", "y"))


def at(node, point):
    return float(gr.evaluate([node], dict(zip(LEAVES, point, strict=True)))[0])


def close(a, b):
    return math.isclose(a, b, rel_tol=1e-9, abs_tol=1e-9 * (1 + abs(a)))


@given(expressions, expressions, points)
def test_values_are_those_of_the_operations(a, b, point):
    assert close(at(a + b, point), at(a, point) + at(b, point))
    assert close(at(a * b, point), at(a, point) * at(b, point))
    assert close(at(a - b, point), at(a, point) - at(b, point))


@given(expressions, expressions)
def test_total_derivatives_obey_leibniz(a, b):
    assert gr.is_zero(D(a * b, 0) - a * D(b, 0) - D(a, 0) * b)


@given(expressions)
def test_total_derivatives_commute(a):
    assert gr.is_zero(D(D(a, 0), 1) - D(D(a, 1), 0))


@given(expressions, st.sampled_from(LEAVES), points)
def test_partial_derivatives_are_difference_quotients(a, leaf, point):
    place, step = LEAVES.index(leaf), 1e-5
    up, down = list(point), list(point)
    up[place] += step
    down[place] -= step
    slope, second = at(gr.partial(a, leaf), point), at(gr.partial(gr.partial(a, leaf), leaf), point)
    assume(abs(second) < 1e3 and abs(at(a, point)) < 1e3)
    quotient = (at(a, up) - at(a, down)) / (2 * step)
    assert abs(quotient - slope) < 1e-5 * (1 + abs(slope) + abs(second) + abs(at(a, point)))


@given(expressions)
def test_reverse_mode_equals_forward_mode(a):
    assert gr.all_zero(r - gr.partial(a, leaf) for r, leaf in zip(gr.gradient(a, LEAVES), LEAVES, strict=True))


@given(expressions, expressions, points)
def test_substitution_is_evaluation_at_the_replacement(a, b, point):
    x = LEAVES[0]
    inner = at(b, point)
    assume(abs(inner) < 20)
    replaced = gr.substitute([a], {x: b})[0]
    assert np.isclose(at(replaced, point), at(a, [inner, *point[1:]]), rtol=1e-8, atol=1e-8)


@given(expressions, expressions)
@settings(max_examples=60)
def test_zero_is_found_and_nonzero_is_found(a, b):
    difference = (a + b) ** 2 - a**2 - 2 * a * b - b**2
    assert gr.is_zero(difference)
    assert not gr.is_zero(difference + Fraction(1, 10**9))


@given(expressions, points)
def test_multiple_precision_agrees_with_doubles(a, point):
    exact = gr.evaluate([a], dict(zip(LEAVES, point, strict=True)), mpmath_arithmetic(40))[0]
    assert close(float(exact), at(a, point))
