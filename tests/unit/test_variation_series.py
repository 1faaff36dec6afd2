"""Truncated series modulo the prime against exact expansions."""

from fractions import Fraction

import pytest

from geomflow.core import graph as gr
from geomflow.core.graph.modular import PRIME
from geomflow.core.program import Stage
from geomflow.symbolic.ring import GraphRing
from geomflow.symbolic.variation.kahler_frame import DerivingKahler
from geomflow.symbolic.variation.metric_frame import DerivingMetric
from geomflow.symbolic.variation.residues import all_vanish, unitary
from geomflow.symbolic.variation.series import SeriesAlgebra, evaluate_scalar, scalar_call, scalar_power
from geomflow.symbolic.variation.staged import Staged


def algebra(degree=4):
    return SeriesAlgebra((2,), (degree,), 7)


def test_product_is_the_truncated_product_of_polynomials():
    use = algebra(2)
    x, y = use.coordinate(0, 0), use.coordinate(1, 0)
    square = use.multiply(use.combine(1, [(2, x), (3, y)]), use.combine(1, [(1, x), (-1, y)]))
    values = dict(zip(use.monomials, square))
    expected = {(0, 0): 1, (1, 0): 3, (0, 1): 2, (2, 0): 2, (1, 1): 1, (0, 2): -3}
    assert {m: v % PRIME for m, v in values.items()} == {m: v % PRIME for m, v in expected.items()}


@pytest.mark.parametrize("exponent", [-1, -3, 5, 7, Fraction(1, 2), Fraction(-3, 2), Fraction(2, 5)])
def test_powers_add(exponent):
    use = algebra()
    a = use.power(use.random(1), 2)
    assert use.multiply(use.power(a, exponent), use.power(a, 1 - exponent)) == a


@pytest.mark.parametrize("name", ["log", "exp", "sin", "tan", "cosh", "atan"])
def test_derivative_of_a_function_is_the_chain_rule(name):
    wide, narrow = algebra(4), algebra(3)
    a = wide.random(2)
    outer = narrow.derivative(wide.call(name, a), wide, (1, 0))
    inner = narrow.derivative(a, wide, (1, 0))
    value = narrow.derivative(a, wide, (0, 0))
    u = gr.symbol("u")
    slope = gr.partial(gr.call(name, u), u)
    known = {u: value}
    for node in gr.schedule((slope,), known=known):
        known[node] = series_value(narrow, node, known)
    assert outer == narrow.multiply(known[slope], inner)


def series_value(use, node, known):
    if node.op == "constant":
        return use.scalar.number(node.data)
    if node.op == "add":
        return use.combine(node.data[0], [(c, known[a]) for c, a in zip(node.data[1], node.args)])
    if node.op == "mul":
        total = 1
        for a, e in zip(node.args, node.data):
            total = use.multiply(total, use.power(known[a], e))
        return total
    return use.call(node.data, known[node.args[0]])


def test_scalar_functions_keep_their_identities():
    use = algebra().scalar
    assert (scalar_call(use, "sin", 5) ** 2 + scalar_call(use, "cos", 5) ** 2) % PRIME == 1
    assert (scalar_call(use, "cosh", 5) ** 2 - scalar_call(use, "sinh", 5) ** 2) % PRIME == 1
    assert scalar_power(use, 11, Fraction(5, 3)) == 11 * scalar_power(use, 11, Fraction(2, 3)) % PRIME
    x = gr.symbol("x")
    assert evaluate_scalar(use, x**2 - 1, {x: 3}) == 8


def test_unitary_matrices():
    use = SeriesAlgebra((3, 3), (1, 1), 3)
    first, dual = unitary(use, 3)
    for i in range(3):
        for j in range(3):
            assert sum(first[k][i] * dual[k][j] for k in range(3)) % PRIME == int(i == j)


@pytest.mark.parametrize("dim", [2, 3])
def test_pullbacks_of_a_metric_agree_with_differentiation(dim):
    metric = DerivingMetric(("x", "y", "z")[:dim])
    compare_pullbacks(metric.stages, GraphRing(metric.coordinates), (dim,))


@pytest.mark.parametrize("dim", [1, 2])
def test_pullbacks_of_a_kahler_metric_agree_with_differentiation(dim):
    half = [[Fraction(int(a == b), 2) for b in range(dim)] for a in range(dim)]
    frame = DerivingKahler(("x1", "y1", "x2", "y2")[:2 * dim], half, half)
    compare_pullbacks(frame.stages, GraphRing(frame.axes), frame.groups)


def compare_pullbacks(stages, ring, groups):
    zero = (0,) * ring.dim
    for stage in stages:
        weights = {name: gr.jet(f"weight_{name}", zero) for name in stage.names}
        total = gr.add(*(weights[name] * node for name, node in stage.outputs))
        slopes = stage.pullback(weights)
        leaves = list(slopes)
        differences = tuple(a - slopes[leaf] for a, leaf in zip(gr.gradient(total, leaves), leaves))
        assert all_vanish(Staged(ring.coordinates, groups, stages, differences))


def test_coordinates_differentiate_to_one():
    x = gr.symbol("x")
    stage = Stage((("s", x**3),))
    staged = Staged(("x",), (1,), (stage,), (gr.jet("s", (2,)) - 6 * x, gr.jet("s", (1,)) - 3 * x**2))
    assert all_vanish(staged)
    assert staged.unstaged() == [gr.ZERO, gr.ZERO]
