"""Derivatives of a graph in a forward sweep against its derivatives as expressions."""

import numpy as np
import pytest

from geomflow.core import graph as gr

x, y, z = map(gr.symbol, "xyz")
POINT = {x: np.array([0.3, 0.7]), y: np.array([1.2, 0.4]), z: 0.6}
SMOOTH = [name for name in gr.FUNCTIONS if name not in ("acosh", "log", "sign")]


@pytest.mark.parametrize("node", [
    x * y**2 / z, gr.sqrt(x + y) * (2 * x - 3) ** -3, x**2 * y + 5, gr.exp(x * y) * gr.log(z + x),
    *(gr.call(name, x * y / 2 - x) for name in SMOOTH), gr.call("sign", x), gr.call("acosh", 2 + x * y), x, gr.node(3)])
def test_forward_slopes_are_the_gradients(node):
    found = gr.jacobian([node, node * y], POINT, [x, y, z], 2)
    for row, of in zip(found, (node, node * y), strict=True):
        with np.errstate(invalid="ignore"):
            wanted = gr.evaluate(gr.gradient(of, [x, y, z]), POINT)
        np.testing.assert_allclose(row, [np.broadcast_to(w, 2) for w in wanted], rtol=1e-13, atol=1e-14)


def test_values_come_with_their_slopes_and_zero_slopes_are_none():
    (value, slope, _), (still, none, _) = gr.tangents([x * y, z * y], POINT, {x: np.ones((1, 1))})
    assert np.array_equal(value, POINT[x] * POINT[y])
    assert np.array_equal(slope, POINT[y][None])
    assert np.array_equal(still, POINT[z] * POINT[y])
    assert none is None


def test_what_cancels_is_zero_and_what_is_small_is_not():
    """(x + y)² − x² − 2xy − y² is no sum that the graph sees to be zero, and its slopes are rounding."""
    square = (x + y) ** 2 - x**2 - 2 * x * y - y**2
    point = {x: np.array([0.1, 0.3]), y: np.array([0.7, 1 / 3])}
    assert gr.tangents([square], point, {x: np.ones((1, 1))})[0][1].any()
    assert not gr.jacobian([square], point, [x, y], 2).any()
    assert gr.jacobian([square + x * gr.constant(1) / 10**9], point, [x], 2) == pytest.approx(1e-9)
