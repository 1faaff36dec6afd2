"""The expression graph: canonical form, interning, structural keys."""

import copy
import pickle
import subprocess
import sys
from fractions import Fraction

import pytest

from geomflow.core import graph as gr
from geomflow.core.errors import ExpressionError, UnknownFunctionError

x, y, z = map(gr.symbol, "xyz")


def test_equal_expressions_are_one_object():
    assert x + y is y + x
    assert x * y * x is y * x**2
    assert gr.sin(x + y) is gr.sin(y + x)


def test_like_terms_and_powers_are_collected():
    assert x + x is 2 * x
    assert x - x is gr.ZERO
    assert x / x is gr.ONE
    assert gr.sqrt(x) * gr.sqrt(x) is x
    assert (x * y) ** 3 / (x**2 * y) is x * y**2


def test_a_sum_and_its_negative_share_their_body():
    assert (x - y) / (y - x) is gr.constant(-1)
    assert (2 * x + 2 * y) ** -1 is Fraction(1, 2) / (x + y)


@pytest.mark.parametrize(("written", "meant"), [
    (gr.sqrt(8), 2 * gr.sqrt(2)), (gr.sqrt(Fraction(1, 2)), gr.sqrt(2) / 2), (gr.sqrt(-4), 2 * gr.I),
    (gr.constant(2) ** Fraction(3, 2), 2 * gr.sqrt(2)), (gr.I**2, gr.constant(-1)), (gr.I**-1, -gr.I),
    (gr.sqrt(4 * x), 2 * gr.sqrt(x)), (gr.sqrt(x * y) ** 2, x * y), (gr.sqrt(x + y) ** 4, (x + y) ** 2),
])
def test_roots_and_the_imaginary_unit(written, meant):
    assert written is meant


def test_functions_use_parity_and_exact_values():
    assert gr.sin(-x) is -gr.sin(x)
    assert gr.cos(y - x) is gr.cos(x - y)
    assert gr.exp(0 * x) is gr.ONE
    assert gr.log(x / x) is gr.ZERO


def test_a_root_of_a_negative_multiple_keeps_its_sign():
    assert gr.evaluate([gr.sqrt(-3 * x)], {x: -2.0})[0] == pytest.approx(6**0.5)


def test_division_by_zero_is_an_error():
    with pytest.raises(ExpressionError, match="division by zero"):
        _ = x / (y - y)


def test_floats_are_refused():
    with pytest.raises(ExpressionError, match=r"holds no float \(0\.5\)"):
        _ = x * 0.5


def test_an_unknown_function_is_named():
    with pytest.raises(UnknownFunctionError, match="unknown function 'bessel'"):
        gr.call("bessel", x)


def test_nodes_survive_copies_and_pickles():
    node = gr.exp(x**2) + gr.jet("u", (1, 0))
    assert copy.deepcopy(node) is node
    assert pickle.loads(pickle.dumps(node)) is node


def test_keys_are_the_same_in_another_process():
    code = ("from geomflow.core import graph as gr; a = gr.symbol('b'); "
            "print((gr.exp(a / 3) * gr.jet('u', (0, 2)) ** -1 + 7).key)")
    a = gr.symbol("b")
    here = (gr.exp(a / 3) * gr.jet("u", (0, 2)) ** -1 + 7).key
    runs = {subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
            for _ in range(2)}
    assert runs == {f"{here}\n"}


def test_keys_tell_exponents_minus_one_and_minus_two_apart():
    assert (x**-1).key != (x**-2).key


def test_long_expressions_print_cut():
    node = x
    for _ in range(40):
        node = node * (node + y)
    assert len(repr(node)) < 500


def test_deep_graphs_do_not_overflow_the_stack():
    node = x
    for k in range(1500):
        node = gr.sin(node + k)
    slope = gr.partial(node, x)
    assert len(gr.schedule([slope])) > 1500
