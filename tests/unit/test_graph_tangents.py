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
    (value, slope), (still, none) = gr.tangents([x * y, z * y], POINT, {x: np.ones((1, 1))})
    assert np.array_equal(value, POINT[x] * POINT[y])
    assert np.array_equal(slope, POINT[y][None])
    assert np.array_equal(still, POINT[z] * POINT[y])
    assert none is None
